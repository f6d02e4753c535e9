//! A library to preload that counts what a program allocates and frees, and asks every so many bytes
//! which line of Python that was for.
#![no_std]
#![warn(missing_docs)]

mod chance;
mod heap;
mod names;
mod places;
mod python;
mod report;
mod sampler;

pub use heap::Sampling;

/// The exported functions, rendered by alloc8-gen from what `sampling.toml` says.
pub mod alloc8 {
    include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs"));
}

/// Nothing here panics; a library without `std` must say what would be.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

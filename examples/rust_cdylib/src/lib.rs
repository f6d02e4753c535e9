//! `pages`, a heap in Rust, under every name by which programs allocate: as a library to preload, as
//! one to link, and as a crate whose `Global` is the `#[global_allocator]` of a program.
#![no_std]
#![warn(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

mod pages;

pub use alloc8::Global;
pub use pages::Pages;

/// The exported functions, rendered by alloc8-gen from what `pages.toml` says.
pub mod alloc8 {
    include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs"));
}

/// The heap and the rendered functions never panic; a library without `std` must say what would be.
#[cfg(not(feature = "std"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

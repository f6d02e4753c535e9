//! Other C libraries than glibc: what `build` makes for them binds and keeps the laws, as far as that
//! can be run on Linux.
//!
//! The laws are musl's programs, one set for each CPU. Under musl libraries they are what they are
//! elsewhere. musl's dynamic linker answers whoever needs a `libc.so`, so libraries for Android and
//! the BSDs run under it too, over a stub for what their C libraries name otherwise: their code is
//! tried that way, not their systems.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

mod common;
#[path = "common/systems.rs"]
mod systems;

mod libcs {
    mod android;
    mod bsd;
    mod controls;
    mod languages;
    mod machines;
    mod musl;
    mod ndk;
    mod nodes;
}

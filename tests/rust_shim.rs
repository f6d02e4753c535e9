//! Shims in Rust: they compile without `std` and without a warning, the libraries made of them keep
//! the laws, and `examples/rust_cdylib` and `examples/sampling` do what their READMEs say.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the probe")]
mod heaps;

mod rust_shim {
    mod crates;
    mod example;
    mod libraries;
    mod looks;
    mod refused;
    mod sampling;
    mod toolbox;
    mod vendored;
    mod warnings;
}

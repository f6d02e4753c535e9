//! Linux with glibc on CPUs that are not the host's: what `build` makes for them binds, and keeps the
//! laws, under qemu's user mode (i686 natively).
//!
//! Two heaps: one that promises all, bound directly by `build`, and one that promises nothing, behind
//! every guard. By default under some laws of each kind; with `ALLOC8_ALL=1` under every law.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

mod common;

mod cpus {
    mod binding;
    mod controls;
    mod hiding;
    mod laws;
    mod machines;
    mod threads;
}

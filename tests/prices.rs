//! The plan's prices are what the compiled shim costs, instruction by instruction.
//!
//! Each call is counted by the processor itself (tests/prices/count.c), under an allocator whose
//! functions answer at once (tests/prices/heap.c), so that what is left over is the shim's.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod common;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod prices {
    mod counted;
    mod laws;
}

//! Programs that carry their heap inside themselves (`--mode static`): however they are linked, the
//! heap in them is ours alone, and the laws hold.
#![cfg(target_os = "linux")]

#[path = "programs/archives.rs"]
mod archives;
mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the probe")]
mod heaps;

mod carried {
    mod elsewhere;
    mod header;
    mod laws;
    mod links;
    mod refused;
    mod threads;
    mod tool;
    mod toolbox;
}

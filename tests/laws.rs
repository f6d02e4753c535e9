//! The laws hold under shims of every kind: bound directly and jumping, behind every guard, however
//! the shim was compiled.
//!
//! By default one shim of each kind is tried with half of the ways to compile it; with `ALLOC8_ALL=1`
//! everything is tried with everything.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the probe")]
mod heaps;

mod laws {
    mod exceptions;
    mod kinds;
    mod matrix;
    mod shim;
    mod suite;
    mod table;
}

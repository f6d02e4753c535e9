//! The laws hold under shims of every kind and language: bound directly, jumping and inlined, behind
//! every guard, however the shim was compiled. tests/laws/README.md has the table.
//!
//! By default each pair of choices is tried once; with `ALLOC8_ALL=1` everything with everything.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the probe")]
mod heaps;

mod laws {
    mod cells;
    mod exceptions;
    mod kinds;
    mod library;
    mod matrix;
    mod page;
    mod shim;
    mod suite;
    mod table;
}

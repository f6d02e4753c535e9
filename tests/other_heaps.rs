//! Blocks of other heaps: handed back to them or refused with words, in every language; and libraries
//! that look past a preload.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with other harnesses")]
mod heaps;

mod other_heaps {
    mod deepbind;
    mod libraries;
    mod policy;
}

//! Libraries for Windows, built here and run under Wine: what programs see of the heap, by each kind of hook, for each
//! CPU, C library and way into a process; and what `verify` tells of them.
#![cfg(target_os = "linux")]

#[path = "programs/archives.rs"]
#[allow(dead_code, reason = "the sources of crates alone are wanted")]
mod archives;
mod common;
#[path = "examples/made.rs"]
mod made;
mod windows {
    mod bench;
    mod built;
    mod calling;
    mod carried;
    mod crates;
    mod examples;
    mod fragments;
    mod halfway;
    mod host;
    mod joined;
    mod launched;
    mod laws;
    mod microsofts;
    mod real;
    mod runs;
    mod threads;
}

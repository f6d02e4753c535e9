//! Headers for C++: they compile, export what their lists say, keep the laws, and cost nothing where
//! a heap is a class whose functions can be inlined.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the laws")]
mod heaps;

mod cpp {
    mod build;
    mod compile;
    mod fragments;
    mod headers;
    mod inline;
    mod laws;
    mod optional;
    mod tool;
    mod words;
}

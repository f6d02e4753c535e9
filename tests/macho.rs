//! Dylibs for macOS run here: a loader of our own with dyld's rules of interposing, and a model of
//! libmalloc (tests/macho/README.md says what they cover). These tests prove the harness itself: without a
//! shim, under shims written by hand, under others with one fault each, and under a real allocator's dylib.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

mod common;
#[path = "examples/made.rs"]
mod made;
#[path = "cli/tool.rs"]
mod tool;

mod macho {
    mod bench;
    mod built;
    mod carriers;
    mod chained;
    mod classes;
    mod controls;
    mod crates;
    mod examples;
    mod faults;
    mod fragments;
    mod hooks;
    mod judged;
    mod languages;
    mod laws;
    mod real;
    mod rendered;
    mod shim;
    mod strangers;
    mod watch;
}

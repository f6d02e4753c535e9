//! Hooks for threads: who is introduced, who is seen off, and what comes after.
//!
//! Each program of tests/threads is named after what it checks. It runs under tests/fixtures/heaps/
//! thread_aware.c, which counts what it is told, with both policies: told of threads, and with each
//! call looking whether its thread was introduced.
#![cfg(target_os = "linux")]

mod common;
mod heaps;
#[path = "common/systems.rs"]
mod systems;

mod threads {
    mod cxx;
    mod elsewhere;
    mod in_c;
    mod place;
    mod rust;
}

//! The examples in C++: each is built by its own Makefile from what was rendered for it, does what its
//! README says, and keeps the laws.
#![cfg(target_os = "linux")]

mod common;

mod examples {
    mod diehard;
    mod hoard;
    mod toolbox;
}

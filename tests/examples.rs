//! The examples in C and C++: each is built by its own Makefile or CMake, does what its README says, and those
//! that are heaps keep the laws.
#![cfg(target_os = "linux")]

mod common;

mod examples {
    mod diehard;
    mod hoard;
    mod made;
    mod prefixed;
    mod real;
    mod toolbox;
}

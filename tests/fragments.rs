//! The build fragments in other people's builds: `examples/vendored_cmake` and `vendored_meson` are
//! copied somewhere and built without the tool, and every build of it is asked what it did.
#![cfg(target_os = "linux")]

mod common;

mod fragments {
    mod cmake;
    mod flags;
    mod install;
    mod judged;
    mod make;
    mod meson;
    mod project;
    mod within;
}

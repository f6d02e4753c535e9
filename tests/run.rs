//! `run` ends as the program ends, says nothing on its standard output, and refuses what would be a
//! silent no-op.
#![cfg(target_os = "linux")]

mod common;
#[path = "cli/tool.rs"]
mod tool;

mod run {
    mod asked;
    mod leftovers;
    mod preload;
    mod proof;
    mod refused;
    mod status;
    mod witness;
}

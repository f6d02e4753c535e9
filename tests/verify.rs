//! `verify` finds every planted fault, and is right about libraries of others.
#![cfg(target_os = "linux")]

mod common;
#[path = "cli/tool.rs"]
mod tool;

mod verify {
    mod planted;
    mod programs;
    mod strangers;
    mod symbols;
    mod whole;
}

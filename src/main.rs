//! The command line of alloc8-gen.

use std::process::ExitCode;

mod cli;
mod command;

// A run makes a hundred thousand small blocks and ends; with glibc's heap a third of its time went there.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    command::main(std::env::args_os())
}

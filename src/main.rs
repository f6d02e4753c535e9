//! The command line of alloc8-gen.

use std::process::ExitCode;

mod cli;
mod command;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod heap;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static HEAP: heap::Heap = heap::Heap;

fn main() -> ExitCode {
    command::main(std::env::args_os())
}

//! The command line of alloc8-gen.

use std::process::ExitCode;

mod cli;
mod command;

fn main() -> ExitCode {
    command::main(std::env::args_os())
}

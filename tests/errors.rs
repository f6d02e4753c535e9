//! Errors as a product: each mistake has a code, its exact place, and help that can be typed; people
//! read it as `tests/errors/NAME.txt` has it, and machines are told the same.
#![cfg(target_os = "linux")]

mod common;
#[path = "errors/compilers.rs"]
mod compilers;
#[path = "errors/descriptions.rs"]
mod descriptions;
#[path = "errors/disk.rs"]
mod disk;
#[path = "errors/same.rs"]
mod same;
#[path = "errors/specs.rs"]
mod specs;
#[path = "cli/tool.rs"]
mod tool;
#[path = "cli/unprivileged.rs"]
mod unprivileged;

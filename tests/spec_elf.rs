//! What the specs say of the ELF platforms beside glibc, held against what their systems ship.
//!
//! Android is not among them: no bionic header or library can be had without the NDK, so its facts
//! stand on bionic's sources alone; its shim compiles and links here (`shims`).
#![cfg(target_os = "linux")]

mod common;

#[path = "spec_elf/completeness.rs"]
mod completeness;
#[path = "spec_elf/export_list.rs"]
mod export_list;
#[path = "spec_elf/glibc.rs"]
mod glibc;
#[path = "spec_elf/interposition.rs"]
mod interposition;
#[path = "spec_elf/prototypes.rs"]
mod prototypes;
#[path = "spec_elf/shims.rs"]
mod shims;

use std::process::Command;

/// Runs a command and tells what it said on standard output.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// musl's compiler, if it is installed.
fn musl() -> Option<Command> {
    let there = Command::new("musl-gcc").arg("--version").output().is_ok();
    if !there {
        common::skip("musl-gcc", "apt-get install musl-tools");
    }
    there.then(|| Command::new("musl-gcc"))
}

/// `zig cc` for a target, if zig is installed.
fn zig_cc(target: &str) -> Option<Command> {
    let Some(mut zig) = common::zig() else {
        common::skip(common::ZIG.0, common::ZIG.1);
        return None;
    };
    zig.args(["cc", "-target", target]);
    Some(zig)
}

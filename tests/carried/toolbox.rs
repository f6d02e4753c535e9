//! What the tests of carried heaps build and run.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{common, heaps::root};

pub(super) const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");

pub(super) fn tool() -> Command {
    let mut command = Command::new(TOOL);
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command
}

pub(super) fn fixture(file: &str) -> PathBuf {
    root().join("tests/fixtures/carried").join(file)
}

pub(super) fn finish(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(super) fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

pub(super) fn succeeds(command: &mut Command) -> Output {
    let output = finish(command);
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, said(&output));
    output
}

/// Whether it is there; if not, says how to install it.
pub(super) fn installed(program: &str, how: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    // musl-gcc knows no --version of its own and hands it on.
    if !found {
        common::skip(program, how);
    }
    found
}

/// `build --mode static` with these arguments more; the file with the arguments for links.
pub(super) fn built(stem: &Path, more: &[&str]) -> PathBuf {
    succeeds(tool().args(["build", "--mode", "static", "-o"]).arg(stem).args(more));
    stem.with_extension("args")
}

/// `@FILE`
pub(super) fn at(file: &Path) -> OsString {
    let mut word = OsString::from("@");
    word.push(file);
    word
}

/// Links one program.
pub(super) fn link(driver: &str, options: &[&str], source: &Path, heap: &Path, program: &Path) {
    let mut command = Command::new(driver);
    // clang takes it for granted that calloc leaves errno alone.
    command.args(["-O2", "-fno-builtin", "-pthread"]).args(options).arg(at(heap)).arg(source);
    succeeds(command.arg("-o").arg(program).arg("-ldl"));
}

/// What `verify` finds in a program.
pub(super) fn verdict(program: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = finish(tool().args(["-q", "verify"]).args(more).arg(program));
    (output.status.code(), said(&output))
}

/// The program's own status is 0, and all of the heap in it is ours.
pub(super) fn carries_ours(program: &Path, arguments: &[&OsStr]) {
    succeeds(Command::new(program).args(arguments));
    let (status, text) = verdict(program, &["-a", "simple_heap"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("direct: simple_heap_malloc"), "{text}");
    assert!(text.trim_end().ends_with("complete"), "{text}");
}

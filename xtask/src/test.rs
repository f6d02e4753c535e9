//! Everything that must hold before a commit.

use std::process::Command;

use crate::{
    codegen, install,
    shell::{cargo, run, succeeds},
};

/// Ends with the test runner's own counts.
pub(crate) fn test(all: bool) -> anyhow::Result<()> {
    install::all()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    let lints = ["--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    run(cargo().arg("clippy").args(lints))?;
    // The documentation of the library, whose links must lead somewhere.
    let pages = ["doc", "--package=alloc8-gen", "--lib", "--no-deps", "--quiet"];
    run(cargo().args(pages).env("RUSTDOCFLAGS", "-Dwarnings"))?;
    codegen::check()?;
    archives()?;
    if succeeds(cargo().args(["nextest", "--version"])) {
        // nextest does not run the examples in the documentation.
        run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
        let mut tests = cargo();
        tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        run(everything(&mut tests, all, &["--run-ignored=all"]))
    } else {
        let mut tests = cargo();
        tests.args(["test", "--workspace", "--no-fail-fast"]);
        run(everything(&mut tests, all, &["--", "--include-ignored"]))
    }
}

/// With `--all`, tests that are marked as long, and the full cross product of those that have one.
fn everything<'a>(command: &'a mut Command, all: bool, ignored: &[&str]) -> &'a mut Command {
    if all { command.args(ignored).env("ALLOC8_ALL", "1") } else { command }
}

/// The real allocators' libraries; cargo knows what is out of date.
pub(crate) fn archives() -> anyhow::Result<()> {
    let mut build = cargo();
    build.args(["run", "--quiet", "--release", "--manifest-path=tests/allocators/Cargo.toml"]);
    build.args(["--target-dir=target/allocators", "--", "target/allocators/out"]);
    run(&mut build)
}

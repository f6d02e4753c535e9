//! Starting other programs.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

/// A program that will start in the repository's root.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs it, told before on standard error; failure is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let text = line(command);
    eprintln!("$ {text}");
    let status = command.status().with_context(|| format!("cannot start `{text}`"))?;
    ensure!(status.success(), "`{text}` failed ({status})");
    Ok(())
}

/// What it writes to standard output; failure is an error.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let text = line(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{text}`"))?;
    ensure!(
        output.status.success(),
        "`{text}` failed ({})\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether it can be started and ends well; it says nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Where PATH has a program.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Builds the command line tool and tells where it is.
pub(crate) fn tool(profile: &str) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--package=alloc8-gen", "--profile", profile]);
    run(&mut build)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target().join(folder).join("alloc8-gen"))
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    // The full path of cargo says nothing.
    let name = words[0].rsplit('/').next().unwrap_or_default();
    std::iter::once(name).chain(words[1..].iter().map(|w| &**w)).collect::<Vec<_>>().join(" ")
}

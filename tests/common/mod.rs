//! What the harnesses share.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Says that something was left out because a tool is missing, and how to get the tool.
///
/// Under `CI=true` nothing may be left out but what `.ci/expected-skips` lists with its reason: a
/// line there begins with the name, and `#` begins a comment.
#[allow(dead_code, reason = "not every harness leaves something out")]
pub(crate) fn skip(name: &str, how: &str) {
    eprintln!("skipped: {name} ({how})");
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        let list = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/expected-skips");
        let list = std::fs::read_to_string(list).unwrap_or_default();
        let expected = list.lines().any(|line| line.split_whitespace().next() == Some(name));
        assert!(expected, "skipped: {name} ({how}), and .ci/expected-skips does not list it");
    }
}

/// Whether `cargo xtask test --all` wants everything tried with everything.
#[allow(dead_code, reason = "not every harness has more to try")]
pub(crate) fn everything() -> bool {
    std::env::var("ALLOC8_ALL").is_ok_and(|all| all == "1")
}

/// What `skip` says where there is no zig.
#[allow(dead_code, reason = "not every harness compiles for other systems")]
pub(crate) const ZIG: (&str, &str) = ("zig", "cargo xtask install, or set ALLOC8_ZIG");

/// Zig, to be followed by `cc`, `c++`, `ar` …; what it caches goes below the target folder.
///
/// `ALLOC8_ZIG` (a program and its first arguments) rules over what `cargo xtask install` put below
/// the target folder, and that over PATH.
#[allow(dead_code, reason = "not every harness compiles for other systems")]
pub(crate) fn zig() -> Option<Command> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let python = target.join("tools/zig/bin/python");
    let named = std::env::var("ALLOC8_ZIG").ok().filter(|words| !words.trim().is_empty());
    let mut zig = if let Some(words) = named {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next()?);
        command.args(words);
        command
    } else if python.is_file() {
        let mut command = Command::new(python);
        command.args(["-m", "ziglang"]);
        command
    } else {
        let path = std::env::var_os("PATH")?;
        Command::new(std::env::split_paths(&path).map(|f| f.join("zig")).find(|f| f.is_file())?)
    };
    zig.env("ZIG_GLOBAL_CACHE_DIR", target.join("zig-cache/global"));
    zig.env("ZIG_LOCAL_CACHE_DIR", target.join("zig-cache/local"));
    Some(zig)
}

/// zig's compiler for a target as one command; what it caches goes below the target folder.
#[allow(dead_code, reason = "not every harness compiles for other systems")]
pub(crate) fn zig_cc(target: &str, more: &str) -> Option<String> {
    let Some(zig) = zig() else {
        skip(ZIG.0, ZIG.1);
        return None;
    };
    let mut words = vec!["env".to_owned()];
    words.extend(zig.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy()))
    }));
    words.push(zig.get_program().to_string_lossy().into_owned());
    words.extend(zig.get_args().map(|word| word.to_string_lossy().into_owned()));
    // What it checks of itself without optimization would need more of the C library than there is.
    words.push(format!("cc -target {target} -fno-sanitize=all {more}").trim().to_owned());
    Some(words.join(" "))
}

/// The folder with the headers and export lists that zig bundles.
#[allow(dead_code, reason = "not every harness reads them")]
pub(crate) fn zig_lib() -> Option<PathBuf> {
    let output = zig()?.arg("env").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // `.lib_dir = "/path",`, or JSON in older versions.
    let line = text.lines().find(|line| line.contains("lib_dir"))?;
    let from = line.split_once(['=', ':'])?.1;
    Some(PathBuf::from(from.split('"').nth(1)?))
}

/// The same program with the same first arguments and environment, once more.
#[allow(dead_code, reason = "not every harness runs something often")]
pub(crate) fn again(command: &Command) -> Command {
    let mut new = Command::new(command.get_program());
    new.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => new.env(name, value),
            None => new.env_remove(name),
        };
    }
    new
}

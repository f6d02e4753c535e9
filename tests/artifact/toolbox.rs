//! Compiles small sources in a folder that is deleted afterwards.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

pub(crate) struct Toolbox {
    folder: TempDir,
}

impl Toolbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path(name), text).expect("write a source");
        self
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("read what was built")
    }

    /// Runs a command line, split at spaces, in the folder.
    pub(crate) fn run(&self, line: &str) -> &Self {
        let mut words = line.split_whitespace();
        let program = words.next().expect("a program");
        let output = Command::new(program)
            .args(words)
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{text}");
        self
    }

    /// Writes `source` to `in.c`, runs the command line and reads `out`.
    pub(crate) fn build(source: &str, line: &str) -> Vec<u8> {
        let tools = Self::new();
        tools.write("in.c", source).run(line).read("out")
    }
}

/// Whether a tool is there; says so if it is not, and fails in CI unless that is expected.
pub(crate) fn have(tool: &str, package: &str) -> bool {
    if Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success()) {
        return true;
    }
    skip(tool, &format!("apt-get install {package}"));
    false
}

/// Says that something was left out; fails in CI unless that is expected.
pub(crate) fn skip(tool: &str, how: &str) {
    let expected = fs::read_to_string(".ci/expected-skips").unwrap_or_default();
    let expected = expected.lines().any(|line| line.split_whitespace().next() == Some(tool));
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(expected || !in_ci, "{tool} is missing ({how})");
    eprintln!("skipped: {tool} ({how})");
}

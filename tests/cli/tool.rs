//! Runs the tool as a user does, and builds what it is run on.
#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::{
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output},
    sync::OnceLock,
};

pub(crate) const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");

/// Shared by all tests, so that an interposer is built once; the user's own cache is not touched.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// The tool, in a folder, with nothing of the tester's own environment that matters to it.
pub(crate) fn tool(folder: &Path) -> Command {
    let mut command = Command::new(TOOL);
    command.current_dir(folder).env("XDG_CACHE_HOME", cache()).env("LC_ALL", "C");
    for name in ["CC", "LD_PRELOAD", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn new(command: &mut Command) -> Ran {
        let Output { status, stdout, stderr } =
            command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { status, out: text(stdout), err: text(stderr) }
    }

    /// Asserts the exit status.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.status.code(), Some(code), "{}", self.all());
        self
    }

    /// Asserts that standard error has these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Ran {
        for text in texts {
            assert!(self.err.contains(text), "no `{text}` in\n{}", self.all());
        }
        self
    }

    /// The line of standard output that tells of a name; its words.
    #[track_caller]
    pub(crate) fn line(&self, name: &str) -> &str {
        let names = |line: &&str| line.split_whitespace().any(|word| word == name);
        self.out.lines().find(names).unwrap_or_else(|| panic!("no `{name}` in\n{}", self.all()))
    }

    /// Standard output as one JSON object a line, each with a reason.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        json(&self.out)
    }

    pub(crate) fn all(&self) -> String {
        format!("{:?}\n--- stdout\n{}--- stderr\n{}", self.status, self.out, self.err)
    }
}

#[track_caller]
pub(crate) fn json(text: &str) -> Vec<serde_json::Value> {
    let read = |line| -> serde_json::Value {
        let object: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(object["reason"].is_string(), "no reason: {line}");
        object
    };
    text.lines().map(read).collect()
}

/// Runs the tool to its end.
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Ran {
    Ran::new(tool(folder).args(arguments))
}

/// What one run of the C compiler makes, from the cache if it was made before.
pub(crate) fn compiled(name: &str, source: &str, arguments: &[&str]) -> PathBuf {
    let mut hash = DefaultHasher::new();
    (source, arguments).hash(&mut hash);
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("built");
    let folder = built.join(format!("{:016x}", hash.finish()));
    let done = folder.join(name);
    if done.is_file() {
        return done;
    }
    fs::create_dir_all(&folder).unwrap();
    // Another test may be at it: each works in a folder of its own, and the last rename wins.
    let work = tempfile::tempdir_in(&built).unwrap();
    let file = work.path().join("source.c");
    fs::write(&file, source).unwrap();
    let made = work.path().join(name);
    cc(&[OsStr::new("-o"), made.as_os_str(), file.as_os_str()], arguments);
    fs::rename(made, &done).unwrap();
    done
}

#[track_caller]
pub(crate) fn cc(files: &[&OsStr], arguments: &[&str]) {
    let mut command = Command::new("cc");
    command.args(files).args(arguments);
    let ran = Ran::new(&mut command);
    assert!(ran.status.success(), "{command:?}\n{}", ran.all());
}

/// A program that allocates a little.
pub(crate) const PROGRAM: &str = r#"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words)
{
    char *text = malloc(4000);
    if (!text)
        return 9;
    snprintf(text, 4000, "%d words, first %s", count, count > 1 ? words[1] : "none");
    puts(text);
    free(text);
    return 0;
}
"#;

pub(crate) fn program() -> PathBuf {
    compiled("program", PROGRAM, &[])
}

/// The interposer of `simple_heap`, built by the tool.
pub(crate) fn interposer() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("built");
        fs::create_dir_all(&folder).unwrap();
        run(&folder, &["build", "-o", "libsimple_heap-alloc8.so"]).exits(0);
        folder.join("libsimple_heap-alloc8.so")
    })
}

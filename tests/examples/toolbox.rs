//! An example in a folder of its own, where nothing that is built gets into the tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

use alloc8_gen::{
    laws::{self, Compilers, Outcome, Workshop},
    spec,
    toolchain::Compiler,
};

use crate::common;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A copy of an example.
pub(super) struct Example {
    name: &'static str,
    pub(super) folder: tempfile::TempDir,
}

impl Example {
    /// `None`, and said so, without GNU Make.
    pub(super) fn copied(name: &'static str) -> Option<Example> {
        if Command::new("make").arg("--version").output().is_err() {
            common::skip("make", "apt-get install make");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(ROOT).join("examples").join(name), folder.path());
        Some(Example { name, folder })
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Runs its Makefile, which needs no alloc8-gen, and what that said.
    #[track_caller]
    pub(super) fn make(&self, arguments: &[&str]) -> String {
        self.run("make", arguments)
    }

    /// Runs a program in the example's folder, or one that was built there.
    #[track_caller]
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let built = self.path(program);
        let mut command = match built.is_file() {
            true => Command::new(built),
            false => Command::new(program),
        };
        for variable in ["CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS", "MAKELEVEL"] {
            command.env_remove(variable);
        }
        let output = command.args(arguments).current_dir(&self.folder).output().unwrap();
        said(&output, &format!("{}: {program} {arguments:?}", self.name))
    }

    #[track_caller]
    pub(super) fn tool(&self, arguments: &[&str]) -> String {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
        tool.args(arguments).current_dir(&self.folder);
        tool.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
        said(&tool.output().unwrap(), &format!("{}: {arguments:?}", self.name))
    }
}

/// What was written to standard output by what did well and had nothing to complain about.
#[track_caller]
fn said(output: &Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && !err.contains("warning"), "{what}: {out}{err}");
    out
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// `g++` and `clang++`, as far as they are installed.
pub(super) fn compilers() -> Vec<&'static str> {
    let mut found = vec!["g++", "clang++"];
    found.retain(|name| {
        let there = Command::new(name).arg("--version").output().is_ok();
        if !there {
            common::skip(name, &format!("apt-get install {}", name.replace("clang++", "clang")));
        }
        there
    });
    found
}

/// All laws of the platform hold under a library.
pub(super) fn laws_hold(library: &Path) {
    // One library at a time: laws have time limits.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let linux = spec::platform("linux").unwrap();
    let gcc = Compiler::find(Some("gcc"), None).expect("the tests need gcc");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws");
    let workshop = Workshop::new(Compilers::beside(&gcc), &[], &folder).unwrap();
    let all = laws::laws(&linux).unwrap();
    assert!(all.len() > 60, "{}", all.len());
    let judged = laws::check_with(&workshop, all, Some(library), 2).unwrap();
    let broken: Vec<_> = judged.iter().filter(|(_, o)| *o != Outcome::Holds).collect();
    let broken: Vec<_> = broken.iter().map(|(l, o)| format!("{}: {o:?}", l.name)).collect();
    assert!(broken.is_empty(), "{}:\n{}", library.display(), broken.join("\n"));
}

/// No file of the example is longer than its readers like.
pub(super) fn is_short(name: &str) {
    let folder = Path::new(ROOT).join("examples").join(name);
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        assert!(text.lines().count() <= 400, "{}", file.display());
    }
}

//! What the tests of build fragments build: a copy of the example, and what they ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use crate::common::skip;
use tempfile::TempDir;

pub(super) const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");

pub(super) const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/vendored_cmake");

pub(super) const LIBRARY: &str = "libblock_heap_preload.so";

pub(super) const SHIM: &str = "CMakeFiles/block_heap_preload_shim.dir/alloc8/linux/shim.c.o";

pub(super) const SOURCE: &str = "CMakeFiles/block_heap.dir/block_heap.cpp.o";

pub(super) const ARCHIVE: &str = "libblock_heap.a";

pub(super) const JOINED: &str = "block_heap_preload.joined.o";

pub(super) const PROGRAM: &str = "strings";

/// A copy of the example, and the folder that it is built in.
pub(super) struct Project {
    _temporary: TempDir,
    pub(super) source: PathBuf,
    pub(super) build: PathBuf,
}

impl Project {
    /// Below a path that quotes badly.
    pub(super) fn new(build: &str) -> Project {
        let temporary = tempfile::tempdir().expect("a folder");
        let root = temporary.path().join("größer als");
        let source = root.join("vendored");
        copy(Path::new(EXAMPLE), &source);
        Project { build: root.join(build), source, _temporary: temporary }
    }

    pub(super) fn configure(&self, more: &[&str]) -> Output {
        let mut command = command("cmake");
        // An empty ALLOC8_GEN is not looked for: the tool is not installed.
        command.arg("-S").arg(&self.source).arg("-B").arg(&self.build).arg("-DALLOC8_GEN=");
        finish(command.args(more))
    }

    pub(super) fn build(&self, more: &[&str]) -> Output {
        finish(command("cmake").arg("--build").arg(&self.build).args(more))
    }

    pub(super) fn configured(self, more: &[&str]) -> Project {
        succeeded(&self.configure(more));
        self
    }

    pub(super) fn library(&self) -> PathBuf {
        self.build.join(LIBRARY)
    }

    /// Which of the outputs have been written since.
    pub(super) fn outputs(&self) -> BTreeMap<&'static str, SystemTime> {
        [SHIM, SOURCE, ARCHIVE, JOINED, LIBRARY, PROGRAM]
            .into_iter()
            .map(|name| (name, modified(&self.build.join(name))))
            .collect()
    }

    pub(super) fn rebuilt(&self) -> BTreeSet<&'static str> {
        let before = self.outputs();
        succeeded(&self.build(&[]));
        let after = self.outputs();
        before.keys().copied().filter(|name| before[name] != after[name]).collect()
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let name = entry.file_name();
        if entry.path().is_dir() {
            if name != "build" {
                copy(&entry.path(), &to.join(name));
            }
        } else {
            fs::copy(entry.path(), to.join(name)).expect("copied");
        }
    }
}

/// A command that finds no alloc8-gen and takes no flags from whoever runs the tests.
pub(super) fn command(program: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let without = std::env::split_paths(&path).filter(|dir| !dir.join("alloc8-gen").exists());
    let path: OsString = std::env::join_paths(without).expect("as it was");
    let mut command = Command::new(program);
    command.env("PATH", path);
    for name in
        ["CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LD_PRELOAD", "MAKEFLAGS"]
    {
        command.env_remove(name);
    }
    command
}

pub(super) fn finish(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(super) fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    // CMake wraps what it says to the width of a terminal.
    String::from_utf8_lossy(&both).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(super) fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
pub(super) fn failed(output: &Output, says: &str) {
    assert!(!output.status.success(), "{}", text(output));
    assert!(text(output).contains(says), "{}", text(output));
}

pub(super) fn modified(file: &Path) -> SystemTime {
    let data = fs::metadata(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    data.modified().expect("known")
}

pub(super) fn touch(file: &Path) {
    thread::sleep(Duration::from_millis(20));
    let file = fs::File::options().append(true).open(file).expect("there");
    file.set_modified(SystemTime::now()).expect("set");
}

pub(super) fn edit(file: &Path, from: &str, to: &str) {
    thread::sleep(Duration::from_millis(20));
    let text = fs::read_to_string(file).expect("there");
    assert!(text.contains(from), "{}", file.display());
    fs::write(file, text.replacen(from, to, 1)).expect("written");
}

/// Whether the programs are there; says how to get them if not.
pub(super) fn have(test: &str, programs: &[(&str, &str)]) -> bool {
    programs.iter().all(|(program, package)| {
        let there = Command::new(program).arg("--version").output().is_ok();
        if !there {
            skip(test, &format!("apt-get install {package}"));
        }
        there
    })
}

pub(super) const CMAKE: (&str, &str) = ("cmake", "cmake");

pub(super) const MESON: (&str, &str) = ("meson", "meson");

pub(super) const NINJA: (&str, &str) = ("ninja", "ninja-build");

pub(super) const MAKE: (&str, &str) = ("make", "make");

/// Runs a program under the library, and has the dynamic linker say who answers `malloc`.
#[track_caller]
pub(super) fn takes_effect(library: &Path, program: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join(LIBRARY); // LD_PRELOAD splits at spaces
    std::os::unix::fs::symlink(library, &link).expect("linked");
    let output = finish(
        command(program.to_str().expect("UTF-8"))
            .env("LD_PRELOAD", &link)
            .env("LD_BIND_NOW", "1")
            .env("LD_DEBUG", "bindings"),
    );
    succeeded(&output);
    let bindings = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut references = 0;
    for line in bindings.lines().filter(|line| line.contains("normal symbol `malloc'")) {
        // The dynamic linker itself, and whoever looks for the next definition, are not programs.
        assert!(line.contains(&format!("to {} [0]", link.display())), "{line}");
        references += 1;
    }
    assert!(references > 0, "{bindings}");
}

/// The public name is the allocator's function: two names of one address.
pub(super) fn is_direct(library: &Path) -> bool {
    let output = finish(command("nm").arg(library));
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let address = |name: &str| {
        names
            .lines()
            .find(|line| line.ends_with(&format!(" {name}")))
            .and_then(|line| line.split(' ').next().map(str::to_owned))
            .unwrap_or_else(|| panic!("no {name} in {names}"))
    };
    address("malloc") == address("block_heap_malloc")
}

//! Where the programs run: a C library, its compiler, the heap that counts, and the programs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{laws, spec};

use crate::{common, heaps};

/// A C library on a CPU, and the compiler for it.
pub(super) struct Place {
    pub(super) platform: &'static str,
    pub(super) target: &'static str,
    pub(super) cc: &'static str,
    pub(super) how: &'static str,
}

pub(super) const GLIBC: Place =
    Place { platform: "linux", target: "x86_64-linux-gnu", cc: "gcc", how: "apt-get install gcc" };
pub(super) const I686: Place = Place {
    platform: "linux",
    target: "i686-linux-gnu",
    cc: "gcc -m32 -I/usr/include/x86_64-linux-gnu",
    how: "apt-get install gcc-12-multilib",
};
pub(super) const MUSL: Place = Place {
    platform: "linux-musl",
    target: "x86_64-linux-musl",
    cc: "musl-gcc",
    how: "apt-get install musl-tools",
};

pub(super) const POLICIES: [&str; 2] = ["advisory", "required"];

pub(super) fn description(policy: &str) -> PathBuf {
    heaps::heap(if policy == "required" { "aware_strict.toml" } else { "aware.toml" })
}

pub(super) fn cli() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command
}

impl Place {
    pub(super) fn compiler(&self) -> Command {
        let mut words = self.cc.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        command
    }

    pub(super) fn is_there(&self, work: &Path) -> bool {
        let empty = work.join("empty.c");
        fs::write(&empty, "#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n")
            .unwrap();
        let output = self.compiler().arg(&empty).arg("-o").arg(work.join("empty")).output();
        let there = output.is_ok_and(|output| output.status.success());
        if !there {
            common::skip(self.cc.split(" -I").next().unwrap(), self.how);
        }
        there
    }

    pub(super) fn archive(&self, policy: &str, work: &Path) -> PathBuf {
        self.archive_with(policy, work, &[])
    }

    pub(super) fn archive_with(&self, policy: &str, work: &Path, more: &[&str]) -> PathBuf {
        let object = work.join("heap.o");
        let mut compile = self.compiler();
        compile.args(["-std=gnu11", "-O2", "-fPIC", "-c"]).arg(heaps::heap("thread_aware.c"));
        compile.args(more);
        if policy == "required" {
            compile.arg("-DAWARE_STRICT");
        }
        heaps::run(compile.arg("-o").arg(&object));
        let archive = work.join(format!("lib{policy}.a"));
        heaps::run(Command::new("ar").arg("rcs").arg(&archive).arg(&object));
        archive
    }

    /// What `build` makes, with all that it measures and verifies.
    pub(super) fn library(&self, policy: &str, work: &Path) -> PathBuf {
        let library = work.join(format!("lib{policy}.so"));
        let mut build = cli();
        build.args(["build", "-p", self.platform, "--target", self.target, "--cc", self.cc]);
        build.arg("-a").arg(description(policy)).arg("--lib").arg(self.archive(policy, work));
        heaps::run(build.arg("-o").arg(&library));
        library
    }

    pub(super) fn programs(&self, work: &Path) -> Vec<(String, PathBuf)> {
        // What law.h asks of the platform.
        let laws = laws::laws(&spec::platform(self.platform).unwrap()).unwrap();
        fs::write(work.join("platform.h"), &laws[0].header).unwrap();
        let mut programs = Vec::new();
        for entry in fs::read_dir(heaps::root().join("tests/threads")).unwrap() {
            let source = entry.unwrap().path();
            if source.extension().is_none_or(|extension| extension != "c") {
                continue;
            }
            let name = source.file_stem().unwrap().to_string_lossy().into_owned();
            let program = work.join(&name);
            let mut compile = self.compiler();
            compile.args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]);
            compile.arg("-I").arg(heaps::root().join("templates/laws"));
            compile.arg("-I").arg(work).arg(&source);
            heaps::run(compile.arg("-o").arg(&program));
            programs.push((name, program));
        }
        assert!(programs.len() >= 14, "only {} programs", programs.len());
        programs.sort();
        programs
    }
}

pub(super) fn run(program: &Path, library: &Path, policy: &str, now: bool) -> Output {
    // `timeout` is of another C library than the program, perhaps: the preload is not for it.
    let mut command = Command::new("timeout");
    command.args(["300", "env"]).arg(format!("LD_PRELOAD={}", library.display()));
    if now {
        command.arg("LD_BIND_NOW=1");
    }
    command.arg(program).env("AWARE_POLICY", policy).output().unwrap()
}

/// All of them, but those that say that they do not apply; under a library, or several with colons between
/// them.
pub(super) fn hold(programs: &[(String, PathBuf)], library: &Path, policy: &str, binding: &[bool]) {
    let mut broken = Vec::new();
    let mut held = 0;
    for (name, program) in programs {
        for now in binding {
            let output = run(program, library, policy, *now);
            match output.status.code() {
                Some(0) => held += 1,
                Some(77) => {}
                _ => broken.push(format!(
                    "{name}, {policy}: {}\n{}",
                    output.status,
                    String::from_utf8_lossy(&output.stderr)
                )),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(held >= binding.len() * (programs.len() - 1), "{policy}: only {held} runs applied");
}

//! What is omitted because it `reaches-public-malloc` does so: each function runs under a heap that
//! counts, takes its blocks from there and gives back nothing else.
#![cfg(target_os = "linux")]

mod common;

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use alloc8_gen::spec::{self, Reason};

/// Calls that a probe must tell apart from the others, or it proves nothing.
const CONTROLS: [&str; 2] = ["control_nothing", "control_private_heap"];

/// What one call took from the counting heap and gave back.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    allocated: u64,
    freed: u64,
    foreign: u64,
}

impl Counts {
    fn reaches(&self) -> bool {
        self.allocated > 0 && self.foreign == 0
    }
}

/// The program with the calls, linked before the C library with the heap that counts.
struct Probe {
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl Probe {
    fn build(cc: &str) -> Probe {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probes");
        let folder = tempfile::tempdir().unwrap();
        let heap = folder.path().join("libcounter.so");
        let program = folder.path().join("reaches");
        let warnings = ["-Wall", "-Wextra", "-Werror", "-O1", "-fno-builtin"];
        let mut library = Command::new(cc);
        library.args(warnings).args(["-std=c11", "-fPIC", "-shared", "-o"]).arg(&heap);
        run(library.arg(sources.join("counter.c")).arg("-Wl,-soname,libcounter.so"));
        let mut command = Command::new(cc);
        command.args(warnings).args(["-std=gnu11", "-o"]).arg(&program);
        for file in ["reaches", "strings_and_files", "tables_and_databases", "of_glibc", "of_musl"]
        {
            command.arg(sources.join(file).with_extension("c"));
        }
        // --no-as-needed: the program refers to the heap by dlsym alone where it calls no malloc.
        run(command
            .arg("-Wl,--no-as-needed")
            .arg(&heap)
            .arg(format!("-Wl,-rpath,{}", folder.path().display()))
            .arg("-ldl"));
        Probe { program, _folder: folder }
    }

    fn names(&self) -> BTreeSet<String> {
        let output = Command::new(&self.program).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// # Errors
    /// What it said if it did not count.
    fn call(&self, name: &str) -> Result<Counts, String> {
        let mut child = Command::new(&self.program)
            .arg(name)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Most never read it, and may have ended before.
        let _ = child.stdin.take().unwrap().write_all(b"secret\n");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let number = |key: &str| {
            let word = said.split_whitespace().find_map(|word| word.strip_prefix(key))?;
            word.parse().ok()
        };
        let counts = || {
            Some(Counts {
                allocated: number("allocated=")?,
                freed: number("freed=")?,
                foreign: number("foreign=")?,
            })
        };
        counts().filter(|_| output.status.success()).ok_or_else(|| {
            format!("{name}: {said}{}", String::from_utf8_lossy(&output.stderr).trim())
        })
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The names that a platform leaves alone because they reach the public ones.
fn left(platform: &str) -> BTreeSet<String> {
    let omissions = spec::platform(platform).unwrap().omissions;
    let reaches = omissions.into_iter().filter(|o| o.reason == Reason::ReachesPublicMalloc);
    reaches.map(|o| o.name).collect()
}

fn all_reach(platform: &str, cc: &str) {
    let probe = Probe::build(cc);
    let called = probe.names();
    let mut wrong = Vec::new();
    for name in left(platform) {
        if !called.contains(&name) {
            wrong.push(format!("{name}: tests/probes has no call of it"));
            continue;
        }
        match probe.call(&name) {
            Ok(counts) if counts.reaches() => {}
            Ok(counts) => wrong.push(format!("{name}: {counts:?}")),
            Err(said) => wrong.push(said),
        }
    }
    assert!(wrong.is_empty(), "{platform}:\n{}", wrong.join("\n"));
}

fn private_heaps_are_told(cc: &str) {
    let probe = Probe::build(cc);
    let [nothing, private] = CONTROLS.map(|name| probe.call(name).unwrap());
    assert_eq!(nothing, Counts { allocated: 0, freed: 0, foreign: 0 });
    assert_eq!(private, Counts { allocated: 0, freed: 0, foreign: 1 });
    assert!(!nothing.reaches() && !private.reaches());
}

fn has_musl() -> bool {
    let there = Command::new("musl-gcc").arg("--version").output().is_ok();
    if !there {
        common::skip("musl-gcc", "apt-get install musl-tools");
    }
    there
}

#[test]
fn what_is_left_to_glibc_allocates_from_the_public_heap() {
    all_reach("linux", "cc");
}

#[test]
fn what_is_left_to_musl_allocates_from_the_public_heap() {
    if has_musl() {
        all_reach("linux-musl", "musl-gcc");
    }
}

#[test]
fn a_private_heap_and_a_call_that_takes_nothing_are_told_apart() {
    private_heaps_are_told("cc");
    if has_musl() {
        private_heaps_are_told("musl-gcc");
    }
}

#[test]
fn every_call_of_the_probe_belongs_to_a_platform() {
    let platforms: Vec<_> = ["linux", "linux-musl"].map(left).into_iter().flatten().collect();
    let mut called = Probe::build("cc").names();
    if has_musl() {
        called.extend(Probe::build("musl-gcc").names());
    }
    let strangers: Vec<_> = called
        .iter()
        .filter(|name| !CONTROLS.contains(&name.as_str()) && !platforms.contains(name))
        .collect();
    assert!(strangers.is_empty(), "no platform omits {strangers:?}");
}

//! Hooks for threads where nobody tells of new ones: in programs that carry the heap, and of a heap
//! under a prefix. Each call looks, whatever the description's policy, so the programs of tests/threads
//! expect what they expect of a heap that cannot do without.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{laws, spec};
use tempfile::TempDir;

use super::toolbox::{at, succeeds, tool};
use crate::heaps::{heap, root};

const DESCRIPTIONS: [(&str, &[&str]); 2] =
    [("aware.toml", &[]), ("aware_strict.toml", &["-DAWARE_STRICT"])];

/// The heap that counts, as an archive.
fn archive(cc: &str, more: &[&str], work: &Path) -> PathBuf {
    let object = work.join("heap.o");
    let mut compile = Command::new(cc);
    compile.args(["-std=gnu11", "-O2", "-fPIC", "-c"]).args(more).arg(heap("thread_aware.c"));
    succeeds(compile.arg("-o").arg(&object));
    let archive = work.join("libaware.a");
    let _ = fs::remove_file(&archive);
    succeeds(Command::new("ar").arg("rcs").arg(&archive).arg(object));
    archive
}

/// Links each program in this way, and runs it.
fn hold(cc: &str, platform: &str, work: &Path, link: impl Fn(&mut Command)) {
    let laws = laws::laws(&spec::platform(platform).unwrap()).unwrap();
    fs::write(work.join("platform.h"), &laws[0].header).unwrap();
    let mut held = 0;
    for entry in fs::read_dir(root().join("tests/threads")).unwrap() {
        let source = entry.unwrap().path();
        if source.extension().is_none_or(|extension| extension != "c") {
            continue;
        }
        let program = work.join("program");
        let mut compile = Command::new(cc);
        compile.args(["-std=gnu11", "-O1", "-pthread", "-DAWARE_WITHIN", "-I"]);
        compile.arg(root().join("templates/laws")).arg("-I").arg(work);
        link(compile.arg(&source));
        succeeds(compile.arg("-o").arg(&program));
        let mut run = Command::new("timeout");
        let output = run.arg("60").arg(program).env("AWARE_POLICY", "required").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => held += 1,
            Some(77) => {}
            _ => panic!("{}: {}\n{said}", source.display(), output.status),
        }
    }
    assert!(held >= 12, "only {held} programs applied");
}

/// In programs of two forms, linked by this compiler: one for each description.
fn carried(cc: &str, platform: &str, triple: &str, forms: [&[&str]; 2]) {
    for ((description, more), form) in DESCRIPTIONS.into_iter().zip(forms) {
        let work = TempDir::new().unwrap();
        let mut build = tool();
        build.args(["build", "--mode", "static", "-p", platform, "--target", triple, "--cc", cc]);
        build.arg("-a").arg(heap(description)).arg("--lib").arg(archive(cc, more, work.path()));
        succeeds(build.arg("-o").arg(work.path().join("heap")));
        hold(cc, platform, work.path(), |compile| {
            compile.args(form).arg(at(&work.path().join("heap.args")));
        });
    }
}

#[test]
fn threads_are_introduced_and_seen_off_in_programs_that_carry_the_heap() {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    carried("gcc", "linux", &triple, [&["-static"], &["-pie"]]);
}

#[test]
fn threads_are_introduced_and_seen_off_in_programs_on_musl_that_carry_the_heap() {
    let musl = Command::new("musl-gcc").arg("-dumpversion").output();
    if !musl.is_ok_and(|output| output.status.success()) {
        return crate::common::skip("musl-gcc", "apt-get install musl-tools");
    }
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    carried("musl-gcc", "linux-musl", &triple, [&["-static"], &[]]);
}

#[test]
fn threads_are_introduced_and_seen_off_by_a_heap_under_a_prefix() {
    let by_name = root().join("tests/fixtures/prefixed/by_name.h");
    for ((description, more), file) in DESCRIPTIONS.into_iter().zip(["libmy.a", "libmy.so"]) {
        let work = TempDir::new().unwrap();
        let library = work.path().join(file);
        let mut build = tool();
        build.args(["build", "--mode", "prefixed", "--prefix", "my", "--cc", "gcc", "-a"]);
        build.arg(heap(description)).arg("--lib").arg(archive("gcc", more, work.path()));
        succeeds(build.arg("-o").arg(&library));
        hold("gcc", "linux", work.path(), |compile| {
            compile.arg("-include").arg(&by_name).arg(&library);
            compile.arg(format!("-Wl,-rpath,{}", work.path().display()));
        });
    }
}

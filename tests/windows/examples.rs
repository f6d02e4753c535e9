//! `examples/hoard` and `examples/diehard` for Windows: each by its own build tool, and with counters by every way into
//! a process.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    bench::{Cpu, Crt, Wine, X64, X86, folder, said, tool},
    real::takes_effect,
    runs::Place,
};
use crate::{common, made::refresh};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// A copy of an example, so that nothing that is built gets into the tree.
fn copied(name: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir_in(folder()).unwrap();
    refresh(&example(name), place.path());
    place
}

/// What an example's own build tool says in its folder.
fn run(place: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    for name in ["CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS"] {
        command.env_remove(name);
    }
    said(command.args(arguments).current_dir(place), 0)
}

fn missing(program: &str) -> bool {
    let absent = Command::new(program).arg("--version").output().is_err();
    if absent {
        common::skip(program, &format!("apt-get install {program}"));
    }
    absent
}

/// Complete, as a program sees it, and by the laws of the platform.
fn judged(wine: &Wine, library: &Path, description: &Path, lang: &str) {
    let verify = |more: &[&str]| {
        let mut verify = tool(&["verify", "--lang", lang, "-a"]);
        said(verify.arg(description).args(more).arg(library), 0)
    };
    let verdict = verify(&[]);
    assert!(verdict.ends_with("complete\n"), "{verdict}");
    let laws = verify(&["--laws"]);
    assert!(laws.contains("24 of 24 laws hold"), "{laws}");
    takes_effect(wine, library);
}

/// The program says so in its last line.
fn says(wine: &Wine, program: &Path, line: &str) {
    let run = wine.run(program, &[]);
    assert!(run.text.lines().any(|said| said.trim_end() == line), "{:?} {}", run.status, run.text);
    assert_eq!(run.status, Some(0), "{}", run.text);
}

#[test]
fn hoard_is_built_for_windows_by_cmake_and_its_laws_hold() {
    let Some(wine) = Wine::new() else { return };
    if missing("cmake") {
        return;
    }
    let place = copied("hoard");
    let place = place.path();
    let toolchain = "-DCMAKE_TOOLCHAIN_FILE=mingw.cmake";
    let options = ["-DALLOC8_GEN=", "-DCMAKE_CXX_FLAGS=-Werror", "-DCMAKE_C_FLAGS=-Werror"];
    run(place, "cmake", &[&["-B", "build", toolchain], &options[..]].concat());
    run(place, "cmake", &["--build", "build"]);
    let build = place.join("build");
    says(wine, &build.join("laws.exe"), "10 laws hold");
    let library = build.join("hoard_preload.dll");
    judged(wine, &library, &place.join("hoard.toml"), "c");

    let program = build.join("threadtest.exe");
    let mut verify = tool(&["verify"]);
    let seen = said(verify.arg(&library).arg("--program").arg(&program), 0);
    assert!(seen.contains("its import 1, so hooked before the first block"), "{seen}");
    says(wine, &program, "1600000 blocks, 0 wrong");
    // It is this library that it has its heap from.
    std::fs::remove_file(&library).unwrap();
    let without = wine.run(&program, &[]);
    assert!(without.status != Some(0) && !without.text.contains("blocks"), "{}", without.text);
    // Its hooks are what `build` would make of the archive, too.
    let mut build = tool(&["build", "-p", "windows", "-a", "hoard.toml", "--lib"]);
    build.args(["build/libhoard.a", "-o", "hooks.dll"]).current_dir(place);
    assert!(said(&mut build, 0).contains("73 symbols bound"));
    said(tool(&["check", "alloc8"]).current_dir(place), 0);
}

#[test]
fn diehard_is_built_for_windows_by_make_and_its_laws_hold() {
    let Some(wine) = Wine::new() else { return };
    if missing("make") {
        return;
    }
    let place = copied("diehard");
    let place = place.path();
    let words = ["SYSTEM=windows", "CXXFLAGS=-O2 -Wall -Wextra -Wpedantic -Werror"];
    run(place, "make", &[&["diehard.dll", "placement.exe"], &words[..]].concat());
    let again = run(place, "make", &words);
    assert!(again.contains("Nothing to be done"), "{again}");
    says(wine, &place.join("placement.exe"), "8 laws hold");
    judged(wine, &place.join("diehard.dll"), &place.join("diehard.toml"), "cpp");
    let mut build = tool(&["build", "-p", "windows", "-a", "diehard.toml", "-o", "hooks.dll"]);
    assert!(said(build.current_dir(place), 0).contains("73 symbols bound"));
    said(tool(&["check", "alloc8"]).current_dir(place), 0);
}

/// The objects of Hoard with counters.
fn hoard(cpu: Cpu, place: &Path) -> Vec<PathBuf> {
    let names = "malloc free calloc realloc memalign malloc_usable_size owns";
    let names: Vec<_> = names.split(' ').map(|name| format!("xx{name}")).collect();
    let heap = place.join("hoard.o");
    let mut compile = Command::new(cpu.gcc().replace("gcc", "g++"));
    compile.args(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    compile.args(["-fno-exceptions", "-fno-rtti", "-c", "-o"]);
    said(compile.arg(&heap).arg(example("hoard/hoard.cpp")), 0);
    vec![cpu.counters("xx_counters", &names), heap]
}

/// Each of its threads has a buffer, of which the hooks tell it.
#[test]
fn hoard_answers_programs_of_windows_every_way() {
    let Some(wine) = Wine::new() else { return };
    for (cpu, hook) in [(X64, "iat"), (X86, "minhook")] {
        if !is_tried(wine, cpu) {
            continue;
        }
        let objects = tempfile::tempdir_in(folder()).unwrap();
        let objects = hoard(cpu, objects.path());
        let place = Place::of("counted_hoard.toml", cpu, hook, &objects, &[]);
        every_way(wine, &place);
    }
}

#[test]
fn diehard_answers_programs_of_windows_every_way() {
    let Some(wine) = Wine::new() else { return };
    for (cpu, hook) in [(X64, "minhook"), (X86, "iat")] {
        if is_tried(wine, cpu) {
            every_way(wine, &Place::of("counted_diehard.toml", cpu, hook, &[], &[]));
        }
    }
}

/// x64, and x86 too under `cargo xtask test --all`.
fn is_tried(wine: &Wine, cpu: Cpu) -> bool {
    cpu == X64 || common::everything() && wine.runs(cpu)
}

/// The client's own control, without hooks, is among the tests of hooks.
fn every_way(wine: &Wine, place: &Place) {
    place.linked(wine, Crt::Msvcrt);
    place.launched(wine, Crt::Ucrt);
    place.late(wine, Crt::Ucrt);
}

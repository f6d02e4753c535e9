//! The fragments for Make and CMake beside a rendered shim, with zig as the compiler: what they make is
//! run on the loader.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use super::bench::{Bench, NEW, benches, sources};
use crate::{
    common,
    tool::{Ran, TOOL, folder, run},
};

/// A folder with the rendered shim, the heap, and zig's tools under one word each.
fn project(bench: &Bench) -> tempfile::TempDir {
    let place = folder();
    run(place.path(), &["generate", "-p", "macos", "-a", "simple_heap", "-o", "alloc8"]).exits(0);
    let heap = sources("../../examples/simple_heap/simple_heap.c");
    fs::copy(heap, place.path().join("simple_heap.c")).unwrap();
    for (name, words) in
        [("zcc", format!("cc -target {}", bench.cpu.zig)), ("zar", "ar".to_owned())]
    {
        let zig = common::zig().unwrap();
        let quoted = std::iter::once(zig.get_program()).chain(zig.get_args());
        let quoted: Vec<_> = quoted.map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let script = format!("#!/bin/sh\nexec {} {words} \"$@\"\n", quoted.join(" "));
        let file = place.path().join(name);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    place
}

/// A build tool in the project, with zig's cache.
fn started(program: &str, place: &Path, arguments: &[&str]) -> Ran {
    let zig = common::zig().unwrap();
    let mut command = Command::new(program);
    command.current_dir(place).args(arguments);
    command.envs(zig.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::new(&mut command)
}

fn missing(program: &str, package: &str) -> bool {
    let absent = Command::new(program).arg("--version").output().is_err();
    if absent {
        common::skip(program, &format!("apt-get install {package}"));
    }
    absent
}

/// CMake wants a full path.
fn in_path(name: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap()
}

const MAKEFILE: &str = "\
CC = ./zcc
CFLAGS = -O2 -Wall -Werror
ALLOC8_SYSTEM =
ALLOC8_NM = llvm-nm
ALLOC8_ARCHIVE = libheap.a
ALLOC8_LIBRARY = libheap.dylib
include alloc8/macos/alloc8.mk
libheap.a: simple_heap.c
\t$(CC) $(CFLAGS) $(MORE) -c -o heap.o $<
\t./zar rcs $@ heap.o
";

#[test]
fn make_builds_a_dylib_that_keeps_every_law() {
    if missing("llvm-nm", "llvm") {
        return;
    }
    for bench in benches() {
        let place = project(&bench);
        fs::write(place.path().join("Makefile"), MAKEFILE).unwrap();
        started("make", place.path(), &["libheap.dylib"]).exits(0);
        let library = place.path().join("libheap.dylib");
        bench.run(&[], &[&library], "simple_heap", true).is_good(NEW, bench.cpu.zig);
    }
}

#[test]
fn make_removes_a_dylib_whose_archive_has_names_of_the_system() {
    if missing("llvm-nm", "llvm") {
        return;
    }
    let benches = benches();
    let Some(bench) = benches.first() else { return };
    let place = project(bench);
    fs::write(place.path().join("Makefile"), MAKEFILE).unwrap();
    let own = "void *valloc(unsigned long size);\nvoid *valloc(unsigned long size) { (void)size; return 0; }\n";
    let mut heap = fs::read_to_string(place.path().join("simple_heap.c")).unwrap();
    heap.push_str(own);
    fs::write(place.path().join("simple_heap.c"), heap).unwrap();
    let made = started("make", place.path(), &["libheap.dylib"]).exits(2);
    assert!(made.err.contains("defines names of the system itself: valloc"), "{}", made.all());
    assert!(!place.path().join("libheap.dylib").exists());
}

const CMAKE: &str = "\
cmake_minimum_required(VERSION 3.16)
project(heap C)
add_library(heap STATIC simple_heap.c)
include(alloc8/macos/alloc8.cmake)
alloc8_interpose(inserted heap)
";

#[test]
fn cmake_builds_a_dylib_and_verifies_it() {
    if missing("cmake", "cmake") || missing("llvm-nm", "llvm") {
        return;
    }
    for bench in benches() {
        let place = project(&bench);
        fs::write(place.path().join("CMakeLists.txt"), CMAKE).unwrap();
        let here = place.path().display().to_string();
        let defined = [
            "CMAKE_SYSTEM_NAME=Darwin".to_owned(),
            "CMAKE_BUILD_TYPE=Release".to_owned(),
            format!("CMAKE_C_COMPILER={here}/zcc"),
            format!("CMAKE_AR={here}/zar"),
            "CMAKE_RANLIB=/bin/true".to_owned(),
            format!("CMAKE_NM={}", in_path("llvm-nm").display()),
            "CMAKE_INSTALL_NAME_TOOL=/bin/true".to_owned(),
            "CMAKE_OSX_SYSROOT=".to_owned(),
            format!("ALLOC8_GEN={TOOL}"),
        ];
        let defined: Vec<_> = defined.iter().map(|one| format!("-D{one}")).collect();
        let words = ["-S", ".", "-B", "build"].into_iter();
        let words: Vec<_> = words.chain(defined.iter().map(String::as_str)).collect();
        started("cmake", place.path(), &words).exits(0);
        started("cmake", place.path(), &["--build", "build"]).exits(0);
        let library = place.path().join("build/libinserted.dylib");
        bench.run(&[], &[&library], "simple_heap", true).is_good(NEW, bench.cpu.zig);
    }
}

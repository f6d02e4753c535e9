//! The fragments for Make and CMake beside a rendered shim, with zig as the compiler: what they make is
//! run on the loader.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::bench::{Bench, NEW, benches, sources, zig_cc};
use crate::{
    common,
    tool::{Ran, TOOL, folder, run},
};

/// A folder with the rendered shim, the heap, and zig's tools under one word each.
fn project(bench: &Bench) -> tempfile::TempDir {
    project_of(bench, &[&[]])
}

/// The same with a shim for each of these options.
fn project_of(bench: &Bench, all: &[&[&str]]) -> tempfile::TempDir {
    let place = folder();
    for options in all {
        let words = ["generate", "-p", "macos", "-a", "simple_heap", "-o", "alloc8"];
        run(place.path(), &[&words, *options].concat()).exits(0);
    }
    let heap = sources("../../examples/simple_heap/simple_heap.c");
    fs::copy(heap, place.path().join("simple_heap.c")).unwrap();
    let zig = common::zig().unwrap();
    let quoted = std::iter::once(zig.get_program()).chain(zig.get_args());
    let quoted: Vec<_> = quoted.map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let (zig, target) = (quoted.join(" "), bench.cpu.zig);
    // As a linker of C++, zig would build a runtime for the library, which is to have the system's.
    let compiles = "case \" $* \" in *' -c '*) language=c++ ;; *) language=cc ;; esac";
    for (name, script) in [
        ("zcc", format!("exec {zig} cc -target {target} \"$@\"")),
        ("zcxx", format!("{compiles}\nexec {zig} $language -target {target} \"$@\"")),
        ("zar", format!("exec {zig} ar \"$@\"")),
    ] {
        let file = place.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
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

const OTHERS: &str = "\
CC = ./zcc
CXX = ./zcxx
AR = ./zar
CFLAGS = -O2 -Wall -Werror
CXXFLAGS = -O2 -Wall -Werror
ALLOC8_SYSTEM =
ALLOC8_NM = llvm-nm
ALLOC8_ARCHIVE = libheap.a
libheap.a: simple_heap.c
\t$(CC) $(CFLAGS) -c -o heap.o $<
\t./zar rcs $@ heap.o
";

/// Of another language or mode, by its own Makefile.
fn made(place: &Path, folder: &str, more: &str, goal: &str) {
    let text = format!("{more}\n{OTHERS}include alloc8/{folder}/alloc8.mk\n");
    fs::write(place.join(folder), text).unwrap();
    started("make", place, &["-f", folder, goal]).exits(0);
}

const CXX: &[&str] = &["--lang", "cpp"];
const STATIC: &[&str] = &["--mode", "static"];
const PREFIXED: &[&str] = &["--mode", "prefixed", "--prefix", "my"];

/// The text for both processors is one, and so one of them is enough.
#[test]
fn make_builds_what_is_in_cxx_carried_or_under_a_prefix() {
    if missing("llvm-nm", "llvm") {
        return;
    }
    let benches = benches();
    let Some(bench) = benches.first() else { return };
    let place = project_of(bench, &[CXX, STATIC, PREFIXED]);
    let place = place.path();
    made(place, "macos-cpp", "ALLOC8_LIBRARY = libheap.dylib", "libheap.dylib");
    let library = place.join("libheap.dylib");
    bench.run(&[], &[&library], "simple_heap", true).is_good(NEW, "C++");

    made(place, "macos-static", "ALLOC8_HEAP = heap_zone", "heap_zone.args");
    let program = bench.client_with(&[place.join("heap_zone.o"), place.join("libheap.a")]);
    bench.run_carrier(&[], &program, "simple_heap", true).is_good(NEW, "carried");
    let arguments = fs::read_to_string(place.join("heap_zone.args")).unwrap();
    let wanted =
        ["heap_zone.o", "libheap.a"].map(|name| format!("\"{}\"", place.join(name).display()));
    assert_eq!(arguments.lines().collect::<Vec<_>>(), wanted);

    made(place, "macos-prefixed", "ALLOC8_HEAP = libmy", "libmy.a");
    prefixed_is_whole(bench, place, &[place.join("libmy.a"), place.join("libheap.a")]);
}

fn prefixed_is_whole(bench: &Bench, place: &Path, libraries: &[PathBuf]) {
    let folders = [place.join("alloc8/macos-prefixed"), sources("client")];
    let folders = folders.map(|folder| format!("-I{}", folder.display()));
    let words: Vec<_> = folders.iter().map(String::as_str).collect();
    let files = std::iter::once(sources("rendered/prefixed.c")).chain(libraries.iter().cloned());
    let program = zig_cc(bench.cpu, &words).args(files).built(&bench.cpu.named("under-a-prefix"));
    let ran = Ran::new(&mut bench.alone(&program)).exits(0);
    assert_eq!(ran.out, "whole\n", "{}", ran.err);
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
        configured_and_built(place.path(), CMAKE);
        let library = place.path().join("build/libinserted.dylib");
        bench.run(&[], &[&library], "simple_heap", true).is_good(NEW, bench.cpu.zig);
    }
}

fn configured_and_built(place: &Path, project: &str) {
    fs::write(place.join("CMakeLists.txt"), project).unwrap();
    let here = place.display().to_string();
    let defined = [
        "CMAKE_SYSTEM_NAME=Darwin".to_owned(),
        "CMAKE_BUILD_TYPE=Release".to_owned(),
        format!("CMAKE_C_COMPILER={here}/zcc"),
        format!("CMAKE_CXX_COMPILER={here}/zcxx"),
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
    started("cmake", place, &words).exits(0);
    started("cmake", place, &["--build", "build"]).exits(0);
}

const CMAKE_OTHERS: &str = "\
cmake_minimum_required(VERSION 3.16)
project(heap C CXX)
add_library(heap STATIC simple_heap.c)
include(alloc8/macos-cpp/alloc8.cmake)
alloc8_interpose(inserted heap)
include(alloc8/macos-static/alloc8.cmake)
alloc8_carry(carried heap)
include(alloc8/macos-prefixed/alloc8.cmake)
alloc8_prefixed(my heap)
add_executable(under_a_prefix prefixed.c)
target_link_libraries(under_a_prefix PRIVATE my)
target_include_directories(under_a_prefix PRIVATE client)
file(GLOB laws client/*.c)
list(FILTER laws EXCLUDE REGEX late_library)
add_executable(carrier ${laws})
target_compile_options(carrier PRIVATE -O1 -fno-builtin)
target_link_libraries(carrier PRIVATE carried)
";

#[test]
fn cmake_builds_what_is_in_cxx_carried_or_under_a_prefix() {
    if missing("cmake", "cmake") || missing("llvm-nm", "llvm") {
        return;
    }
    let benches = benches();
    let Some(bench) = benches.first() else { return };
    let place = project_of(bench, &[CXX, STATIC, PREFIXED]);
    let place = place.path();
    fs::copy(sources("rendered/prefixed.c"), place.join("prefixed.c")).unwrap();
    fs::create_dir(place.join("client")).unwrap();
    for entry in fs::read_dir(sources("client")).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), place.join("client").join(entry.file_name())).unwrap();
    }
    configured_and_built(place, CMAKE_OTHERS);
    let build = place.join("build");
    let inserted = build.join("libinserted.dylib");
    bench.run(&[], &[&inserted], "simple_heap", true).is_good(NEW, "C++");
    bench.run_carrier(&[], &build.join("carrier"), "simple_heap", true).is_good(NEW, "carried");
    let ran = Ran::new(&mut bench.alone(&build.join("under_a_prefix"))).exits(0);
    assert_eq!(ran.out, "whole\n", "{}", ran.err);
}

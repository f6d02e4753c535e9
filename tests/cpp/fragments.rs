//! The build fragments beside the headers: for CMake, Meson and GNU Make, a class and an archive.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use alloc8_gen::allocator;

use super::headers::{abi, free_list, render, said};
use crate::{common, heaps};

const UNIT: &str =
    "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    for variable in ["CFLAGS", "CXXFLAGS", "LDFLAGS", "CC", "CXX", "MAKEFLAGS", "MAKELEVEL"] {
        command.env_remove(variable);
    }
    command.args(arguments).current_dir(folder).output().unwrap()
}

fn done(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = run(folder, program, arguments);
    assert!(output.status.success(), "{program} {arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A class and an archive, each with its rendered folder.
fn project() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    let here = |name: &str| work.path().join(name);
    render(&free_list(), &here("alloc8"));
    fs::copy(heaps::heap("free_list.hpp"), here("free_list.hpp")).unwrap();
    fs::write(here("unit.cpp"), UNIT).unwrap();
    let simple = allocator::built_in("simple_heap").unwrap().unwrap();
    render(&simple, &here("simple"));
    fs::copy(heaps::root().join("examples/simple_heap/simple_heap.c"), here("heap.c")).unwrap();
    work
}

fn has(tool: &str, package: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok();
    if !there {
        common::skip(tool, &format!("apt-get install {package}"));
    }
    there
}

/// A program runs on it, and `verify` finds nothing missing.
fn works(library: &Path, allocator: &str) {
    let output = Command::new("sort").arg("/etc/passwd").env("LD_PRELOAD", library).output();
    assert!(output.unwrap().status.success(), "{}", library.display());
    let mut verify = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    verify.args(["verify", "--lang", "cpp", "-a", allocator]).arg(library);
    let verdict = verify.output().unwrap();
    assert_eq!(verdict.status.code(), Some(0), "{verdict:?}");
}

const CMAKE: &str = "\
cmake_minimum_required(VERSION 3.16)
project(p LANGUAGES C CXX)
include(alloc8/alloc8.cmake)
alloc8_interpose(of_class unit.cpp)
add_library(heap STATIC heap.c)
include(simple/alloc8.cmake)
alloc8_interpose(of_archive heap)
";

#[test]
fn cmake_makes_libraries_from_a_class_and_from_an_archive() {
    if !has("cmake", "cmake") {
        return;
    }
    let work = project();
    fs::write(work.path().join("CMakeLists.txt"), CMAKE).unwrap();
    let configure = ["-B", "build", "-DALLOC8_GEN=", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"];
    done(work.path(), "cmake", &configure);
    done(work.path(), "cmake", &["--build", "build"]);
    let description = heaps::heap("free_list.toml").display().to_string();
    works(&work.path().join("build/libof_class.so"), &description);
    works(&work.path().join("build/libof_archive.so"), "simple_heap");
    // A lost name is seen after the link.
    let map = work.path().join(format!("alloc8/exports.{}.map", abi()));
    let text = fs::read_to_string(&map).unwrap();
    fs::write(&map, text.replace("    calloc;\n", "")).unwrap();
    let output = run(work.path(), "cmake", &["--build", "build"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("without a version, calloc"), "{}", said(&output));
    assert!(!work.path().join("build/libof_class.so").exists());
}

const MAKEFILE: &str = "\
ALLOC8_SOURCE = unit.cpp
ALLOC8_LIBRARY = libof_class.so
CXXFLAGS = -O2 -std=c++20 -Wall -Wextra -Werror
include alloc8/alloc8.mk
all: $(ALLOC8_LIBRARY)
";

#[test]
fn gnu_make_makes_libraries_from_a_class_and_from_an_archive() {
    if !has("make", "make") {
        return;
    }
    let work = project();
    fs::write(work.path().join("Makefile"), MAKEFILE).unwrap();
    done(work.path(), "make", &[]);
    let description = heaps::heap("free_list.toml").display().to_string();
    works(&work.path().join("libof_class.so"), &description);
    let again = done(work.path(), "make", &[]);
    assert!(again.contains("Nothing to be done for 'all'"), "{again}");
    // The class's own headers are prerequisites too.
    let header = fs::File::options().append(true).open(work.path().join("free_list.hpp")).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    header.set_modified(later).unwrap();
    assert!(done(work.path(), "make", &[]).contains("unit.cpp"));

    done(work.path(), "cc", &["-O2", "-fPIC", "-c", "heap.c"]);
    done(work.path(), "ar", &["rcs", "libheap.a", "heap.o"]);
    let of_archive = "ALLOC8_ARCHIVE = libheap.a\nALLOC8_LIBRARY = libof_archive.so\ninclude simple/alloc8.mk\nall: $(ALLOC8_LIBRARY)\n";
    fs::write(work.path().join("archive.mk"), of_archive).unwrap();
    done(work.path(), "make", &["-f", "archive.mk"]);
    works(&work.path().join("libof_archive.so"), "simple_heap");

    let symbols = work.path().join(format!("alloc8/symbols.{}.txt", abi()));
    let text = fs::read_to_string(&symbols).unwrap();
    fs::write(&symbols, text + "zalloc\n").unwrap();
    let output = run(work.path(), "make", &["-B"]);
    assert!(said(&output).contains("without a version: zalloc"), "{}", said(&output));
    assert!(!work.path().join("libof_class.so").exists());
}

const MESON: &str = "\
project('p', ['c', 'cpp'], default_options: ['cpp_std=c++17', 'warning_level=2', 'werror=true'])
alloc8_sources = files('unit.cpp')
alloc8_name = 'of_class'
subdir('alloc8')
alloc8_archive = static_library('heap', 'heap.c', pic: true)
alloc8_name = 'of_archive'
subdir('simple')
";

#[test]
fn meson_makes_libraries_from_a_class_and_from_an_archive() {
    if !has("meson", "meson") || !has("ninja", "ninja-build") {
        return;
    }
    let work = project();
    fs::write(work.path().join("meson.build"), MESON).unwrap();
    done(work.path(), "meson", &["setup", "build"]);
    let build = ["-C", "build"];
    done(work.path(), "ninja", &build);
    let description = heaps::heap("free_list.toml").display().to_string();
    works(&work.path().join("build/alloc8/libof_class.so"), &description);
    works(&work.path().join("build/simple/libof_archive.so"), "simple_heap");
    assert!(done(work.path(), "ninja", &build).contains("no work to do"));
    // A lost name is seen after the link, each time.
    let map = work.path().join(format!("alloc8/exports.{}.map", abi()));
    let text = fs::read_to_string(&map).unwrap();
    fs::write(&map, text.replace("    calloc;\n", "")).unwrap();
    for _ in 0..2 {
        let output = run(work.path(), "ninja", &build);
        assert!(!output.status.success());
        let told = String::from_utf8_lossy(&output.stdout); // ninja tells all there
        assert!(told.contains("without a version: calloc"), "{told}");
        assert!(!work.path().join("build/alloc8/libof_class.so").exists());
    }
}

//! Programs that carry the heap, and functions under a prefix: made by CMake, Meson and Make, in projects
//! of others, and nothing is made twice.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::project::{
    CMAKE, EXAMPLE, MAKE, MESON, NINJA, TOOL, command, copy, edit, failed, finish, have, modified,
    succeeded, text, touch,
};

const LISTS: &str = r#"cmake_minimum_required(VERSION 3.16)
project(within LANGUAGES CXX)
set(CMAKE_BUILD_TYPE Release)
add_library(block_heap STATIC block_heap.cpp)
target_compile_features(block_heap PUBLIC cxx_std_17)
include(alloc8/linux-static/alloc8.cmake)
alloc8_carry(block_heap_inside block_heap)
include(alloc8/linux-prefixed/alloc8.cmake)
alloc8_prefixed(block_heap_named block_heap)
find_package(Threads REQUIRED)
add_executable(static everything.cpp)
target_link_options(static PRIVATE -static)
add_executable(under_a_prefix named.c)
target_link_libraries(under_a_prefix PRIVATE block_heap_named)
add_subdirectory(below)
foreach(program static dynamic)
  target_compile_options(${program} PRIVATE -fno-builtin)
  target_link_libraries(${program} PRIVATE block_heap_inside Threads::Threads)
endforeach()
"#;

const BELOW: &str = "add_executable(dynamic ../everything.cpp)\n";

const NAMED: &str = r#"#include <my.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *ours = my_strdup("ours"), *theirs = malloc(5);
    int same = ours != NULL && theirs != NULL && strcmp(strcpy(theirs, ours), "ours") == 0;
    my_free(ours);
    free(theirs);
    return same ? 0 : 1;
}
"#;

const PROGRAMS: [&str; 3] = ["static", "below/dynamic", "under_a_prefix"];

/// The example's heap, rendered for programs and under a prefix, with programs that use it.
fn project(folder: &Path) -> PathBuf {
    let source = folder.join("größer als/within");
    copy(Path::new(EXAMPLE), &source);
    for mode in [&["static"][..], &["prefixed", "--prefix", "my"]] {
        let mut generate = Command::new(TOOL);
        generate.args(["generate", "-p", "linux", "-a", "block_heap.toml", "-o", "alloc8"]);
        succeeded(&finish(generate.arg("--mode").args(mode).current_dir(&source)));
    }
    let everything = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/carried");
    fs::copy(everything.join("everything.cpp"), source.join("everything.cpp")).unwrap();
    fs::create_dir(source.join("below")).unwrap();
    fs::write(source.join("below/CMakeLists.txt"), BELOW).unwrap();
    fs::write(source.join("CMakeLists.txt"), LISTS).unwrap();
    fs::write(source.join("named.c"), NAMED).unwrap();
    source
}

/// What `nm` says of a program's own names.
fn defines(program: &Path, name: &str) -> bool {
    let output = finish(command("nm").arg("--defined-only").arg(program));
    String::from_utf8_lossy(&output.stdout).lines().any(|line| line.ends_with(&format!(" {name}")))
}

/// Each runs, and its heap is the one that was meant.
fn are_ours(source: &Path, build: &Path) {
    for program in PROGRAMS.map(|program| build.join(program)) {
        succeeded(&finish(&mut Command::new(&program)));
        if program.ends_with("under_a_prefix") {
            assert!(defines(&program, "my_malloc") && !defines(&program, "malloc"));
            continue;
        }
        let mut verify = Command::new(TOOL);
        verify.args(["verify", "-p", "linux", "-a"]).arg(source.join("block_heap.toml"));
        let output = finish(verify.arg(&program));
        succeeded(&output);
        assert!(text(&output).contains("direct: block_heap_malloc"), "{}", text(&output));
    }
}

fn builds_and_rebuilds(generator: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = project(folder.path());
    let build = folder.path().join("made by cmake");
    let mut configure = command("cmake");
    configure.arg("-S").arg(&source).arg("-B").arg(&build).args(["-G", generator]);
    succeeded(&finish(configure.arg("-DALLOC8_GEN=")));
    let make = || finish(command("cmake").arg("--build").arg(&build));
    let made = || PROGRAMS.map(|program| modified(&build.join(program)));
    // Which of the programs are made anew.
    let anew = || {
        let before = made();
        succeeded(&make());
        let after = made();
        [0, 1, 2].map(|at| before[at] != after[at])
    };
    succeeded(&make());
    are_ours(&source, &build);
    assert_eq!(anew(), [false; 3]);
    for (input, wanted) in [
        ("alloc8/linux-static/shim.c", [true, true, false]),
        ("alloc8/linux-static/symbols.lp64.txt", [true, true, false]),
        ("alloc8/linux-prefixed/shim.c", [false, false, true]),
        ("alloc8/linux-prefixed/alloc8.cmake", [false, false, true]),
        ("block_heap.cpp", [true, true, true]),
    ] {
        touch(&source.join(input));
        assert_eq!(anew(), wanted, "touched {input}");
        assert_eq!(anew(), [false; 3], "after {input}");
    }
    // A name that is not there fails the build each time, and is forgotten with its cause.
    for mode in ["static", "prefixed"] {
        let list = source.join(format!("alloc8/linux-{mode}/symbols.lp64.txt"));
        let first = if mode == "static" { "\ncalloc\n" } else { "\nmy_calloc\n" };
        edit(&list, first, &format!("{first}no_such_name\n"));
        for _ in 0..2 {
            failed(&make(), "does not define no_such_name.");
        }
        edit(&list, "no_such_name\n", "");
        succeeded(&make());
    }
    are_ours(&source, &build);
}

#[test]
fn cmake_with_ninja_makes_programs_that_carry_the_heap_and_functions_under_a_prefix() {
    if have("fragments-ninja", &[CMAKE, NINJA]) {
        builds_and_rebuilds("Ninja");
    }
}

#[test]
fn cmake_with_make_makes_programs_that_carry_the_heap_and_functions_under_a_prefix() {
    if have("fragments-make", &[CMAKE, MAKE]) {
        builds_and_rebuilds("Unix Makefiles");
    }
}

const MESON_BUILD: &str = "\
project('within', ['c', 'cpp'], default_options: ['cpp_std=c++17', 'buildtype=release'])
alloc8_archive = static_library('block_heap', 'block_heap.cpp', pic: true, override_options: ['b_lto=false'])
threads = dependency('threads')
alloc8_name = 'block_heap_inside'
subdir('alloc8/linux-static')
inside = [alloc8_heap, threads]
executable('static', 'everything.cpp', cpp_args: '-fno-builtin', link_args: '-static', dependencies: inside)
alloc8_name = 'my'
subdir('alloc8/linux-prefixed')
executable('under_a_prefix', 'named.c', dependencies: alloc8_heap)
subdir('below')
";

const MESON_BELOW: &str =
    "executable('dynamic', '../everything.cpp', cpp_args: '-fno-builtin', dependencies: inside)\n";

#[test]
fn meson_makes_programs_that_carry_the_heap_and_functions_under_a_prefix() {
    if !have("fragments-meson", &[MESON, NINJA]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let source = project(folder.path());
    fs::write(source.join("meson.build"), MESON_BUILD).unwrap();
    fs::write(source.join("below/meson.build"), MESON_BELOW).unwrap();
    let build = folder.path().join("made by meson");
    succeeded(&finish(command("meson").arg("setup").arg(&build).current_dir(&source)));
    let make = |targets: &[&str]| finish(command("ninja").arg("-C").arg(&build).args(targets));
    let made = || PROGRAMS.map(|program| modified(&build.join(program)));
    // Which of the programs are made anew; once more, nothing is.
    let anew = || {
        let before = made();
        succeeded(&make(&[]));
        let after = made();
        let again = make(&[]);
        assert!(text(&again).contains("no work to do"), "{}", text(&again));
        [0, 1, 2].map(|at| before[at] != after[at])
    };
    succeeded(&make(&[]));
    are_ours(&source, &build);
    assert_eq!(anew(), [false; 3]);
    for (input, wanted) in [
        ("alloc8/linux-static/shim.c", [true, true, false]),
        ("alloc8/linux-static/symbols.lp64.txt", [true, true, false]),
        ("alloc8/linux-prefixed/meson.build", [false, false, true]),
        ("block_heap.cpp", [true, true, true]),
    ] {
        touch(&source.join(input));
        assert_eq!(anew(), wanted, "touched {input}");
    }
    // The heap prepares last when the program forks: its object is the first in the link.
    let link = finish(command("ninja").arg("-C").arg(&build).args(["-t", "commands", "static"]));
    let link = text(&link);
    let (_, link) = link.rsplit_once(" -o static ").expect("the link");
    assert!(link.starts_with("alloc8/linux-static/block_heap_inside.o "), "{link}");
    // A name that is not there fails the build each time, and is forgotten with its cause.
    for mode in ["static", "prefixed"] {
        let list = source.join(format!("alloc8/linux-{mode}/symbols.lp64.txt"));
        let first = if mode == "static" { "\ncalloc\n" } else { "\nmy_calloc\n" };
        edit(&list, first, &format!("{first}no_such_name\n"));
        for _ in 0..2 {
            failed(&make(&[]), "does not define: no_such_name");
        }
        edit(&list, "no_such_name\n", "");
        succeeded(&make(&[]));
    }
    are_ours(&source, &build);
    failed(&make(&["alloc8_check_block_heap_linux_static"]), "needs alloc8-gen");
}

const MAKEFILE: &str = "\
ALLOC8_ARCHIVE = libblock_heap.a
ALLOC8_HEAP = out/libmy
include alloc8/linux-prefixed/alloc8.mk
CFLAGS = -O2
under_a_prefix: named.c $(ALLOC8_HEAP).a
\t$(CC) $(CFLAGS) -Ialloc8/linux-prefixed -o $@ $^
libblock_heap.a: block_heap.o
\trm -f $@ && ar rcs $@ $^
block_heap.o: block_heap.cpp
\t$(CXX) -std=c++17 -O2 -fPIC -fno-exceptions -fno-rtti -c $< -o $@
";

#[test]
fn gnu_make_makes_functions_under_a_prefix() {
    if !have("fragments-gnu-make", &[MAKE]) {
        return;
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let source = project(temporary.path());
    // Make splits at spaces.
    let folder = temporary.path().join("made");
    fs::rename(source, &folder).unwrap();
    fs::create_dir(folder.join("out")).unwrap();
    fs::write(folder.join("Makefile"), MAKEFILE).unwrap();
    let make = |more: &[&str]| finish(command("make").current_dir(&folder).args(more));
    let program = folder.join("under_a_prefix");
    for options in [&[][..], &["-B", "ALLOC8_DIRECT=0"]] {
        succeeded(&make(options));
        succeeded(&finish(&mut Command::new(&program)));
        assert!(defines(&program, "my_malloc") && !defines(&program, "malloc"));
        let again = make(&[]);
        assert!(text(&again).contains("is up to date"), "{}", text(&again));
    }
    let list = folder.join("alloc8/linux-prefixed/symbols.lp64.txt");
    edit(&list, "\nmy_calloc\n", "\nmy_calloc\nno_such_name\n");
    for _ in 0..2 {
        failed(&make(&[]), "it does not define: no_such_name");
    }
    let tool = format!("ALLOC8_GEN={TOOL}");
    failed(&make(&["alloc8-check", &tool]), "symbols.lp64.txt");
    edit(&list, "no_such_name\n", "");
    succeeded(&make(&["alloc8-check", &tool]));
}

//! The fragments for Make, CMake and Meson beside rendered shims, with MinGW as the compiler: what they make is judged by `verify`
//! and run under Wine, and nothing is made twice.

use std::{fs, path::Path, process::Command};

use super::bench::{Cpu, Wine, X64, X86, crate_source, folder, said, simple_heap, source, tool};
use crate::common;

const CARRIED: &[&str] = &["--mode", "static"];
const PREFIXED: &[&str] = &["--mode", "prefixed", "--prefix", "my"];

/// The kinds of hooks in C that are tried: these, and all of them under `cargo xtask test --all`.
fn hooks(usual: &[&'static str]) -> Vec<&'static str> {
    match common::everything() {
        true => vec!["iat", "minhook", "redirect", "detours"],
        false => usual.to_owned(),
    }
}

/// A project with every shim, the heap and its counters, and the programs.
fn project(hooks: &[&str]) -> tempfile::TempDir {
    let place = tempfile::tempdir_in(folder()).unwrap();
    let sources = ["counted_heap.toml", "counted_heap.c", "counted_heap.h", "counted_class.toml"];
    let programs = ["counted_class.cpp", "client.c", "plug.c", "prefixed.c"];
    for file in sources.iter().chain(&programs) {
        fs::copy(source(file), place.path().join(file)).unwrap();
    }
    fs::copy(simple_heap(), place.path().join("simple_heap.c")).unwrap();
    let rendered = |heap: &str, options: &[&str]| {
        let mut generate = tool(&["generate", "-p", "windows", "-o", "alloc8", "-a", heap]);
        said(generate.args(options).current_dir(place.path()), 0);
    };
    for hook in hooks {
        rendered("counted_heap.toml", &["--hook", *hook]);
    }
    rendered("counted_heap.toml", CARRIED);
    rendered("counted_heap.toml", PREFIXED);
    rendered("counted_class.toml", &["--lang", "cpp"]);
    place
}

/// A build tool in the project, which finds the sources of other people's hooks.
fn started(program: &str, place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(place).args(arguments).env("LC_ALL", "C");
    command.env("ALLOC8_MINHOOK", crate_source("minhook"));
    command.env("ALLOC8_DETOURS", crate_source("detours"));
    for name in ["CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS"] {
        command.env_remove(name);
    }
    command
}

fn missing(program: &str, package: &str) -> bool {
    let absent = Command::new(program).arg("--version").output().is_err();
    if absent {
        common::skip(program, &format!("apt-get install {package}"));
    }
    absent
}

/// What hooks see, in the client's words.
fn sees(hook: &str) -> &'static str {
    if ["iat", "redirect"].contains(&hook) { "imports" } else { "code" }
}

fn judged(library: &Path, description: &str, lang: &str) {
    let mut verify = tool(&["verify", "-a"]);
    verify.arg(source(description)).args(["--lang", lang]).arg(library);
    said(&mut verify, 0);
}

/// A program that imports the library first, run with a plug-in.
fn holds(wine: &Wine, program: &Path, hook: &str, library: &str, plug: &str) {
    let run = wine.run(program, &[sees(hook), library, plug]);
    run.is_good(&program.display().to_string());
    assert!(run.counted("allocated") > 1000, "{}", run.text);
}

/// One that carries the heap sees it for its own blocks alone.
fn carries(wine: &Wine, program: &Path, plug: &str) {
    let name = program.file_name().unwrap().to_str().unwrap();
    let run = wine.run(program, &["module", name, plug]);
    assert!(run.counted("checks") >= 140 && run.counted("failed") == 0, "{}", run.text);
    assert!(run.counted("allocated") > 1000 && run.status == Some(0), "{}", run.text);
}

fn lives_beside(wine: &Wine, program: &Path) {
    let run = wine.run(program, &[]);
    assert!(run.counted("checks") >= 120 && run.counted("failed") == 0, "{}", run.text);
    assert_eq!(run.status, Some(0), "{}", run.text);
}

/// By `make FOLDER=windows-iat GOAL`: one Makefile for every fragment.
const MAKEFILE: &str = "\
CC = $(CPU)-w64-mingw32-gcc
CXX = $(CPU)-w64-mingw32-g++
AR = $(CPU)-w64-mingw32-ar
CFLAGS = -O1 -Wall -Wextra -Werror
CXXFLAGS = -O1 -Wall -Wextra -Werror
ALLOC8_LIBRARY = $(FOLDER).dll
include Makefile.$(KIND)
include alloc8/$(FOLDER)/alloc8.mk
C = $(CC) -std=gnu11 -O1 -fno-builtin
hooked-$(FOLDER).exe: client.c $(alloc8_library)
\t$(C) -o $@ $< $(ALLOC8_FIRST)
carrier.exe: client.c heap.args
\t$(C) -o $@ @heap.args $<
under_a_prefix.exe: prefixed.c libmy.a libheap.a
\t$(C) -Ialloc8/$(FOLDER) -o $@ $^
plug.dll: plug.c
\t$(C) -shared -o $@ $<
libheap.a: simple_heap.o counted_heap.o
\t$(AR) rcs $@ $^
libsimple.a: simple_heap.o
\t$(AR) rcs $@ $^
%.o: %.c
\t$(CC) -std=gnu11 -O2 -c $(MORE) -o $@ $<
";

/// What each of them says before the fragment.
const KINDS: [(&str, &str); 4] = [
    ("hooked", "ALLOC8_ARCHIVE = libheap.a\n"),
    ("cpp", "ALLOC8_SOURCE = counted_class.cpp\nALLOC8_ARCHIVE = libsimple.a\n"),
    ("static", "ALLOC8_ARCHIVE = libheap.a\nALLOC8_HEAP = heap\n"),
    ("prefixed", "ALLOC8_HEAP = libmy\n"),
];

fn make_words<'a>(cpu: &'a str, kind: &'a str, folder: &'a str, goal: &'a str) -> Vec<String> {
    let words = [goal.to_owned(), format!("CPU={cpu}"), format!("KIND={kind}")];
    words.into_iter().chain([format!("FOLDER={folder}")]).collect()
}

/// Makes the goal, and then nothing more.
fn made(cpu: Cpu, place: &Path, kind: &str, folder: &str, goal: &str) {
    let words = make_words(cpu.name, kind, folder, goal);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    said(&mut started("make", place, &words), 0);
    let again = said(&mut started("make", place, &words), 0);
    assert!(again.contains("is up to date"), "{again}");
}

fn by_make(cpu: Cpu, hooks: &[&str]) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    if missing("make", "make") {
        return;
    }
    let project = project(hooks);
    let place = project.path();
    fs::write(place.join("Makefile"), MAKEFILE).unwrap();
    for (kind, text) in KINDS {
        fs::write(place.join(format!("Makefile.{kind}")), text).unwrap();
    }
    made(cpu, place, "hooked", &format!("windows-{}", hooks[0]), "plug.dll");
    for hook in hooks {
        let name = format!("windows-{hook}");
        let program = format!("hooked-{name}.exe");
        made(cpu, place, "hooked", &name, &program);
        judged(&place.join(format!("{name}.dll")), "counted_heap.toml", "c");
        let heap = if *hook == "redirect" { "-heap" } else { "" };
        let library = format!("{name}{heap}.dll");
        holds(wine, &place.join(&program), hook, &library, "plug.dll");
    }
    if cpu != X64 && !common::everything() {
        return;
    }
    made(cpu, place, "cpp", "windows-cpp", "hooked-windows-cpp.exe");
    judged(&place.join("windows-cpp.dll"), "counted_class.toml", "cpp");
    let program = place.join("hooked-windows-cpp.exe");
    holds(wine, &program, "minhook", "windows-cpp.dll", "plug.dll");
    made(cpu, place, "static", "windows-static", "carrier.exe");
    carries(wine, &place.join("carrier.exe"), "plug.dll");
    made(cpu, place, "prefixed", "windows-prefixed", "under_a_prefix.exe");
    lives_beside(wine, &place.join("under_a_prefix.exe"));
    let words = make_words(cpu.name, "hooked", "windows-iat", "alloc8-check");
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut check = started("make", place, &words);
    said(check.arg(format!("ALLOC8_GEN={}", env!("CARGO_BIN_EXE_alloc8-gen"))), 0);
    if cpu == X64 {
        a_c_library_is_named_or_refused(place);
    }
}

/// An archive that calls one would have it loaded before the hooks, unless its owner says that this is known.
fn a_c_library_is_named_or_refused(place: &Path) {
    let calls = "\nint puts(const char *);\nvoid simple_heap_greets(void) { puts(\"\"); }\n";
    let heap = fs::read_to_string(place.join("simple_heap.c")).unwrap();
    fs::write(place.join("simple_heap.c"), heap + calls).unwrap();
    let words = make_words("x86_64", "hooked", "windows-iat", "windows-iat.dll");
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let output = started("make", place, &words).arg("ALLOC8_LIBS=-lmsvcrt").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("it needs msvcrt.dll"), "{text}");
    assert!(!output.status.success() && !place.join("windows-iat.dll").exists(), "{text}");
    said(started("make", place, &words).arg("ALLOC8_C_LIBRARY=1"), 0);
}

#[test]
fn make_builds_for_windows_what_runs_and_builds_it_once() {
    by_make(X64, &hooks(&["iat"]));
}

#[test]
fn make_builds_for_windows_of_32_bits_what_runs_and_builds_it_once() {
    by_make(X86, &hooks(&["redirect"]));
}

const CMAKE: &str = "\
cmake_minimum_required(VERSION 3.16)
project(heap C CXX)
add_library(heap STATIC simple_heap.c counted_heap.c)
add_library(simple STATIC simple_heap.c)
add_library(plug SHARED plug.c)
function(client name)
  add_executable(${name} client.c)
  target_compile_options(${name} PRIVATE -fno-builtin)
endfunction()
foreach(hook ${HOOKS})
  include(alloc8/windows-${hook}/alloc8.cmake)
  alloc8_interpose(${hook} heap)
  client(client-${hook})
  alloc8_first(client-${hook} ${hook})
endforeach()
include(alloc8/windows-cpp/alloc8.cmake)
alloc8_interpose(class counted_class.cpp LIBS simple)
client(client-class)
alloc8_first(client-class class)
include(alloc8/windows-static/alloc8.cmake)
alloc8_carry(carried heap)
client(carrier)
target_link_libraries(carrier PRIVATE carried)
include(alloc8/windows-prefixed/alloc8.cmake)
alloc8_prefixed(my heap)
add_executable(under_a_prefix prefixed.c)
target_link_libraries(under_a_prefix PRIVATE my)
";

/// As CMake's own manual has it for MinGW.
const TOOLCHAIN: &str = "\
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++)
";

#[test]
fn cmake_builds_for_windows_what_runs_and_builds_it_once() {
    let Some(wine) = Wine::new() else { return };
    if missing("cmake", "cmake") || missing("ninja", "ninja-build") {
        return;
    }
    let hooks = hooks(&["minhook", "redirect"]);
    let project = project(&hooks);
    let place = project.path();
    fs::write(place.join("CMakeLists.txt"), CMAKE).unwrap();
    fs::write(place.join("mingw.cmake"), TOOLCHAIN).unwrap();
    let named = [
        "-DCMAKE_TOOLCHAIN_FILE=mingw.cmake".to_owned(),
        format!("-DALLOC8_GEN={}", env!("CARGO_BIN_EXE_alloc8-gen")),
        format!("-DHOOKS={}", hooks.join(";")),
    ];
    let words = ["-G", "Ninja", "-S", ".", "-B", "build"].into_iter();
    let words: Vec<_> = words.chain(named.iter().map(String::as_str)).collect();
    said(&mut started("cmake", place, &words), 0);
    said(&mut started("cmake", place, &["--build", "build"]), 0);
    let again = said(&mut started("cmake", place, &["--build", "build"]), 0);
    assert!(again.contains("no work to do"), "{again}");
    let build = place.join("build");
    for hook in hooks {
        judged(&build.join(format!("lib{hook}.dll")), "counted_heap.toml", "c");
        let heap = if hook == "redirect" { "-heap" } else { "" };
        let program = build.join(format!("client-{hook}.exe"));
        holds(wine, &program, hook, &format!("lib{hook}{heap}.dll"), "libplug.dll");
    }
    judged(&build.join("libclass.dll"), "counted_class.toml", "cpp");
    holds(wine, &build.join("client-class.exe"), "minhook", "libclass.dll", "libplug.dll");
    carries(wine, &build.join("carrier.exe"), "libplug.dll");
    lives_beside(wine, &build.join("under_a_prefix.exe"));
    said(&mut started("cmake", place, &["--build", "build", "--target", "alloc8_check"]), 0);
}

const MESON: &str = "\
project('heap', 'c', 'cpp', meson_version: '>=1.0')
alloc8_archive = static_library('heap', 'simple_heap.c', 'counted_heap.c', c_args: '-O2')
shared_library('plug', 'plug.c')
alloc8_name = 'HOOK'
subdir('alloc8/windows-HOOK')
executable('client', 'client.c', c_args: '-fno-builtin', kwargs: alloc8_first)
";

/// As Meson's own manual has it for MinGW; the tool is one of its programs.
const CROSS: &str = "\
[binaries]
c = 'CPU-w64-mingw32-gcc'
cpp = 'CPU-w64-mingw32-g++'
ar = 'CPU-w64-mingw32-ar'
objdump = 'CPU-w64-mingw32-objdump'
alloc8-gen = 'TOOL'
[host_machine]
system = 'windows'
cpu_family = 'x86'
cpu = 'CPU'
endian = 'little'
";

fn by_meson(cpu: Cpu, hook: &str) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    if missing("meson", "meson") || missing("ninja", "ninja-build") {
        return;
    }
    let project = project(&[hook]);
    let place = project.path();
    let rules = MESON.replace("HOOK", hook);
    fs::write(place.join("meson.build"), &rules).unwrap();
    let cross = CROSS.replace("CPU", cpu.name).replace("TOOL", env!("CARGO_BIN_EXE_alloc8-gen"));
    let family = if cpu == X64 { "'x86_64'" } else { "'x86'" };
    fs::write(place.join("mingw.ini"), cross.replace("'x86'", family)).unwrap();
    said(&mut started("meson", place, &["setup", "--cross-file", "mingw.ini", "build"]), 0);
    let ninja = |goals: &[&str]| started("ninja", place, &[&["-C", "build"], goals].concat());
    said(&mut ninja(&[]), 0);
    let again = said(&mut ninja(&[]), 0);
    assert!(again.contains("no work to do"), "{again}");
    let build = place.join("build");
    let made = build.join(format!("alloc8/windows-{hook}"));
    let heap = if hook == "redirect" { "-heap" } else { "" };
    let library = format!("lib{hook}{heap}.dll");
    for name in [&format!("lib{hook}.dll"), &library] {
        fs::copy(made.join(name), build.join(name)).unwrap();
    }
    judged(&build.join(format!("lib{hook}.dll")), "counted_heap.toml", "c");
    holds(wine, &build.join("client.exe"), hook, &library, "libplug.dll");
    said(&mut ninja(&[&format!("alloc8_check_counted_heap_windows_{hook}")]), 0);
    if hook == "redirect" {
        return; // its heap has a C library in any case
    }
    // An archive that calls one is refused each time, unless its owner says that this is known.
    let calls = "\nint puts(const char *);\nvoid simple_heap_greets(void) { puts(\"\"); }\n";
    let text = fs::read_to_string(place.join("simple_heap.c")).unwrap();
    fs::write(place.join("simple_heap.c"), text + calls).unwrap();
    let needs =
        "alloc8_dependencies = meson.get_compiler('c').find_library('msvcrt')\nsubdir('alloc8";
    let rules = rules.replace("subdir('alloc8", needs);
    fs::write(place.join("meson.build"), &rules).unwrap();
    for _ in 0..2 {
        let text = said(&mut ninja(&[]), 1);
        assert!(text.contains("was removed: it needs msvcrt.dll"), "{text}");
        assert!(!made.join(&library).exists(), "{text}");
    }
    let known = rules.replace("subdir('alloc8", "alloc8_c_library = true\nsubdir('alloc8");
    fs::write(place.join("meson.build"), known).unwrap();
    said(&mut ninja(&[]), 0);
}

#[test]
fn meson_builds_for_windows_what_runs_and_builds_it_once() {
    for hook in hooks(&["minhook", "redirect"]) {
        by_meson(X64, hook);
    }
}

#[test]
fn meson_builds_for_windows_of_32_bits_what_runs_and_builds_it_once() {
    for hook in hooks(&["iat"]) {
        by_meson(X86, hook);
    }
}

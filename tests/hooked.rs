//! Shims for Windows compile without a warning for every ABI, in every mode and with every kind of hook;
//! what could free a block in the wrong heap is refused.
#![cfg(target_os = "linux")]

mod common;

use std::{fs, path::Path, process::Command};

use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    diagnostic::{Report, Source},
    plan::Plan,
    render::{self, Files, Inputs},
    spec,
};

/// Mode and hook of everything that is rendered for Windows.
const CONFIGURATIONS: &[(&str, Option<&str>)] = &[
    ("interpose", None),
    ("interpose", Some("iat")),
    ("interpose", Some("minhook")),
    ("interpose", Some("detours")),
    ("interpose", Some("redirect")),
    ("static", None),
    ("prefixed", None),
];

/// A compiler for each ABI that one is to be had for, and whether Detours and MinHook have code for it.
const COMPILERS: &[(&[&str], bool)] = &[
    (&["x86_64-w64-mingw32-gcc"], true),
    (&["i686-w64-mingw32-gcc"], true),
    (&["clang", "--target=x86_64-pc-windows-msvc"], true),
    (&["clang", "--target=i686-pc-windows-msvc"], true),
    (&["clang", "--target=aarch64-pc-windows-msvc"], false),
];

fn simple_heap() -> Allocator {
    allocator::built_in("simple_heap").unwrap().unwrap()
}

/// A heap that promises nothing and tells nothing.
fn undescribed() -> Allocator {
    allocator::convention("undescribed").unwrap()
}

fn rendered(allocator: &Allocator, mode: &str, hook: Option<&str>) -> Result<Files, Report> {
    in_language("c", allocator, mode, hook)
}

fn in_language(
    lang: &str,
    allocator: &Allocator,
    mode: &str,
    hook: Option<&str>,
) -> Result<Files, Report> {
    let windows = spec::platform("windows").unwrap();
    let (plan, _) = Plan::new(&windows, allocator).unwrap();
    let inputs = Inputs {
        lang: lang.to_owned(),
        mode: mode.to_owned(),
        hook: hook.map(str::to_owned),
        prefix: (mode == "prefixed").then(|| "my".to_owned()),
        ..Inputs::interposer("windows", &allocator.name)
    };
    render::render(&plan, &inputs)
}

/// What is wrong with the sources of a configuration.
///
/// What only optimizers see is asked for where `level` says so: they take seconds.
fn compile(compiler: &[&str], level: &str, files: &Files, folder: &Path) -> Option<String> {
    for (name, text) in files.iter().filter(|(n, _)| n.ends_with(".c") || n.ends_with(".h")) {
        fs::write(folder.join(name), text).unwrap();
    }
    files.keys().filter(|name| name.ends_with(".c")).find_map(|name| {
        let mut command = Command::new(compiler[0]);
        command.args(&compiler[1..]).args(["-std=c11", level, "-Wall", "-Wextra", "-Wpedantic"]);
        command.args(["-Werror", "-c", name, "-o", "shim.o"]).current_dir(folder);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (!output.status.success()).then(|| format!("{command:?}\n{said}"))
    })
}

/// What Microsoft's compiler is shown: no word of GNU's is left in it. Clang, told that it is not itself, takes
/// that branch with the options of `cl`; the compiler itself was never at hand.
#[test]
fn microsofts_compiler_is_shown_no_word_of_gnus() {
    if !is_there("clang") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for target in ["x86_64", "i686", "aarch64"] {
        for (mode, hook) in CONFIGURATIONS {
            if target == "aarch64" && matches!(hook, Some("minhook" | "detours")) {
                continue;
            }
            let files = rendered(&simple_heap(), mode, *hook).unwrap();
            for (name, text) in &files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            for name in files.keys().filter(|name| name.ends_with(".c")) {
                let clang = |more: &[&str]| {
                    let mut command = Command::new("clang");
                    command
                        .arg("--driver-mode=cl")
                        .arg(format!("--target={target}-pc-windows-msvc"));
                    command.args(["/nologo", "/std:c11", "/W4", "/WX", "/clang:-ffreestanding"]);
                    command.args(["-fms-compatibility-version=19.30", "-U__clang__"]);
                    command.args(["-Wno-unused-function", name.as_str()]).args(more);
                    command.current_dir(folder.path());
                    command
                };
                let mut command = clang(&["/Zs"]);
                let output = command.output().unwrap();
                if !output.status.success() {
                    wrong.push(format!("{command:?}\n{}", String::from_utf8_lossy(&output.stderr)));
                }
                let mut command = clang(&["/EP", "/P", "/Fishown.i"]);
                assert!(command.output().unwrap().status.success(), "{command:?}");
                let shown = fs::read_to_string(folder.path().join("shown.i")).unwrap();
                for word in ["__attribute__", "__builtin_", "__atomic_", "__extension__", "__asm__"]
                {
                    if shown.contains(word) {
                        wrong.push(format!("{command:?}: {word}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_there(compiler: &str) -> bool {
    let there = Command::new(compiler).arg("--version").output().is_ok();
    if !there {
        common::skip(compiler, "cargo xtask install");
    }
    there
}

#[test]
fn hooks_compile_without_warnings_for_every_abi() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (compiler, inline) in COMPILERS.iter().filter(|(c, _)| is_there(c[0])) {
        for (mode, hook) in CONFIGURATIONS {
            let files = rendered(&simple_heap(), mode, *hook).unwrap();
            let whole = compiler[0].starts_with("x86_64") && hook.is_none();
            let level = if whole { "-O2" } else { "-fsyntax-only" };
            let said = compile(compiler, level, &files, folder.path());
            // One text for all CPUs says so where there is nothing to say for one.
            if !inline && matches!(hook, Some("minhook" | "detours")) {
                let said = said.unwrap_or_default();
                assert!(said.contains("has no code for this CPU"), "{compiler:?}: {said}");
            } else {
                wrong.extend(said);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hooks_of_a_heap_that_promises_nothing_compile_without_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (compiler, inline) in COMPILERS.iter().filter(|(c, _)| is_there(c[0])) {
        // Nobody knows whose a block is: import tables alone would not do.
        if *inline {
            let files = rendered(&undescribed(), "interpose", None).unwrap();
            wrong.extend(compile(compiler, "-fsyntax-only", &files, folder.path()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A heap class in a file that has included what it may clash with: Windows' own declarations, and a C library's.
const CLASS: &str = r#"
#include <windows.h>
#include <process.h>
#include <cstdlib>
#include <cstring>
#include "redirect.hpp"
struct MyHeap {
    void *malloc(std::size_t size) { return HeapAlloc(GetProcessHeap(), 0, size); }
    void free(void *ptr) { HeapFree(GetProcessHeap(), 0, ptr); }
    void *memalign(std::size_t, std::size_t size) { return malloc(size); }
    std::size_t getSize(void *ptr) { return HeapSize(GetProcessHeap(), 0, ptr); }
    bool owns(const void *ptr) { return ptr != nullptr; }
};
ALLOC8_REDIRECT(MyHeap);
"#;

/// What is wrong with a C++ file beside the headers.
fn compile_headers(
    compiler: &[&str],
    standard: &str,
    source: &str,
    files: &Files,
    folder: &Path,
) -> Option<String> {
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    fs::write(folder.join("unit.cpp"), source).unwrap();
    let cxx = compiler[0].replace("gcc", "g++").replace("clang", "clang++");
    let mut command = Command::new(cxx);
    // Operators alone throw.
    let throws = files["shim.hpp"].contains("throw ");
    command.args((!throws).then_some(["-fno-exceptions", "-fno-rtti"]).into_iter().flatten());
    command.args(&compiler[1..]).args([standard, "-Wall"]);
    command.args(["-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "unit.cpp"]);
    // clang has no library here.
    command.args(compiler[0].contains("clang").then_some("-ffreestanding"));
    let output = command.current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| format!("{command:?}\n{said}"))
}

#[test]
fn headers_compile_without_warnings_for_every_abi() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (compiler, inline) in COMPILERS.iter().filter(|(c, _)| is_there(c[0])) {
        let alone = "#include \"shim.hpp\"\n";
        let has_library = compiler[0].contains("mingw32");
        let whole = if has_library { CLASS } else { alone };
        let tries: &[_] = &[
            ("interpose", None, "-std=c++17", whole),
            ("interpose", None, "-std=c++20", whole),
            ("interpose", Some("iat"), "-std=c++17", alone),
            ("interpose", Some("detours"), "-std=c++17", alone),
            ("interpose", Some("redirect"), "-std=c++17", whole),
            ("static", None, "-std=c++17", whole),
            ("static", None, "-std=c++20", whole),
            ("prefixed", None, "-std=c++17", whole),
            ("prefixed", None, "-std=c++20", alone),
        ];
        let has_code = |t: &&(_, Option<&str>, _, _)| *inline || t.1 != Some("detours");
        // Operators are declared in a header of the C++ library.
        let has_headers = |t: &&(&str, _, _, _)| has_library || t.0 != "static";
        for (mode, hook, standard, source) in tries.iter().filter(has_code).filter(has_headers) {
            let files = in_language("cpp", &simple_heap(), mode, *hook).unwrap();
            wrong.extend(compile_headers(compiler, standard, source, &files, folder.path()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hooks_that_would_free_in_the_wrong_heap_are_refused() {
    let codes = |mode: &str, hook: Option<&str>| -> Vec<String> {
        let report = rendered(&undescribed(), mode, hook).err();
        let found = report.into_iter().flat_map(|r| r.diagnostics);
        found.map(|d| d.code.to_string()).collect()
    };
    assert_eq!(codes("interpose", Some("iat")), ["A8250"]);
    assert_eq!(codes("interpose", Some("redirect")), ["A8250"]);
    assert_eq!(codes("static", None), ["A8250"]);
    assert_eq!(codes("interpose", Some("minhook")), [""; 0]);
    // Its own names: nobody else's blocks come there.
    assert_eq!(codes("prefixed", None), [""; 0]);
    assert_eq!(codes("prefixed", Some("iat")), ["A8253"]);
}

/// Rust's start-up code has a C library, whose blocks are older than the hooks; and a flag is a variable in C.
#[test]
fn a_heap_in_rust_tells_its_blocks_and_has_no_flag_for_threads() {
    let code = |more: &str| {
        let text = format!(
            "schema = 1\nname = \"mine\"\ntitle = \"mine\"\nrust = \"crate::Heap\"\nmalloc = \"malloc\"\nfree = \"free\"\nmemalign = \"memalign\"\nmalloc_usable_size = \"usable_size\"\n{more}"
        );
        let source = Source::new("mine.toml", &text);
        let described = allocator::read(&source, "mine", Origin::BuiltIn).expect("a description");
        let refused = in_language("rust", &described, "interpose", None).err();
        refused.map(|report| report.diagnostics[0].code.to_string())
    };
    let owns = "owns = \"owns\"\n";
    assert_eq!(code(""), Some("A8250".to_owned()));
    assert_eq!(code(owns), None);
    assert_eq!(code(&format!("{owns}thread_created = \"created\"\n")), Some("A8208".to_owned()));
    // The hooks, in C, look whether a thread is ready.
    let required = "thread_init = \"begin\"\nthread_policy = \"required\"\n";
    assert_eq!(code(&format!("{owns}{required}")), None);
}

/// In a crate the heap's functions are handed over to hooks in a library of their own, which lends it `alloc8::Global`.
#[test]
fn hooks_before_a_heap_in_a_crate_compile_without_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let refused = in_language("rust", &undescribed(), "interpose", Some("redirect")).err();
    assert_eq!(refused.expect("nobody tells whose a block is").diagnostics[0].code, "A8250");
    let files = in_language("rust", &simple_heap(), "interpose", Some("redirect")).unwrap();
    let mut wrong = Vec::new();
    for (compiler, _) in COMPILERS.iter().filter(|(c, _)| is_there(c[0])) {
        wrong.extend(compile(compiler, "-fsyntax-only", &files, folder.path()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A text that has a branch for CPUs without code for inline hooks must not take it without `owns`.
#[test]
fn a_heap_that_cannot_tell_its_blocks_has_no_hooks_in_tables_of_imports() {
    let clang = ["clang", "--target=aarch64-pc-windows-msvc"];
    if !is_there("clang") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = rendered(&undescribed(), "interpose", None).unwrap();
    let said = compile(&clang, "-fsyntax-only", &files, folder.path()).unwrap_or_default();
    assert!(said.contains("needs to know whose a block is"), "{said}");
}

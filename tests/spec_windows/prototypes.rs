//! The declarations of the spec against MinGW's headers: those of Debian's gcc, and the newer ones
//! that zig bundles, which know the debugging heap as functions.

use std::{collections::BTreeSet, fs, process::Command};

use alloc8_gen::{
    prototype::Prototype,
    spec::{Platform, Symbol},
};

use super::toolbox::{abi, compilers, windows};
use crate::common::{ZIG, skip, zig_lib};

const HEADERS: &str = "#define MINGW_HAS_SECURE_API 1\n#include <malloc.h>\n#include <stdlib.h>\n\
    #include <string.h>\n#include <wchar.h>\n#include <stdio.h>\n#include <direct.h>\n\
    #include <mbstring.h>\n#include <crtdbg.h>\n";

/// What no header declares: the layer below malloc, Windows' own doors, the old C++ library's
/// helpers. A test below holds them to the functions that they stand beside.
fn is_undocumented(name: &str) -> bool {
    name.ends_with("_base")
        || name.starts_with("_o_")
        || name.ends_with("_crt")
        || name == "_mbsdup_dbg" // a macro everywhere
}

struct Compiler {
    command: Box<dyn Fn() -> Command>,
    name: String,
}

impl Compiler {
    /// Which of the lines, compiled below the headers, it finds mistakes in.
    fn refuses(&self, functions: &[&Symbol], lines: &[String]) -> BTreeSet<usize> {
        // A macro of the same name, as crtdbg.h has them, must not stand before the function.
        let undef: String =
            functions.iter().map(|s| format!("#undef {}\n", s.spec_name())).collect();
        let text = format!("{HEADERS}{undef}#line 1 \"lines.c\"\n{}\n", lines.join("\n"));
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("proof.c");
        fs::write(&source, text).expect("written");
        let output = (self.command)().args(["-fsyntax-only", "-w"]).arg(&source).output();
        let said = String::from_utf8(output.expect("a compiler").stderr).expect("UTF-8");
        let errors = said.lines().filter(|line| line.contains("error: "));
        let number = |line: &str| line.strip_prefix("lines.c:")?.split(':').next()?.parse().ok();
        errors
            .map(|line| number(line).unwrap_or_else(|| panic!("{}: {said}", self.name)))
            .map(|number: usize| number - 1)
            .collect()
    }
}

/// The names whose declarations were compared; fails where one differs.
fn proven(compiler: &Compiler, abi_name: &str) -> BTreeSet<String> {
    let platform = windows();
    let abi = abi(&platform, abi_name);
    let all: Vec<_> = platform.symbols_of(abi).filter(|s| !s.operation.is_operator()).collect();
    let named = |(at, symbol): (usize, &&Symbol)| {
        format!("void *f{at}(void) {{ return (void *){}; }}", symbol.spec_name())
    };
    let lines: Vec<_> = all.iter().enumerate().map(named).collect();
    let unknown = compiler.refuses(&all, &lines);
    let known: Vec<_> =
        (0..all.len()).filter(|at| !unknown.contains(at)).map(|at| all[at]).collect();
    let compared = |(at, symbol): (usize, &&Symbol)| {
        let name = symbol.spec_name();
        let ours = symbol.declaration.replacen(&format!("{name}("), &format!("ours{at}("), 1);
        format!(
            "{ours}; _Static_assert(__builtin_types_compatible_p(__typeof__({name}), __typeof__(ours{at})), \"\");"
        )
    };
    let lines: Vec<_> = known.iter().enumerate().map(compared).collect();
    let wrong = compiler.refuses(&all, &lines);
    let wrong: Vec<_> = wrong.iter().map(|at| known[*at].declaration.as_str()).collect();
    assert!(wrong.is_empty(), "{} declares otherwise: {wrong:#?}", compiler.name);
    known.iter().map(|symbol| symbol.spec_name().to_owned()).collect()
}

/// The spec's C functions that are in none of the sets.
fn unproven(proven: &BTreeSet<String>) -> Vec<String> {
    let platform = windows();
    let functions = platform.symbols.iter().filter(|s| !s.operation.is_operator());
    let names = functions.map(|s| s.spec_name().to_owned());
    names.filter(|name| !proven.contains(name) && !is_undocumented(name)).collect()
}

#[test]
fn gcc_s_headers_declare_what_the_spec_declares() {
    for (program, abi) in compilers("prototypes by MinGW's headers") {
        let compiler =
            Compiler { command: Box::new(move || Command::new(program)), name: program.to_owned() };
        let proven = proven(&compiler, abi);
        // These headers have macros for the debugging heap, and leave out what msvcrt.dll has not.
        let known = |name: &String| {
            ["_dbg", "_nolock"].iter().any(|end| name.ends_with(end)) || name == "_aligned_msize"
        };
        let unproven: Vec<_> = unproven(&proven).into_iter().filter(|n| !known(n)).collect();
        assert!(unproven.is_empty(), "{program} declares none of {unproven:?}");
    }
}

#[test]
fn newer_headers_declare_what_the_spec_declares_the_debugging_heap_too() {
    let Some(lib) = zig_lib() else { return skip(ZIG.0, ZIG.1) };
    if Command::new("clang").arg("--version").output().is_err() {
        return skip("prototypes by zig's headers", "apt-get install clang");
    }
    let headers = lib.join("libc/include/any-windows-any");
    for (machine, abi) in [("x86_64", "x64-gnu"), ("i686", "x86-gnu"), ("aarch64", "arm64-gnu")] {
        let target = format!("--target={machine}-w64-mingw32");
        let name = format!("clang {target}");
        let headers = headers.clone();
        let command = Box::new(move || {
            let mut command = Command::new("clang");
            command
                .args([
                    &target,
                    "-nostdlibinc",
                    "-D_UCRT",
                    "-D_DEBUG",
                    "-ferror-limit=0",
                    "-isystem",
                ])
                .arg(&headers);
            command
        });
        let unproven = unproven(&proven(&Compiler { command, name: name.clone() }, abi));
        assert!(unproven.is_empty(), "{name} declares none of {unproven:?}");
    }
}

/// The function that a twin stands beside: `_o_free` and `_free_base` beside `free`.
fn original(platform: &Platform, name: &str) -> Option<String> {
    let name = name.strip_prefix("_o_").unwrap_or(name);
    let stem = ["_base", "_crt", "_nolock", "_dbg"].iter().find_map(|end| name.strip_suffix(end));
    let Some(stem) = stem else { return Some(name.to_owned()) };
    let there = |name: &str| platform.symbol(name).is_some();
    [stem, stem.trim_start_matches('_')].into_iter().find(|n| there(n)).map(str::to_owned)
}

#[test]
fn a_twin_takes_and_returns_what_its_original_does() {
    let platform = windows();
    let mut compared = 0;
    for symbol in platform.symbols.iter().filter(|s| !s.operation.is_operator()) {
        let name = symbol.spec_name();
        let original =
            original(&platform, name).unwrap_or_else(|| panic!("{name} is nobody's twin"));
        if original == name {
            continue;
        }
        let first = platform.symbol(&original).expect("an original");
        assert_eq!(symbol.operation, first.operation, "{name} beside {original}");
        assert_eq!(without_context(symbol), without_context(first), "{name} beside {original}");
        compared += 1;
    }
    assert!(compared > 60, "only {compared} twins");
}

/// What is left of a debugging function without the source line and the kind of block.
fn without_context(symbol: &Symbol) -> Prototype {
    let mut prototype = symbol.prototype.clone();
    prototype.name = String::new();
    prototype.parameters.retain(|p| !["block_use", "file", "line"].contains(&p.name.as_str()));
    prototype
}

#[test]
fn every_block_goes_back_to_the_layer_that_it_came_from() {
    let platform = windows();
    for symbol in &platform.symbols {
        let name = symbol.spec_name();
        let layer = |name: &str| {
            ["_dbg", "_base"].into_iter().find(|end| name.ends_with(end)).unwrap_or_default()
        };
        for by in symbol.freed_by.iter() {
            if !symbol.operation.is_operator() {
                assert_eq!(layer(by), layer(name), "{name} is freed by {by}");
            }
            let aligned = |name: &str| name.contains("_aligned_") || name.contains("align_val_t");
            assert_eq!(aligned(by), aligned(name), "{name} is freed by {by}");
        }
    }
}

//! The headers compile everywhere without a warning, and define what their lists say.

use std::{fs, path::Path, process::Command};

use alloc8_gen::{
    allocator::{self, Allocator},
    spec,
};

use super::headers::{
    STANDARDS, WARNINGS, abi, compile, compilers, free_list, render, render_for, said,
};
use crate::heaps;

const CLASS: &str =
    "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
/// Others may have declared all of it before.
const AFTER_OTHERS: &str = "#include <cstdlib>\n#include <malloc.h>\n#include <memory>\n#include <mutex>\n\
                            #include <pthread.h>\n#include <stdlib.h>\n#include \"shim.hpp\"\n";

fn allocators() -> Vec<Allocator> {
    let mut built_in = allocator::built_in_names();
    // Refused (A8209): its functions have the names that the shim defines.
    built_in.retain(|name| name != "jemalloc-unprefixed");
    let mut all: Vec<_> =
        built_in.iter().map(|name| allocator::built_in(name).unwrap().unwrap()).collect();
    all.push(allocator::convention("undescribed").unwrap());
    for file in ["odd.toml", "strict.toml"] {
        all.push(allocator::read_file(&heaps::heap(file)).unwrap());
    }
    all
}

#[test]
fn headers_have_no_warnings() {
    let mut wrong = Vec::new();
    for allocator in allocators() {
        let work = tempfile::tempdir().unwrap();
        render(&allocator, work.path());
        for cxx in compilers() {
            for (standard, level) in STANDARDS.iter().zip(["-O2", "-O0"]) {
                let flags = [WARNINGS, &[*standard, level, "-c"]].concat();
                let output = compile(cxx, work.path(), AFTER_OTHERS, &flags, "shim.o");
                if !output.status.success() {
                    wrong.push(format!("{} {cxx} {standard}: {}", allocator.name, said(&output)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// By this machine's compilers and C library, which have all that the headers ask for: the text of
/// the other platforms, not their systems.
#[test]
fn headers_for_other_platforms_have_no_warnings_either() {
    let mut platforms = spec::platforms().unwrap();
    platforms.retain(|p| p.name != "linux" && p.mechanism == "elf");
    assert!(platforms.len() >= 4);
    for (platform, cxx) in
        platforms.iter().flat_map(|p| compilers().into_iter().map(move |c| (p, c)))
    {
        for allocator in ["simple_heap", "xx"] {
            let work = tempfile::tempdir().unwrap();
            render_for(platform, &allocator::built_in(allocator).unwrap().unwrap(), work.path());
            let flags = [WARNINGS, &["-std=c++17", "-O1", "-c"]].concat();
            let output = compile(cxx, work.path(), AFTER_OTHERS, &flags, "shim.o");
            assert!(output.status.success(), "{} {cxx}: {}", platform.name, said(&output));
        }
    }
}

#[test]
fn a_class_takes_the_place_of_described_functions_without_warnings() {
    let work = tempfile::tempdir().unwrap();
    render(&free_list(), work.path());
    let checked = "#if defined __cpp_concepts\nstatic_assert(alloc8::Allocator<FreeList>);\n\
                   static_assert(!alloc8::AllocatorWithRealloc<FreeList>);\n\
                   static_assert(!alloc8::ThreadAwareAllocator<FreeList>);\n\
                   static_assert(!alloc8::Allocator<int>);\n#endif\n";
    for cxx in compilers() {
        for standard in STANDARDS {
            for level in ["-O0", "-O3"] {
                let flags = [WARNINGS, &[*standard, level, "-c"]].concat();
                let text = format!("{CLASS}{checked}");
                let output = compile(cxx, work.path(), &text, &flags, "class.o");
                assert!(output.status.success(), "{cxx} {standard} {level}: {}", said(&output));
            }
        }
    }
}

#[test]
fn the_object_defines_exactly_the_listed_names() {
    let work = tempfile::tempdir().unwrap();
    render(&free_list(), work.path());
    let list = fs::read_to_string(work.path().join(format!("symbols.{}.txt", abi()))).unwrap();
    let listed: Vec<_> = list.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(listed.iter().filter(|name| name.starts_with("_Z")).count(), 20);
    for cxx in compilers() {
        let flags = ["-O2", "-std=c++17", "-c"];
        let output = compile(cxx, work.path(), CLASS, &flags, "class.o");
        assert!(output.status.success(), "{}", said(&output));
        let names = defined_in(&work.path().join("class.o"));
        let mut defined: Vec<_> = names
            .lines()
            .filter_map(|line| line.split_whitespace().nth(2))
            .filter(|n| {
                !n.contains("alloc8") && !n.starts_with("free_list_") && !n.contains("8FreeList")
            })
            .filter(|n| !n.starts_with("DW.ref.") && *n != "__clang_call_terminate")
            .collect();
        defined.sort_unstable();
        assert_eq!(defined, listed, "{cxx}");
    }
}

/// What `nm` says of the names that other objects can see.
fn defined_in(object: &Path) -> String {
    let output = Command::new("nm").args(["-g", "--defined-only"]).arg(object).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_sanitizer_keeps_its_own_malloc() {
    let work = tempfile::tempdir().unwrap();
    render(&free_list(), work.path());
    for cxx in compilers() {
        let sanitizers: &[&str] =
            if cxx == "g++" { &["address", "thread"] } else { &["address", "thread", "memory"] };
        for sanitizer in sanitizers {
            let flag = format!("-fsanitize={sanitizer}");
            let output = compile(cxx, work.path(), CLASS, &["-std=c++17", &flag, "-c"], "s.o");
            assert!(output.status.success(), "{cxx} {flag}: {}", said(&output));
            assert!(said(&output).contains("interposes nothing here"), "{cxx} {flag}");
            let names = defined_in(&work.path().join("s.o"));
            assert!(!names.contains(" malloc") && !names.contains(" _Zn"), "{cxx} {flag}: {names}");
        }
    }
}

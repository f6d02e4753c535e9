//! The laws whose programs need no POSIX, under libraries with hooks.

use std::{fs, path::Path, process::Command};

use super::bench::{Cpu, Wine, X64, X86, folder, said, simple_heap, source, tool};

/// A library of the heap with counters around this C file.
fn library(cpu: Cpu, hook: &str, around: &Path, place: &tempfile::TempDir) -> std::path::PathBuf {
    let library = place.path().join(format!("{}-{hook}.dll", cpu.name));
    let mut build = tool(&["build", "-p", "windows", "--hook", hook, "--target", &cpu.target()]);
    build.arg("-a").arg(source("counted_heap.toml")).arg("-o").arg(&library);
    for object in cpu.heap(around, "simple_heap_", &[]) {
        build.arg("--lib").arg(object);
    }
    said(&mut build, 0);
    library
}

fn verify(wine: &Wine, library: &Path, laws: &str, status: i32) -> String {
    let mut verify = wine.around(tool(&["verify", "-a"]));
    verify.arg(source("counted_heap.toml")).arg(laws).arg(library);
    said(&mut verify, status)
}

fn hold(cpu: Cpu, hook: &str) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let text = verify(wine, &library(cpu, hook, &simple_heap(), &place), "--laws", 0);
    assert!(text.contains("24 of 24 laws hold"), "{text}");
}

#[test]
fn laws_without_posix_hold_under_hooks() {
    hold(X64, "minhook");
    if crate::common::everything() {
        for hook in ["detours", "iat"] {
            hold(X64, hook);
        }
        for hook in ["minhook", "iat"] {
            hold(X86, hook);
        }
    }
}

/// Each defect is told by the law that is about it, and by no other.
#[test]
fn a_heap_with_a_defect_breaks_the_law_that_is_about_it() {
    let Some(wine) = Wine::new() else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let whole = fs::read_to_string(simple_heap()).unwrap();
    // Each in the place of the heap's own function, which it calls; only inside the library, for `build` measures the heap.
    let defects = [
        (
            "simple_heap_calloc",
            "calloc_zeroes_reused_memory",
            "void *simple_heap_calloc(size_t nmemb, size_t size)\n{\n    unsigned char *block = whole(nmemb, size);\n    if (block && nmemb * size && GetModuleHandleA(\"defect.dll\"))\n        block[nmemb * size - 1] = 7;\n    return block;\n}\n",
        ),
        (
            "simple_heap_malloc_usable_size",
            "msize_covers_the_request",
            "size_t simple_heap_malloc_usable_size(void *ptr)\n{\n    size_t size = whole(ptr);\n    return size > 100 && GetModuleHandleA(\"defect.dll\") ? 100 : size;\n}\n",
        ),
    ];
    // What a law sees must not depend on the kind of hook.
    let tried = defects.into_iter().map(|defect| ("minhook", defect)).chain([("iat", defects[0])]);
    for (hook, (function, law, own)) in tried {
        let called = format!("{function}(");
        assert!(whole.contains(&called), "{function}");
        let text = whole.replace(&called, "whole(");
        let file = place.path().join(format!("{law}.c"));
        let asked = "void *__stdcall GetModuleHandleA(const char *file);";
        fs::write(&file, format!("{text}\n{asked}\n{own}\n")).unwrap();
        let objects =
            [("counters.o", source("counted_heap.c")), ("heap.o", file)].map(|(object, file)| {
                let object = place.path().join(object);
                let mut compile = Command::new(X64.gcc());
                compile.args(["-std=gnu11", "-O2", "-c", "-o"]).arg(&object).arg(file);
                assert!(compile.status().unwrap().success());
                object
            });
        let library = place.path().join("defect.dll");
        let mut build = tool(&["build", "-p", "windows", "--hook", hook, "-a"]);
        build.arg(source("counted_heap.toml")).arg("-o").arg(&library);
        for object in &objects {
            build.arg("--lib").arg(object);
        }
        said(&mut build, 0);
        let laws = format!("--laws={law},calloc_overflow_fails");
        let text = verify(wine, &library, &laws, 1);
        assert!(text.contains("1 of 2 laws hold, 1 broken"), "{text}");
        assert!(text.contains(&format!("! {law}")) && text.contains("expected"), "{text}");
    }
}

#[test]
fn a_law_that_needs_posix_is_said_to_be_none_of_windows() {
    let place = tempfile::tempdir_in(folder()).unwrap();
    let library = library(X64, "iat", &simple_heap(), &place);
    let output =
        tool(&["verify", "--laws=forked_children_may_allocate"]).arg(library).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let skipped = text.contains("do not run here");
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(skipped || text.contains("A8272") && text.contains("POSIX"), "{text}");
}

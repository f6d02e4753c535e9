//! A heap that calls a C library itself: the blocks of those calls are that library's, under every kind of hook.

use std::path::Path;

use super::bench::{Cpu, Crt, Wine, X64, X86, folder, said, simple_heap, source, tool};

/// Builds the library; its archive calls msvcrt.dll, as MinGW's gcc links it.
fn library(cpu: Cpu, hook: &str, place: &Path) {
    let object = place.join("calling.o");
    let mut compile = cpu.compiler(Crt::Msvcrt);
    compile.args(["-c", "-o"]).arg(&object).arg(source("calling_heap.c"));
    assert!(compile.status().unwrap().success());
    let mut build = tool(&["build", "-p", "windows", "--target", &cpu.target(), "--hook", hook]);
    build.arg("-a").arg(source("calling.toml")).arg("-o").arg(place.join("hooks.dll"));
    let heap = cpu.heap(&simple_heap(), "simple_heap_", &[]).remove(1);
    said(build.arg("--lib").arg(heap).arg("--lib").arg(object), 0);
}

fn keep_apart(cpu: Cpu, hook: &str, sees: &str) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let place = place.path();
    library(cpu, hook, place);
    let late = place.join("late.exe");
    cpu.program(Crt::Msvcrt, "calling.c", &[], &late);
    // The heap's own library brings the one with the hooks.
    let heap = if hook == "redirect" { "hooks-heap.dll" } else { "hooks.dll" };
    let run = wine.run(&late, &[heap, sees]);
    assert!(run.counted("failed") == 0 && run.status == Some(0), "{hook} late: {}", run.text);
    assert!(run.counted("within") > 3, "{hook}: {}", run.text);
    if hook != "redirect" {
        let run = wine.launch(place, &["--preload", "hooks.dll", "--", "late.exe", heap, sees]);
        assert!(run.counted("failed") == 0 && run.status == Some(0), "{hook}: {}", run.text);
    }
}

#[test]
fn what_an_archive_asks_of_its_c_library_stays_that_ones_under_hooks_in_code() {
    keep_apart(X64, "minhook", "code");
    keep_apart(X86, "minhook", "code");
    keep_apart(X64, "detours", "code");
    if crate::common::everything() {
        keep_apart(X86, "detours", "code");
    }
}

#[test]
fn what_an_archive_asks_of_its_c_library_stays_that_ones_under_hooks_in_imports() {
    keep_apart(X64, "iat", "imports");
    if crate::common::everything() {
        keep_apart(X64, "redirect", "imports");
        keep_apart(X86, "iat", "imports");
        keep_apart(X86, "redirect", "imports");
    }
}

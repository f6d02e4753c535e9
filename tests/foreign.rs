//! `verify` and `init` on files for macOS and Windows: what can be told is told, and no more.
#![cfg(target_os = "linux")]

#[path = "artifact/cross.rs"]
#[allow(dead_code, reason = "the readers' own tests use the rest")]
mod cross;
#[path = "cli/tool.rs"]
mod tool;
#[path = "artifact/toolbox.rs"]
#[allow(dead_code, reason = "the readers' own tests use the rest")]
mod toolbox;

use std::{fs, process::Command};

use tool::{folder, run};

#[test]
fn a_mach_o_library_is_judged_by_its_tuples() {
    if !cross::can_build() {
        return;
    }
    let place = folder();
    fs::write(place.path().join("libheap.dylib"), cross::dylib("lld", "arm64", "")).unwrap();
    let ran = run(place.path(), &["verify", "libheap.dylib"]).exits(1);
    assert!(ran.line("libheap.dylib").ends_with("(arm64): macos lp64"), "{}", ran.out);
    assert!(ran.out.contains("  malloc    "), "{}", ran.out);
    assert!(ran.line("malloc").ends_with("bound       tuple: heap_malloc"), "{}", ran.out);
    assert!(ran.line("vfree").ends_with("another name that few programs use"), "{}", ran.out);
    assert!(ran.out.contains("! free   "), "{}", ran.out);
    assert!(ran.line("needs").ends_with("/usr/lib/libSystem.B.dylib"));
}

#[test]
fn a_dll_is_told_and_not_judged() {
    if !cross::can_build() {
        return;
    }
    let place = folder();
    let files = cross::windows("x86_64");
    fs::write(place.path().join("ucrtbase.dll"), &files.runtime).unwrap();
    fs::write(place.path().join("heap.dll"), &files.user).unwrap();
    let ran = run(place.path(), &["verify", "ucrtbase.dll"]).exits(2).says(&["A8514", "hooks"]);
    assert!(ran.line("ucrtbase.dll:").ends_with("Windows library for x86-64, 64 bits"));
    assert!(ran.line("malloc").ends_with("exported"));
    let ran = run(place.path(), &["verify", "heap.dll", "--format", "json"]).exits(2);
    let image = &ran.json()[0];
    assert_eq!((&image["reason"], &image["judged"]), (&"image".into(), &false.into()));
    assert_eq!(image["symbols"][0]["symbol"], "malloc");
    assert_eq!(image["symbols"][0]["library"], "ucrtbase.dll");
}

#[test]
fn a_broken_image_is_an_error_of_its_own() {
    let place = folder();
    fs::write(place.path().join("cut.dll"), b"MZ\0\0").unwrap();
    run(place.path(), &["verify", "cut.dll"]).exits(2).says(&["A8511", "malformed: "]);
}

#[test]
fn an_archive_for_another_system_is_described_by_its_names() {
    if !cross::can_build() {
        return;
    }
    const HEAP: &str = "void *heap_malloc(unsigned long n) { return 0; } void heap_free(void *p) {}
        void *heap_memalign(unsigned long a, unsigned long n) { return 0; }
        unsigned long heap_malloc_usable_size(const void *p) { return 0; }";
    for (target, system) in [
        ("arm64-apple-macos11", "macOS on aarch64"),
        ("i686-pc-windows-gnu", "Windows on i386"),
        ("x86_64-pc-windows-gnu", "Windows on x86-64"),
    ] {
        let place = folder();
        let line = format!("clang -w -target {target} -c -o out in.c");
        fs::write(place.path().join("heap.o"), toolbox::Toolbox::build(HEAP, &line)).unwrap();
        let mut ar = Command::new("ar");
        ar.args(["rcS", "libheap.a", "heap.o"]).current_dir(place.path());
        assert!(ar.status().unwrap().success());
        let ran = run(place.path(), &["init", "heap", "--lib", "libheap.a"]).exits(0);
        ran.says(&["A8502", system]);
        let text = fs::read_to_string(place.path().join("heap.toml")).unwrap();
        for name in ["heap_malloc", "heap_free", "heap_memalign", "heap_malloc_usable_size"] {
            assert!(text.contains(&format!("\"{name}\"")), "{text}");
        }
    }
}

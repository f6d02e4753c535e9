//! The text itself: no warning, no `std`, formatted.

use std::fs;

use alloc8_gen::allocator::{self, Allocator, Role};
use tempfile::TempDir;

use super::toolbox::{command, finish, rendered, rustc, text};
use crate::{common, heaps};

/// As strict as a crate can be.
const CRATE: &str = "//! A crate.\n#![no_std]\n#![deny(warnings, missing_docs, unreachable_pub)]\n\
                     /// A module.\npub mod alloc8 { include!(\"shim.rs\"); }\n";

fn built_in(name: &str) -> Allocator {
    allocator::built_in(name).expect("built in").expect("without a mistake")
}

/// Compiles the shim with `clippy`, or with `rustc` where that is missing, and asks rustfmt.
fn is_clean(platform: &str, allocator: &Allocator) {
    let work = TempDir::new().unwrap();
    let at = |name: &str| work.path().join(name);
    fs::write(at("shim.rs"), &rendered(platform, allocator)["shim.rs"]).unwrap();
    fs::write(at("lib.rs"), CRATE).unwrap();
    let clippy =
        command("clippy-driver").arg("--version").output().is_ok_and(|o| o.status.success());
    let mut compile = if clippy { command("clippy-driver") } else { rustc() };
    compile.args(["--edition=2024", "--crate-type=rlib", "--emit=metadata", "-Cpanic=abort"]);
    let output = finish(compile.arg("--out-dir").arg(work.path()).arg(at("lib.rs")));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    if command("rustfmt").arg("--version").output().is_ok_and(|o| o.status.success()) {
        finish(command("rustfmt").args(["--check", "--edition=2024"]).arg(at("shim.rs")));
    } else {
        common::skip("rustfmt", "rustup component add rustfmt");
    }
    if !clippy {
        common::skip("clippy", "rustup component add clippy");
    }
}

#[test]
fn every_allocator_s_shim_is_clean_without_std() {
    let mut clean = 0;
    // That one bears public names: `refused`.
    for name in allocator::built_in_names().iter().filter(|n| *n != "jemalloc-unprefixed") {
        is_clean("linux", &built_in(name));
        clean += 1;
    }
    assert!(clean >= 6, "{clean}");
    is_clean("linux", &allocator::convention("unpromising").unwrap());
    is_clean("linux", &allocator::read_file(&heaps::heap("odd.toml")).unwrap());
}

#[test]
fn every_platform_s_shim_is_clean_without_std() {
    for platform in ["linux-musl", "android", "freebsd", "netbsd", "macos", "windows"] {
        let simple_heap = built_in("simple_heap");
        let mut unpromising = allocator::convention("unpromising").unwrap();
        if platform == "windows" {
            // A crate's library has a C library below it, whose blocks this heap must know from its own.
            let owns = simple_heap.functions[&Role::Owns].clone();
            unpromising.functions.insert(Role::Owns, owns);
        }
        is_clean(platform, &simple_heap);
        is_clean(platform, &unpromising);
    }
    for zone in [true, false] {
        is_clean("macos", &Allocator { typed: true, zone, ..built_in("simple_heap") });
    }
}

/// Hooks for threads: each alone, all of them, and beside other things that look up and wait.
#[test]
fn the_shim_of_a_heap_that_is_told_of_threads_is_clean_without_std() {
    let work = TempDir::new().unwrap();
    let aware = fs::read_to_string(heaps::heap("aware.toml")).unwrap();
    let without = |names: &[&str]| {
        let named = |line: &&str| !names.iter().any(|name| line.starts_with(name));
        aware.lines().filter(named).collect::<Vec<_>>().join("\n")
    };
    let required = |without_names: &[&str]| {
        without(without_names).replacen("malloc ", "thread_policy = \"required\"\nmalloc ", 1)
    };
    let busy = "init = \"aware_init\"\nowns = \"aware_owns\"\nforeign = \"forward\"\nmalloc ";
    let own = "keep = [\"pthread_create\", \"thrd_create\"]\nmalloc ";
    let texts = [
        (aware.clone(), "linux-musl"),
        (without(&["thread_init"]), "linux"),
        (without(&["thread_cleanup", "thread_created"]), "netbsd"),
        (without(&["thread_init", "thread_cleanup"]), "freebsd"),
        (aware.replacen("malloc ", busy, 1), "android"),
        (aware.replacen("malloc ", own, 1), "linux"),
        (aware.clone(), "macos"),
        (without(&["thread_init", "thread_cleanup"]), "macos"),
        (
            aware.replacen(
                "malloc ",
                "init = \"aware_init\"\nmalloc_size = \"aware_size\"\nmalloc ",
                1,
            ),
            "macos",
        ),
        (required(&[]), "linux"),
        (required(&["thread_created"]), "linux-musl"),
        (required(&["thread_cleanup", "thread_created"]), "netbsd"),
        (required(&["thread_cleanup", "thread_created"]).replacen("malloc ", busy, 1), "freebsd"),
        (required(&[]).replacen("malloc ", busy, 1), "linux"),
        (required(&[]), "android"),
        (required(&["thread_cleanup"]), "android"),
    ];
    for (text, platform) in texts {
        let file = work.path().join("aware.toml");
        fs::write(&file, text).unwrap();
        is_clean(platform, &allocator::read_file(&file).unwrap());
    }
}

/// A heap that must be initialized first, but whose threads need nothing.
#[test]
fn an_initialized_heap_s_shim_is_clean_without_std() {
    let work = TempDir::new().unwrap();
    let file = work.path().join("early.toml");
    let text = "malloc = \"e_malloc\"\nfree = \"e_free\"\nrealloc = \"e_realloc\"\n\
                memalign = \"e_memalign\"\nfree_sized = \"e_free_sized\"\ninit = \"e_init(1)\"\n";
    fs::write(&file, text).unwrap();
    is_clean("linux", &allocator::read_file(&file).unwrap());
    fs::write(&file, format!("{text}owns = \"e_owns\"\nforeign = \"abort\"\n")).unwrap();
    let asked = allocator::read_file(&file).unwrap();
    is_clean("linux", &asked);
    let asks = "    make_ready();\n    unsafe { e_owns(ptr) }";
    assert!(rendered("linux", &asked)["shim.rs"].contains(asks), "asked before it is initialized");
}

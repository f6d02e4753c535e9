//! Threads that must introduce themselves, in Rust: each CPU has a way of its own to the byte that says whether
//! a thread did. C's compilers know theirs (tests/threads has i686 and x86-64); here the text does.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    allocator,
    artifact::{SharedObject, TlsModel},
    laws,
    plan::Plan,
    render::{self, Inputs},
    spec,
};

use super::machines::{ALL, SONAME, Tools, heap, read, run};
use crate::common;

const CRATE: &str = include_str!("../fixtures/shim_crate.rs");

/// Who comes, who goes and what comes after, the programs of tests/threads; the rest is alike on every CPU.
const PROGRAMS: &[&str] = &[
    "a_thread_may_first_allocate_in_a_destructor",
    "constructors_may_create_threads",
    "forked_children_go_on_with_the_hooks",
    "threads_that_exit_or_are_cancelled_are_seen_off",
    "threads_that_return_are_seen_off",
    "what_comes_after_the_cleanup_is_harmless",
];

/// A CPU's name here, and its target as Rust names it.
const TARGETS: &[(&str, &str)] = &[
    ("i686-linux-gnu", "i686-unknown-linux-gnu"),
    ("aarch64-linux-gnu", "aarch64-unknown-linux-gnu"),
    ("arm-linux-gnueabihf", "armv7-unknown-linux-gnueabihf"),
    ("riscv64-linux-gnu", "riscv64gc-unknown-linux-gnu"),
    ("s390x-linux-gnu", "s390x-unknown-linux-gnu"),
];

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The crate's archive; `None`, and said so, without Rust's library for the target.
fn shim(target: &str, work: &Path) -> Option<PathBuf> {
    let archive = work.join("libshim.a");
    fs::write(work.join("lib.rs"), CRATE).unwrap();
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
    rustc.args(["--edition=2024", "-Cpanic=abort", "-O", "--crate-type=staticlib", "--target"]);
    rustc.arg(target).arg(work.join("lib.rs")).arg("-o").arg(&archive);
    let output = rustc.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("E0463") {
        common::skip(&format!("rust-std for {target}"), "cargo xtask install");
        return None;
    }
    assert!(output.status.success() && said.is_empty(), "{rustc:?}\n{said}");
    Some(archive)
}

/// The library over the heap that ends the process when a thread calls that was not introduced.
fn library(tools: &Tools, target: &str, work: &Path) -> Option<PathBuf> {
    let strict = allocator::read_file(&heap("aware_strict.toml")).unwrap();
    let plan = Plan::new(&spec::platform("linux").unwrap(), &strict).unwrap().0;
    let inputs = Inputs { lang: "rust".to_owned(), ..Inputs::interposer("linux", "aware") };
    let files = render::render(&plan, &inputs).unwrap();
    fs::write(work.join("shim.rs"), &files["shim.rs"]).unwrap();
    let archive = shim(target, work)?;
    let abi = &plan.platform.abi_of(tools.cpu.triple).expect("an ABI").name;
    let exports = &files[&format!("exports.{abi}.map")];
    let more = exports.replacen("global:", "global: aware_count; aware_nest;", 1);
    fs::write(work.join("exports.map"), more).unwrap();
    let library = work.join(SONAME);
    let map = format!("-Wl,--version-script={}", work.join("exports.map").display());
    let mut words = vec!["-std=gnu11", "-O2", "-fPIC", "-DAWARE_STRICT", "-shared", "-pthread"];
    words.extend(["-Wl,-z,now,--no-undefined,-u,malloc", &map, "-o"]);
    tools.compile(&words, &[&library, &heap("thread_aware.c"), &archive]);
    Some(library)
}

fn threads_are_ready_on(triple: &str) {
    let cpu = ALL.iter().find(|cpu| cpu.triple == triple).expect("a CPU");
    let target = TARGETS.iter().find(|(name, _)| *name == triple).expect("a target").1;
    let Some(tools) = cpu.tools() else { return };
    let work = tempfile::tempdir().unwrap();
    let Some(library) = library(&tools, target, work.path()) else { return };
    let data = read(&library);
    let object = SharedObject::read(&data).unwrap();
    // The heap's own variable, and the shim's byte.
    assert_eq!(object.tls.model(), TlsModel::Static, "{triple}: {:?}", object.tls);
    assert_eq!((object.tls.thread_offsets, object.tls.calls_get_addr), (2, false), "{triple}");
    assert!(!object.has_text_relocations(), "{triple}");

    let laws = laws::laws(&spec::platform("linux").unwrap()).unwrap();
    fs::write(work.path().join("platform.h"), &laws[0].header).unwrap();
    let include = |folder: &Path| format!("-I{}", folder.display());
    let folders = [include(&source("templates/laws")), include(work.path())];
    for name in PROGRAMS {
        let program = work.path().join(name);
        let words = ["-std=gnu11", "-O1", "-pthread", &folders[0], &folders[1], "-o"];
        tools.compile(&words, &[&program, &source(&format!("tests/threads/{name}.c"))]);
        let own = tools.runner.command(&program, Some(&library));
        // `timeout` is of the host's CPU: the preload is not for it.
        let mut limited = Command::new("timeout");
        limited.args(["300", "env", "AWARE_POLICY=required"]);
        for (name, value) in own.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            limited.arg([name, value].join(OsStr::new("=")));
        }
        run(limited.arg(own.get_program()).args(own.get_args()));
    }
}

#[test]
fn threads_introduce_themselves_in_rust_on_i686() {
    threads_are_ready_on("i686-linux-gnu");
}

#[test]
fn threads_introduce_themselves_in_rust_on_aarch64() {
    threads_are_ready_on("aarch64-linux-gnu");
}

#[test]
fn threads_introduce_themselves_in_rust_on_arm() {
    threads_are_ready_on("arm-linux-gnueabihf");
}

#[test]
fn threads_introduce_themselves_in_rust_on_riscv64() {
    threads_are_ready_on("riscv64-linux-gnu");
}

#[test]
fn threads_introduce_themselves_in_rust_on_s390x() {
    threads_are_ready_on("s390x-linux-gnu");
}

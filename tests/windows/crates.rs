//! A heap that is a type in Rust: its crate's `cdylib` is the library, whose build script compiles the hooks.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use alloc8_gen::Generator;

use super::{
    bench::{Cpu, Crt, Wine, X64, crate_source, said, source, tool},
    runs::{Place, uncounted},
};
use crate::common;

/// What a crate's build script says, when this test is run as one.
#[test]
#[ignore = "the build script of the others"]
fn build_script() {
    // What runs ignored tests, too, has no order for it.
    let Ok(hook) = std::env::var("ALLOC8_TEST_HOOK") else { return };
    Generator::new("windows", source("counted_type.toml"))
        .map(|generator| generator.hook(&hook))
        .and_then(|generator| generator.rust())
        .unwrap_or_else(|report| panic!("{report}"));
}

/// Runs this program as cargo runs build scripts; the options that cargo would pass on to rustc.
fn options(cpu: Cpu, hook: &str, out: &Path) -> Vec<String> {
    let mut script = Command::new(std::env::current_exe().unwrap());
    script.args(["--exact", "windows::crates::build_script", "--ignored", "--nocapture"]);
    script.env("OUT_DIR", out).env("ALLOC8_TEST_HOOK", hook);
    script.env("ALLOC8_MINHOOK", crate_source("minhook"));
    script.env("ALLOC8_DETOURS", crate_source("detours"));
    let target = cpu.target();
    let of_cargo = [
        ("TARGET", target.as_str()),
        ("HOST", "x86_64-unknown-linux-gnu"),
        ("OPT_LEVEL", "3"),
        ("DEBUG", "false"),
        ("CARGO_CFG_TARGET_ARCH", "x86_64"),
        ("CARGO_CFG_TARGET_VENDOR", "pc"),
        ("CARGO_CFG_TARGET_OS", "windows"),
        ("CARGO_CFG_TARGET_ENV", "gnu"),
        ("CARGO_CFG_TARGET_ABI", ""),
    ];
    let text = said(script.envs(of_cargo).stdin(Stdio::null()), 0);
    let lines =
        text.lines().filter_map(|l| l.split_once("cargo:").map(|(_, l)| l.trim_start_matches(':')));
    let option = |line: &str| match line.split_once('=')? {
        ("rustc-link-lib", name) => Some(format!("-l{name}")),
        ("rustc-link-search", folder) => Some(format!("-L{folder}")),
        _ => None,
    };
    lines.filter_map(option).collect()
}

/// The crate's `cdylib`, around simple_heap.
fn built(cpu: Cpu, hook: &'static str) -> Option<Place> {
    let place = Place::empty(cpu, hook);
    let out = place.path("out");
    fs::create_dir(&out).unwrap();
    let options = options(cpu, hook, &out);
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
    rustc.args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "hooks"]);
    rustc.args(["-O", "-Cpanic=abort", "--target", &cpu.target()]);
    rustc.arg(format!("-Clinker={}", cpu.gcc())).args(options).env("OUT_DIR", &out);
    for object in uncounted(cpu) {
        rustc.arg(format!("-Clink-arg={}", object.display()));
    }
    rustc.arg("-Clink-arg=-lkernel32");
    rustc.arg(source("counted_type.rs")).arg("-o").arg(place.path("hooks.dll"));
    let output = rustc.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.contains("E0463") {
        common::skip("rust-std for Windows", "cargo xtask install");
        return None;
    }
    assert!(output.status.success() && text.is_empty(), "{rustc:?}\n{text}");
    Some(place)
}

#[test]
fn a_heap_that_is_a_type_in_rust_answers_as_one_in_c_does() {
    let Some(wine) = Wine::new() else { return };
    let Some(place) = built(X64, "minhook") else { return };
    let mut verify = tool(&["verify", "-a"]);
    verify.arg(source("counted_type.toml")).args(["--lang", "rust"]).arg(place.path("hooks.dll"));
    said(&mut verify, 0);
    place.injected(wine, Crt::Msvcrt);
    place.late(wine, Crt::Ucrt);
    if let Some(place) = built(X64, "iat") {
        place.late(wine, Crt::Msvcrt);
    }
}

//! Memory that runs out at the n-th allocation, for every n: under shims in each language, over a heap that
//! promises everything or nothing.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the probe")]
mod heaps;
#[allow(dead_code, reason = "shared with the harness of shims in Rust")]
#[path = "rust_shim/toolbox.rs"]
mod toolbox;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{allocator, toolchain::Compiler};
use tempfile::TempDir;

/// The heap's archive beside its description, in a folder of its own.
struct Place {
    work: TempDir,
    description: &'static str,
}

impl Place {
    /// `control` begins the names by which the archive is told to fail.
    fn new(description: &'static str, control: &str) -> Place {
        let work = tempfile::tempdir().unwrap();
        let mut flags = vec![format!("-DCONTROL(name)={control}_##name")];
        flags.extend(description.contains("bare").then(|| "-DFAILING_SILENT".to_owned()));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let source = heaps::heap("failing.c");
        let made = heaps::archive(&toolbox::compiler(), &[&source], work.path(), &flags);
        fs::rename(made, work.path().join("libfailing.a")).unwrap();
        fs::copy(heaps::heap(description), work.path().join(description)).unwrap();
        Place { work, description }
    }

    fn at(&self, file: &str) -> PathBuf {
        self.work.path().join(file)
    }

    /// What `alloc8-gen build` makes in a language.
    fn built(&self, lang: &str) -> PathBuf {
        let library = self.at(&format!("lib{lang}.so"));
        let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
        tool.args(["build", "--lang", lang, "-a"]).arg(self.at(self.description)).arg("-o");
        tool.arg(&library).env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
        toolbox::finish(&mut tool);
        library
    }

    /// The same in Rust, whose build scripts do without the tool.
    fn built_by_rustc(&self) -> PathBuf {
        let allocator = allocator::read_file(&self.at(self.description)).unwrap();
        let files = toolbox::rendered("linux", &allocator);
        fs::write(self.at("shim.rs"), &files["shim.rs"]).unwrap();
        fs::copy(heaps::root().join("tests/fixtures/on_demand/library.rs"), self.at("lib.rs"))
            .unwrap();
        let library = self.at("librust.so");
        let mut rustc = toolbox::rustc();
        rustc.args(["--edition=2024", "-Cpanic=abort", "--crate-type=cdylib", "-O", "-L"]);
        rustc.arg(self.work.path()).arg("-lstatic=failing");
        toolbox::finish(rustc.arg(self.at("lib.rs")).arg("-o").arg(&library));
        library
    }
}

fn runs(library: &Path, source: &str, flags: &[&str]) {
    let c = toolbox::compiler();
    let cxx = Compiler::find(Some("g++"), None).expect("the tests need g++");
    let compiler = if source.ends_with(".c") { c } else { cxx };
    let source = heaps::root().join("tests/fixtures/on_demand").join(source);
    let program = library.with_extension("program");
    let mut command = compiler.command();
    command.args(["-Wall", "-Wextra", "-Werror", "-fno-builtin", "-pthread"]).args(flags);
    toolbox::finish(command.arg(source).arg("-o").arg(&program).arg("-ldl"));
    let output = toolbox::command(program.to_str().unwrap())
        .env("LD_PRELOAD", library)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{said}", library.display(), output.status);
}

fn all_run(library: &Path) {
    runs(library, "functions.c", &["-std=c11", "-O2"]);
    runs(library, "operators.cpp", &["-std=c++17", "-O2"]);
}

#[test]
fn nothing_is_lost_where_names_are_bound_directly() {
    all_run(&Place::new("failing.toml", "failing").built("c"));
}

#[test]
fn nothing_is_lost_where_the_shim_makes_what_is_missing() {
    all_run(&Place::new("failing_bare.toml", "failing").built("c"));
}

#[test]
fn nothing_is_lost_under_headers_for_cpp() {
    for description in ["failing.toml", "failing_bare.toml"] {
        all_run(&Place::new(description, "failing").built("cpp"));
    }
}

#[test]
fn nothing_is_lost_under_shims_in_rust() {
    for description in ["failing.toml", "failing_bare.toml"] {
        all_run(&Place::new(description, "heap").built_by_rustc());
    }
}

//! Rendered headers, and libraries made of them as the header's first lines say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{
    allocator::{self, Allocator},
    plan::Plan,
    render::{self, Inputs},
    spec::{self, Platform},
    toolchain::Compiler,
};

use crate::{common, heaps};

pub(super) const STANDARDS: &[&str] = &["-std=c++17", "-std=c++20"];
pub(super) const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
/// What the header says that it is linked with.
pub(super) const LINK: &str = "-Wl,-z,now,-z,nodelete,-z,initfirst";

/// `g++` and `clang++`, as far as they are installed.
pub(super) fn compilers() -> Vec<&'static str> {
    let mut found = vec!["g++", "clang++"];
    found.retain(|name| {
        let there = Command::new(name).arg("--version").output().is_ok();
        if !there {
            common::skip(name, &format!("apt-get install {}", name.replace("clang++", "clang")));
        }
        there
    });
    found
}

/// The class of tests/fixtures/heaps/free_list.hpp, as its user describes it.
pub(super) fn free_list() -> Allocator {
    allocator::read_file(&heaps::heap("free_list.toml")).unwrap()
}

/// Renders the headers for an allocator into a folder, for glibc.
pub(super) fn render(allocator: &Allocator, folder: &Path) {
    render_for(&spec::platform("linux").unwrap(), allocator, folder);
}

/// Renders the headers for an allocator into a folder.
pub(super) fn render_for(platform: &Platform, allocator: &Allocator, folder: &Path) {
    let (plan, _) = Plan::new(platform, allocator).unwrap();
    let inputs =
        Inputs { lang: "cpp".into(), ..Inputs::interposer(&platform.name, &allocator.name) };
    fs::create_dir_all(folder).unwrap();
    for (name, text) in render::render(&plan, &inputs).unwrap() {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// The ABI of this machine.
pub(super) fn abi() -> &'static str {
    if cfg!(target_pointer_width = "64") { "lp64" } else { "ilp32" }
}

/// Compiles `text` in a folder with these flags.
pub(super) fn compile(cxx: &str, folder: &Path, text: &str, flags: &[&str], out: &str) -> Output {
    fs::write(folder.join("library.cpp"), text).unwrap();
    let mut command = Command::new(cxx);
    command.current_dir(folder).env("LC_ALL", "C").arg("-fPIC").args(flags);
    command.arg(format!("-I{}", heaps::heap("").display()));
    command.arg("library.cpp").args(["-o", out]).output().unwrap()
}

/// A library of `text`, with what else is to be linked.
pub(super) fn library(
    cxx: &str,
    folder: &Path,
    text: &str,
    flags: &[&str],
    archive: Option<&Path>,
) -> PathBuf {
    let map = format!("-Wl,--version-script=exports.{}.map", abi());
    let mut all = vec!["-std=c++17", "-shared", &map, LINK, "-Wl,--no-undefined"];
    all.extend(flags);
    // After the source, or the linker takes nothing from it.
    let last =
        archive.map(|a| format!("-Wl,--push-state,--whole-archive,{},--pop-state", a.display()));
    all.extend(last.as_deref());
    let output = compile(cxx, folder, text, &all, "library.so");
    assert!(output.status.success(), "{}", said(&output));
    folder.join("library.so")
}

pub(super) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A C compiler for heaps in C, and for the laws.
pub(super) fn c_compiler(cxx: &str) -> Compiler {
    Compiler::find(Some(if cxx == "g++" { "gcc" } else { "clang" }), None).unwrap()
}

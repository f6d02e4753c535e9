//! `examples/hoard`: an archive by the `xx` convention, built by CMake.

use std::{
    path::Path,
    process::{Command, Output},
    sync::OnceLock,
};

use super::toolbox::{Example, compilers, is_short, laws_hold};
use crate::common;

/// Configured as its README says; `None`, and said so, without CMake.
fn configured(more: &[&str]) -> Option<Example> {
    let hoard = Example::copied("hoard")?;
    if Command::new("cmake").arg("--version").output().is_err() {
        common::skip("cmake", "apt-get install cmake");
        return None;
    }
    let configure = ["-B", "build", "-DALLOC8_GEN=", "-DCMAKE_CXX_FLAGS=-Werror"];
    hoard.run("cmake", &[&configure[..], more].concat());
    Some(hoard)
}

/// Built once for all tests.
fn built() -> Option<&'static Example> {
    static BUILT: OnceLock<Option<Example>> = OnceLock::new();
    let build = || {
        let hoard = configured(&[])?;
        hoard.run("cmake", &["--build", "build"]);
        Some(hoard)
    };
    BUILT.get_or_init(build).as_ref()
}

#[test]
fn cmake_builds_a_complete_library_that_keeps_the_laws() {
    let Some(hoard) = built() else { return };
    let verify = ["verify", "-a", "hoard.toml", "--lib", "build/libhoard.a"];
    let verdict = hoard.tool(&[&verify[..], &["build/libhoard_preload.so"]].concat());
    assert!(verdict.ends_with("complete\n"), "{verdict}");
    assert!(verdict.contains("direct: xxmalloc\n"), "{verdict}");
    laws_hold(&hoard.path("build/libhoard_preload.so"));
}

/// Blow-up is bounded, empty superblocks return, no two threads have blocks in one line.
#[test]
fn memory_moves_between_threads_and_lines_do_not() {
    for cxx in compilers() {
        let Some(hoard) = configured(&[&format!("-DCMAKE_CXX_COMPILER={cxx}")]) else { return };
        hoard.run("cmake", &["--build", "build", "--target", "laws"]);
        assert_eq!(hoard.run("build/laws", &[]), "10 laws hold\n", "{cxx}");
    }
}

#[test]
fn threads_that_hand_blocks_to_each_other_find_them_whole() {
    let Some(hoard) = built() else { return };
    let library = hoard.path("build/libhoard_preload.so");
    assert_eq!(threadtest(hoard, &library), "1600000 blocks, 0 wrong\n");
}

/// The convention's own description knows it too.
#[test]
fn the_built_in_convention_builds_it() {
    let Some(hoard) = built() else { return };
    hoard.tool(&["check", "alloc8"]);
    hoard.tool(&["build", "-a", "xx", "--lib", "build/libhoard.a", "-o", "libxx.so"]);
    assert_eq!(threadtest(hoard, &hoard.path("libxx.so")), "1600000 blocks, 0 wrong\n");
}

fn threadtest(hoard: &Example, library: &Path) -> String {
    let mut threadtest = Command::new(hoard.path("build/threadtest"));
    let Output { status, stdout, stderr } = threadtest.env("LD_PRELOAD", library).output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[test]
fn its_files_are_short() {
    is_short("hoard");
}

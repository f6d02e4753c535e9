//! `examples/diehard`: a heap class that nobody has to link.

use super::toolbox::{Example, compilers, is_short, laws_hold};

#[test]
fn its_makefile_builds_a_complete_library_that_keeps_the_laws() {
    let Some(diehard) = Example::copied("diehard") else { return };
    diehard.make(&[]);
    let verdict = diehard.tool(&["verify", "-a", "diehard.toml", "libdiehard.so"]);
    assert!(verdict.ends_with("complete\n"), "{verdict}");
    laws_hold(&diehard.path("libdiehard.so"));
}

#[test]
fn mistakes_are_masked_as_often_as_the_paper_says() {
    let Some(diehard) = Example::copied("diehard") else { return };
    for cxx in compilers() {
        let cxx = format!("CXX={cxx}");
        let said =
            diehard.make(&["-B", "check", &cxx, "CXXFLAGS=-O2 -Wall -Wextra -Wpedantic -Werror"]);
        assert!(said.ends_with("9 laws hold\n"), "{said}");
    }
}

/// `build` compiles the class as the Makefile does, once its promises have been measured.
#[test]
fn what_its_description_promises_is_measured() {
    let Some(diehard) = Example::copied("diehard") else { return };
    let built = diehard.tool(&["build", "-a", "diehard.toml"]);
    assert!(built.starts_with("built libdiehard-alloc8.so: 48 symbols bound"), "{built}");
    diehard.tool(&["check", "alloc8"]);
}

#[test]
fn its_files_are_short() {
    is_short("diehard");
}

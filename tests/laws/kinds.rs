//! Every kind of heap, as `alloc8-gen build` makes its interposer; and the laws themselves.

use alloc8_gen::{
    laws::{Compilers, Outcome, Workshop, check_with, laws},
    spec,
};

use super::{
    shim::{self, Heap},
    table::{Findings, compiler},
};

/// Shims by the same compiler as the laws; with `ALLOC8_ALL`, every pair.
fn built(heap: &Heap, by: &[&str]) {
    let mut findings = Findings::default();
    for maker in by {
        let Some(maker) = compiler(maker) else { continue };
        let built = shim::interposer(heap, &maker);
        let cell = format!("{} built by {}", heap.name, maker.name());
        let judges = if crate::common::everything() {
            vec!["gcc".into(), "clang".into()]
        } else {
            vec![maker.name()]
        };
        for judge in judges.iter().filter_map(|name| compiler(name)) {
            findings.try_all(&cell, &judge, Some(&built.library));
        }
    }
    findings.none();
}

const BOTH: &[&str] = &["gcc", "clang"];
const ONE: &[&str] = &["gcc"];

fn enough() -> &'static [&'static str] {
    if crate::common::everything() { BOTH } else { ONE }
}

#[test]
fn the_laws_hold_under_the_c_library() {
    let mut findings = Findings::default();
    for compiler in BOTH.iter().filter_map(|name| compiler(name)) {
        findings.try_all("none", &compiler, None);
    }
    findings.none();
}

#[test]
fn the_laws_hold_where_names_are_bound_directly() {
    let heap = shim::simple_heap();
    let plan = shim::interposer(&heap, &compiler("gcc").expect("gcc is required")).plan;
    assert!(plan.direct().count() >= 10, "simple_heap's names are not bound directly");
    built(&heap, BOTH);
}

#[test]
fn the_laws_hold_where_nothing_is_promised() {
    built(&shim::convention("unpromising", "unpromising.c"), BOTH);
}

#[test]
fn the_laws_hold_where_all_but_four_functions_are_made() {
    built(&shim::convention("minimal", "minimal.c"), enough());
}

#[test]
fn the_laws_hold_where_arguments_come_in_other_orders() {
    built(&shim::described("odd", "odd_orders.c"), enough());
}

#[test]
fn the_laws_hold_where_threads_must_introduce_themselves() {
    built(&shim::described("strict", "needs_thread_init.c"), enough());
}

/// Under what breaks it, a law says so: the harness above can fail.
#[test]
fn a_broken_law_is_told_from_one_that_holds() {
    let Some(gcc) = compiler("gcc") else { return };
    let work = tempfile::tempdir().unwrap();
    let planted = shim::planted(
        &gcc,
        "#include <stddef.h>\n#include <string.h>\nvoid *malloc(size_t);\nvoid *calloc(size_t n, size_t s)\n{\n    void *p = malloc(n * s);\n    return p ? memset(p, 0, n * s) : p;\n}\n",
        work.path(),
    );
    let linux = spec::platform("linux").unwrap();
    let workshop = Workshop::new(Compilers::beside(&gcc), &[], work.path()).unwrap();
    let some = |names: &[&str]| {
        let mut some = laws(&linux).unwrap();
        some.retain(|law| names.contains(&law.name.as_str()));
        assert_eq!(some.len(), names.len());
        some
    };
    let two = some(&["calloc_overflow_fails", "free_keeps_errno"]);
    let found = check_with(&workshop, two, Some(&planted), 2).unwrap();
    let (Outcome::Broken { said }, Outcome::Holds) = (&found[0].1, &found[1].1) else {
        panic!("{found:#?}");
    };
    assert!(said.contains("calloc_overflow_fails.c:") && said.contains("; saw "), "{said}");

    // A library that cannot be preloaded is no library that keeps the laws.
    let no_library = work.path().join("no library:.so");
    std::fs::write(&no_library, "no ELF file").unwrap();
    let one = some(&["free_keeps_errno"]);
    let found = check_with(&workshop, one, Some(&no_library), 1).unwrap();
    let Outcome::Broken { said } = &found[0].1 else { panic!("{found:#?}") };
    assert!(said.contains("cannot be preloaded"), "{said}");
}

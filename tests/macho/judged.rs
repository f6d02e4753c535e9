//! What `verify` says of the dylibs that the loader runs: it reads them, and need not run them.

use std::path::Path;

use alloc8_gen::{
    artifact::Darwin,
    spec,
    verify::{
        Grade, Status, Verdict,
        macho::{abi_of, verify},
    },
};

use super::{
    bench::{Bench, benches},
    chained, strangers,
};

fn judged(library: &Path) -> Verdict {
    let data = std::fs::read(library).unwrap();
    let slices = Darwin::read(&data).unwrap();
    let platform = spec::platform("macos").unwrap();
    verify(&slices[0], &platform, abi_of(&platform, &slices[0]).unwrap(), None)
}

/// Codes of what is wrong, each once.
fn codes(verdict: &Verdict) -> Vec<&'static str> {
    let faults = verdict.facts.iter().filter(|fact| fact.grade == Grade::Fault);
    let mut codes: Vec<_> = faults.map(|fact| fact.code.expect("a code")).collect();
    codes.dedup();
    codes
}

/// Every fault that a shim can have, and what it is called.
const FAULTS: &[(&str, &[&str])] = &[
    ("none", &[]),
    ("no_zone", &[]),
    ("weak_replacement", &["A8521"]),
    ("partial_typed", &["A8525"]),
    ("null_introspection", &["A8527"]),
    ("no_reinit", &["A8527"]),
    ("unlock_in_child", &["A8528"]),
    ("double_fork", &["A8529"]),
    ("thread_local", &["A8530"]),
    ("no_reader", &["A8531"]),
];

fn in_all_forms(bench: &Bench, check: impl Fn(&str, &Path, &[&str])) {
    let folder = tempfile::tempdir().unwrap();
    for (fault, wanted) in FAULTS {
        check(fault, &bench.control(fault), wanted);
        let Some(library) = chained::control(bench, fault) else { continue };
        check(fault, &library, wanted);
        check(fault, &chained::with_offsets(&library, folder.path()), wanted);
    }
}

#[test]
fn every_planted_fault_is_named_whatever_form_the_fixups_have() {
    for bench in benches() {
        in_all_forms(&bench, |fault, library, wanted| {
            let verdict = judged(library);
            assert_eq!(codes(&verdict), wanted, "{fault} {library:?}: {:#?}", verdict.facts);
            let lost = verdict.symbols.iter().filter(|f| f.grade == Grade::Fault);
            let lost: Vec<_> = lost.map(|finding| finding.symbol.as_str()).collect();
            let expected: &[&str] = if *fault == *"weak_replacement" { &["malloc"] } else { &[] };
            assert_eq!(lost, expected, "{fault} {library:?}");
        });
    }
}

#[test]
fn each_fault_that_is_planted_is_in_the_table() {
    let folder = super::bench::sources("faults");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "c"))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let mut table: Vec<_> = FAULTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    table.sort();
    assert_eq!(names, table);
}

#[test]
fn a_shims_tuples_are_told_by_name_and_by_replacement() {
    for bench in benches() {
        let verdict = judged(&bench.control("none"));
        assert_eq!(verdict.bound(), 24, "{:#?}", verdict.symbols);
        let malloc = verdict.symbols.iter().find(|finding| finding.symbol == "malloc").unwrap();
        assert_eq!((&malloc.status, malloc.how.as_str()), (&Status::Bound, "tuple: shim_malloc"));
        let has = |subject: &str, text: &str| {
            verdict.facts.iter().any(|fact| fact.subject == subject && fact.text == text)
        };
        assert!(has("zone control", "version 16, registered"), "{:#?}", verdict.facts);
        assert!(has("least system", "macOS 11.0"), "{:#?}", verdict.facts);
    }
}

/// What upstream does another way is no mistake of the reader's.
#[test]
fn mimallocs_dylib_is_judged_too() {
    let Some(source) = strangers::mimalloc() else { return };
    for bench in benches() {
        let verdict = judged(&strangers::dylib(&bench, &source));
        assert!(verdict.bound() > 20, "{:#?}", verdict.symbols);
        // It replaces the list of zones, tells of no blocks, and cannot make its locks anew.
        for code in ["A8524", "A8527"] {
            assert!(codes(&verdict).contains(&code), "{:#?}", verdict.facts);
        }
    }
}

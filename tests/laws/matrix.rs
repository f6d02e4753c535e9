//! The jump form, which has to be right however a vendor compiles it: {gcc, clang} × levels ×
//! {plain, a distribution's flags, these with the options that our build fragments add}.

use super::{
    shim::{self, Heap},
    table::{Findings, all, compiler, has_lld},
};

const LEVELS: &[&[&str]] = &[&["-O0"], &["-O2"], &["-O3", "-flto"]];

/// What distributions build and link packages with.
const DISTRIBUTION: &[&str] = &[
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=3",
    "-fstack-protector-strong",
    "-fcf-protection",
    "-flto",
    "-Wl,-Bsymbolic-functions",
    "-Wl,-z,relro,-z,now",
    "-Wl,--as-needed",
];

/// What the fragments, and `build`, link with after whatever came before.
const MENDED: &[&str] = &["-Wl,-Bno-symbolic", "-Wl,-z,initfirst"];

const DRESSES: &[(&str, &[&[&str]])] =
    &[("plain", &[]), ("symbolic", &[DISTRIBUTION]), ("mended", &[DISTRIBUTION, MENDED])];

/// A level and a dress each time, so that every one of both is tried; with `ALLOC8_ALL` every pair,
/// under the laws by both compilers.
fn jumping(heap: &Heap, maker: &str, first: usize, findings: &mut Findings) {
    let Some(maker) = compiler(maker) else { return };
    for (place, level) in LEVELS.iter().enumerate() {
        for (number, (dress, options)) in DRESSES.iter().enumerate() {
            if !all() && (place + first) % DRESSES.len() != number {
                continue;
            }
            let flags: Vec<&str> =
                level.iter().chain(options.iter().copied().flatten()).copied().collect();
            if flags.contains(&"-flto") && maker.name() == "clang" && !has_lld() {
                continue;
            }
            let (_work, library) = shim::jumping(heap, &maker, &flags);
            let level = level.join(" ");
            let cell = format!("{} jumping by {} {level} {dress}", heap.name, maker.name());
            let judges = if all() { vec!["gcc", "clang"] } else { vec!["gcc"] };
            for judge in judges.into_iter().filter_map(compiler) {
                findings.try_all(&cell, &judge, Some(&library));
            }
        }
    }
}

/// No flag at all: what a vendor gets who compiles the file and thinks no further.
#[test]
fn the_laws_hold_without_any_flag() {
    let mut findings = Findings::default();
    for compiler in ["gcc", "clang"].into_iter().filter_map(compiler) {
        let (_work, library) = shim::jumping(&shim::simple_heap(), &compiler, &[]);
        let cell = format!("simple_heap jumping by {} bare", compiler.name());
        findings.try_all(&cell, &compiler, Some(&library));
    }
    findings.none();
}

#[test]
fn the_laws_hold_however_gcc_compiles_jumps() {
    let mut findings = Findings::default();
    jumping(&shim::simple_heap(), "gcc", 0, &mut findings);
    findings.none();
}

#[test]
fn the_laws_hold_however_clang_compiles_jumps() {
    let mut findings = Findings::default();
    jumping(&shim::simple_heap(), "clang", 1, &mut findings);
    findings.none();
}

/// The cross product for the other heaps.
#[test]
fn the_laws_hold_however_guards_are_compiled() {
    let mut findings = Findings::default();
    for heap in shim::every_heap().iter().filter(|heap| heap.name != "simple_heap") {
        if all() || heap.name == "unpromising" {
            jumping(heap, "gcc", 2, &mut findings);
        }
        if all() {
            jumping(heap, "clang", 0, &mut findings);
        }
    }
    findings.none();
}

//! Every language and form of a shim, which has to be right however a vendor compiles it: {gcc, clang}
//! × levels × {plain, a distribution's flags, these with the options that our build fragments add}.

use super::{
    cells::{Cell, MAKERS, cells},
    library::library,
    page,
    table::{Findings, compiler},
};

/// The cells of one language and form: pairwise, or with `ALLOC8_ALL` all of them; with `ALLOC8_CELLS`
/// those alone whose names contain each of its words.
fn tried(lang: &str, form: &str) {
    let mut findings = Findings::default();
    let named = std::env::var("ALLOC8_CELLS").unwrap_or_default();
    let named: Vec<_> = named.split_whitespace().collect();
    for cell in cells().iter().filter(|cell| (cell.lang, cell.form) == (lang, form)) {
        if !cell.is_tried(crate::common::everything())
            || !named.iter().all(|word| cell.name().contains(word))
        {
            continue;
        }
        let Some(judge) = compiler(cell.judge()) else { continue };
        let Some((_work, library)) = library(cell) else { continue };
        findings.try_all(&cell.name(), &judge, Some(&library));
    }
    page::write();
    findings.none();
}

/// No flag at all: what a vendor gets who compiles the file and thinks no further.
#[test]
fn the_laws_hold_without_any_flag() {
    let mut findings = Findings::default();
    for maker in MAKERS {
        let bare = Cell {
            lang: "c",
            form: "jumping",
            heap: "simple_heap",
            maker,
            level: "",
            dress: "plain",
        };
        let Some(judge) = compiler(bare.judge()) else { continue };
        let Some((_work, library)) = library(&bare) else { continue };
        findings.try_all(&bare.name(), &judge, Some(&library));
    }
    findings.none();
}

#[test]
fn the_laws_hold_however_the_fragment_binds_directly() {
    tried("c", "direct");
}

#[test]
fn the_laws_hold_however_jumps_in_c_are_compiled() {
    tried("c", "jumping");
}

#[test]
fn the_laws_hold_however_calls_in_cxx_are_compiled() {
    tried("c++", "jumping");
}

#[test]
fn the_laws_hold_however_a_class_is_inlined() {
    tried("c++", "inlined");
}

#[test]
fn the_laws_hold_however_calls_in_rust_are_compiled() {
    tried("rust", "jumping");
}

#[test]
fn the_laws_hold_however_a_type_in_rust_is_inlined() {
    tried("rust", "inlined");
}

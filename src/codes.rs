//! What each diagnostic's code means: stable, and told by `explain`.
//!
//! A80.. the spec, A81.. descriptions, A82.. plans, A83.. files, A84.. compilers and archives,
//! A85.. `init` and `verify`, A86.. libraries and the programs they are preloaded into, A87..
//! measurements, A89.. the command line.

mod build;
mod description;
mod file;
mod insert;
mod judge;
mod launch;
mod macho;
mod measure;
mod plan;
mod run;
mod spec;
mod usage;

/// A code's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `A8001`.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// What causes it and what to do.
    pub text: &'static str,
}

/// The page of a code.
pub fn find(code: &str) -> Option<&'static Code> {
    all().find(|c| c.code.eq_ignore_ascii_case(code))
}

/// A page, which must fit a terminal: one that does not is an error of the compiler.
const fn page(code: &'static str, title: &'static str, text: &'static str) -> Code {
    assert!(title.len() <= 70, "the title of a page is one line of at most 70 characters");
    let (mut at, mut lines, mut length) = (0, 1, 0);
    while at < text.len() {
        if text.as_bytes()[at] == b'\n' {
            (lines, length) = (lines + 1, 0);
        } else {
            length += 1;
            assert!(length <= 100, "a line of a page has at most 100 characters");
        }
        at += 1;
    }
    assert!(2 <= lines && lines <= 5, "a page has two to five lines");
    Code { code, title, text }
}

/// All codes, in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    let parts = [
        spec::PAGES,
        description::PAGES,
        plan::PAGES,
        file::PAGES,
        build::PAGES,
        judge::PAGES,
        macho::PAGES,
        run::PAGES,
        insert::PAGES,
        launch::PAGES,
        measure::PAGES,
        usage::PAGES,
    ];
    parts.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Every `"A8…"` in the sources but these pages.
    fn used(folder: &Path, codes: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("src/codes") {
                used(&path, codes);
            } else if path.is_file() && !path.ends_with("src/codes.rs") {
                let text = fs::read_to_string(&path).unwrap();
                codes.extend(text.split('"').filter(|word| is_code(word)).map(str::to_owned));
            }
        }
    }

    fn is_code(word: &str) -> bool {
        word.strip_prefix("A8")
            .is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
    }

    #[test]
    fn every_code_has_a_page_and_every_page_is_of_a_code() {
        let mut codes = BTreeSet::new();
        used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut codes);
        let pages: BTreeSet<String> = all().map(|c| c.code.to_owned()).collect();
        let without: Vec<_> = codes.difference(&pages).collect();
        assert!(without.is_empty(), "codes without a page: {without:?}");
        let unused: Vec<_> = pages.difference(&codes).collect();
        assert!(unused.is_empty(), "pages that no code uses: {unused:?}");
    }

    #[test]
    fn pages_are_in_order_and_their_titles_without_a_stop() {
        assert!(all().is_sorted_by(|a, b| a.code < b.code));
        assert!(all().all(|page| !page.title.ends_with('.')));
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        assert_eq!(find("a8101").map(|c| c.code), Some("A8101"));
        assert_eq!(find("A8000"), None);
        assert_eq!(find("malloc"), None);
    }
}

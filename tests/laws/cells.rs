//! The cells of the table: all of them, which are tried by default, and why some cannot be.

pub(super) const LANGS: [&str; 3] = ["c", "c++", "rust"];
/// How a public name comes to the heap: it is the heap's own function; it jumps there; the heap is a
/// type of the shim's own language, whose functions are called inline.
pub(super) const FORMS: [&str; 3] = ["direct", "jumping", "inlined"];
/// Who compiles; for a shim in Rust who links, for it is rustc that compiles.
pub(super) const MAKERS: [&str; 2] = ["gcc", "clang"];
pub(super) const LEVELS: [&str; 3] = ["-O0", "-O2", "-O3 -flto"];
/// Without another flag; with a distribution's; with these and what our fragments link with after them.
pub(super) const DRESSES: [&str; 3] = ["plain", "symbolic", "mended"];

/// A heap's shim in one language and form, or why there is none.
pub(super) struct Line {
    pub(super) lang: &'static str,
    pub(super) form: &'static str,
    pub(super) heap: &'static str,
    pub(super) empty: Option<&'static str>,
}

/// One way to make that shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) lang: &'static str,
    pub(super) form: &'static str,
    pub(super) heap: &'static str,
    pub(super) maker: &'static str,
    pub(super) level: &'static str,
    pub(super) dress: &'static str,
}

const FUNCTIONS: [&str; 5] = ["simple_heap", "unpromising", "minimal", "odd", "strict"];
const ONLY_IN_C: &str =
    "only the fragments for C bind names directly: `inlined` is what has no jump here";
const NO_TYPES: &str = "no type of C has functions";

/// The table's lines, in its order.
pub(super) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (lang, form) in LANGS.iter().flat_map(|lang| FORMS.iter().map(move |form| (*lang, *form))) {
        let mut add = |heap, empty| lines.push(Line { lang, form, heap, empty });
        match (lang, form) {
            ("c", "inlined") => add("any", Some(NO_TYPES)),
            ("c++", "inlined") => add("free_list", None),
            ("rust", "inlined") => add("pages", None),
            ("c++" | "rust", "direct") => add("any", Some(ONLY_IN_C)),
            _ => {
                for heap in FUNCTIONS {
                    add(heap, None);
                }
            }
        }
    }
    lines
}

/// The cells of all lines that have some.
pub(super) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for Line { lang, form, heap, .. } in lines().into_iter().filter(|line| line.empty.is_none()) {
        for maker in MAKERS {
            for (level, dress) in LEVELS.iter().flat_map(|l| DRESSES.iter().map(move |d| (l, d))) {
                let cell = Cell { lang, form, heap, maker, level, dress };
                // The fragment itself mends what it links.
                if (form, *dress) != ("direct", "mended") {
                    cells.push(cell);
                }
            }
        }
    }
    cells
}

fn place(of: &str, among: &[&str]) -> usize {
    among.iter().position(|one| *one == of).expect("a value of its axis")
}

impl Cell {
    pub(super) fn name(&self) -> String {
        let Cell { lang, form, heap, maker, level, dress } = self;
        format!("{heap} {form} in {lang} by {maker} {level} {dress}")
    }

    /// The compiler of the laws that are tried: each compiler's programs meet each compiler's shims.
    pub(super) fn judge(&self) -> &'static str {
        match (self.level, self.maker) {
            ("-O2", "gcc") | ("-O0" | "-O3 -flto", "clang") => "clang",
            _ => "gcc",
        }
    }

    /// One of three: every level and every dress once for each compiler, and over the languages
    /// every pair of both.
    fn is_of_the_square(&self) -> bool {
        let shift = place(self.maker, &MAKERS) + place(self.lang, &LANGS);
        (place(self.level, &LEVELS) + place(self.dress, &DRESSES) + shift).is_multiple_of(3)
    }

    /// Whether it is tried by default, or with `all`.
    pub(super) fn is_tried(&self, all: bool) -> bool {
        let square = self.is_of_the_square();
        let by_gcc = square && self.maker == "gcc";
        match (self.heap, self.lang) {
            _ if all => true,
            // All that is promised, bound or inlined.
            ("simple_heap" | "free_list", _) => square,
            ("pages", _) => by_gcc,
            ("unpromising", "c") => by_gcc && self.form == "jumping",
            // Nothing is, and other guards, where nobody else tries them: see `kinds`.
            ("unpromising", _) | ("odd", "rust") => by_gcc && self.level == "-O3 -flto",
            ("strict", "c++") => by_gcc && self.level == "-O2",
            ("strict", "rust") => by_gcc && self.level == "-O3 -flto",
            _ => false,
        }
    }
}

#[test]
fn every_pair_of_choices_is_tried_by_default() {
    let tried: Vec<Cell> = cells().into_iter().filter(|cell| cell.is_tried(false)).collect();
    let axes = |cell: &Cell| [cell.lang, cell.form, cell.maker, cell.level, cell.dress];
    let missing: Vec<_> = cells()
        .iter()
        .flat_map(|cell| {
            let values = axes(cell);
            (0..5).flat_map(move |a| (a + 1..5).map(move |b| ((a, values[a]), (b, values[b]))))
        })
        .filter(|((a, one), (b, other))| {
            !tried.iter().any(|cell| axes(cell)[*a] == *one && axes(cell)[*b] == *other)
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(tried.len() < 40, "{} are not few", tried.len());
    // The product leaves nothing out.
    let whole = |heap: &str| cells().iter().filter(|c| c.heap == heap && c.is_tried(true)).count();
    for heap in FUNCTIONS {
        assert_eq!(whole(heap), 12 + 3 * 18, "{heap}");
    }
    assert_eq!((whole("free_list"), whole("pages")), (18, 18));
}

//! A heap that keeps no promise, described as if it kept one: nothing guards it then, and a law breaks.

use std::path::Path;

use alloc8_gen::{
    allocator::{self, Allocator, Origin, Promise},
    diagnostic::Source,
    laws::{self, Compilers, Outcome, Workshop},
    spec::{self, Platform},
    toolchain::Compiler,
};

use super::shop::{Shop, emitted};

struct Flip {
    promise: Promise,
    /// What the description says to make it.
    line: &'static str,
    /// Promises that are made besides, because their guards would do this one's work as well.
    masked_by: &'static str,
    /// What breaks.
    law: &'static str,
}

const fn flip(promise: Promise, line: &'static str, law: &'static str) -> Flip {
    Flip { promise, line, masked_by: "", law }
}

const FLIPS: &[Flip] = &[
    flip(Promise::Errno, "errno = true", "huge_alignments_fail_or_hold"),
    flip(Promise::FreeNull, "free_null = true", "free_keeps_errno"),
    flip(Promise::FreeErrno, "free_errno = true", "free_keeps_errno"),
    flip(Promise::ZeroSize, "zero_size = true", "zero_sizes_are_unique_blocks"),
    flip(Promise::MaxSize, "max_size = \"any\"", "failures_set_enomem"),
    flip(Promise::MinAlign, "min_align = 16", "blocks_are_aligned_for_every_type"),
    flip(Promise::MaxAlign, "max_align = \"any\"", "huge_alignments_fail_or_hold"),
    flip(Promise::AlignmentEinval, "alignment_einval = true", "memalign_rounds_the_alignment_up"),
    Flip {
        promise: Promise::CallocOverflow,
        line: "calloc_overflow = true",
        masked_by: "max_size = \"any\"\nzero_size = true\nmin_align = 16",
        law: "calloc_overflow_fails",
    },
    Flip {
        promise: Promise::ReallocNull,
        line: "realloc_null = true",
        masked_by: "min_align = 16",
        law: "realloc_of_null_is_malloc",
    },
    Flip {
        promise: Promise::ReallocZero,
        line: "realloc_zero = \"free\"",
        masked_by: "min_align = 16\nerrno = true",
        law: "realloc_to_zero_frees",
    },
    flip(
        Promise::UsableSizeNull,
        "usable_size_null = true",
        "malloc_usable_size_covers_the_request",
    ),
    flip(Promise::NaturalAlign, "natural_align = 65536", "every_alignment_holds"),
    flip(Promise::Fork, "fork = \"own\"", "forked_children_may_allocate"),
];

fn described(promises: &str) -> Allocator {
    let names = ["malloc", "free", "calloc", "realloc", "memalign", "malloc_usable_size"];
    let fork = ["malloc_lock", "malloc_unlock", "malloc_reinit"];
    let mut text = String::new();
    // A heap that has memalign is never asked for blocks that are aligned by nature.
    let wanted = |name: &&&str| **name != "memalign" || !promises.contains("natural_align");
    for name in names.iter().chain(&fork).filter(wanted) {
        text += &format!("{name} = \"unpromising_{name}\"\n");
    }
    text += &format!("[promises]\n{promises}\n");
    allocator::read(&Source::new("x.toml", text), "unpromising", Origin::BuiltIn)
        .expect("a description")
}

fn judge(shop: &Shop, linux: &Platform, promises: &str, name: &str) -> Outcome {
    let library = shop.link(&emitted(linux, &described(promises)));
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutation");
    let compiler = Compiler::find(None, None).expect("a C compiler");
    let workshop = Workshop::new(Compilers::beside(&compiler), &[], &work).expect("a folder");
    let mut all = laws::laws(linux).expect("laws");
    all.retain(|law| law.name == name);
    assert_eq!(all.len(), 1, "{name} is a law");
    let judged = laws::check_with(&workshop, all, Some(&library), 1).expect("judged");
    judged.into_iter().next().expect("one").1
}

#[test]
fn a_promise_that_is_flipped_breaks_a_law() {
    let heap = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heaps/unpromising.c");
    let shop = Shop::with_heap(&heap);
    let linux = spec::platform("linux").expect("without a mistake");
    for Flip { promise, line, masked_by, law } in FLIPS {
        let key = promise.key();
        let before = judge(&shop, &linux, masked_by, law);
        assert!(matches!(before, Outcome::Holds), "{key}: {law} before: {before:?}");
        // Whether a fork finds the heap locked is chance: who holds locks and when is up to the system.
        let tries = if *promise == Promise::Fork { 20 } else { 1 };
        let broke = (0..tries).any(|_| {
            let after = judge(&shop, &linux, &format!("{masked_by}\n{line}"), law);
            matches!(after, Outcome::Broken { .. } | Outcome::Hung)
        });
        assert!(broke, "{key}: {law} holds after it");
    }
    let flipped: Vec<_> = FLIPS.iter().map(|flip| flip.promise).collect();
    let missed = Promise::ALL.iter().filter(|promise| !flipped.contains(promise));
    assert_eq!(missed.map(|promise| promise.key()).collect::<Vec<_>>(), Vec::<&str>::new());
}

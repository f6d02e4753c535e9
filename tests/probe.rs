//! The probe measures what small heaps keep, and catches those that promise more.
#![cfg(target_os = "linux")]

mod heaps;

use std::path::Path;

use alloc8_gen::{
    allocator::{self, Allocator, Limit, Origin, Promise},
    diagnostic::{Report, Severity, Source},
    hide::Hidden,
    probe::{self, Measured, Measurements},
    toolchain::Compiler,
};

fn describe(text: &str) -> Allocator {
    allocator::read(&Source::new("x.toml", text), "x", Origin::BuiltIn).expect("a description")
}

fn measure(allocator: &Allocator, source: &Path) -> Measurements {
    let compiler = Compiler::find(None, None).expect("a C compiler");
    let work = tempfile::tempdir().unwrap();
    let archive = heaps::archive(&compiler, &[source], work.path(), &[]);
    probe::measure(&compiler, allocator, &[archive], &work.path().join("probe")).expect("measured")
}

fn errors(report: &Report) -> Vec<String> {
    report
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| format!("{} {} {}", d.code, d.message, d.notes.join(" ")))
        .collect()
}

#[test]
fn simple_heap_keeps_what_it_promises() {
    let simple = allocator::built_in("simple_heap").unwrap().unwrap();
    let measured = measure(&simple, &heaps::root().join("examples/simple_heap/simple_heap.c"));
    let report = probe::compare(&simple, &measured);
    assert!(report.diagnostics.is_empty(), "{report}\n{measured:#?}");
    for promise in Promise::ALL {
        let found = measured.promise(*promise, &simple);
        assert!(found.is_held(), "{}: {found:?}", promise.key());
    }
    assert!(measured.owns.is_held() && measured.exhaustion.is_held(), "{measured:#?}");
    assert_eq!((measured.fork.forks, measured.fork.observed()), (100, None));
    assert_eq!(measured.size_limit(), None);
}

#[test]
fn a_liar_is_caught_with_what_was_seen() {
    let liar = describe(
        "malloc = \"liar_malloc\"\nfree = \"liar_free\"\ncalloc = \"liar_calloc\"\nrealloc = \"liar_realloc\"\nmemalign = \"liar_memalign\"\nmalloc_usable_size = \"liar_malloc_usable_size\"\n[promises]\nerrno = true\ncalloc_overflow = true\nfree_null = true\nmax_align = \"any\"\n",
    );
    let measured = measure(&liar, &heaps::heap("liars.c"));
    let report = probe::compare(&liar, &measured);
    let errors = errors(&report);
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors[0].contains("`errno = true` does not hold"), "{errors:#?}");
    assert!(errors[0].contains("returned NULL and left errno 0, expected ENOMEM"), "{errors:#?}");
    assert!(errors[1].contains("`calloc_overflow = true` does not hold"), "{errors:#?}");
    assert!(errors[1].contains("returned a block"), "{errors:#?}");
    let place = &report.diagnostics[1].locations[0];
    assert_eq!(&place.source.text[place.span.clone()], "calloc_overflow = true");
    assert!(report.diagnostics[1].help.as_ref().is_some_and(|h| h.contains("remove")));
}

const UNPROMISING: &str = "malloc = \"unpromising_malloc\"\nfree = \"unpromising_free\"\ncalloc = \"unpromising_calloc\"\nrealloc = \"unpromising_realloc\"\nmemalign = \"unpromising_memalign\"\nmalloc_usable_size = \"unpromising_malloc_usable_size\"\nmalloc_lock = \"unpromising_malloc_lock\"\nmalloc_unlock = \"unpromising_malloc_unlock\"\nmalloc_reinit = \"unpromising_malloc_reinit\"\n";

#[test]
fn an_allocator_that_promises_nothing_breaks_no_promise() {
    let modest = describe(UNPROMISING);
    let measured = measure(&modest, &heaps::heap("unpromising.c"));
    let report = probe::compare(&modest, &measured);
    assert_eq!(errors(&report), Vec::<String>::new(), "{measured:#?}");
    for promise in [Promise::FreeNull, Promise::ZeroSize, Promise::Errno] {
        let found = measured.promise(promise, &modest);
        assert!(found.is_broken(), "{}: {found:?}", promise.key());
    }
}

#[test]
fn limits_are_measured_and_named() {
    let text = format!(
        "{UNPROMISING}[promises]\nmax_size = \"any\"\nmax_align = \"any\"\nmin_align = 32\nnatural_align = 4096\nrealloc_zero = \"free\"\nusable_size_null = true\n"
    );
    let boastful = describe(&text);
    let measured = measure(&boastful, &heaps::heap("unpromising.c"));
    let report = probe::compare(&boastful, &measured);
    for diagnostic in &report.diagnostics {
        assert_eq!(diagnostic.code, "A8701", "{report}");
        assert!(diagnostic.notes[0].starts_with("measured: "), "{diagnostic:?}");
        assert!(diagnostic.help.is_some() && diagnostic.locations.len() == 1, "{diagnostic:?}");
    }
    assert!(errors(&report).iter().any(|e| e.contains("`min_align = 32`")), "{report}");
    assert!(errors(&report).iter().any(|e| e.contains("`natural_align = 4096`")), "{report}");
}

const STRICT: &str = "malloc = \"strict_malloc\"\nfree = \"strict_free\"\nmemalign = \"strict_memalign\"\nrealloc = \"strict_realloc\"\nmalloc_usable_size = \"strict_malloc_usable_size\"\ninit = \"strict_initialize\"\nthread_init = \"strict_thread_initialize\"\nthread_cleanup = \"strict_thread_finalize(1)\"\n";

#[test]
fn threads_that_must_introduce_themselves_are_found_out() {
    let required = describe(&format!("{STRICT}thread_policy = \"required\"\n"));
    let measured = measure(&required, &heaps::heap("needs_thread_init.c"));
    assert!(measured.threads_plain.is_broken() && measured.threads_ready.is_held());
    let report = probe::compare(&required, &measured);
    assert_eq!(errors(&report), Vec::<String>::new(), "{measured:#?}");

    let advisory = describe(STRICT);
    let report = probe::compare(&advisory, &measured);
    let found = report.diagnostics.iter().find(|d| d.code == "A8703").expect("told");
    assert!(found.help.as_ref().is_some_and(|h| h.contains("\"required\"")), "{found:?}");
    // What the allocator said before it gave up is passed on.
    assert!(found.notes[0].contains("is not initialized"), "{found:?}");
}

#[test]
fn call_templates_are_called_as_they_say() {
    let odd = describe(
        "malloc = \"odd_alloc(16, size)\"\nfree = \"odd_dealloc(ptr, 16, usable)\"\nmemalign = \"odd_aligned(size, alignment)\"\nrealloc = \"odd_realloc(ptr, 16, usable, size)\"\nmalloc_usable_size = \"odd_usable\"\nowns = \"int odd_owns(ptr) != 0\"\n[promises]\nmin_align = 16\nmax_align = 0x10_0000\n",
    );
    let measured = measure(&odd, &heaps::heap("odd_orders.c"));
    let report = probe::compare(&odd, &measured);
    assert_eq!(errors(&report), Vec::<String>::new(), "{measured:#?}");
    assert!(measured.owns.is_held(), "{:?}", measured.owns);
}

#[test]
fn swapped_arguments_are_caught() {
    let swapped = describe(
        "malloc = \"minimal_malloc\"\nfree = \"minimal_free\"\nmemalign = \"minimal_memalign(size, alignment)\"\nmalloc_usable_size = \"minimal_malloc_usable_size\"\n[promises]\nmax_align = 4096\n",
    );
    let report = probe::compare(&swapped, &measure(&swapped, &heaps::heap("minimal.c")));
    let found = report.diagnostics.iter().find(|d| d.code == "A8703").expect("told");
    assert!(found.message.contains("memalign(4096, 64) is not aligned at 4096"), "{found:?}");
    assert!(found.help.as_ref().is_some_and(|h| h.contains("another order")), "{found:?}");
}

#[test]
fn measurements_are_kept_by_the_archive() {
    let minimal = allocator::convention("minimal").unwrap();
    let compiler = Compiler::find(None, None).unwrap();
    let work = tempfile::tempdir().unwrap();
    let archive = heaps::archive(&compiler, &[&heaps::heap("minimal.c")], work.path(), &[]);
    let archive = Hidden::nothing(&[archive]);
    let (scratch, cache) = (work.path().join("probe"), work.path().join("cache"));
    let first = probe::measure_cached(&compiler, &minimal, &archive, &scratch, &cache).unwrap();
    std::fs::remove_dir_all(&scratch).unwrap();
    let second = probe::measure_cached(&compiler, &minimal, &archive, &scratch, &cache).unwrap();
    assert!(!scratch.exists(), "the second look needs no program");
    assert_eq!(first, second);
    assert!(first.is_some_and(|m| m.promise(Promise::FreeNull, &minimal).is_held()));

    let mut foreign = compiler.clone();
    foreign.target = "mips-unknown-none".to_owned();
    let none = probe::measure_cached(&foreign, &minimal, &archive, &scratch, &cache).unwrap();
    assert_eq!(none, None, "promised, not measured");
}

#[test]
fn a_size_limit_is_tried_as_stated() {
    let mut minimal = allocator::convention("minimal").unwrap();
    minimal.promises.max_size = Limit::Bytes(3 << 30);
    let measured = measure(&minimal, &heaps::heap("minimal.c"));
    assert!(measured.sizes.contains_key(&(3 << 30)), "{:?}", measured.sizes);
    let found = measured.promise(Promise::MaxSize, &minimal);
    assert_eq!(found, Measured::Held((3u64 << 30).to_string()));
}

//! The laws on every CPU: which ran where is written to standard output.

use std::{path::Path, sync::Mutex, thread::available_parallelism};

use alloc8_gen::{
    laws::{self, Compilers, Law, Outcome, Workshop},
    spec,
};

use super::{
    binding::{is_read_back, references_bind},
    machines::{ALL, Tools, folder, heap, unpromising},
};

/// Some of each kind: semantics, operators, threads, fork, plug-ins.
const SOME: &[&str] = &[
    "aligned_alloc_handles_non_powers_of_two",
    "blocks_are_aligned_for_every_type",
    "blocks_may_be_freed_by_another_thread",
    "calloc_overflow_fails",
    "calloc_zeroes_reused_memory",
    "cxx_plugins_of_c_programs_get_bad_alloc",
    "every_alignment_holds",
    "failures_set_enomem",
    "forked_children_may_allocate",
    "free_keeps_errno",
    "huge_alignments_fail_or_hold",
    "live_blocks_do_not_overlap",
    "mallinfo_is_believable",
    "malloc_usable_size_covers_the_request",
    "new_that_fails_throws_bad_alloc",
    "nothrow_new_returns_null",
    "plugins_share_the_heap",
    "posix_memalign_leaves_memptr_untouched",
    "realloc_to_zero_frees",
    "reallocarray_overflow_keeps_the_block",
    "replacing_operator_new_replaces_its_forms",
    "strings_from_libc_can_be_resized_and_freed",
    "valloc_and_pvalloc_give_pages",
    "zero_sizes_are_unique_blocks",
];

/// Laws that a CPU cannot have here: the law, what the place's name contains, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("a_block_may_exceed_4_gib", "32 ", "size_t has 32 bits"),
    ("calloc_does_not_truncate", "32 ", "size_t has 32 bits"),
    ("calloc_does_not_truncate", "qemu", "RLIMIT_AS is not enforced"),
    ("new_handler_may_free_a_reserve", "qemu", "RLIMIT_AS is not enforced"),
    ("the_heap_recovers_from_exhaustion", "qemu", "RLIMIT_AS is not enforced"),
];

fn exception(law: &str, place: &str) -> Option<&'static str> {
    let found = EXCEPTIONS.iter().find(|(name, part, _)| *name == law && place.contains(part));
    found.map(|(_, _, why)| *why)
}

fn chosen() -> Vec<Law> {
    let mut laws = laws::laws(&spec::platform("linux").unwrap()).unwrap();
    let known = |name: &&&str| laws.iter().any(|law| law.name == **name);
    assert_eq!(SOME.iter().filter(known).count(), SOME.len(), "a law was renamed");
    laws.retain(|law| crate::common::everything() || SOME.contains(&law.name.as_str()));
    laws
}

/// Tries the laws under a library, writes a row, and tells what the exceptions do not have.
fn try_laws(tools: &Tools, workshop: &Workshop, heap: &str, library: &Path) -> Vec<String> {
    let bits = if tools.cpu.letter == 'j' { 32 } else { 64 };
    let place = format!("{} {bits} {}", tools.cpu.triple, tools.runner.name());
    let jobs = available_parallelism().map_or(2, |n| n.get().min(4));
    let judged = laws::check_with(workshop, chosen(), Some(library), jobs).unwrap();
    let mut wrong = Vec::new();
    let mut row = Vec::new();
    for (law, outcome) in &judged {
        match (outcome, exception(&law.name, &place)) {
            (Outcome::Holds, None) => {}
            (Outcome::NotHere { .. }, Some(why)) => {
                row.push(format!("  not here: {}: {why}", law.name))
            }
            (other, _) => wrong.push(format!("{place}, {heap}: {}: {other:?}", law.name)),
        }
    }
    let held = judged.iter().filter(|(_, outcome)| *outcome == Outcome::Holds).count();
    println!("{place} | {heap} by {} | {held} of {} hold", tools.compiler.name(), judged.len());
    row.iter().for_each(|line| println!("{line}"));
    wrong
}

/// What goes wrong on a CPU, if there are tools for it. Tests of one process take turns: each uses all processors, and
/// laws have time limits.
fn nothing_is_wrong_on(triple: &str, wrong: impl Fn(&Tools, &Workshop) -> Vec<String>) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let cpu = ALL.iter().find(|cpu| cpu.triple == triple).expect("a CPU");
    let Some(tools) = cpu.tools() else { return };
    let workshop = Workshop::new(Compilers::beside(&tools.compiler), &[], &folder()).unwrap();
    let wrong = wrong(&tools, &workshop);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn all_holds_on(triple: &str) {
    nothing_is_wrong_on(triple, |tools, workshop| {
        let built = tools.simple_heap();
        is_read_back(tools, &built);
        references_bind(tools, &built);
        let mut wrong = try_laws(tools, workshop, "simple_heap, built", &built.library);
        let work = tempfile::tempdir().unwrap();
        let jumping = tools.by_hand(&unpromising(), &heap("unpromising.c"), "", work.path());
        wrong.extend(try_laws(tools, workshop, "unpromising, jumping", &jumping));
        wrong
    });
}

/// Allocators that people copy: one with buffers for threads, one that is a class.
fn examples_hold_on(triple: &str) {
    nothing_is_wrong_on(triple, |tools, workshop| {
        let work = tempfile::tempdir().unwrap();
        let laws = |name: &&str| {
            try_laws(tools, workshop, name, &tools.example(name, work.path()).library)
        };
        ["hoard", "diehard"].iter().flat_map(laws).collect()
    });
}

#[test]
fn the_laws_hold_under_the_examples_on_i686() {
    examples_hold_on("i686-linux-gnu");
}

#[test]
fn the_laws_hold_under_the_examples_on_aarch64() {
    examples_hold_on("aarch64-linux-gnu");
}

#[test]
fn names_bind_and_the_laws_hold_on_i686() {
    all_holds_on("i686-linux-gnu");
}

#[test]
fn names_bind_and_the_laws_hold_on_aarch64() {
    all_holds_on("aarch64-linux-gnu");
}

#[test]
fn names_bind_and_the_laws_hold_on_arm() {
    all_holds_on("arm-linux-gnueabihf");
}

#[test]
fn names_bind_and_the_laws_hold_on_riscv64() {
    all_holds_on("riscv64-linux-gnu");
}

/// Big-endian.
#[test]
fn names_bind_and_the_laws_hold_on_s390x() {
    all_holds_on("s390x-linux-gnu");
}

#[test]
fn names_bind_and_the_laws_hold_on_powerpc64le() {
    all_holds_on("powerpc64le-linux-gnu");
}

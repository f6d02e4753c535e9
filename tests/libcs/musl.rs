//! musl itself: every law, under a heap that promises all and is bound directly, and under one that
//! promises nothing, behind every guard.

use std::{fs, path::Path, process::Command};

use alloc8_gen::{
    artifact::SharedObject,
    toolchain::{Compiler, Runner},
};

use super::machines::{
    AARCH64, Exceptions, Machine, SONAME, Tools, X86_64, answers, build, build_in, folder,
    laws_hold, laws_in_cxx_hold, not_listed, platform, simple_heap, unpromising,
};
use crate::common::zig_cc;

pub(super) const EXCEPTIONS: Exceptions = &[
    ("free_aligned_sized_frees", "", "musl has no free_aligned_sized"),
    ("free_sized_frees", "", "musl has no free_sized"),
    ("calloc_does_not_truncate", "qemu", "RLIMIT_AS is not enforced"),
    ("the_heap_recovers_from_exhaustion", "qemu", "RLIMIT_AS is not enforced"),
];

/// What of a library is not as it must be: all that the platform lists is exported, and nothing of musl's
/// own, and no version, of which musl takes no notice.
pub(super) fn faults(library: &Path) -> Vec<String> {
    let object = SharedObject::read(&fs::read(library).unwrap()).unwrap();
    let mut faults = not_listed(&object, "linux-musl");
    if object.needed != ["libc.so"] {
        faults.push(format!("needs {:?}", object.needed));
    }
    faults
}

fn all_holds_on(machine: &'static Machine) {
    let Some(tools) = machine.tools() else { return };
    answers(&tools, None, tools.libc());
    let musl = platform("linux-musl");
    let place = |heap: &str| format!("musl {} {} | {heap}", machine.name, tools.runner.name());
    // A native run costs little, an emulated one some seconds.
    let chosen = |name: &str| {
        machine.name == X86_64.name || crate::common::everything() || SOME.contains(&name)
    };

    let built = build(&musl, &simple_heap(), &[], &tools.compiler);
    assert_eq!(faults(&built.library), [""; 0]);
    assert!(built.plan.direct().count() >= 8, "{}", machine.name);
    let place_of = place("simple_heap, built");
    laws_hold(&place_of, &tools, &musl, &built.library, |law| chosen(&law.name), EXCEPTIONS);

    fs::create_dir_all(folder()).unwrap();
    let work = tempfile::tempdir_in(folder()).unwrap();
    let (heap, archive) = unpromising(&tools.compiler, work.path());
    let built = build(&musl, &heap, &[archive], &tools.compiler);
    let place_of = place("unpromising, built");
    laws_hold(&place_of, &tools, &musl, &built.library, |law| chosen(&law.name), EXCEPTIONS);
}

/// Some of each kind: semantics, threads, fork, plug-ins.
pub(super) const SOME: &[&str] = &[
    "aligned_alloc_handles_non_powers_of_two",
    "blocks_are_aligned_for_every_type",
    "blocks_may_be_freed_by_another_thread",
    "calloc_overflow_fails",
    "calloc_zeroes_reused_memory",
    "every_alignment_holds",
    "failures_set_enomem",
    "fork_handlers_may_allocate",
    "forked_children_may_allocate",
    "free_keeps_errno",
    "huge_alignments_fail_or_hold",
    "live_blocks_do_not_overlap",
    "malloc_usable_size_covers_the_request",
    "plugins_share_the_heap",
    "posix_memalign_leaves_memptr_untouched",
    "realloc_to_zero_keeps_a_block",
    "reallocarray_overflow_keeps_the_block",
    "strings_from_libc_can_be_resized_and_freed",
    "zero_sizes_are_unique_blocks",
];

#[test]
fn names_bind_and_the_laws_hold_on_musl_x86_64() {
    all_holds_on(&X86_64);
}

#[test]
fn names_bind_and_the_laws_hold_on_musl_aarch64() {
    all_holds_on(&AARCH64);
}

const NOT_LINKED: &str = "zig's driver refuses -Bsymbolic-functions";
const NOT_IN_CXX: Exceptions = &[
    ("replacing_aligned_new_replaces_its_forms", "", NOT_LINKED),
    ("replacing_operator_new_replaces_its_forms", "", NOT_LINKED),
];

/// Programs in C++ over zig's libc++, which is linked into them: the operators are their own, and ask the
/// public functions in C.
#[test]
#[ignore = "zig builds its C++ library first, which takes two minutes of a processor"]
fn the_laws_in_cxx_hold_on_musl_x86_64() {
    let Some(tools) = X86_64.tools() else { return };
    let Some(command) = zig_cc("x86_64-linux-musl", "-dynamic") else { return };
    let musl = platform("linux-musl");
    let built = build(&musl, &simple_heap(), &[], &tools.compiler);
    let compiler = Compiler::find(Some(&command), Some("x86_64-linux-musl")).unwrap();
    let over_libcxx = Tools { machine: tools.machine, compiler, runner: Runner::native() };
    laws_in_cxx_hold("musl x86_64 | libc++", &over_libcxx, &musl, &built.library, NOT_IN_CXX);
}

/// A shim in C++ with zig's libc++ in it, as `build` makes it, under programs in C and in C++.
#[test]
#[ignore = "zig builds its C++ library first, which takes two minutes of a processor"]
fn the_laws_hold_under_a_shim_in_cxx_with_its_library_on_musl_x86_64() {
    let Some(tools) = X86_64.tools() else { return };
    let Some(command) = zig_cc("x86_64-linux-musl", "-dynamic") else { return };
    let compiler = Compiler::find(Some(&command), Some("x86_64-linux-musl")).unwrap();
    let musl = platform("linux-musl");
    let built = build_in("cpp", &musl, &simple_heap(), &[], &compiler);
    laws_hold("musl x86_64 | shim.hpp", &tools, &musl, &built.library, |_| true, EXCEPTIONS);
    let over_libcxx = Tools { machine: tools.machine, compiler, runner: Runner::native() };
    let place = "musl x86_64 | shim.hpp, libc++";
    laws_in_cxx_hold(place, &over_libcxx, &musl, &built.library, NOT_IN_CXX);
}

/// musl's own heap answers where nothing is preloaded: the harness tells the two apart.
#[test]
fn a_library_that_interposes_nothing_is_seen_to_answer_nobody() {
    let Some(tools) = X86_64.tools() else { return };
    let work = tempfile::tempdir().unwrap();
    let (source, library) = (work.path().join("none.c"), work.path().join(SONAME));
    fs::write(&source, "int nothing_of_the_list;\n").unwrap();
    let mut command = tools.compiler.command();
    super::machines::run(command.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source));
    answers(&tools, Some(&library), tools.libc());
}

/// Zig's driver refuses `--defsym`, `-Bno-symbolic` and `-z initfirst`: what they do is done otherwise.
#[test]
fn zig_binds_directly_and_asks_to_be_first() {
    let Some(command) = zig_cc("x86_64-linux-gnu", "") else { return };
    let compiler = Compiler::find(Some(&command), None).unwrap();
    let built = build(&platform("linux"), &simple_heap(), &[], &compiler);
    let direct = built.verdict.symbols.iter().filter(|f| f.how.starts_with("direct: simple_heap_"));
    assert_eq!(direct.count(), built.plan.direct().count(), "{:#?}", built.verdict);
    let object = SharedObject::read(&fs::read(&built.library).unwrap()).unwrap();
    assert!(object.flags.init_first, "{:?}", object.flags);
    let output = Command::new("python3")
        .args(["-c", "print(sum(range(10)))"])
        .env("LD_PRELOAD", &built.library)
        .env("PYTHONMALLOC", "malloc")
        .env("SIMPLE_HEAP_STATS", "1")
        .output()
        .expect("python3");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.stdout == b"45\n" && said.contains("simple_heap: allocations "), "{said}");
}

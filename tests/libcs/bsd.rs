//! FreeBSD and NetBSD: linked by zig, and the machine code run under the laws over a stub for what
//! their C libraries name otherwise. No such system can be run here: not their dynamic linkers, not
//! their threads.

use std::{fs, path::Path};

use alloc8_gen::{artifact::SharedObject, toolchain::Compiler};

use super::machines::{
    AARCH64, Exceptions, Machine, Tools, X86_64, answers, build, laws_hold, not_listed, platform,
    run, simple_heap,
};
use crate::common::zig_cc;

pub(super) const EXCEPTIONS: Exceptions = &[
    ("free_aligned_sized_frees", "netbsd", "NetBSD has no free_aligned_sized"),
    ("free_sized_frees", "netbsd", "NetBSD has no free_sized"),
];

/// What does not ask the C library's other functions, which are musl's here.
pub(super) const SOME: &[&str] = &[
    "blocks_are_aligned_for_every_type",
    "blocks_may_be_freed_by_another_thread",
    "calloc_overflow_fails",
    "calloc_zeroes_reused_memory",
    "failures_set_enomem",
    "forked_children_may_allocate",
    "free_aligned_sized_frees",
    "free_keeps_errno",
    "free_sized_frees",
    "live_blocks_do_not_overlap",
    "posix_memalign_leaves_memptr_untouched",
    "posix_memalign_returns_the_error",
    "realloc_failure_keeps_the_block",
    "realloc_keeps_content",
    "realloc_of_null_is_malloc",
    "success_never_clears_errno",
    "zero_sizes_are_unique_blocks",
];

fn all_holds_on(system: &str, machine: &'static Machine) {
    let target = format!("{}-{system}", machine.name);
    let Some(command) = zig_cc(&target, "") else { return };
    let Some(tools) = machine.tools() else { return };
    let compiler = Compiler::find(Some(&command), Some(&target)).unwrap();
    let bsd = platform(system);
    let built = build(&bsd, &simple_heap(), &[], &compiler);
    let object = SharedObject::read(&fs::read(&built.library).unwrap()).unwrap();
    assert_eq!(not_listed(&object, system), [""; 0], "{target}");
    assert!(built.plan.direct().count() > 5 && built.measured.is_none(), "{target}");
    let said: Vec<_> = built.remarks.iter().map(|remark| remark.message.as_str()).collect();
    assert!(said.iter().any(|said| said.starts_with("promised, not measured")), "{said:?}");

    let work = tempfile::tempdir().unwrap();
    let stub = work.path().join("libbsd.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libcs/bsd/over_musl.c");
    let mut command = tools.compiler.command();
    run(command.args(["-O1", "-fPIC", "-shared", "-o"]).arg(&stub).arg(source));
    // FreeBSD's own library of threads, whose functions are musl's here.
    fs::copy(&stub, work.path().join("libthr.so.3")).unwrap();
    let tools = Tools { runner: tools.runner.clone().behind(&stub), ..tools };
    answers(&tools, None, tools.libc());
    let place = format!("{system} {}, {}, not on the system", machine.name, tools.runner.name());
    let chosen = |name: &str| SOME.contains(&name);
    laws_hold(&place, &tools, &bsd, &built.library, |law| chosen(&law.name), EXCEPTIONS);
}

#[test]
fn code_for_freebsd_keeps_the_laws_on_x86_64() {
    all_holds_on("freebsd", &X86_64);
}

#[test]
fn code_for_freebsd_keeps_the_laws_on_aarch64() {
    all_holds_on("freebsd", &AARCH64);
}

#[test]
fn code_for_netbsd_keeps_the_laws_on_x86_64() {
    all_holds_on("netbsd", &X86_64);
}

#[test]
fn code_for_netbsd_keeps_the_laws_on_aarch64() {
    all_holds_on("netbsd", &AARCH64);
}

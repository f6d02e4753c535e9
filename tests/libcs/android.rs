//! Android: what is linked as an NDK links it, for four ABIs at two API levels, and its code under the
//! laws. No device, and no bionic, is at hand.

use std::{fs, path::Path};

use alloc8_gen::{
    artifact::{SharedObject, SymbolVersion},
    toolchain::{Compiler, Runner},
};

use super::{
    machines::{
        AARCH64, ARM, Exceptions, I686, Machine, SONAME, Tools, X86_64, answers, build, laws_hold,
        platform, run, simple_heap,
    },
    ndk::{LEVELS, here, ndk},
};

pub(super) const EXCEPTIONS: Exceptions = &[
    ("a_block_may_exceed_4_gib", "i686", "size_t has 32 bits"),
    ("a_block_may_exceed_4_gib", "arm", "size_t has 32 bits"),
    ("calloc_does_not_truncate", "i686", "size_t has 32 bits"),
    ("calloc_does_not_truncate", "arm", "size_t has 32 bits"),
    ("calloc_does_not_truncate", "qemu", "RLIMIT_AS is not enforced"),
    ("the_heap_recovers_from_exhaustion", "qemu", "RLIMIT_AS is not enforced"),
    ("free_aligned_sized_frees", "", "bionic has no free_aligned_sized"),
    ("free_sized_frees", "", "bionic has no free_sized"),
    ("pvalloc_overflow_fails", "", "musl's headers have no pvalloc, nor has 64-bit Android"),
    ("valloc_and_pvalloc_give_pages", "", "musl's headers have no pvalloc, nor has 64-bit Android"),
    ("every_function_fails_cleanly_without_memory", "i686", "musl's headers have no pvalloc"),
    ("every_function_fails_cleanly_without_memory", "arm", "musl's headers have no pvalloc"),
    ("malloc_info_rejects_options", "", "musl's programs have no malloc_info"),
];

/// What the laws are tried under emulation by default.
pub(super) const SOME: &[&str] = &[
    "aligned_alloc_handles_non_powers_of_two",
    "blocks_are_aligned_for_every_type",
    "blocks_may_be_freed_by_another_thread",
    "calloc_overflow_fails",
    "calloc_zeroes_reused_memory",
    "every_alignment_holds",
    "failures_set_enomem",
    "forked_children_may_allocate",
    "free_keeps_errno",
    "live_blocks_do_not_overlap",
    "memalign_rounds_the_alignment_up",
    "plugins_share_the_heap",
    "posix_memalign_leaves_memptr_untouched",
    "realloc_to_zero_frees",
    "zero_sizes_are_unique_blocks",
];

pub(super) fn compiler(ndk: &Path, target: &str) -> Compiler {
    let clang = ndk.join("toolchains/llvm/prebuilt/linux-x86_64/bin/clang");
    let command = format!("{} --target={target}", clang.display());
    Compiler::find(Some(&command), Some(target)).unwrap()
}

/// What of a library for Android is not as it must be, whatever compiled it.
pub(super) fn faults(library: &Path) -> Vec<String> {
    let object = SharedObject::read(&fs::read(library).unwrap()).unwrap();
    let mut faults = Vec::new();
    let mut needed = object.needed.clone();
    needed.sort();
    // libdl.so holds dlopen and its like; every NDK names both, and every device has both.
    if needed != ["libc.so", "libdl.so"] {
        faults.push(format!("needs {needed:?}"));
    }
    if !object.version_nodes.is_empty() {
        faults.push(format!("version nodes {:?}", object.version_nodes));
    }
    let helper = |name: &str| name.starts_with("__aeabi_") && !name.starts_with("__aeabi_mem");
    let emulated = |name: &str| name.starts_with("__emutls") || helper(name);
    let names = object.symbols.iter().map(|symbol| symbol.name.as_str());
    faults.extend(names.filter(|name| emulated(name)).map(|name| format!("names {name}")));
    if object.tls.size != 0 {
        faults.push("thread-locals, which no Android before API 29 has".to_owned());
    }
    let said = run(std::process::Command::new("readelf").args(["-lWd"]).arg(library));
    let loads: Vec<_> = said.lines().filter(|line| line.trim().starts_with("LOAD")).collect();
    if loads.len() < 2 || !loads.iter().all(|line| line.ends_with("0x4000")) {
        faults.push(format!("not aligned for pages of 16 KiB: {loads:?}"));
    }
    if !said.contains("(GNU_HASH)") {
        faults.push("no table of hashes that Android 6 reads fast".to_owned());
    }
    let versioned = |symbol: &&alloc8_gen::artifact::Symbol| match &symbol.version {
        SymbolVersion::Wanted { node, .. } => node == "LIBC",
        _ => false,
    };
    let errno = object.symbols.iter().find(|symbol| symbol.name == "__errno");
    if !errno.as_ref().is_some_and(versioned) {
        faults.push(format!("errno is {errno:?}"));
    }
    faults
}

/// musl's programs, with what bionic names otherwise.
pub(super) fn over_musl(tools: &Tools, work: &Path, options: &[&str]) -> Tools {
    let stub = work.join("libbionic.so");
    let mut command = tools.compiler.command();
    command.args(["-O1", "-fPIC", "-shared", "-w", "-o"]).arg(&stub).arg(here("over_musl.c"));
    run(&mut command);
    let runner = match options {
        [] => tools.runner.clone(),
        options => {
            Runner::emulated(&tools.compiler.target, options, &tools.machine.root()).unwrap()
        }
    };
    Tools { machine: tools.machine, compiler: tools.compiler.clone(), runner: runner.behind(&stub) }
}

fn all_holds_on(machine: &'static Machine, triple: &str) {
    let Some(ndk) = ndk() else { return };
    let Some(tools) = machine.tools() else { return };
    let work = tempfile::tempdir().unwrap();
    let android = platform("android");
    for level in LEVELS {
        let target = format!("{triple}{level}");
        let built = build(&android, &simple_heap(), &[], &compiler(&ndk, &target));
        assert_eq!(faults(&built.library), [""; 0], "{target}");
        let tools = over_musl(&tools, work.path(), &[]);
        answers(&tools, None, tools.libc());
        let place = format!("android {} {} | API {level}", machine.name, tools.runner.name());
        let chosen = |name: &str| match level {
            // The libraries differ by no more than the level; two laws show that it loads.
            29 if !crate::common::everything() => {
                ["free_keeps_errno", "realloc_to_zero_frees"].contains(&name)
            }
            _ => crate::common::everything() || machine.native || SOME.contains(&name),
        };
        laws_hold(&place, &tools, &android, &built.library, |law| chosen(&law.name), EXCEPTIONS);
    }
}

#[test]
fn libraries_for_android_are_clean_and_keep_the_laws_on_x86_64() {
    all_holds_on(&X86_64, "x86_64-linux-android");
}

#[test]
fn libraries_for_android_are_clean_and_keep_the_laws_on_i686() {
    all_holds_on(&I686, "i686-linux-android");
}

#[test]
fn libraries_for_android_are_clean_and_keep_the_laws_on_arm64() {
    all_holds_on(&AARCH64, "aarch64-linux-android");
}

#[test]
fn libraries_for_android_are_clean_and_keep_the_laws_on_armv7() {
    all_holds_on(&ARM, "armv7a-linux-androideabi");
}

/// Devices with pages of 16 KiB: an alignment of 4 KiB, which clang 14 itself asks for, is not loaded.
#[test]
fn pages_of_16_kib_load_what_is_built_and_not_what_is_aligned_for_4() {
    let Some(ndk) = ndk() else { return };
    let Some(tools) = AARCH64.tools() else { return };
    let work = tempfile::tempdir().unwrap();
    let tools = over_musl(&tools, work.path(), &["-p", "16384"]);
    let mut android = platform("android");
    let compiler = compiler(&ndk, "aarch64-linux-android21");
    let built = build(&android, &simple_heap(), &[], &compiler);
    let some = |name: &str| ["realloc_keeps_content", "every_alignment_holds"].contains(&name);
    laws_hold(
        "android aarch64 qemu, pages of 16 KiB",
        &tools,
        &android,
        &built.library,
        |law| some(&law.name),
        &[],
    );
    // Its code is the same, and the alignment alone another.
    android.runtime.link.clear();
    let narrow = build(&android, &simple_heap(), &[], &compiler).library;
    let who = super::machines::who(&tools, work.path());
    let output = tools.runner.command(&who, Some(&narrow)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() || !said.contains(SONAME), "{said}");
    assert!(faults(&narrow).iter().any(|fault| fault.starts_with("not aligned")));
    // It was the pages: with those of 4 KiB the same file answers.
    let Some(tools) = AARCH64.tools() else { return };
    answers(&over_musl(&tools, work.path(), &[]), Some(&narrow), SONAME);
}

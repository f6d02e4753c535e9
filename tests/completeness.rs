//! The candidates are computed from what the C and C++ libraries export: each is in the spec, or
//! omitted with a reason.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "shared with the harness of mutations")]
mod candidates;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use alloc8_gen::{
    artifact::SharedObject,
    spec::{self, Platform},
};
use candidates::known;

fn linux() -> Platform {
    spec::platform("linux").expect("without a mistake")
}

fn assert_known(candidates: BTreeSet<String>) {
    assert!(candidates.len() >= 20, "only {candidates:?}");
    let known = known(&linux());
    let unknown: Vec<_> = candidates.difference(&known).collect();
    assert!(unknown.is_empty(), "neither in the spec nor omitted: {unknown:?}");
}

#[test]
fn every_public_symbol_of_libc_s_malloc_object_is_known() {
    assert_known(candidates::of_malloc_object());
}

#[test]
fn every_export_of_libc_with_a_heap_like_name_is_known() {
    assert_known(candidates::of_exports());
}

#[test]
fn every_replaceable_operator_of_libstdcxx_is_known() {
    assert_known(candidates::of_operators());
}

#[test]
fn what_other_allocators_take_over_is_known() {
    let libc = candidates::library("libc.so.6");
    let libc = SharedObject::read(&libc).expect("a library");
    let known = known(&linux());
    for name in ["libmimalloc.so.2", "libjemalloc.so.2", "libtcmalloc_minimal.so.4"] {
        let path = Path::new("/usr/lib/x86_64-linux-gnu").join(name);
        let Ok(data) = fs::read(&path) else { continue };
        let object = SharedObject::read(&data).expect("a library");
        let taken = object.exports().map(|s| s.name.as_str()).filter(|n| libc.export(n).is_some());
        let unknown: Vec<_> =
            taken.filter(|n| !known.contains(*n) && !n.starts_with('_')).collect();
        assert!(unknown.is_empty(), "{name} takes over {unknown:?}");
    }
}

#[test]
fn the_host_s_headers_declare_what_the_spec_declares() {
    let platform = linux();
    let folder = tempfile::tempdir().expect("a folder");
    let abi = platform.abi_of(alloc8_gen::toolchain::HOST).expect("the host's ABI");
    let mut proven = 0;
    for symbol in platform.symbols.iter().filter(|s| !s.operation.is_operator()) {
        let name = symbol.name(abi);
        let source = folder.path().join("proof.c");
        let head =
            "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stdlib.h>\n#include <malloc.h>\n";
        let compiles = |body: &str| {
            fs::write(&source, format!("{head}{body}\n")).expect("written");
            let output = Command::new("cc")
                .args(["-fsyntax-only", "-w", "-Werror=implicit-function-declaration"])
                .arg(&source)
                .output();
            output.expect("a compiler").status.success()
        };
        if !compiles(&format!("void *address(void) {{ return (void *){name}; }}")) {
            continue; // no header of this C library declares it
        }
        let declared = symbol.declaration.replacen(&format!("{name}("), "spec_says(", 1);
        let proof = format!(
            "{declared};\n_Static_assert(__builtin_types_compatible_p(__typeof__({name}), __typeof__(spec_says)), \"\");"
        );
        assert!(compiles(&proof), "`{}` is not what the headers declare", symbol.declaration);
        proven += 1;
    }
    assert!(proven >= 15, "only {proven} declarations could be compared");
}

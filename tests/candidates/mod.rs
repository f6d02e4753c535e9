//! Names that may belong into the spec of the host, computed from what its libraries export.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use alloc8_gen::{
    artifact::{Archive, SharedObject},
    spec::Platform,
};

/// What an export of the C library contains if it may hand out or take back a block.
const HEAP_LIKE: &[&str] = &["alloc", "memalign", "dup", "cfree", "mallopt", "mallinfo"];

/// Every name that the host's spec says something of.
pub(crate) fn known(platform: &Platform) -> BTreeSet<String> {
    let abi = platform.abi_of(alloc8_gen::toolchain::HOST).expect("the host's ABI");
    let omitted = platform.omissions.iter().map(|o| o.name.clone());
    platform.names(abi).into_iter().chain(omitted).collect()
}

/// A library of the host's C compiler.
pub(crate) fn library(name: &str) -> Vec<u8> {
    let output =
        Command::new("cc").arg(format!("-print-file-name={name}")).output().expect("a compiler");
    let path = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(Path::new(path.trim()).is_absolute(), "{name} is not installed");
    fs::read(path.trim()).expect("readable")
}

/// What the object that defines malloc in the static C library defines, and the dynamic one exports
/// for programs: the private version node is not for them.
pub(crate) fn of_malloc_object() -> BTreeSet<String> {
    let archive = Archive::read(&library("libc.a")).expect("an archive");
    let member = archive.members.iter().find(|m| m.name == "malloc.o").expect("malloc.o");
    let data = library("libc.so.6");
    let libc = SharedObject::read(&data).expect("a library");
    let exported: BTreeSet<_> = libc.exports().map(|s| s.name.as_str()).collect();
    let public = |name: &&str| !name.starts_with("__malloc_") && !name.starts_with("_dl_");
    let names = member.defined().map(|s| s.name.as_str()).filter(public);
    names
        .filter(|name| exported.contains(name) || !name.starts_with("__libc_"))
        .map(str::to_owned)
        .collect()
}

/// Exports of the C library that look like functions of a heap.
pub(crate) fn of_exports() -> BTreeSet<String> {
    let data = library("libc.so.6");
    let libc = SharedObject::read(&data).expect("a library");
    let names = libc.exports().map(|s| s.name.as_str());
    let like = |name: &&str| {
        HEAP_LIKE.iter().any(|part| name.contains(part))
            || *name == "free"
            || name.starts_with("free_")
    };
    names.filter(like).map(str::to_owned).collect()
}

/// The replaceable operators that the C++ runtime exports.
pub(crate) fn of_operators() -> BTreeSet<String> {
    let data = library("libstdc++.so.6");
    let runtime = SharedObject::read(&data).expect("a library");
    let names = runtime.exports().map(|s| s.name.as_str());
    let starts = ["_Znw", "_Zna", "_ZdlP", "_ZdaP"];
    names.filter(|n| starts.iter().any(|s| n.starts_with(s))).map(str::to_owned).collect()
}

/// All of them.
pub(crate) fn all() -> BTreeSet<String> {
    [of_malloc_object(), of_exports(), of_operators()].into_iter().flatten().collect()
}

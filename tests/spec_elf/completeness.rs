//! The candidates are computed: what musl's archive and library have, what zig's export lists name.

use std::{collections::BTreeSet, fs, path::Path};

use alloc8_gen::{
    artifact::{Archive, SharedObject},
    operation::Effect,
    spec::{self, Platform},
};

use crate::{
    common,
    export_list::{self, ExportList},
    musl,
};

/// Names like these hand out or take back memory, until a spec says otherwise.
fn is_heap_like(name: &str) -> bool {
    ["alloc", "memalign", "dup", "mallinfo", "mallctl"].iter().any(|part| name.contains(part))
        || name == "free"
        || name == "__free"
        || name.starts_with("free_")
}

fn known(platform: &Platform) -> BTreeSet<String> {
    let abi = &platform.abis[0];
    let omitted = platform.omissions.iter().map(|o| o.name.clone());
    platform.names(abi).into_iter().chain(omitted).collect()
}

fn assert_known<'a>(platform: &str, candidates: impl Iterator<Item = &'a str>) {
    let known = known(&spec::platform(platform).unwrap());
    let candidates: BTreeSet<_> = candidates.collect();
    assert!(candidates.len() >= 10, "hardly a candidate: {candidates:?}");
    let unknown: Vec<_> = candidates.into_iter().filter(|name| !known.contains(*name)).collect();
    assert!(unknown.is_empty(), "neither in `{platform}` nor omitted: {unknown:?}");
}

/// musl's archive and library, as bytes.
fn musl_libraries() -> Option<(Vec<u8>, Vec<u8>)> {
    // The compiler is gcc with specs that lie beside the libraries: gcc itself names glibc's.
    let output = musl()?.arg("-v").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let specs = said.lines().find_map(|l| l.strip_prefix("Reading specs from ")).expect("specs");
    let folder = Path::new(specs.trim()).parent().expect("a folder");
    let file = |name: &str| fs::read(folder.join(name)).expect("readable");
    Some((file("libc.a"), file("libc.so")))
}

#[test]
fn whatever_in_musl_uses_the_heap_is_known() {
    let Some((archive, library)) = musl_libraries() else { return };
    let archive = Archive::read(&archive).unwrap();
    let library = SharedObject::read(&library).unwrap();
    let exported: BTreeSet<_> = library.exports().map(|s| s.name.as_str()).collect();
    let platform = spec::platform("linux-musl").unwrap();
    let abi = &platform.abis[0];
    let heap: BTreeSet<String> = platform
        .symbols_of(abi)
        .filter(|s| !s.operation.is_operator())
        .filter(|s| s.operation.effect() != Effect::StartsThread)
        .map(|s| s.name(abi))
        .collect();
    let users = archive.members.iter().filter(|member| {
        member.defined().chain(member.wanted()).any(|symbol| heap.contains(&symbol.name))
    });
    let names = users.flat_map(|member| member.defined()).map(|s| s.name.as_str());
    assert_known("linux-musl", names.filter(|name| exported.contains(name)));
}

#[test]
fn every_export_of_musl_with_a_heap_like_name_is_known() {
    let Some((_, library)) = musl_libraries() else { return };
    let library = SharedObject::read(&library).unwrap();
    let names = library.exports().map(|s| s.name.as_str()).filter(|name| is_heap_like(name));
    assert_known("linux-musl", names);
    let platform = spec::platform("linux-musl").unwrap();
    let abi = &platform.abis[0];
    for symbol in platform.symbols_of(abi).filter(|s| !s.operation.is_operator()) {
        let name = symbol.name(abi);
        assert!(library.export(&name).is_some(), "musl does not export `{name}`");
    }
}

fn exports_of(system: &str) -> Option<ExportList> {
    let Some(folder) = common::zig_lib() else {
        common::skip(common::ZIG.0, common::ZIG.1);
        return None;
    };
    Some(export_list::read(&folder, system))
}

/// What the spec defines is exported, but for what is newer than the list.
fn assert_exported(platform: &str, exports: &ExportList, newer: &[&str]) {
    let platform = spec::platform(platform).unwrap();
    let abi = &platform.abis[0];
    let defined = platform.symbols_of(abi).filter(|s| !s.operation.is_operator());
    let missing: Vec<_> =
        defined.map(|s| s.name(abi)).filter(|name| !exports.contains_key(name)).collect();
    assert_eq!(missing, newer, "no library of {} exports these", platform.title);
}

#[test]
fn every_export_of_freebsd_with_a_heap_like_name_is_known() {
    let Some(exports) = exports_of("freebsd") else { return };
    assert_known("freebsd", exports.keys().map(String::as_str).filter(|name| is_heap_like(name)));
    assert_exported("freebsd", &exports, &["free_sized", "free_aligned_sized", "recallocarray"]);
}

#[test]
fn every_export_of_netbsd_with_a_heap_like_name_is_known() {
    let Some(exports) = exports_of("netbsd") else { return };
    assert_known("netbsd", exports.keys().map(String::as_str).filter(|name| is_heap_like(name)));
    assert_exported("netbsd", &exports, &[]);
}

#[test]
fn freebsd_s_symbols_are_as_old_as_the_spec_says() {
    let Some(exports) = exports_of("freebsd") else { return };
    let platform = spec::platform("freebsd").unwrap();
    let mut compared = 0;
    for symbol in &platform.symbols {
        let Some(versions) = exports.get(symbol.spec_name()) else { continue };
        let since = symbol.since.as_deref().unwrap_or_default();
        // libc's own, or else libthr's.
        let listed = versions.iter().find(|(library, _)| library == "c").or(versions.first());
        let listed = listed.map(|(_, version)| version.as_str());
        assert_eq!(since.strip_prefix("FBSD_"), listed, "{}", symbol.spec_name());
        compared += 1;
    }
    assert!(compared >= 40, "only {compared} could be compared");
}

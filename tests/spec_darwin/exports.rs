//! libSystem's export list, which zig bundles, against the spec. There is none of libc++.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use alloc8_gen::spec::Reason;

use crate::{common, macos};

/// What programs call a heap's functions. libmalloc's own library is looked at whole; the rest of
/// libSystem has no zones, and whatever hands out a block or takes one back has one of these.
const LIKE: &[&str] = &["alloc", "free", "dup"];

const LIBMALLOC: &str = "/usr/lib/system/libsystem_malloc.dylib";

/// The names of each library in the list, as C spells them.
fn exports() -> Option<BTreeMap<String, BTreeSet<String>>> {
    if common::zig().is_none() {
        common::skip(common::ZIG.0, common::ZIG.1);
        return None;
    }
    let path = common::zig_lib().expect("zig's folder").join("libc/darwin/libSystem.tbd");
    let text = fs::read_to_string(path).expect("libSystem.tbd");
    let mut libraries: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for document in text.split("\n--- ") {
        let name = after(document, "install-name:").trim_start().trim_start_matches('\'');
        let name = name.split('\'').next().expect("a name").to_owned();
        libraries.entry(name).or_default().extend(symbols(document));
    }
    Some(libraries)
}

fn after<'a>(text: &'a str, key: &str) -> &'a str {
    text.split_once(key).unwrap_or_else(|| panic!("no {key} in a library")).1
}

/// `symbols: [ _a, '_b$c' ]`, `weak-symbols: …`: all that a reference can bind to.
fn symbols(document: &str) -> impl Iterator<Item = String> + '_ {
    let lists = document.split("symbols:").skip(1).filter_map(|rest| {
        let (list, _) = rest.split_once('[')?.1.split_once(']')?;
        Some(list)
    });
    let names = lists.flat_map(|list| list.split([',', ' ', '\n']));
    names.filter_map(|name| Some(name.trim_matches('\'').strip_prefix('_')?.to_owned()))
}

/// What the spec names: symbols, and what is left alone.
fn known() -> BTreeSet<String> {
    let platform = macos();
    let names = platform.abis.iter().flat_map(|abi| platform.names(abi)).collect::<Vec<_>>();
    names.into_iter().chain(platform.omissions.into_iter().map(|o| o.name)).collect()
}

#[test]
fn every_export_of_libmalloc_is_known() {
    let Some(exports) = exports() else { return };
    let known = known();
    assert!(exports[LIBMALLOC].len() > 100, "the list is not read");
    let unknown: Vec<_> = exports[LIBMALLOC].iter().filter(|n| !known.contains(*n)).collect();
    assert!(unknown.is_empty(), "neither in the spec nor omitted: {unknown:?}");
}

#[test]
fn every_export_of_libsystem_with_a_heap_like_name_is_known() {
    let Some(exports) = exports() else { return };
    let known = known();
    let all: BTreeSet<_> = exports.values().flatten().collect();
    let like = |name: &str| LIKE.iter().any(|part| name.to_lowercase().contains(part));
    let unknown: Vec<_> = all.iter().filter(|n| like(n) && !known.contains(**n)).collect();
    assert!(unknown.is_empty(), "neither in the spec nor omitted: {unknown:?}");
}

#[test]
fn libsystem_exports_what_the_spec_says_and_lacks_what_is_absent() {
    let Some(exports) = exports() else { return };
    let platform = macos();
    let has = |name: &str| exports.values().any(|names| names.contains(name));
    for symbol in platform.symbols.iter().filter(|s| !s.operation.is_operator()) {
        assert!(has(symbol.spec_name()), "libSystem does not export `{}`", symbol.spec_name());
    }
    for omission in &platform.omissions {
        let absent = omission.reason == Reason::Absent;
        assert_eq!(has(&omission.name), !absent, "`{}`: {:?}", omission.name, omission.reason);
    }
}

#[test]
fn each_library_of_the_spec_exports_what_it_is_said_to() {
    let Some(exports) = exports() else { return };
    let platform = macos();
    let [system, cxx] = &platform.libraries[..] else { panic!("two libraries") };
    assert!(exports.contains_key(&system.file), "no {} in the list", system.file);
    assert!(platform.runtime.is_libc(&system.file));
    let operator = |name: &String| name.starts_with("_Z");
    assert!(!system.symbols.iter().any(operator) && cxx.symbols.iter().all(operator));
    assert_eq!(system.symbols.len() + cxx.symbols.len(), platform.symbols.len());
}

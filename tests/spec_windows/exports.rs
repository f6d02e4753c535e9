//! What each C library exports: the spec against MinGW's import libraries.

use std::collections::{BTreeMap, BTreeSet};

use alloc8_gen::spec::{Abi, Library, Platform};

use super::toolbox::{abi, compilers, import_library, windows};
use crate::common::{ZIG, skip, zig_lib};

/// Import libraries that are read; the key is the library's file in the spec, where it has one.
const IMPORT_LIBRARIES: &[(&str, &str)] = &[
    ("ucrtbase.dll", "ucrtbase"),
    ("msvcrt.dll", "msvcrt-os"),
    ("msvcr70.dll", "msvcr70"),
    ("msvcr71.dll", "msvcr71"),
    ("msvcr80.dll", "msvcr80"),
    ("msvcr90.dll", "msvcr90"),
    ("msvcr90d.dll", "msvcr90d"),
    ("msvcr100.dll", "msvcr100"),
    ("msvcr110.dll", "msvcr110"),
    ("msvcr120.dll", "msvcr120"),
    ("msvcr120d.dll", "msvcr120d"),
    ("", "ucrt"),
    ("", "ucrtapp"),
    ("", "msvcr120_app"),
    ("", "vcruntime140_app"),
];

/// What an import library leaves out though the DLL has it, by the spec's names, and how we know.
const LEFT_OUT: &[(&str, &[&str], &str)] = &[
    (
        "msvcrt.dll",
        &[
            "??2@YAP{msvc_ptr64}AX{msvc_size_t}HP{msvc_ptr64}BDH@Z",
            "??_U@YAP{msvc_ptr64}AX{msvc_size_t}HP{msvc_ptr64}BDH@Z",
        ],
        "Wine's msvcrt.spec has them for every machine, mingw-w64's list for ARM",
    ),
    (
        "msvcr80.dll",
        &[
            "_recalloc",
            "_aligned_recalloc",
            "_aligned_offset_recalloc",
            "_aligned_msize",
            "_dupenv_s",
            "_wdupenv_s",
            "_malloc_crt",
            "_calloc_crt",
            "_realloc_crt",
            "_recalloc_crt",
            "??2@YAP{msvc_ptr64}AX{msvc_size_t}HP{msvc_ptr64}BDH@Z",
            "??_U@YAP{msvc_ptr64}AX{msvc_size_t}HP{msvc_ptr64}BDH@Z",
        ],
        "mingw-w64 made its list from msvcrt.dll's; Wine's msvcr80.spec has them",
    ),
];

/// What the spec says that a library exports, in an ABI, as far as its import library can know.
fn declared(library: &Library, abi: &Abi, all: &BTreeSet<&str>) -> BTreeSet<String> {
    let left_out: Vec<_> = LEFT_OUT
        .iter()
        .filter(|(file, ..)| *file == library.file)
        .flat_map(|(_, names, _)| names.iter().copied())
        .collect();
    // MinGW's lists of the two oldest libraries have no C++ names at all on x86.
    let has_cxx = all.iter().any(|name| name.starts_with('?'));
    library
        .symbols
        .iter()
        .filter(|name| !left_out.contains(&name.as_str()))
        .map(|name| abi.spell(name))
        .filter(|name| has_cxx || !name.starts_with('?'))
        .collect()
}

#[test]
fn each_library_exports_what_its_import_library_says() {
    let platform = windows();
    let mut compared = BTreeSet::new();
    for (compiler, abi_name) in compilers("exports of C libraries") {
        let abi = abi(&platform, abi_name);
        let ours: BTreeSet<String> = platform.names(abi).into_iter().collect();
        for library in &platform.libraries {
            let name = IMPORT_LIBRARIES.iter().find(|(file, _)| *file == library.file);
            let Some((_, name)) = name else { continue };
            let Some(archive) = import_library(compiler, name) else { continue };
            let all = archive.dll_exports();
            let said: BTreeSet<String> =
                all.iter().filter(|n| ours.contains(**n)).map(|n| (*n).to_owned()).collect();
            assert_eq!(said, declared(library, abi, &all), "{} by {compiler}", library.file);
            compared.insert(library.file.as_str());
        }
        let missing: Vec<_> = platform
            .libraries
            .iter()
            .map(|library| library.file.as_str())
            .filter(|file| !compared.contains(file) && !NOT_COMPARED.contains(file))
            .filter(|file| !(abi_name == "x64-gnu" && X86_ALONE.contains(file)))
            .collect();
        assert!(missing.is_empty(), "{compiler} has no import library for {missing:?}");
    }
}

/// Compared with zig's list below.
const NOT_COMPARED: &[&str] = &["ucrtbased.dll"];
/// Libraries that were never built for another machine.
const X86_ALONE: &[&str] = &["msvcr70.dll", "msvcr71.dll"];

#[test]
fn the_debugging_ucrt_exports_what_mingw_s_list_says() {
    let Some(lib) = zig_lib() else { return skip(ZIG.0, ZIG.1) };
    let list = lib.join("libc/mingw/lib-common/ucrtbase-common.def.in");
    let text = std::fs::read_to_string(&list).expect("zig's copy of mingw-w64's list");
    let mut all = BTreeSet::new();
    for line in text.lines() {
        let name = line.split(';').next().unwrap_or_default().trim();
        let name = name.strip_prefix("F_DEBUG(").map_or(name, |rest| rest.trim_end_matches(')'));
        all.insert(name);
    }
    let platform = windows();
    let abi = abi(&platform, "x64-gnu");
    let library = platform.libraries.iter().find(|l| l.file == "ucrtbased.dll").expect("listed");
    let said: BTreeSet<String> =
        platform.names(abi).into_iter().filter(|name| all.contains(name.as_str())).collect();
    let declared: BTreeSet<String> = library.symbols.iter().map(|name| abi.spell(name)).collect();
    assert_eq!(said, declared);
}

/// Whether a name may be about blocks. Of C++ names those of functions outside classes.
fn is_heap_like(name: &str) -> bool {
    if name.starts_with('?') {
        let starts = ["??2@", "??3@", "??_U@", "??_V@", "?Alloc@", "?Free@"];
        return starts.iter().any(|start| name.starts_with(start))
            || ["new_handler@", "new_mode@"].iter().any(|part| name.contains(part));
    }
    let parts = [
        "alloc",
        "free",
        "dup",
        "msize",
        "expand",
        "heap",
        "getcwd",
        "getdcwd",
        "fullpath",
        "tempnam",
        "newh",
        "new_handler",
        "new_mode",
        "getdays",
        "getmonths",
        "gettnames",
        "create_locale",
        "exception_copy",
    ];
    let name = name.to_ascii_lowercase();
    parts.iter().any(|part| name.contains(part))
}

fn known(platform: &Platform, abi: &Abi) -> BTreeSet<String> {
    let holds = |abis: &[String]| abis.is_empty() || abis.contains(&abi.name);
    let omitted = platform.omissions.iter().filter(|o| holds(&o.abis)).map(|o| o.name.clone());
    platform.names(abi).into_iter().chain(omitted).collect()
}

#[test]
fn every_export_with_a_heap_like_name_is_known() {
    let platform = windows();
    for (compiler, abi_name) in compilers("heap-like exports of C libraries") {
        let known = known(&platform, abi(&platform, abi_name));
        let mut unknown: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut seen = 0;
        for (_, library) in IMPORT_LIBRARIES {
            let Some(archive) = import_library(compiler, library) else { continue };
            for name in archive.dll_exports().into_iter().filter(|name| is_heap_like(name)) {
                seen += 1;
                if !known.contains(name) {
                    unknown.entry(name.to_owned()).or_default().push(library);
                }
            }
        }
        assert!(seen > 500, "only {seen} heap-like exports by {compiler}");
        assert!(unknown.is_empty(), "neither in the spec nor omitted, by {compiler}: {unknown:#?}");
    }
}

#[test]
fn every_symbol_but_the_module_s_own_operators_is_exported_by_a_library() {
    let platform = windows();
    let exported: BTreeSet<_> =
        platform.libraries.iter().flat_map(|library| &library.symbols).collect();
    let inside: Vec<_> = platform
        .symbols
        .iter()
        .filter(|symbol| !exported.contains(&symbol.spec_name().to_owned()))
        .filter(|symbol| !symbol.operation.is_operator())
        .map(|symbol| symbol.spec_name())
        .collect();
    assert!(inside.is_empty(), "no library exports {inside:?}");
}

#[test]
fn the_c_plus_plus_runtime_s_own_library_exports_no_symbol() {
    let platform = windows();
    for (compiler, abi_name) in compilers("exports of vcruntime140") {
        let Some(archive) = import_library(compiler, "vcruntime140_app") else {
            panic!("{compiler} has no import library for vcruntime140")
        };
        let ours = platform.names(abi(&platform, abi_name));
        let exports = archive.dll_exports();
        assert!(exports.contains("_CxxThrowException") || exports.contains("_CxxThrowException@8"));
        let named: Vec<_> = ours.iter().filter(|name| exports.contains(name.as_str())).collect();
        assert!(named.is_empty(), "vcruntime140 exports {named:?}");
    }
}

#[test]
fn what_is_absent_is_exported_by_no_library() {
    let platform = windows();
    let absent: BTreeSet<_> = platform
        .omissions
        .iter()
        .filter(|omission| omission.reason == alloc8_gen::spec::Reason::Absent)
        .map(|omission| omission.name.as_str())
        .collect();
    for (compiler, _) in compilers("absent names") {
        for (_, library) in IMPORT_LIBRARIES {
            let Some(archive) = import_library(compiler, library) else { continue };
            let there: Vec<_> =
                archive.dll_exports().into_iter().filter(|name| absent.contains(name)).collect();
            assert!(there.is_empty(), "{library} by {compiler} exports {there:?}");
        }
    }
}

//! Whether preloading a library would take effect in a program, or why not.
//!
//! Pure: from what was read of both. Every refusal here is something that the dynamic linker passes
//! over with at most a line on standard error (ld.so(8)).

use crate::{
    artifact::{
        SharedObject,
        program::{ElfProgram, Libc, Linkage},
    },
    diagnostic::Diagnostic,
    spec::{Abi, Platform},
};

pub mod darwin;

/// Judges a program; errors mean that nothing would take effect.
pub fn judge(
    name: &str,
    program: &ElfProgram,
    library: &SharedObject,
    platform: &Platform,
    abi: &Abi,
) -> Vec<Diagnostic> {
    let parts = [
        linkage(name, program),
        privileges(name, program),
        other_machine(name, program, library),
        other_c_library(name, program, platform),
        own_heap(name, program, &heap_names(platform, abi)),
    ];
    parts.into_iter().flatten().collect()
}

fn refused(code: &'static str, message: String, fact: &str, help: &str) -> Option<Diagnostic> {
    Some(Diagnostic::error(code, message).fact(fact.to_owned()).help(help.to_owned()))
}

fn linkage(name: &str, program: &ElfProgram) -> Option<Diagnostic> {
    match program.linkage {
        Linkage::Dynamic => None,
        Linkage::Static | Linkage::StaticPie => refused(
            "A8651",
            format!("`{name}` is statically linked"),
            "no dynamic linker runs, so nothing can be preloaded",
            "link the allocator into the program itself",
        ),
        Linkage::Library => refused(
            "A8652",
            format!("`{name}` is a library, not a program"),
            "it names no dynamic linker",
            "name a program that uses it",
        ),
    }
}

fn privileges(name: &str, program: &ElfProgram) -> Option<Diagnostic> {
    if !program.mode.is_privileged() {
        return None;
    }
    refused(
        "A8653",
        format!(
            "`{name}` runs with privileges of its own (set-user-ID, set-group-ID or capabilities)"
        ),
        "the dynamic linker drops preloads for it",
        "run it as the user that owns it, or without the privileges",
    )
}

fn other_machine(name: &str, program: &ElfProgram, library: &SharedObject) -> Option<Diagnostic> {
    if (program.class(), program.machine()) == (library.class, library.machine) {
        return None;
    }
    let (theirs, ours) = (machine(&program.object), machine(library));
    refused(
        "A8654",
        format!("`{name}` is for {theirs} and the library for {ours}"),
        "the dynamic linker ignores a library of another machine",
        "build the library for that machine with `--target`",
    )
}

fn other_c_library(name: &str, program: &ElfProgram, platform: &Platform) -> Option<Diagnostic> {
    let libc = program.libc.filter(|libc| *libc != libc_of(platform))?;
    refused(
        "A8655",
        format!(
            "`{name}` uses another C library ({libc:?}) than the interposer ({})",
            platform.title
        ),
        "its dynamic linker would not find what the library needs, or other names allocate there",
        "name the program's platform with `--platform`",
    )
}

fn own_heap(name: &str, program: &ElfProgram, names: &[String]) -> Option<Diagnostic> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let own = program.exports(&names);
    if own.contains(&names[0]) {
        return refused(
            "A8656",
            format!("`{name}` exports its own {}", own.join(", ")),
            "the program comes first in every look-up: its own wins over any preload, in all its libraries",
            "build the program without its own allocator",
        );
    }
    program.hides(&names).filter(|hidden| hidden.contains(&names[0]))?;
    refused(
        "A8657",
        format!("`{name}` has a {} of its own that it does not export", names[0]),
        "its calls are bound at link time and never reach the dynamic linker",
        "build the program without its own allocator",
    )
}

/// What a program means for the interposer though it does not prevent it.
pub fn remarks(
    name: &str,
    program: &ElfProgram,
    others: &[(String, SharedObject)],
    platform: &Platform,
    abi: &Abi,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let names = heap_names(platform, abi);
    for (library, object) in others {
        let is_libc = object.soname.as_deref().is_some_and(|s| platform.runtime.is_libc(s));
        if !is_libc && object.export(&names[0]).is_some() {
            found.push(
                Diagnostic::note(
                    "A8658",
                    format!("`{name}` needs `{library}`, which brings an allocator of its own"),
                )
                .fact("the preload comes before it, and wins".to_owned()),
            );
        }
    }
    if program.opens_libraries() {
        found.push(
            Diagnostic::note("A8659", format!("`{name}` opens libraries itself"))
                .fact("one that is opened with RTLD_DEEPBIND, or with dlmopen, looks into the C library first and passes the preload over")
                .fact("a description that says `deepbind = \"drop\"` has RTLD_DEEPBIND ignored"),
        );
    }
    found
}

/// The names of the platform's first allocating function and its fellows, that one first.
fn heap_names(platform: &Platform, abi: &Abi) -> Vec<String> {
    platform
        .symbols_of(abi)
        .filter(|s| s.operation.effect().touches_blocks() && !s.operation.is_operator())
        .map(|s| s.name(abi))
        .collect()
}

fn libc_of(platform: &Platform) -> Libc {
    match platform.name.as_str() {
        "linux" => Libc::Glibc,
        "freebsd" => Libc::FreeBsd,
        "linux-musl" => Libc::Musl,
        "android" => Libc::Bionic,
        _ => Libc::Unknown,
    }
}

fn machine(object: &SharedObject) -> String {
    format!("{}, {} bits", object.machine, object.class.pointer_size() * 8)
}

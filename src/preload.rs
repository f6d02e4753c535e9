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
    let mut found = Vec::new();
    let mut refuse = |code, message: String, fact: &str, help: &str| {
        found.push(Diagnostic::error(code, message).fact(fact.to_owned()).help(help.to_owned()));
    };
    match program.linkage {
        Linkage::Dynamic => {}
        Linkage::Static | Linkage::StaticPie => refuse(
            "A8651",
            format!("`{name}` is statically linked"),
            "no dynamic linker runs, so nothing can be preloaded",
            "link the allocator into the program itself",
        ),
        Linkage::Library => refuse(
            "A8652",
            format!("`{name}` is a library, not a program"),
            "it names no dynamic linker",
            "name a program that uses it",
        ),
    }
    if program.mode.is_privileged() {
        refuse(
            "A8653",
            format!(
                "`{name}` runs with privileges of its own (set-user-ID, set-group-ID or capabilities)"
            ),
            "the dynamic linker drops preloads for it",
            "run it as the user that owns it, or without the privileges",
        );
    }
    if (program.class(), program.machine()) != (library.class, library.machine) {
        refuse(
            "A8654",
            format!(
                "`{name}` is for {} and the library for {}",
                machine(&program.object),
                machine(library)
            ),
            "the dynamic linker ignores a library of another machine",
            "build the library for that machine with `--target`",
        );
    }
    if let Some(libc) = program.libc.filter(|libc| *libc != libc_of(platform)) {
        refuse(
            "A8655",
            format!(
                "`{name}` uses another C library ({libc:?}) than the interposer ({})",
                platform.title
            ),
            "its dynamic linker would not find what the library needs, or other names allocate there",
            "name the program's platform with `--platform`",
        );
    }
    let names = heap_names(platform, abi);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let own = program.exports(&names);
    if own.contains(&names[0]) {
        refuse(
            "A8656",
            format!("`{name}` exports its own {}", own.join(", ")),
            "the program comes first in every look-up: its own wins over any preload, in all its libraries",
            "build the program without its own allocator",
        );
    } else if program.hides(&names).is_some_and(|hidden| hidden.contains(&names[0])) {
        refuse(
            "A8657",
            format!("`{name}` has a {} of its own that it does not export", names[0]),
            "its calls are bound at link time and never reach the dynamic linker",
            "build the program without its own allocator",
        );
    }
    found
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

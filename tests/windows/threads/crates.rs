//! Threads that a heap in Rust is told of, in a library that a crate makes.

use std::fs;

use super::{super::crates::Crate, Cpu, Crt, Place, Wine, X64, X86, common, description};

/// A crate's library: over the functions of an archive, or over a type.
fn told_by_a_crate(
    cpu: Cpu,
    hook: &'static str,
    policy: &'static str,
    typed: bool,
    crt: Crt,
    early: bool,
) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    let place = Place::new(cpu, policy);
    let description = description(policy, place.folder.path());
    let mut objects = cpu.aware();
    objects.push("-lmsvcrt".into()); // they call memset, and come after what rustc links with
    let mut options = vec!["--crate-type", "cdylib", "--check-cfg=cfg(typed)"];
    if typed {
        let text = fs::read_to_string(&description).unwrap();
        let kept = |line: &&str| !line.starts_with("thread_created") && !line.starts_with("export");
        let text: Vec<_> = text.lines().filter(kept).collect();
        let text = text.join("\n").replace("\"aware_", "\"").replace("bool aware_", "bool ");
        fs::write(&description, text.replacen("malloc ", "rust = \"crate::Aware\"\nmalloc ", 1))
            .unwrap();
        objects[0] = cpu.aware_with("aware-inner", &["-Daware_count=inner_count"]);
        options.extend(["--cfg", "typed"]);
    }
    let made = Crate { text: "aware_crate.rs", description, objects, options: &options };
    let Some(library) = made.made(cpu, hook, "hooks.dll") else { return };
    fs::copy(library.path("hooks.dll"), place.path("hooks.dll")).unwrap();
    match early {
        true => place.early(wine, crt),
        false => place.late(wine, crt),
    }
}

#[test]
fn threads_are_told_to_a_heap_behind_a_crate() {
    told_by_a_crate(X64, "minhook", "required", false, Crt::Msvcrt, false);
    told_by_a_crate(X64, "iat", "required", true, Crt::Msvcrt, true);
    told_by_a_crate(X64, "minhook", "advisory", true, Crt::Ucrt, false);
    if common::everything() {
        told_by_a_crate(X64, "detours", "required", true, Crt::Msvcrt, false);
        told_by_a_crate(X64, "iat", "advisory", false, Crt::Msvcrt, true);
        told_by_a_crate(X86, "minhook", "required", true, Crt::Msvcrt, false);
    }
}

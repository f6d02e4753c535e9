//! Dylibs for macOS: by Apple's compiler on a Mac, by zig elsewhere, or by clang and lld, which need a
//! list of what the system's libraries have.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::{Compiler, HOST, Recipe, cross::in_path};
use crate::{
    artifact::is_cxx_runtime,
    diagnostic::{Diagnostic, Result},
    spec::{Library, Platform},
};

/// The oldest system that a shim is for, as `[base]` of `specs/platforms/macos.toml` has it.
pub const LEAST_SYSTEM: &str = "11.0";

/// What stands for both of its processors, one library in two slices.
pub const UNIVERSAL: &str = "universal2-apple-darwin";
const BOTH: [&str; 2] = ["x86_64-apple-darwin", "aarch64-apple-darwin"];

/// The targets that a name stands for: both processors', or itself.
pub fn slices(target: &str) -> Vec<String> {
    let both = ["universal2-apple-darwin", "universal-apple-darwin"].contains(&target);
    if both { BOTH.map(str::to_owned).to_vec() } else { vec![target.to_owned()] }
}

impl Compiler {
    /// Whether it compiles for macOS.
    pub fn is_for_darwin(&self) -> bool {
        ["darwin", "macos"].iter().any(|word| self.target.contains(word))
    }

    /// What keeps the host's own headers out of a shim, which needs none: their `uintptr_t` would have 32
    /// bits.
    pub(crate) fn alone(&self) -> &'static [&'static str] {
        if self.knows_the_system() { &[] } else { &["-ffreestanding", "-nostdlibinc"] }
    }

    /// Whether its linker finds what the system's libraries have: Apple's has an SDK, zig a list.
    fn knows_the_system(&self) -> bool {
        self.zig().is_some() || HOST.contains("apple")
    }
}

/// LLVM's linker for Mach-O, under its plain name or the newest of a distribution's.
pub(super) fn linker() -> Option<PathBuf> {
    let versions = (13..=30).rev().map(|version| format!("ld64.lld-{version}"));
    std::iter::once("ld64.lld".to_owned()).chain(versions).find_map(|name| in_path(&name))
}

/// Links a shim and an allocator into a dylib. Its tuples name the allocator's functions themselves, so
/// that nothing is to be bound by the linker.
///
/// # Errors
/// `A8402` with what the linker said, `A8302` if the list of imports cannot be written.
pub fn link_dylib(
    compiler: &Compiler,
    recipe: &Recipe,
    imports: &BTreeSet<String>,
    platform: &Platform,
    library: &Path,
) -> Result<()> {
    let mut arguments: Vec<OsString> = vec!["-dynamiclib".into(), "-install_name".into()];
    arguments.push(format!("@rpath/{}", recipe.soname).into());
    arguments.extend(["-o".into(), library.into(), recipe.shim.clone().into()]);
    arguments.extend(pulls(recipe));
    arguments.extend(recipe.archives.iter().map(OsString::from));
    let (cxx, system): (Vec<&str>, Vec<&str>) =
        imports.iter().map(String::as_str).partition(|name| is_of_cxx(name));
    if compiler.knows_the_system() {
        let libs = recipe.libs.iter().filter(|lib| !["c++", "c++abi", "stdc++"].contains(&&***lib));
        arguments.extend(libs.map(|lib| OsString::from(format!("-l{lib}"))));
    } else {
        let linker = linker().unwrap_or_else(|| PathBuf::from("ld64.lld"));
        arguments.push("-nostdlib".into());
        // The linker's version decides by which options clang tells it of the least system.
        arguments.push("-mlinker-version=520".into());
        arguments.push(format!("--ld-path={}", linker.display()).into());
        arguments.push(
            stub(recipe, &platform.runtime.libc, &[&system[..], &["dyld_stub_binder"]].concat())?
                .into(),
        );
    }
    match () {
        () if cxx.is_empty() => {}
        // Zig would link a C++ runtime of its own into the library.
        () if compiler.zig().is_some() || !compiler.knows_the_system() => {
            arguments.push(stub(recipe, with_operators(platform), &cxx)?.into());
        }
        () => arguments.push("-lc++".into()),
    }
    compiler.run(&arguments, &format!("linking `{}`", recipe.soname))
}

/// Joins a shim and an allocator into one object, as [`super::join`] does elsewhere.
///
/// # Errors
/// `A8202` where the linker joins no objects, `A8402` with what it said.
pub(crate) fn join_for_darwin(compiler: &Compiler, recipe: &Recipe, object: &Path) -> Result<()> {
    if !compiler.knows_the_system() {
        let message = "LLVM's linker does not join objects for macOS (`-r`)";
        return Err(Diagnostic::error("A8202", message)
            .help("take zig (`pip install ziglang`), or Apple's compiler on a Mac")
            .into());
    }
    let mut arguments: Vec<OsString> = vec!["-r".into()];
    if compiler.zig().is_none() {
        arguments.push("-nostdlib".into());
    }
    arguments.extend(["-o".into(), object.into(), recipe.shim.clone().into()]);
    arguments.extend(pulls(recipe));
    arguments.extend(recipe.archives.iter().map(OsString::from));
    compiler.run(&arguments, "joining the shim and the allocator (ld -r)")
}

/// What is wanted of the archives though nothing refers to it.
fn pulls(recipe: &Recipe) -> Vec<OsString> {
    let words = |name: &String| ["-Xlinker", "-u", "-Xlinker", &format!("_{name}")].map(Into::into);
    recipe.pull.iter().flat_map(words).collect()
}

/// Whether libc++ has it, or the library of its runtime that it brings along: the unwinder is the system's.
pub(crate) fn is_of_cxx(name: &str) -> bool {
    is_cxx_runtime(name) && !name.starts_with("_Unwind_")
}

/// The library of the C++ runtime: the one that exports operators.
fn with_operators(platform: &Platform) -> &str {
    let has = |library: &&Library| library.symbols.iter().any(|name| name.starts_with("_Zn"));
    platform.libraries.iter().find(has).map_or("", |library| &library.file)
}

/// A text-based stub of one of the system's libraries with what the link wants of it, and no more
/// (`tapi-tbd` version 4). No name is a weak one: that would be looked for in the program first.
fn stub(recipe: &Recipe, library: &str, names: &[&str]) -> Result<PathBuf> {
    let stem = Path::new(library).file_name().unwrap_or_default();
    let file = recipe.work.join(stem).with_extension("tbd");
    let targets = "[ x86_64-macos, arm64-macos ]";
    let symbol = |name: &&str| match *name {
        "dyld_stub_binder" => name.to_string(),
        name => format!("'_{name}'"),
    };
    // Zig's reader takes no comma after the last.
    let names: Vec<_> = names.iter().map(symbol).collect();
    let text = format!(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: {targets}\ninstall-name: '{library}'\n\
         exports:\n  - targets: {targets}\n    symbols: [ {} ]\n...\n",
        names.join(",\n      ")
    );
    fs::write(&file, text).map_err(|error| {
        Diagnostic::error("A8302", format!("could not write `{}`: {error}", file.display()))
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_system_is_that_of_the_spec() {
        let macos = crate::spec::platform("macos").expect("a spec");
        assert!(macos.base.values().all(|base| *base == format!("macOS {LEAST_SYSTEM}")));
    }

    #[test]
    fn the_libraries_that_are_linked_are_those_of_the_spec() {
        let macos = crate::spec::platform("macos").expect("a spec");
        assert_eq!(with_operators(&macos), "/usr/lib/libc++.1.dylib");
        assert!(macos.libraries.iter().any(|library| library.file == macos.runtime.libc));
    }

    #[test]
    fn a_universal_target_stands_for_two() {
        assert_eq!(slices(UNIVERSAL), BOTH);
        assert_eq!(slices("aarch64-apple-darwin"), ["aarch64-apple-darwin"]);
    }
}

//! `--hook redirect` in a crate: its `cdylib` is the heap, and the hooks are a library that its build script links.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Result},
    interposer::{import_library_name, system},
    spec::Hooks,
    toolchain::{Compiler, Dll, link_dll, make_folder},
};

/// Links the hooks into `NAME-hooks.dll`, and has cargo make it the first import of what the crate is linked into.
///
/// # Errors
/// `A8253` for a linker that was never seen to keep an order of imports, `A8401` without a compiler, `A8402` if the
/// hooks do not link, `A8302` if the library cannot be put beside the crate's own.
pub(super) fn link(name: &str, objects: Vec<PathBuf>, folder: &Path, hooks: &Hooks) -> Result<()> {
    let target = env::var("TARGET").unwrap_or_default();
    let compiler = Compiler::find(None, Some(&target))?;
    if compiler.is_msvc() {
        let message = "`--hook redirect` in a crate is for GNU's linker";
        return Err(Diagnostic::error("A8253", message)
            .fact("it sorts imports, so that the hooks come before every C library; of Microsoft's this was never seen")
            .help("build for x86_64-pc-windows-gnu, whose libraries hook programs of either, or take `iat`")
            .into());
    }
    let file = format!("{name}-hooks.dll");
    let dll = Dll { objects, system: system(hooks), work: folder.to_owned(), ..Dll::default() };
    // GNU's linker takes a library for its own import library, too: nobody else has cargo look there.
    let hooked = folder.join("hooks");
    make_folder(&hooked)?;
    let library = hooked.join(&file);
    link_dll(&compiler, &dll, &library, &hooked.join(import_library_name(&compiler, &file)))?;
    if let Some(own) = beside_the_crate(folder) {
        let copy = own.join(&file);
        fs::copy(&library, &copy).map_err(|error| {
            let message = format!("could not write `{}`: {error}", copy.display());
            Diagnostic::error("A8302", message)
        })?;
    }
    println!("cargo::rustc-link-search=native={}", first(&hooked).display());
    println!("cargo::rustc-link-lib=dylib={name}-hooks");
    Ok(())
}

/// GNU's linker sorts imports by the paths of their libraries: above the root is the root again, and `..` comes before
/// all names.
fn first(folder: &Path) -> PathBuf {
    let root = folder.ancestors().last().unwrap_or(folder);
    root.join("..").join(folder.strip_prefix(root).unwrap_or(folder))
}

/// Where cargo puts the crate's library, if it has its usual folders: `PROFILE/build/PACKAGE-HASH/out`.
fn beside_the_crate(folder: &Path) -> Option<&Path> {
    let build = folder.ancestors().find(|f| f.file_name().is_some_and(|name| name == "build"))?;
    build.parent().filter(|profile| profile.join("deps").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_folder_by_way_of_the_root_is_the_same_and_comes_first() {
        let here = env::current_dir().unwrap();
        assert_eq!(first(&here).canonicalize().unwrap(), here.canonicalize().unwrap());
        for other in ["/tmp/rustc", "/usr/lib", "/0", "/A"] {
            assert!(first(Path::new("/work")).as_os_str() < std::ffi::OsStr::new(other));
        }
    }
}

//! The program that starts another one on Windows with a library as its first import, and under Wine too.

use std::path::{Path, PathBuf};

use super::{Work, key, rename, write};
use crate::{
    diagnostic::{Diagnostic, Result},
    embedded,
    toolchain::{Compiler, make_folder},
};

/// Its source; what it is to be told and what it says stands there.
const SOURCE: &str = "templates/pe/launch.c";

/// Compiles it for the compiler's CPU, or takes it from the cache.
///
/// # Errors
/// `A8402` if it cannot be compiled, `A8682` for a compiler without Windows' headers; `A8301` and `A8302` if
/// the cache cannot be written.
pub fn launcher(compiler: &Compiler, cache: &Path) -> Result<PathBuf> {
    if compiler.is_msvc() {
        return Err(Diagnostic::error("A8682", "the launcher is compiled by GNU's tools alone")
            .fact(format!("`{}` compiles for {}", compiler.name(), compiler.target))
            .help("leave out `--cc`, or name MinGW's gcc or zig; the library may be of either ABI (`--preload`)")
            .into());
    }
    let text = embedded::text(SOURCE).unwrap_or_default();
    let parts = [text.as_str(), &compiler.name(), &compiler.target, compiler.version()];
    let folder = cache.join("launchers").join(key(&parts.map(str::as_bytes)));
    let launcher = folder.join("launch.exe");
    if launcher.is_file() {
        return Ok(launcher);
    }
    make_folder(&folder)?;
    let work = Work::new(cache)?;
    let (source, made) = (work.path.join("launch.c"), work.path.join("launch.exe"));
    write(&source, text.as_bytes())?;
    let words = ["-std=c11".as_ref(), "-O2".as_ref(), "-s".as_ref(), "-o".as_ref()];
    let files = [made.as_os_str(), source.as_os_str()];
    compiler.run(&[&words[..], &files[..]].concat(), "compiling the launcher")?;
    rename(&made, &launcher)?;
    Ok(launcher)
}

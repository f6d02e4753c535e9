//! What a compiler said of itself, kept beside what it made: the same file is not asked again.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use sha2::{Digest, Sha256};

use super::{Compiler, cross::in_path, make_folder};

/// Variables that make of the same file another compiler.
const OTHERWISE: [&str; 4] =
    ["CCC_OVERRIDE_OPTIONS", "COMPILER_PATH", "GCC_EXEC_PREFIX", "QA_OVERRIDE_GCC3_OPTIONS"];

/// What it answered to `--version` when it was asked last; `None` if it must be asked.
pub(super) fn version(compiler: &Compiler, cache: &Path) -> Option<String> {
    let version = fs::read_to_string(place(compiler, cache)?).ok()?;
    (!version.is_empty()).then_some(version)
}

/// Keeps the answer of a compiler that compiles for its target. A cache that cannot be written is no error.
pub(super) fn keep(compiler: &Compiler, cache: &Path) {
    let Some(place) = place(compiler, cache) else { return };
    let Some(folder) = place.parent() else { return };
    // Two runs at once may write the same file: each writes its own and renames it into place.
    let own = place.with_extension(format!("{}.tmp", std::process::id()));
    if make_folder(folder).is_err()
        || fs::write(&own, &compiler.version).is_err()
        || fs::rename(&own, &place).is_err()
    {
        let _ = fs::remove_file(&own);
    }
}

/// Where its answer is kept: under the file that is started, and how; `None` if that does not tell who compiles.
fn place(compiler: &Compiler, cache: &Path) -> Option<PathBuf> {
    let (program, words) = compiler.command.split_first()?;
    let is_option = |word: &OsStr| word.as_encoded_bytes().starts_with(b"-");
    if !words.iter().all(|word| is_option(word))
        || OTHERWISE.iter().any(|name| env::var_os(name).is_some())
    {
        return None;
    }
    let file = driver(program)?;
    let about = file.metadata().ok()?;
    let modified = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let key = format!(
        "{}\n{}\n{}\n{}\n{modified}",
        compiler.name(),
        compiler.target,
        file.display(),
        about.len()
    );
    let key: String = Sha256::digest(key)[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(cache.join("compilers").join(key))
}

/// The file of a program that compiles by itself. A script, or what caches or distributes compilations, finds
/// its compiler anew each time.
fn driver(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    let found = match path.components().count() {
        1 => in_path(path.to_str()?)?,
        _ => path.to_owned(),
    };
    let file = found.canonicalize().ok()?;
    let name = file.file_name()?.to_string_lossy();
    let mut start = [0; 4];
    File::open(&file).ok()?.read_exact(&mut start).ok()?;
    let compiles = name.contains("gcc") || name.contains("clang");
    (compiles && start == *b"\x7fELF").then_some(file)
}

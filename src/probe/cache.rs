//! Measurements of an archive are kept by its hash: a second build runs no case.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use super::{Measurements, can_run, measure_with, program};
use crate::{
    allocator::{Allocator, ThreadPolicy},
    diagnostic::{Report, Result},
    hide::Hidden,
    toolchain::{Compiler, Runner, make_folder},
};

/// As [`super::measure`], but looks into `cache` first and leaves the answer there: only a look that
/// finds nothing makes the copies; `None` if the
/// compiler's target cannot be run here, or the emulator for it runs nothing: then promises are promised, not measured.
///
/// # Errors
/// As [`super::measure`] and [`Hidden::make`], and `A8304` if an archive cannot be read. A cache that cannot be written
/// is no error.
pub fn measure_cached(
    compiler: &Compiler,
    allocator: &Allocator,
    archives: &Hidden,
    work: &Path,
    cache: &Path,
) -> Result<Option<Measurements>> {
    if !can_run(compiler) {
        return Ok(None);
    }
    let sources = program::render(allocator)?;
    let kept = cache.join(format!("probe-{}.json", key(compiler, allocator, archives, &sources)?));
    if let Some(found) = fs::read(&kept).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    {
        return Ok(Some(found));
    }
    archives.make(compiler)?;
    let program = program::compile(compiler, allocator, &archives.archives, work, &sources)?;
    match measure_with(compiler, allocator, &program, work) {
        // An emulator that runs nothing says nothing of a heap, and may be well the next time.
        Err(report) if emulated(compiler) && has_not_started(&report) => Ok(None),
        measured => {
            let measured = measured?;
            keep(&kept, &measured);
            Ok(Some(measured))
        }
    }
}

fn emulated(compiler: &Compiler) -> bool {
    Runner::of(&compiler.target).is_some_and(|runner| runner.emulates())
}

fn has_not_started(report: &Report) -> bool {
    report.diagnostics.iter().any(|diagnostic| diagnostic.code == "A8403")
}

/// Everything that decides what is measured.
fn key(
    compiler: &Compiler,
    allocator: &Allocator,
    archives: &Hidden,
    sources: &program::Sources,
) -> Result<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    add(compiler.name().as_bytes());
    add(compiler.version().as_bytes());
    for (name, text) in sources {
        add(name.as_bytes());
        add(text.as_bytes());
    }
    for lib in &allocator.libs {
        add(lib.as_bytes());
    }
    // An emulator leaves questions open.
    add(Runner::of(&compiler.target).unwrap_or_default().name().as_bytes());
    // These decide which cases run.
    add(&[u8::from(allocator.thread_policy == ThreadPolicy::Required)]);
    add(super::stated_size(allocator).unwrap_or(0).to_string().as_bytes());
    for part in archives.key()? {
        add(&part);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Two builds at once may write the same file: each writes its own and renames it into place.
fn keep(path: &Path, measured: &Measurements) {
    let Some(folder) = path.parent() else { return };
    let Ok(bytes) = serde_json::to_vec_pretty(measured) else { return };
    let own = path.with_extension(format!("{}.tmp", std::process::id()));
    if make_folder(folder).is_err()
        || fs::write(&own, bytes).is_err()
        || fs::rename(&own, path).is_err()
    {
        let _ = fs::remove_file(&own);
    }
}

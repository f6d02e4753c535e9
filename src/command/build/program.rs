//! `build --mode static`: an object that programs carry, an archive around it, and the arguments by
//! which they are linked with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::Allocator,
    carry,
    diagnostic::{Diagnostic, Result},
    file,
    interposer::Order,
    spec::Platform,
    toolchain::Compiler,
};
use serde_json::json;

use super::{cache, depend, place, place_archive};
use crate::{
    cli::Build,
    command::{DONE, Show},
};

pub(super) fn build(
    options: &Build,
    platform: &Platform,
    allocator: &Allocator,
    lang: &str,
    compiler: &Compiler,
    show: &Show,
) -> Result<u8> {
    let stem = stem(options, allocator);
    let [object, archive] = match compiler.is_msvc() {
        true => ["obj", "lib"],
        false => ["o", "a"],
    }
    .map(|extension| with(&stem, extension));
    let arguments = with(&stem, "args");
    let soname = object.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let order = Order {
        platform,
        allocator,
        lang,
        libs: &options.archive.lib,
        compiler,
        cache: &cache(),
        soname: &soname,
        hook: None,
    };
    let built = carry::build(&order)?;
    show.diagnostics(&built.remarks);
    place(&built.object, &object)?;
    place_archive(compiler, &object, &archive)?;
    write(&arguments, &carry::arguments(&object, &built.options))?;
    depend(options, allocator, &object, &built.archives)?;
    let defined = built.plan.defined().count();
    let direct = built.plan.direct().count();
    for seen in &built.seen {
        show.detail(&format!("a program, {}: {}", seen.form, seen.what));
    }
    let linked = built.seen.iter().filter(|seen| seen.linked).count();
    let text = format!(
        "built {}, {} and {}: {defined} symbols defined, {direct} of them directly; {linked} of {} forms of program use them",
        object.display(),
        archive.display(),
        arguments.display(),
        built.seen.len(),
    );
    show.result(&text, || {
        let programs: Vec<_> = built
            .seen
            .iter()
            .map(|s| json!({ "form": s.form, "linked": s.linked, "seen": s.what }))
            .collect();
        json!({
            "reason": "built", "object": object, "archive": archive, "arguments": arguments,
            "platform": platform.name, "abi": built.abi.name, "allocator": allocator.name,
            "defined": defined, "direct": direct, "programs": programs,
        })
    });
    Ok(DONE)
}

/// What the three files' names begin with: that of `-o`, whichever of the three it names.
pub(super) fn stem(options: &Build, allocator: &Allocator) -> PathBuf {
    let Some(output) = &options.output else {
        return PathBuf::from(format!("{}-alloc8", allocator.name));
    };
    let known = |extension: &std::ffi::OsStr| {
        ["o", "a", "obj", "lib", "args"].iter().any(|e| extension == *e)
    };
    match output.extension() {
        Some(extension) if known(extension) => output.with_extension(""),
        _ => output.clone(),
    }
}

pub(super) fn with(stem: &Path, extension: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if file::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(|error| {
        Diagnostic::error("A8302", format!("could not write `{}`: {error}", path.display()))
            .help("make its folder first, or name another file with `-o FILE`")
            .into()
    })
}

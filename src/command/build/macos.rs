//! `build -p macos`: a dylib for one processor, or one with a slice for each.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::Allocator,
    artifact::join_slices,
    diagnostic::{Diagnostic, Report, Result},
    interposer::{self, Interposer, Order},
    spec::{self, Platform},
    toolchain::{Compiler, HOST, UNIVERSAL, slices},
};
use serde_json::json;

use super::{cache, depend, place};
use crate::{
    cli::Build,
    command::{DONE, Show, platform_of, verify::read},
};

mod carried;

/// macOS, if that is what is built for: `-p macos`, a target of it, or a Mac.
pub(super) fn platform(options: &Build) -> Result<Option<Platform>> {
    let named = options.configuration.platform.as_slice();
    let targets = options.target.as_deref().map(slices).unwrap_or_default();
    let of_target = || targets.first().map_or(HOST, String::as_str);
    match named {
        [name] if name == "macos" => spec::platform(name).map(Some),
        [] if of_target().contains("apple") => platform_of(of_target()).map(Some),
        _ => Ok(None),
    }
}

pub(super) fn build(
    options: &Build,
    platform: &Platform,
    allocator: &Allocator,
    lang: &str,
    mode: &str,
    show: &Show,
) -> Result<u8> {
    let own = if HOST.contains("apple-darwin") { HOST } else { UNIVERSAL };
    let targets = slices(options.target.as_deref().unwrap_or(own));
    if targets.len() > 1 && options.archive.cc.is_some() {
        return Err(Diagnostic::error(
            "A8914",
            "`--cc` names a compiler for one target, and two are to be built for",
        )
        .help("name the target too (`--target aarch64-apple-darwin`), or leave out `--cc`")
        .into());
    }
    let find = |target: &String| Compiler::find(options.archive.cc.as_deref(), Some(target));
    let compilers: Vec<Compiler> = targets.iter().map(find).collect::<Result<_>>()?;
    match mode {
        "static" => return carried::program(options, platform, allocator, &compilers, show),
        "prefixed" => return carried::prefixed(options, platform, allocator, &compilers, show),
        _ => {}
    }
    let output = options
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("lib{}-alloc8.dylib", allocator.name)));
    let soname = output.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut built: Vec<Interposer> = Vec::new();
    for compiler in &compilers {
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
        built.push(interposer::build(&order)?);
    }
    remark(built.iter().map(|slice| slice.remarks.as_slice()), show);
    let files: Vec<_> = built.iter().map(|slice| slice.library.as_path()).collect();
    put(&files, &output)?;
    depend(options, allocator, &output, &built[0].inputs)?;
    tell(platform, allocator, &built, &output, show);
    Ok(DONE)
}

/// What holds for both slices is said once.
fn remark<'a>(all: impl Iterator<Item = &'a [Diagnostic]>, show: &Show) {
    let mut told = BTreeSet::new();
    let mut remarks: Vec<Diagnostic> = all.flatten().cloned().collect();
    remarks.retain(|remark| told.insert((remark.code, remark.message.clone())));
    show.diagnostics(&remarks);
}

/// Puts what was made for one processor, or for each, into one file.
fn put(made: &[&Path], output: &Path) -> Result<()> {
    let [slice] = made else {
        let slices: Vec<_> = made.iter().map(|file| read(file)).collect::<Result<_>>()?;
        let whole = join_slices(&slices).map_err(|error| {
            Report::from(Diagnostic::error(
                "A8511",
                format!("the slices cannot be joined: {error}"),
            ))
        })?;
        // The slices lie in the cache, where another build may be at work on the same.
        let joined = made[0].with_extension(format!("{}.universal", std::process::id()));
        let written = fs::write(&joined, whole).map_err(|error| {
            let message = format!("could not write `{}`: {error}", joined.display());
            Report::from(Diagnostic::error("A8302", message))
        });
        let done = written.and_then(|()| place(&joined, output));
        let _ = fs::remove_file(&joined);
        return done;
    };
    place(slice, output)
}

fn tell(
    platform: &Platform,
    allocator: &Allocator,
    built: &[Interposer],
    output: &Path,
    show: &Show,
) {
    let first = &built[0];
    let (bound, direct) = (first.verdict.bound(), first.plan.direct().count());
    let slices: Vec<_> = built.iter().filter_map(|b| b.verdict.slice.as_deref()).collect();
    let text = format!(
        "built {} ({}): {bound} symbols bound, {direct} of them directly; never run on a Mac",
        output.display(),
        slices.join(", ")
    );
    show.result(&text, || {
        json!({
            "reason": "built", "library": output, "platform": platform.name,
            "abi": first.verdict.abi, "allocator": allocator.name, "bound": bound, "direct": direct,
            "slices": slices,
        })
    });
}

//! `build`: render, compile, link, verify.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::Allocator,
    carry,
    diagnostic::{Diagnostic, Report, Result},
    file,
    interposer::{self, Order},
    parallel, render,
    spec::Platform,
    toolchain::Compiler,
};
use serde_json::json;

use super::{
    DONE, Show, find_allocator, generate, host_platform, lang_and_mode, one_platform, platform_of,
};
use crate::cli::Build;

mod macos;
mod prefixed;
mod program;

pub(crate) fn build(options: &Build, show: &Show) -> Result<u8> {
    let configuration = &options.configuration;
    super::refuse_unavailable(configuration)?;
    refuse_output(options)?;
    let allocator =
        find_allocator(configuration.allocator.as_deref().unwrap_or("simple_heap"), show)?;
    let (lang, mode) = lang_and_mode(configuration);
    let lang = if configuration.lang.is_none() { allocator.lang().to_owned() } else { lang };
    // A heap in Rust is refused with words of its own.
    if lang == "rust" && allocator.rust.is_none() {
        return Err(Diagnostic::error("A8202", "`build` cannot make language `rust`")
            .help("a library with a shim in Rust is a crate's: see `Generator::rust`")
            .into());
    }
    let has_mode = |platform: &Platform| match render::has_mode(platform, &lang, &mode) {
        true => Ok(()),
        false => Err(render::refuse_mode(&lang, &mode)),
    };
    // macOS has a compiler for each slice.
    if let Some(macos) = macos::platform(options)? {
        super::refuse_hook(configuration.hook, &macos)?;
        has_mode(&macos)?;
        return macos::build(options, &macos, &allocator, &lang, &mode, show);
    }
    // The compiler takes its time to say who it is.
    let cc = options.archive.cc.as_deref();
    let find = |target: Option<&str>| Compiler::find_known(cc, target, &cache());
    let (platform, compiler) =
        parallel::both(|| platform(options), || find(options.target.as_deref()));
    let platform = platform?;
    super::refuse_hook(configuration.hook, &platform)?;
    has_mode(&platform)?;
    let compiler = match interposer::usual_target(&platform).filter(|_| options.target.is_none()) {
        Some(target) => find(Some(&target))?,
        None => compiler?,
    };
    match mode.as_str() {
        "static" => program::build(options, &platform, &allocator, &lang, &compiler, show),
        "prefixed" => prefixed::build(options, &platform, &allocator, &lang, &compiler, show),
        _ => interpose(options, &platform, &allocator, &lang, &compiler, show),
    }
}

/// A library to preload, or on Windows one with hooks.
fn interpose(
    options: &Build,
    platform: &Platform,
    allocator: &Allocator,
    lang: &str,
    compiler: &Compiler,
    show: &Show,
) -> Result<u8> {
    let output = options.output.clone().unwrap_or_else(|| match platform.hooks {
        Some(_) => PathBuf::from(format!("{}-alloc8.dll", allocator.name)),
        None => PathBuf::from(format!("lib{}-alloc8.so", allocator.name)),
    });
    let hook = super::hook(&options.configuration);
    let soname = output.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let order = Order {
        platform,
        allocator,
        lang,
        libs: &options.archive.lib,
        compiler,
        cache: &cache(),
        soname: &soname,
        hook: hook.as_deref(),
    };
    let built = interposer::build(&order)?;
    show.diagnostics(&built.remarks);
    place(&built.library, &output)?;
    for made in &built.beside {
        place(made, &output.with_file_name(made.file_name().unwrap_or_default()))?;
    }
    depend(options, allocator, &output, &built.inputs)?;
    let direct = built.plan.direct().count();
    let bound = built.verdict.bound();
    let text =
        format!("built {}: {bound} symbols bound, {direct} of them directly", output.display());
    show.result(&text, || {
        json!({
            "reason": "built", "library": output, "platform": platform.name,
            "abi": built.verdict.abi, "allocator": allocator.name, "bound": bound, "direct": direct,
        })
    });
    Ok(DONE)
}

/// The one platform that is built for.
fn platform(options: &Build) -> Result<Platform> {
    match (options.configuration.platform.as_slice(), &options.target) {
        ([], None) => host_platform(),
        ([], Some(target)) => platform_of(target),
        ([name], _) => one_platform(name),
        _ => Err(Diagnostic::error("A8910", "`build` makes one library for one platform")
            .help("name one platform")
            .into()),
    }
}

/// Writes the depfile, if one is asked for; what lies in the cache is nobody's input.
fn depend(options: &Build, allocator: &Allocator, output: &Path, from: &[PathBuf]) -> Result<()> {
    let Some(depfile) = &options.depfile else { return Ok(()) };
    let mut inputs = generate::dependencies(allocator);
    inputs.extend(from.iter().filter(|file| !file.starts_with(cache())).cloned());
    generate::write_depfile(depfile, &[output.to_owned()], &inputs)
}

/// Copies what was made out of the cache if its bytes differ; by a rename, so that a running program
/// keeps the old one.
fn place(made: &Path, output: &Path) -> Result<()> {
    let cannot = |error| cannot_write(output, error);
    file::may_be_replaced(output).map_err(cannot)?;
    let bytes = fs::read(made).map_err(cannot)?;
    if file::read(output).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let temporary = output.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let done = fs::copy(made, &temporary).and_then(|_| fs::rename(&temporary, output));
    done.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        cannot(error)
    })
}

/// Puts an object into an archive of its own. It is made in the cache: nobody sees half of one.
fn place_archive(compiler: &Compiler, object: &Path, output: &Path) -> Result<()> {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let made = cache().join(format!("{}.{name}", std::process::id()));
    let done = carry::archive(compiler, object, &made).and_then(|()| place(&made, output));
    let _ = fs::remove_file(&made);
    done
}

/// What could not be written in the end is refused before anything is compiled and measured.
fn refuse_output(options: &Build) -> Result<()> {
    let Some(output) = &options.output else { return Ok(()) };
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    if output.file_name().is_none() {
        return Err(cannot_write(output, io::ErrorKind::IsADirectory.into()));
    }
    if let Some(folder) = folder {
        let found = fs::metadata(folder).map_err(|error| cannot_write(output, error))?;
        if !found.is_dir() {
            return Err(cannot_write(output, io::ErrorKind::NotADirectory.into()));
        }
    }
    // Of `static` the name is the beginning of three.
    match lang_and_mode(&options.configuration).1 == "static" {
        true => Ok(()),
        false => file::may_be_replaced(output).map_err(|error| cannot_write(output, error)),
    }
}

fn cannot_write(output: &Path, error: io::Error) -> Report {
    Diagnostic::error("A8302", format!("could not write `{}`: {error}", output.display()))
        .help("make its folder first, or name another file with `-o FILE`")
        .into()
}

/// Where results are kept: the user's cache folder, Windows' for it, or the system's temporary one.
pub(crate) fn cache() -> PathBuf {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("alloc8-gen")
}

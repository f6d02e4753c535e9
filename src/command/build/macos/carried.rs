//! `build -p macos --mode static` and `--mode prefixed`: what programs are linked with, for one processor
//! or for both.

use std::path::{Path, PathBuf};

use alloc8_gen::{
    allocator::Allocator,
    carry::{self, Form},
    diagnostic::Result,
    interposer::Order,
    render::prefixed::header,
    spec::Platform,
    toolchain::Compiler,
};
use serde_json::json;

use super::{
    super::program::{stem, with, write},
    cache, depend, put, remark,
};
use crate::{
    cli::Build,
    command::{DONE, Show},
};

fn order<'a>(
    options: &'a Build,
    platform: &'a Platform,
    allocator: &'a Allocator,
    compiler: &'a Compiler,
    cache: &'a Path,
    soname: &'a str,
) -> Order<'a> {
    let libs = &options.archive.lib;
    Order { platform, allocator, lang: "c", libs, compiler, cache, soname, hook: None }
}

fn name(output: &Path) -> String {
    output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// An object that puts the heap's zone first, an archive around it, and what a link wants beside it.
pub(super) fn program(
    options: &Build,
    platform: &Platform,
    allocator: &Allocator,
    compilers: &[Compiler],
    show: &Show,
) -> Result<u8> {
    let stem = stem(options, allocator);
    let [object, archive, arguments] = ["o", "a", "args"].map(|extension| with(&stem, extension));
    let (cache, soname) = (cache(), name(&object));
    let mut built = Vec::new();
    for compiler in compilers {
        built.push(carry::build(&order(options, platform, allocator, compiler, &cache, &soname))?);
    }
    remark(built.iter().map(|slice| slice.remarks.as_slice()), show);
    let objects: Vec<_> = built.iter().map(|slice| slice.object.as_path()).collect();
    put(&objects, &object)?;
    put_archives(compilers, &objects, &archive)?;
    let first = &built[0];
    write(&arguments, &carry::arguments(&object, &first.options))?;
    depend(options, allocator, &object, &first.archives)?;
    for (seen, compiler) in
        built.iter().zip(compilers).flat_map(|(b, c)| b.seen.iter().map(move |s| (s, c)))
    {
        show.detail(&format!("a program for {}, {}: {}", compiler.target, seen.form, seen.what));
    }
    let seen: Vec<_> = built.iter().flat_map(|slice| &slice.seen).collect();
    let linked = seen.iter().filter(|seen| seen.linked).count();
    let text = format!(
        "built {}, {} and {}: a zone that stands first; {linked} of {} programs link with it; never run on a Mac",
        object.display(),
        archive.display(),
        arguments.display(),
        seen.len(),
    );
    show.result(&text, || {
        let programs: Vec<_> = seen
            .iter()
            .map(|s| json!({ "form": s.form, "linked": s.linked, "seen": s.what }))
            .collect();
        json!({
            "reason": "built", "object": object, "archive": archive, "arguments": arguments,
            "platform": platform.name, "abi": first.abi.name, "allocator": allocator.name,
            "programs": programs,
        })
    });
    Ok(DONE)
}

/// An archive for each processor, in one file.
fn put_archives(compilers: &[Compiler], objects: &[&Path], archive: &Path) -> Result<()> {
    let mut made: Vec<PathBuf> = Vec::new();
    for (compiler, object) in compilers.iter().zip(objects) {
        let file = object.with_extension(format!("{}.a", std::process::id()));
        carry::archive(compiler, object, &file)?;
        made.push(file);
    }
    let parts: Vec<_> = made.iter().map(PathBuf::as_path).collect();
    let done = put(&parts, archive);
    for file in &made {
        let _ = std::fs::remove_file(file);
    }
    done
}

/// Functions under a prefix: an archive, or a dylib if the output is called so.
pub(super) fn prefixed(
    options: &Build,
    platform: &Platform,
    allocator: &Allocator,
    compilers: &[Compiler],
    show: &Show,
) -> Result<u8> {
    let prefix = options.configuration.prefix.as_deref().unwrap_or_default();
    let bare = prefix.strip_suffix('_').unwrap_or(prefix);
    let output = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("lib{bare}.a")));
    let shared = output.extension().is_some_and(|extension| extension == "dylib");
    let form = if shared { Form::Shared } else { Form::Object };
    let (cache, soname) = (cache(), name(&output));
    let mut built = Vec::new();
    for compiler in compilers {
        let order = order(options, platform, allocator, compiler, &cache, &soname);
        built.push(carry::build_prefixed(&order, prefix, form)?);
    }
    remark(built.iter().map(|slice| slice.remarks.as_slice()), show);
    let files: Vec<_> = built.iter().map(|slice| slice.file.as_path()).collect();
    match form {
        Form::Shared => put(&files, &output)?,
        Form::Object => put_archives(compilers, &files, &output)?,
    }
    let first = &built[0];
    let header = output.parent().unwrap_or(Path::new("")).join(header(bare));
    write(&header, first.header.as_bytes())?;
    depend(options, allocator, &output, &first.archives)?;
    let functions = first.plan.defined().count() + first.plan.copies().len();
    let text = format!(
        "built {} and {}: {functions} functions; never run on a Mac",
        output.display(),
        header.display()
    );
    show.result(&text, || {
        json!({
            "reason": "built", "library": output, "header": header, "platform": platform.name,
            "abi": first.abi.name, "allocator": allocator.name, "prefix": bare,
            "functions": functions, "direct": 0,
        })
    });
    Ok(DONE)
}

//! The archives that are linked: named, embedded, described, or found where the linker looks.

use std::path::{Path, PathBuf};

use super::{Order, Work, key, rename, write};
use crate::{
    allocator::Origin,
    diagnostic::{Diagnostic, Result},
    embedded,
    toolchain::{compile, make_folder},
};

/// `--lib`, the embedded source, the description's own archives, or what is installed.
pub(crate) fn archives(order: &Order<'_>) -> Result<Vec<PathBuf>> {
    let allocator = order.allocator;
    if let Some(why) = allocator.not_built.as_ref().filter(|_| order.libs.is_empty()) {
        return Err(Diagnostic::error(
            "A8602",
            format!("`{}` is described, and was never built: {why}", allocator.name),
        )
        .help("build its static library yourself and name it with `--lib`")
        .into());
    }
    if !order.libs.is_empty() {
        return Ok(order.libs.to_vec());
    }
    if allocator.cpp.is_some() && allocator.archives.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(source) = &allocator.embedded {
        return Ok(vec![embedded_archive(order, source)?]);
    }
    match &allocator.origin {
        Origin::File(description) if !allocator.archives.is_empty() => {
            let folder = description.parent().unwrap_or(Path::new(""));
            Ok(allocator.archives.iter().map(|a| folder.join(a)).collect())
        }
        _ => installed(order),
    }
}

fn embedded_archive(order: &Order<'_>, source: &str) -> Result<PathBuf> {
    let text = embedded::text(source).unwrap_or_default();
    let key =
        key(&[text.as_bytes(), order.compiler.name().as_bytes(), order.compiler.target.as_bytes()]);
    let folder = order.cache.join("objects");
    let object = folder.join(format!("{}-{key}.o", order.allocator.name));
    if object.is_file() {
        return Ok(object);
    }
    make_folder(&folder)?;
    let work = Work::new(order.cache)?;
    let file = work.path.join(format!("{}.c", order.allocator.name));
    write(&file, text.as_bytes())?;
    let made = work.path.join("made.o");
    compile(order.compiler, &file, &made, &[])?;
    rename(&made, &object)?;
    Ok(object)
}

fn installed(order: &Order<'_>) -> Result<Vec<PathBuf>> {
    let allocator = order.allocator;
    let mut names = allocator.installed.libraries.clone();
    if names.is_empty() {
        names = allocator.archives.clone();
    }
    if names.is_empty() {
        names.push(format!("lib{}.a", allocator.name));
    }
    if let Some(found) = names.iter().find_map(|name| order.compiler.library(name)) {
        return Ok(vec![found]);
    }
    if let Some(found) =
        allocator.installed.pkg_config.as_deref().and_then(|module| pkg_config(module, &names))
    {
        return Ok(vec![found]);
    }
    let mut diagnostic = Diagnostic::error(
        "A8603",
        format!("no static library of `{}` is installed", allocator.name),
    )
    .fact(format!("looked for {} where the linker looks", names.join(", ")));
    diagnostic = match &allocator.installed.install {
        Some(line) => diagnostic.help(format!("{line}; or name one with `--lib`")),
        None => diagnostic.help(format!("name it with `--lib path/to/{}`", names[0])),
    };
    Err(diagnostic.into())
}

fn pkg_config(module: &str, names: &[String]) -> Option<PathBuf> {
    let output = std::process::Command::new("pkg-config")
        .args(["--variable=libdir", module])
        .output()
        .ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    names.iter().map(|name| folder.join(name)).find(|path| path.is_absolute() && path.is_file())
}

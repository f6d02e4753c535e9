//! `laws`: render the platform's laws as a conformance program.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    diagnostic::{Diagnostic, Report, Result},
    laws::{MODE, suite},
    output,
    render::{Files, Inputs},
};
use serde_json::json;

use super::{DONE, Show, find_allocator, generate, rendered_platforms, required};
use crate::cli::Generate;

pub(crate) fn laws(options: &Generate, show: &Show) -> Result<u8> {
    let configuration = &options.configuration;
    if configuration.platform.is_empty() {
        required(&None, "--platform", "alloc8-gen laws --platform linux -o laws")?;
    }
    refuse_what_means_nothing(options)?;
    let allocator =
        configuration.allocator.as_deref().map(|given| find_allocator(given, show)).transpose()?;
    let base = match (&options.output, &allocator) {
        (Some(folder), _) => folder.clone(),
        (None, Some(allocator)) => PathBuf::from("generated").join(&allocator.name),
        (None, None) => PathBuf::from("generated"),
    };
    let mut folders: BTreeMap<PathBuf, Files> = BTreeMap::new();
    let mut report = Report::default();
    for mut platform in rendered_platforms(&configuration.platform, "c", show)? {
        generate::narrow(&mut platform, options.target.as_deref())?;
        let folder = base.join(&platform.name).join("laws");
        let inputs = match &allocator {
            Some(allocator) => generate::inputs(&platform, allocator, &folder, "c", MODE)?,
            None => Inputs { mode: MODE.to_owned(), ..Inputs::interposer(&platform.name, "") },
        };
        match suite(&platform, &inputs) {
            Ok(files) => {
                folders.insert(folder, files);
            }
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    let (mut folders, _) = report.finish(folders)?;
    if let Some(only) = &options.only {
        folders = keep_one(folders, only)?;
    }
    if to_stdout(options) {
        let texts = folders.values().flat_map(BTreeMap::values);
        texts.for_each(|text| show.out(text.trim_end_matches('\n')));
        return Ok(DONE);
    }
    let written = output::write(&folders)?;
    tell(&folders, &written, show);
    if let Some(depfile) = &options.depfile {
        let outputs: Vec<_> = files_of(&folders).collect();
        let inputs = allocator.as_ref().map(generate::dependencies).unwrap_or_default();
        generate::write_depfile(depfile, &outputs, &inputs)?;
    }
    Ok(DONE)
}

fn to_stdout(options: &Generate) -> bool {
    options.output.as_deref() == Some(Path::new("-"))
}

/// The laws are the same for every shim.
fn refuse_what_means_nothing(options: &Generate) -> Result<()> {
    let c = &options.configuration;
    let given = [
        (c.lang.is_some(), "--lang"),
        (c.mode.is_some(), "--mode"),
        (c.prefix.is_some(), "--prefix"),
        (c.hook.is_some(), "--hook"),
    ];
    if let Some((_, option)) = given.iter().find(|(given, _)| *given) {
        return Err(Diagnostic::error("A8920", format!("`{option}` means nothing to `laws`"))
            .help("leave it out: the laws of a platform are the same for every shim")
            .into());
    }
    if to_stdout(options) && options.only.is_none() {
        return Err(Diagnostic::error("A8906", "`-o -` needs `--only FILE`")
            .help("name the file that goes to standard output: `--only Makefile`")
            .into());
    }
    Ok(())
}

fn keep_one(folders: BTreeMap<PathBuf, Files>, only: &str) -> Result<BTreeMap<PathBuf, Files>> {
    let mut kept = BTreeMap::new();
    for (folder, mut files) in folders {
        let Some(text) = files.remove(only) else {
            let names: Vec<_> = files.keys().map(String::as_str).collect();
            return Err(Diagnostic::error("A8907", format!("no file `{only}` is rendered"))
                .help(format!("rendered files: {}", names.join(", ")))
                .into());
        };
        kept.insert(folder, Files::from([(only.to_owned(), text)]));
    }
    Ok(kept)
}

fn files_of(folders: &BTreeMap<PathBuf, Files>) -> impl Iterator<Item = PathBuf> {
    folders.iter().flat_map(|(folder, files)| files.keys().map(|name| folder.join(name)))
}

/// A line for each folder, and how to run what is in it; one for each file in JSON.
fn tell(folders: &BTreeMap<PathBuf, Files>, written: &[PathBuf], show: &Show) {
    for file in files_of(folders) {
        let changed = written.contains(&file);
        if show.json() {
            show.result("", || json!({ "reason": "file", "path": file, "changed": changed }));
        } else {
            let word = if changed { "wrote    " } else { "unchanged" };
            show.detail(&format!("{word} {}", file.display()));
        }
    }
    if show.json() {
        return;
    }
    for (folder, files) in folders {
        let changed = files.keys().filter(|name| written.contains(&folder.join(name))).count();
        show.out(&format!("{}: {} files, {changed} written", folder.display(), files.len()));
        let line = format!("make -C {} LIB=/path/to/lib.so", folder.display());
        show.say(&format!("run them with: {line}"));
    }
}

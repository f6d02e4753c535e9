//! `generate`: render and write.

use std::{collections::BTreeMap, path::PathBuf};

use alloc8_gen::{
    allocator::{Allocator, Origin},
    diagnostic::{Diagnostic, Report, Result},
    output, parallel,
    plan::{Plan, remarks_under_a_prefix},
    render::{self, Files, Inputs, marker::folder_name},
    spec::Platform,
};
use serde_json::json;

use super::{DONE, Show, find_allocator, lang_and_mode, rendered_platforms, required};
use crate::cli::Generate;

/// A whole command line.
const LINE: &str = "alloc8-gen --platform linux --allocator simple_heap";

pub(crate) fn generate(options: &Generate, show: &Show) -> Result<u8> {
    let configuration = &options.configuration;
    if configuration.platform.is_empty() {
        required(&None, "--platform", LINE)?;
    }
    super::refuse_unavailable(configuration)?;
    let allocator = find_allocator(required(&configuration.allocator, "--allocator", LINE)?, show)?;
    let (lang, mode) = lang_and_mode(configuration);
    let hook = super::hook(configuration);
    let base = match &options.output {
        Some(folder) if folder.as_os_str() != "-" => folder.clone(),
        _ => PathBuf::from("generated").join(&allocator.name),
    };
    let mut jobs = Vec::new();
    for mut platform in rendered_platforms(&configuration.platform, &lang, show)? {
        narrow(&mut platform, options.target.as_deref())?;
        let folder = base.join(folder_name(&platform.name, &lang, &mode, hook.as_deref()));
        let inputs = Inputs {
            target: options.target.clone(),
            prefix: render::prefixed::given(configuration.prefix.as_deref()),
            hook: hook.clone(),
            ..inputs(&platform, &allocator, &folder, &lang, &mode)?
        };
        jobs.push((platform, folder, inputs));
    }
    let rendered = parallel::each(jobs, |(platform, folder, inputs)| {
        let (plan, mut remarks) = Plan::new(&platform, &allocator)?;
        if inputs.prefix.is_some() {
            remarks = remarks_under_a_prefix(remarks);
        }
        remarks.extend(plan.lost_in_rust().filter(|_| inputs.lang == "rust"));
        Ok((folder, render::render(&plan, &inputs)?, remarks))
    });
    let mut folders: BTreeMap<PathBuf, Files> = BTreeMap::new();
    let mut remarks = Vec::new();
    let mut report = Report::default();
    for rendered in rendered {
        match rendered {
            Ok((folder, files, more)) => {
                // Most are the same on every platform.
                let new: Vec<_> = more.into_iter().filter(|r| !remarks.contains(r)).collect();
                remarks.extend(new);
                folders.insert(folder, files);
            }
            Err(Report { diagnostics }) => report.diagnostics.extend(diagnostics),
        }
    }
    let (folders, _) = report.finish(folders)?;
    show.diagnostics(&remarks);
    if let Some(only) = &options.only {
        return print_one(folders, only, options, show);
    }
    if options.output.as_ref().is_some_and(|o| o.as_os_str() == "-") {
        return Err(Diagnostic::error("A8906", "`-o -` needs `--only FILE`")
            .help("name the file that goes to standard output: `--only shim.c`")
            .into());
    }
    write(&folders, &allocator, options, show)
}

fn write(
    folders: &BTreeMap<PathBuf, Files>,
    allocator: &Allocator,
    options: &Generate,
    show: &Show,
) -> Result<u8> {
    let written = output::write(folders)?;
    for (folder, files) in folders {
        for name in files.keys() {
            let file = folder.join(name);
            let changed = written.contains(&file);
            let line =
                format!("{} {}", if changed { "wrote    " } else { "unchanged" }, file.display());
            if changed || show.json() {
                show.result(
                    &line,
                    || json!({ "reason": "file", "path": file, "changed": changed }),
                );
            } else {
                show.detail(&line);
            }
        }
    }
    if let Some(depfile) = &options.depfile {
        let outputs: Vec<_> = folders
            .iter()
            .flat_map(|(folder, files)| files.keys().map(|name| folder.join(name)))
            .collect();
        write_depfile(depfile, &outputs, &dependencies(allocator))?;
    }
    Ok(DONE)
}

/// Writes a depfile.
pub(crate) fn write_depfile(file: &PathBuf, outputs: &[PathBuf], inputs: &[PathBuf]) -> Result<()> {
    std::fs::write(file, output::depfile(outputs, inputs)).map_err(|error| {
        Diagnostic::error("A8302", format!("could not write `{}`: {error}", file.display()))
            .help("make its folder first, or name another file with `--depfile FILE`")
            .into()
    })
}

/// The files that a rendering depends on.
pub(crate) fn dependencies(allocator: &Allocator) -> Vec<PathBuf> {
    match &allocator.origin {
        Origin::File(path) => vec![path.clone()],
        Origin::BuiltIn | Origin::Convention => Vec::new(),
    }
}

fn print_one(
    folders: BTreeMap<PathBuf, Files>,
    only: &str,
    options: &Generate,
    show: &Show,
) -> Result<u8> {
    let unknown = |known: &Files| {
        let names: Vec<_> = known.keys().map(String::as_str).collect();
        Report::from(
            Diagnostic::error("A8907", format!("no file `{only}` is rendered"))
                .help(format!("rendered files: {}", names.join(", "))),
        )
    };
    let to_stdout = options.output.as_ref().is_some_and(|o| o.as_os_str() == "-");
    let mut narrowed = BTreeMap::new();
    for (folder, files) in folders {
        let text = files.get(only).ok_or_else(|| unknown(&files))?;
        if to_stdout {
            show.out(text.trim_end_matches('\n'));
        }
        narrowed.insert(folder, Files::from([(only.to_owned(), text.clone())]));
    }
    if !to_stdout {
        output::write(&narrowed)?;
    }
    Ok(DONE)
}

/// Keeps the ABI of one target alone.
pub(crate) fn narrow(platform: &mut Platform, target: Option<&str>) -> Result<()> {
    let Some(triple) = target else { return Ok(()) };
    let Some(abi) = platform.abi_of(triple).map(|abi| abi.name.clone()) else {
        let known: Vec<_> = platform
            .abis
            .iter()
            .map(|a| format!("{} ({})", a.name, a.machines.join(", ")))
            .collect();
        return Err(Diagnostic::error(
            "A8908",
            format!("platform `{}` has no ABI for `{triple}`", platform.name),
        )
        .help(format!("its ABIs: {}", known.join("; ")))
        .into());
    };
    platform.narrow(&abi);
    Ok(())
}

/// What the marker of a folder's files says.
pub(crate) fn inputs(
    platform: &Platform,
    allocator: &Allocator,
    folder: &std::path::Path,
    lang: &str,
    mode: &str,
) -> Result<Inputs> {
    let allocator = match &allocator.origin {
        Origin::BuiltIn => allocator.name.clone(),
        Origin::Convention => format!("convention:{}", allocator.name),
        Origin::File(path) => output::relative(folder, path).map_err(|error| {
            Report::from(Diagnostic::error(
                "A8301",
                format!("could not place `{}`: {error}", path.display()),
            ))
        })?,
    };
    Ok(Inputs {
        platform: platform.name.clone(),
        allocator,
        lang: lang.to_owned(),
        mode: mode.to_owned(),
        prefix: None,
        hook: None,
        target: None,
    })
}

//! `check`: compare, and write nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::{self, Allocator},
    diagnostic::{
        Diagnostic, Report, Result,
        text::{escape, property},
    },
    laws,
    output::check::{Drift, Search, compare, inputs},
    parallel,
    plan::Plan,
    render::{self, Inputs, marker::folder_name},
    spec,
};
use serde_json::json;

use super::{DONE, NO, Show, find_allocator, generate, lang_and_mode, rendered_platforms};
use crate::cli::{Check, Format};

mod mend;

use mend::mend;

/// One folder, and what should be in it.
struct Subject {
    folder: PathBuf,
    inputs: Inputs,
    /// Laws are the same for every allocator.
    allocator: Option<Allocator>,
}

pub(crate) fn check(options: &Check, show: &Show) -> Result<u8> {
    let mut report = Report::default();
    let subjects =
        if options.configuration.platform.is_empty() && options.configuration.allocator.is_none() {
            from_markers(options, &mut report)
        } else {
            as_given(options, show)?
        };
    let mut drifts: Vec<Drift> = Vec::new();
    let mut mends = Vec::new();
    let examined = parallel::each(subjects.iter().collect(), examine);
    for (subject, examined) in subjects.iter().zip(examined) {
        match examined {
            Ok((found, mistakes)) => {
                mends.extend(mend(subject, &found));
                drifts.extend(found);
                report.diagnostics.extend(mistakes.diagnostics);
            }
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    // A file that cannot be read is met by the search and by the comparison.
    let mut told = Vec::new();
    report.diagnostics.retain(|d| {
        !told.contains(d) && {
            told.push(d.clone());
            true
        }
    });
    tell(&drifts, &mends, report.has_errors(), show);
    report.finish(()).map(|_| if drifts.is_empty() { DONE } else { NO })
}

/// What is wrong in one folder does not keep the others from being compared.
fn from_markers(options: &Check, report: &mut Report) -> Vec<Subject> {
    let default = [PathBuf::from("generated")];
    let roots = if options.folders.is_empty() { &default[..] } else { &options.folders };
    let mut search = Search::default();
    for root in roots {
        if !search.look(root) {
            report.push(
                Diagnostic::error(
                    "A8305",
                    format!("nothing that alloc8-gen rendered is in `{}`", root.display()),
                )
                .help("name the folder that holds the rendered files, or render them first"),
            );
        }
    }
    report.diagnostics.extend(search.report.diagnostics);
    let mut subjects = Vec::new();
    for (folder, files) in search.found {
        match subject(folder, &files, options.target.as_deref()) {
            Ok(subject) => subjects.push(subject),
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    subjects
}

/// What the markers in a folder say that it should hold.
fn subject(
    folder: PathBuf,
    files: &BTreeMap<String, String>,
    target: Option<&str>,
) -> Result<Subject> {
    let all = inputs(files);
    let mut inputs = match all.as_slice() {
        [one] => one.clone(),
        [] => {
            let message = format!("no marker in `{}` can be read", folder.display());
            return Err(Diagnostic::error("A8309", message)
                .fact(format!("cut off: {}", files.keys().cloned().collect::<Vec<_>>().join(", ")))
                .help(
                    "render them again: `alloc8-gen generate -p PLATFORM -a NAME`, with `-o` if they are not in `generated`",
                )
                .into());
        }
        _ => {
            let message = format!("`{}` holds files of several configurations", folder.display());
            return Err(Diagnostic::error("A8306", message)
                .help("one folder holds one configuration: render the others with `-o` elsewhere")
                .into());
        }
    };
    inputs.target = target.map(str::to_owned).or(inputs.target);
    let allocator = recall(&inputs, &folder)?;
    Ok(Subject { folder, inputs, allocator })
}

/// The allocator that a marker names.
fn recall(inputs: &Inputs, folder: &Path) -> Result<Option<Allocator>> {
    if inputs.mode == laws::MODE {
        return Ok(None);
    }
    if let Some(name) = inputs.allocator.strip_prefix("convention:") {
        return allocator::convention(name).map(Some);
    }
    if inputs.allocator.ends_with(".toml") {
        return allocator::read_file(&folder.join(&inputs.allocator)).map(Some);
    }
    let built_in = allocator::built_in(&inputs.allocator).unwrap_or_else(|| {
        Err(Diagnostic::error(
            "A8307",
            format!(
                "`{}` was rendered for `{}`, which is not built in",
                folder.display(),
                inputs.allocator
            ),
        )
        .help("use the alloc8-gen that rendered it, or render it again")
        .into())
    });
    built_in.map(Some)
}

fn as_given(options: &Check, show: &Show) -> Result<Vec<Subject>> {
    let configuration = &options.configuration;
    if configuration.platform.is_empty() || configuration.allocator.is_none() {
        return Err(Diagnostic::error(
            "A8909",
            "`--platform` and `--allocator` belong together here",
        )
        .help("give both, or neither: then the files' own markers say what they are")
        .into());
    }
    let allocator = find_allocator(configuration.allocator.as_deref().unwrap_or_default(), show)?;
    let (lang, mode) = lang_and_mode(configuration);
    let hook = super::hook(configuration);
    let default = [PathBuf::from("generated").join(&allocator.name)];
    let roots = if options.folders.is_empty() { &default[..] } else { &options.folders };
    let mut subjects = Vec::new();
    let mut seen = BTreeSet::new();
    for platform in rendered_platforms(&configuration.platform, &lang, show)? {
        for root in roots {
            let folder = root.join(folder_name(&platform.name, &lang, &mode, hook.as_deref()));
            if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
                continue;
            }
            let inputs = Inputs {
                target: options.target.clone(),
                prefix: render::prefixed::given(configuration.prefix.as_deref()),
                hook: hook.clone(),
                ..generate::inputs(&platform, &allocator, &folder, &lang, &mode)?
            };
            subjects.push(Subject { folder, inputs, allocator: Some(allocator.clone()) });
        }
    }
    Ok(subjects)
}

fn examine(subject: &Subject) -> Result<(Vec<Drift>, Report)> {
    let mut platform = spec::platform(&subject.inputs.platform)?;
    generate::narrow(&mut platform, subject.inputs.target.as_deref())?;
    let rendered = match &subject.allocator {
        Some(allocator) => render::render(&Plan::new(&platform, allocator)?.0, &subject.inputs)?,
        None => laws::suite(&platform, &subject.inputs)?,
    };
    Ok(compare(&subject.folder, &rendered))
}

fn tell(drifts: &[Drift], mends: &[String], mistakes: bool, show: &Show) {
    let mend = mends.join(" && ");
    if show.json() {
        for drift in drifts {
            show.result("", || {
                json!({
                    "reason": "drift", "code": drift.state.code(), "file": drift.file,
                    "line": drift.line, "state": drift.state, "diff": drift.diff,
                })
            });
        }
        let agrees = drifts.is_empty() && !mistakes;
        show.result(
            "",
            || json!({ "reason": "check", "agrees": agrees, "drifts": drifts.len(), "mend": mends }),
        );
        return;
    }
    if drifts.is_empty() {
        if !mistakes {
            show.say("everything agrees");
        }
        return;
    }
    if show.format == Format::Github {
        for drift in drifts {
            let (code, file) = (drift.state.code(), property(&drift.file.display().to_string()));
            let text = escape(&format!("{}: run `{mend}`", drift.state.word()));
            show.out(&format!("::error title={code},file={file},line={}::{text}", drift.line));
        }
        return;
    }
    let plural = if drifts.len() == 1 { "file does" } else { "files do" };
    show.out(&format!("{} generated {plural} not agree\n", drifts.len()));
    for drift in drifts {
        let (word, code) = (drift.state.word(), drift.state.code());
        show.out(&format!("  {word:<13} {code}  {}", drift.file.display()));
    }
    for drift in drifts.iter().filter(|d| !d.diff.is_empty()) {
        show.out("");
        show.out(drift.diff.trim_end());
    }
    show.out(&format!("\nhelp: run this and commit the result\n{mend}"));
}

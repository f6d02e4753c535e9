//! `check`: compare, and write nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    diagnostic::{Diagnostic, Report, Result},
    laws,
    output::{
        check::{Drift, State, compare, find, inputs},
        relative,
    },
    plan::Plan,
    render::{self, Inputs},
    spec,
};
use serde_json::json;

use super::{DONE, NO, Show, find_allocator, folder_name, generate, lang_and_mode, platforms};
use crate::cli::{Check, Format};

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
    for subject in &subjects {
        match examine(subject) {
            Ok(found) => {
                mends.extend(mend(subject, &found));
                drifts.extend(found);
            }
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    tell(&drifts, &mends, report.has_errors(), show);
    report.finish(()).map(|_| if drifts.is_empty() { DONE } else { NO })
}

/// What is wrong in one folder does not keep the others from being compared.
fn from_markers(options: &Check, report: &mut Report) -> Vec<Subject> {
    let default = [PathBuf::from("generated")];
    let roots = if options.folders.is_empty() { &default[..] } else { &options.folders };
    let mut subjects: BTreeMap<PathBuf, Subject> = BTreeMap::new();
    for root in roots {
        let found = match find(root) {
            Ok(found) => found,
            Err(mistakes) => {
                report.diagnostics.extend(mistakes.diagnostics);
                continue;
            }
        };
        if found.is_empty() {
            report.push(
                Diagnostic::error(
                    "A8305",
                    format!("nothing that alloc8-gen rendered is in `{}`", root.display()),
                )
                .help("name the folder that holds the rendered files, or render them first"),
            );
        }
        for (folder, files) in found {
            let all = inputs(&files);
            if all.len() > 1 {
                report.push(
                    Diagnostic::error(
                        "A8306",
                        format!("`{}` holds files of several configurations", folder.display()),
                    )
                    .help(
                        "one folder holds one configuration: render the others with `-o` elsewhere",
                    ),
                );
                continue;
            }
            let Some(mut inputs) = all.into_iter().next() else { continue };
            inputs.target = options.target.clone().or(inputs.target);
            match recall(&inputs, &folder) {
                Ok(allocator) => {
                    let subject = Subject { folder: folder.clone(), inputs, allocator };
                    subjects.insert(folder, subject);
                }
                Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
            }
        }
    }
    subjects.into_values().collect()
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
    let default = [PathBuf::from("generated").join(&allocator.name)];
    let roots = if options.folders.is_empty() { &default[..] } else { &options.folders };
    let mut subjects = Vec::new();
    for platform in platforms(&configuration.platform)? {
        for root in roots {
            let folder = root.join(folder_name(&platform.name, &lang, &mode));
            let inputs = Inputs {
                target: options.target.clone(),
                ..generate::inputs(&platform, &allocator, &folder, &lang, &mode)?
            };
            subjects.push(Subject { folder, inputs, allocator: Some(allocator.clone()) });
        }
    }
    Ok(subjects)
}

fn examine(subject: &Subject) -> Result<Vec<Drift>> {
    let mut platform = spec::platform(&subject.inputs.platform)?;
    generate::narrow(&mut platform, subject.inputs.target.as_deref())?;
    let Some(allocator) = &subject.allocator else {
        return compare(&subject.folder, &laws::suite(&platform, &subject.inputs)?);
    };
    let (plan, _) = Plan::new(&platform, allocator)?;
    compare(&subject.folder, &render::render(&plan, &subject.inputs)?)
}

/// The commands that bring a folder into agreement.
fn mend(subject: &Subject, drifts: &[Drift]) -> Vec<String> {
    let mut lines = Vec::new();
    // Nothing renders an orphan, and what has lost its marker is not overwritten.
    let doomed = drifts.iter().filter(|d| d.state == State::Orphan || !d.marked);
    let doomed: Vec<String> =
        doomed.filter(|d| d.state != State::Missing).map(|d| quote(&shown(&d.file))).collect();
    if !doomed.is_empty() {
        lines.push(format!("rm {}", doomed.join(" ")));
    }
    if drifts.iter().all(|d| d.state == State::Orphan) {
        return lines;
    }
    match &subject.allocator {
        Some(allocator) => lines.extend(mend_shim(subject, allocator)),
        None => lines.push(mend_laws(subject)),
    }
    lines
}

fn mend_laws(subject: &Subject) -> String {
    let Inputs { platform, allocator, .. } = &subject.inputs;
    let named = match allocator.strip_prefix("convention:").unwrap_or(allocator) {
        "" => String::new(),
        path if path.ends_with(".toml") => {
            format!(" -a {}", quote(&shown(&subject.folder.join(path))))
        }
        name => format!(" -a {}", quote(name)),
    };
    let base = subject.folder.ancestors().nth(2).filter(|p| !p.as_os_str().is_empty());
    let base = quote(&shown(base.unwrap_or(Path::new("."))));
    format!("alloc8-gen laws -p {platform}{named} -o {base}")
}

fn mend_shim(subject: &Subject, allocator: &Allocator) -> Vec<String> {
    let mut lines = Vec::new();
    let Inputs { platform, lang, mode, .. } = &subject.inputs;
    let name = &allocator.name;
    let allocator = match &allocator.origin {
        Origin::File(path) => {
            let here = std::env::current_dir().and_then(|here| relative(&here, path));
            here.unwrap_or_else(|_| shown(path))
        }
        _ => name.clone(),
    };
    let mut line = format!("alloc8-gen generate -p {platform} -a {}", quote(&allocator));
    for (option, value, default) in [("--lang", lang, "c"), ("--mode", mode, "interpose")] {
        if value != default {
            line += &format!(" {option} {value}");
        }
    }
    if let Some(target) = &subject.inputs.target {
        line += &format!(" --target {target}");
    }
    // `.` and `link/..` have no name of their own.
    let folder = match subject.folder.file_name() {
        Some(_) => subject.folder.clone(),
        None => subject.folder.canonicalize().unwrap_or_else(|_| subject.folder.clone()),
    };
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if parent != Path::new("generated").join(name) {
        line += &format!(" -o {}", quote(&shown(parent)));
    }
    lines.push(line);
    let usual = folder_name(platform, lang, mode);
    if folder.file_name().is_some_and(|name| *name != *usual) {
        // Its name is not the one that `generate` gives: rendered beside it, and moved.
        let beside = quote(&shown(&parent.join(usual)));
        lines.push(format!("mv {beside}/* {}", quote(&shown(&folder))));
        lines.push(format!("rmdir {beside}"));
    }
    lines
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// As a POSIX shell reads one word.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn tell(drifts: &[Drift], mends: &[String], mistakes: bool, show: &Show) {
    let mend = mends.join(" && ");
    if show.json() {
        for drift in drifts {
            show.result("", || {
                json!({
                    "reason": "drift", "file": drift.file, "state": drift.state, "diff": drift.diff,
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
            let file = escape(&shown(&drift.file)).replace(':', "%3A").replace(',', "%2C");
            let text = escape(&format!("{}: run `{mend}`", drift.state.word()));
            show.out(&format!("::error file={file}::{text}"));
        }
        return;
    }
    let plural = if drifts.len() == 1 { "file does" } else { "files do" };
    show.out(&format!("{} generated {plural} not agree\n", drifts.len()));
    for drift in drifts {
        show.out(&format!("  {:<13} {}", drift.state.word(), drift.file.display()));
    }
    for drift in drifts.iter().filter(|d| !d.diff.is_empty()) {
        show.out("");
        show.out(drift.diff.trim_end());
    }
    show.out(&format!("\nhelp: run this and commit the result\n{mend}"));
}

/// The escapes of GitHub's workflow commands.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

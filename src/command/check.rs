//! `check`: compare, and write nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::{self, Allocator},
    diagnostic::{Diagnostic, Report, Result},
    output::check::{Drift, compare, find, inputs},
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
    allocator: Allocator,
    target: Option<String>,
}

pub(crate) fn check(options: &Check, show: &Show) -> Result<u8> {
    let subjects =
        if options.configuration.platform.is_empty() && options.configuration.allocator.is_none() {
            from_markers(options)?
        } else {
            as_given(options, show)?
        };
    let mut drifts: Vec<Drift> = Vec::new();
    let mut mends = Vec::new();
    let mut report = Report::default();
    for subject in &subjects {
        match examine(subject) {
            Ok(found) => {
                if !found.is_empty() {
                    mends.push(mend(subject));
                }
                drifts.extend(found);
            }
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    tell(&drifts, &mends, show);
    report.finish(()).map(|_| if drifts.is_empty() { DONE } else { NO })
}

fn from_markers(options: &Check) -> Result<Vec<Subject>> {
    let default = [PathBuf::from("generated")];
    let roots = if options.folders.is_empty() { &default[..] } else { &options.folders };
    let mut subjects: BTreeMap<PathBuf, Subject> = BTreeMap::new();
    let mut report = Report::default();
    for root in roots {
        let found = find(root)?;
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
            let Some(inputs) = all.into_iter().next() else { continue };
            match recall(&inputs, &folder) {
                Ok(allocator) => {
                    let subject = Subject {
                        folder: folder.clone(),
                        inputs,
                        allocator,
                        target: options.target.clone(),
                    };
                    subjects.insert(folder, subject);
                }
                Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
            }
        }
    }
    report.finish(subjects.into_values().collect()).map(|(subjects, _)| subjects)
}

/// The allocator that a marker names.
fn recall(inputs: &Inputs, folder: &Path) -> Result<Allocator> {
    if let Some(name) = inputs.allocator.strip_prefix("convention:") {
        return allocator::convention(name);
    }
    if inputs.allocator.ends_with(".toml") {
        return allocator::read_file(&folder.join(&inputs.allocator));
    }
    allocator::built_in(&inputs.allocator).unwrap_or_else(|| {
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
    })
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
            let inputs = generate::inputs(&platform, &allocator, &folder, &lang, &mode)?;
            subjects.push(Subject {
                folder,
                inputs,
                allocator: allocator.clone(),
                target: options.target.clone(),
            });
        }
    }
    Ok(subjects)
}

fn examine(subject: &Subject) -> Result<Vec<Drift>> {
    let mut platform = spec::platform(&subject.inputs.platform)?;
    generate::narrow(&mut platform, subject.target.as_deref())?;
    let (plan, _) = Plan::new(&platform, &subject.allocator)?;
    compare(&subject.folder, &render::render(&plan, &subject.inputs)?)
}

/// The command that brings a folder into agreement.
fn mend(subject: &Subject) -> String {
    let allocator = match &subject.allocator.origin {
        allocator::Origin::File(path) => path.display().to_string(),
        _ => subject.allocator.name.clone(),
    };
    let mut line =
        format!("alloc8-gen generate -p {} -a {}", subject.inputs.platform, quote(&allocator));
    for (option, value, default) in
        [("--lang", &subject.inputs.lang, "c"), ("--mode", &subject.inputs.mode, "interpose")]
    {
        if value != default {
            line += &format!(" {option} {value}");
        }
    }
    let parent =
        subject.folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if parent != Path::new("generated").join(&subject.allocator.name) {
        line += &format!(" -o {}", quote(&parent.display().to_string()));
    }
    line
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

fn tell(drifts: &[Drift], mends: &[String], show: &Show) {
    if show.json() {
        for drift in drifts {
            show.result("", || {
                json!({
                    "reason": "drift", "file": drift.file, "state": drift.state, "diff": drift.diff,
                })
            });
        }
        show.result("", || json!({ "reason": "check", "agrees": drifts.is_empty(), "drifts": drifts.len(), "mend": mends }));
        return;
    }
    if drifts.is_empty() {
        show.say("everything agrees");
        return;
    }
    if show.format == Format::Github {
        for drift in drifts {
            show.out(&format!(
                "::error file={}::{}: {}",
                drift.file.display(),
                drift.state.word(),
                mends.join(" && ")
            ));
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
    show.out("");
    for mend in mends {
        show.out(&format!("help: run `{mend}` and commit the result"));
    }
    for orphan in drifts.iter().filter(|d| d.state == alloc8_gen::output::check::State::Orphan) {
        show.out(&format!("help: nothing renders `{}`: remove it", orphan.file.display()));
    }
}

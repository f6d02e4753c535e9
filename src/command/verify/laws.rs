//! `verify --laws`: runs the platform's laws under the library, and tells how each fared.

use std::{fs, path::Path};

use alloc8_gen::{
    diagnostic::{Diagnostic, Report, Result, nearest},
    laws::{self, Compilers, Law, Outcome, Workshop},
    spec::Platform,
    toolchain::Compiler,
};
use serde_json::json;

use crate::{
    cli::{Format, Verify},
    command::{Show, build::cache},
};

/// Tells of each law; whether none is broken.
///
/// # Errors
/// `A8403` if programs for the library's machine do not run here, `A8271` if no law could be tried,
/// `A8272` if one that was named is none; what the compiler is missing.
pub(super) fn run(
    file: &Path,
    platform: &Platform,
    compiler: &Compiler,
    options: &Verify,
    show: &Show,
) -> Result<bool> {
    run_with(file, platform, compiler, None, options, show)
}

/// The same with a program that starts laws, where nothing is preloaded.
pub(super) fn run_with(
    file: &Path,
    platform: &Platform,
    compiler: &Compiler,
    launcher: Option<&Path>,
    options: &Verify,
    show: &Show,
) -> Result<bool> {
    let chosen = chosen(platform, options.laws.as_deref().unwrap_or_default())?;
    let library = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    // The laws' programs are kept there by what they are built from.
    let mut workshop = Workshop::new(Compilers::beside(compiler), &[], &cache().join("laws"))?;
    if let Some(launcher) = launcher {
        workshop = workshop.launched_by(launcher);
    }
    let judged = laws::check_with(&workshop, chosen, Some(&library), 2)?;
    let mut count = Count::default();
    for (law, outcome) in &judged {
        count.add(outcome);
        tell(file, law, outcome, show);
    }
    if count.holds + count.broken + count.hung == 0 {
        return Err(nothing_tried(file, &judged));
    }
    let Count { holds, broken, hung, not_here } = count;
    let mut text = format!("{holds} of {} laws hold", judged.len());
    for (number, word) in [(broken, "broken"), (hung, "hung"), (not_here, "not here")] {
        if number > 0 {
            text += &format!(", {number} {word}");
        }
    }
    show.result(&text, || {
        json!({
            "reason": "laws", "file": file, "platform": platform.name, "laws": judged.len(),
            "holds": holds, "broken": broken, "hung": hung, "not_here": not_here,
        })
    });
    Ok(broken + hung == 0)
}

#[derive(Default)]
struct Count {
    holds: usize,
    broken: usize,
    hung: usize,
    not_here: usize,
}

impl Count {
    fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Holds => &mut self.holds,
            Outcome::Broken { .. } => &mut self.broken,
            Outcome::Hung => &mut self.hung,
            Outcome::NotHere { .. } => &mut self.not_here,
        } += 1;
    }
}

/// All laws, or those that were named.
fn chosen(platform: &Platform, names: &[String]) -> Result<Vec<Law>> {
    let mut all = laws::laws(platform)?;
    let mut report = Report::default();
    for name in names.iter().filter(|name| !all.iter().any(|law| law.name == **name)) {
        let message = format!("`{name}` is no law of platform `{}`", platform.name);
        let near = nearest(name, all.iter().map(|law| law.name.as_str()));
        report.diagnostics.push(match near {
            Some(near) => {
                Diagnostic::error("A8272", message).help(format!("did you mean `{near}`?"))
            }
            None if platform.runtime.posix => Diagnostic::error("A8272", message)
                .help(format!("`alloc8-gen laws -p {}` renders them all", platform.name)),
            None => Diagnostic::error("A8272", message)
                .help(format!("it has {}", names_of(&all)))
                .fact("laws whose programs call POSIX are for systems that have it"),
        });
    }
    report.finish(())?;
    all.retain(|law| names.is_empty() || names.contains(&law.name));
    Ok(all)
}

fn names_of(laws: &[Law]) -> String {
    let names: Vec<_> = laws.iter().map(|law| format!("`{}`", law.name)).collect();
    names.join(", ")
}

fn tell(file: &Path, law: &Law, outcome: &Outcome, show: &Show) {
    let (mark, word, said) = match outcome {
        Outcome::Holds => (" ", "holds", ""),
        Outcome::NotHere { reason } => (" ", "not here", reason.trim()),
        Outcome::Broken { said } => ("!", "broken", said.trim()),
        Outcome::Hung => {
            ("!", "hung", "it did nothing for 20 seconds, or ran for longer than any law does")
        }
    };
    let text = format!("{mark} {:<50} {word:<9} {said}", law.name);
    show.result(text.trim_end(), || {
        json!({
            "reason": "law", "file": file, "law": law.name, "sentence": law.sentence,
            "outcome": word, "said": said,
        })
    });
    // Annotations stand alone, far from the lines above.
    if mark == "!" && show.format == Format::Github {
        let message = format!("`{}` breaks the law {}", file.display(), law.name);
        let broken = Diagnostic::error("A8270", message).fact(law.sentence.clone()).fact(said);
        show.diagnostics(&[broken]);
    }
}

fn nothing_tried(file: &Path, judged: &[(Law, Outcome)]) -> Report {
    let message = format!("no law could be tried under `{}`", file.display());
    let mut reasons: Vec<&str> = Vec::new();
    for (_, outcome) in judged {
        if let Outcome::NotHere { reason } = outcome {
            let known = reasons.contains(&reason.as_str());
            if !known && reasons.len() < 3 {
                reasons.push(reason);
            }
        }
    }
    let error = Diagnostic::error("A8271", message);
    let error = reasons.into_iter().fold(error, |error, reason| error.fact(reason));
    error.help("name a C compiler that makes programs for it with `--cc`").into()
}

pub(super) fn cannot_run(file: &Path, target: &str, platform: &Platform) -> Report {
    let message = format!("the laws cannot run under `{}` here", file.display());
    let help = match target.contains("-linux-") && !target.contains("android") {
        true => "on Debian: apt-get install qemu-user; it needs the target's C library under /usr/TRIPLE too".to_owned(),
        false if !platform.runtime.posix => {
            "install Wine (on Debian: apt-get install wine wine64; for 32 bits its libraries for i386, WINEDLLPATH)".to_owned()
        }
        false => format!("`alloc8-gen laws -p {}` renders them as a program for that system itself", platform.name),
    };
    Diagnostic::error("A8403", message)
        .fact(format!("programs for {target} do not run here"))
        .help(help)
        .into()
}

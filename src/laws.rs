//! The laws of a platform: programs that prove one part of its contract for `malloc` each.
//!
//! `build` compiles them, `run` runs them under a library, `suite` renders them for the user's CI.
//! What a law may say about itself is in `templates/laws/README.md`.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde::Deserialize;

use crate::{
    diagnostic::{Diagnostic, Result, Source},
    embedded,
    operation::Operation,
    spec::{Constructors, Platform},
    toml_text,
    toolchain::Compiler,
};

mod build;
mod platform;
mod run;
mod suite;

pub use build::{Compilers, Program, Workshop};
pub use platform::{Terms, TermsOfSemantics};
pub use run::{Outcome, Starts, run};
pub use suite::{MODE, suite};

/// Where the laws are embedded.
const FOLDER: &str = "templates/laws/";
/// What they load at run time.
const PLUGINS: &str = "templates/laws/plugins/";

/// What compiles a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Lang {
    /// C11.
    #[serde(rename = "c")]
    C,
    /// C++17.
    #[serde(rename = "c++")]
    Cxx,
}

impl Lang {
    /// The language that a file's extension names.
    fn of(file: &str) -> Option<Lang> {
        match Path::new(file).extension()?.to_str()? {
            "c" => Some(Lang::C),
            "cpp" => Some(Lang::Cxx),
            _ => None,
        }
    }
}

/// One law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// The file's name without its extension.
    pub name: String,
    /// The file's name.
    pub file: String,
    /// The law in one sentence, with its source in parentheses.
    pub sentence: String,
    /// What compiles it.
    pub lang: Lang,
    /// Flags for compiling and linking the program and its plug-in.
    pub flags: Vec<String>,
    /// More of them, with gcc.
    pub flags_gcc: Vec<String>,
    /// More of them, with clang.
    pub flags_clang: Vec<String>,
    /// The plug-in's file, if the law loads one.
    pub plugin: Option<String>,
    /// Where it is one.
    pub terms: Terms,
    /// The flags of each build; empty: one build, without more flags.
    pub repeat_builds: Vec<Vec<String>>,
    /// The program.
    pub text: String,
    /// What it asks where platforms differ: `platform.h`, of the platform whose law it is.
    pub header: String,
}

impl Law {
    /// The flags of every build; one at least.
    pub fn builds(&self) -> Vec<Vec<String>> {
        if self.repeat_builds.is_empty() { vec![Vec::new()] } else { self.repeat_builds.clone() }
    }

    /// Whether it is one only where the operators of C++ are the platform's.
    fn is_about_cxx(&self) -> bool {
        let plugin = self.plugin.as_deref().and_then(Lang::of);
        self.lang == Lang::Cxx || plugin == Some(Lang::Cxx)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Directives {
    lang: Option<Lang>,
    flags: Vec<String>,
    flags_gcc: Vec<String>,
    flags_clang: Vec<String>,
    plugin: Option<String>,
    semantics: Option<TermsOfSemantics>,
    symbols: Vec<String>,
    reaches_malloc: Vec<String>,
    constructors: Option<Constructors>,
    standard: bool,
    repeat_builds: Vec<Vec<String>>,
}

/// The laws that a platform has, by name.
///
/// # Errors
/// What is wrong with a built-in law: `A8001`, `A8002` a directive; `A8999` anything else.
pub fn laws(platform: &Platform) -> Result<Vec<Law>> {
    let header = platform::header(platform)?;
    let operators = platform.symbols.iter().any(|s| matches!(s.operation, Operation::New(_)));
    let mut laws = Vec::new();
    for (file, text) in embedded::folder(FOLDER) {
        if Lang::of(file).is_none() {
            continue;
        }
        let law = parse(file, &text)?;
        if law.terms.hold_on(platform) && (operators || !law.is_about_cxx()) {
            laws.push(Law { header: header.clone(), ..law });
        }
    }
    laws.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(laws)
}

fn parse(file: &str, text: &str) -> Result<Law> {
    let path = format!("{FOLDER}{file}");
    let malformed = |what: &str| Diagnostic::error("A8999", format!("`{path}`: {what}"));
    let Some(sentence) = text.lines().next().and_then(|line| line.strip_prefix("// ")) else {
        return Err(malformed("the first line is not `// ` and a sentence").into());
    };
    let Some((name, extension)) = file.rsplit_once('.') else {
        return Err(malformed("a law's name needs an extension").into());
    };
    // Everything else is blanked out, so that a mistake is shown in its own line.
    let toml: Vec<_> = text.lines().map(|l| l.strip_prefix("//@ ").unwrap_or_default()).collect();
    let directives: Directives = toml_text::read(&Source::new(path.clone(), toml.join("\n")))?;
    let Some(lang) = directives.lang.or_else(|| Lang::of(file)) else {
        return Err(malformed(&format!("`.{extension}` names no language")).into());
    };
    let there = |file: &String| embedded::text(&format!("{PLUGINS}{file}")).is_some();
    if let Some(plugin) = directives.plugin.as_ref().filter(|file| !there(file)) {
        return Err(malformed(&format!("there is no `plugins/{plugin}`")).into());
    }
    Ok(Law {
        name: name.to_owned(),
        file: file.to_owned(),
        sentence: sentence.trim_end().to_owned(),
        lang,
        flags: directives.flags,
        flags_gcc: directives.flags_gcc,
        flags_clang: directives.flags_clang,
        plugin: directives.plugin,
        terms: Terms {
            semantics: directives.semantics,
            symbols: directives.symbols,
            reaches_malloc: directives.reaches_malloc,
            constructors: directives.constructors,
            standard: directives.standard,
        },
        repeat_builds: directives.repeat_builds,
        text: text.to_owned(),
        header: String::new(),
    })
}

/// Headers that the laws include, and plug-ins: name, text.
fn parts() -> impl Iterator<Item = (&'static str, String)> {
    embedded::folder(FOLDER)
        .filter(|(file, _)| Path::new(file).extension().is_some_and(|e| e == "h"))
        .chain(embedded::folder(PLUGINS))
}

/// Compiles the platform's laws and runs them under a library, `jobs` at a time.
///
/// What was compiled stays in `work` and is used again by the next call with the same compiler.
///
/// # Errors
/// `A8301`, `A8302` if `work` cannot be written, `A8403` if a law's program cannot be started.
pub fn check(
    platform: &Platform,
    compiler: &Compiler,
    library: &Path,
    work: &Path,
    jobs: usize,
) -> Result<Vec<(Law, Outcome)>> {
    let workshop = Workshop::new(Compilers::beside(compiler), &[], work)?;
    check_with(&workshop, laws(platform)?, Some(library), jobs)
}

/// So many laws hang, and then the others are not tried: under a library that hangs always, all of
/// them together would take a quarter of an hour.
const MOST_HUNG: usize = 4;

/// The same for chosen laws; without a library, under the C library's own heap.
///
/// # Errors
/// As [`check`].
pub fn check_with(
    workshop: &Workshop,
    laws: Vec<Law>,
    library: Option<&Path>,
    jobs: usize,
) -> Result<Vec<(Law, Outcome)>> {
    let queue = Mutex::new(laws.into_iter().enumerate());
    let hung = AtomicUsize::new(0);
    let worker = || {
        let mut found = Vec::new();
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some((place, law)) = next else { return Ok(found) };
            let outcome = match hung.load(Ordering::Relaxed) {
                MOST_HUNG.. => {
                    Outcome::NotHere { reason: format!("not tried: {MOST_HUNG} laws hung") }
                }
                _ => judge(workshop, &law, library)?,
            };
            hung.fetch_add(usize::from(outcome == Outcome::Hung), Ordering::Relaxed);
            found.push((place, (law, outcome)));
        }
    };
    let results: Vec<Result<Vec<_>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|w| w.join().expect("no worker panics")).collect()
    });
    let mut all = Vec::new();
    for result in results {
        all.extend(result?);
    }
    all.sort_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, judged)| judged).collect())
}

/// Builds a law and runs each of its builds.
fn judge(workshop: &Workshop, law: &Law, library: Option<&Path>) -> Result<Outcome> {
    let programs = match workshop.build(law) {
        Ok(programs) => programs,
        Err(report) => {
            return Ok(Outcome::NotHere { reason: build::why(&report) });
        }
    };
    let starts = Starts { runner: workshop.runner(), launcher: workshop.launcher() };
    let mut worst = Outcome::Holds;
    for program in &programs {
        let about = |text: String| match program.flags.join(" ") {
            flags if flags.is_empty() => text,
            flags => format!("built with {flags}: {text}"),
        };
        match run(&starts, program, library, &workshop.scratch(), workshop.patience())? {
            Outcome::Holds => {}
            Outcome::Hung => return Ok(Outcome::Hung),
            Outcome::Broken { said } => return Ok(Outcome::Broken { said: about(said) }),
            Outcome::NotHere { reason } => worst = Outcome::NotHere { reason: about(reason) },
        }
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    #[test]
    fn every_law_says_what_it_is() {
        let linux = spec::platform("linux").unwrap();
        let laws = laws(&linux).unwrap();
        assert!(laws.len() >= 60, "{}", laws.len());
        for law in &laws {
            assert!(law.sentence.contains('(') && law.sentence.ends_with('.'), "{}", law.name);
        }
        let named = |name: &str| laws.iter().find(|l| l.name == name);
        assert_eq!(
            named("plugins_share_the_heap").unwrap().plugin.as_deref(),
            Some("allocating_plugin.c")
        );
        assert_eq!(named("nothrow_new_returns_null").unwrap().lang, Lang::Cxx);
        assert!(named("realloc_to_zero_keeps_a_block").is_none(), "a law of others");
    }

    #[test]
    fn an_unknown_directive_is_an_error_in_its_own_line() {
        let text = "// A law (here).\n#include <x.h>\n//@ flag = [\"-O2\"]\n";
        let report = parse("a_law.c", text).unwrap_err();
        let found = &report.diagnostics[0];
        assert_eq!(found.code, "A8002");
        assert!(found.help.as_ref().is_some_and(|h| h.contains("`flags`")), "{found:?}");
        let place = &found.locations[0];
        assert_eq!(place.source.text[..place.span.start].matches('\n').count(), 2);
        assert_eq!(parse("a_law.c", "int main;\n").unwrap_err().diagnostics[0].code, "A8999");
    }
}

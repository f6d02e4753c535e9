//! Programs that carry the heap: linked in every form that is possible here, read back, and run.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{arguments, options};
use crate::{
    artifact::{Bind, SharedObject},
    diagnostic::{Diagnostic, Report, Result},
    embedded,
    interposer::{read, write},
    laws::Compilers,
    plan::Plan,
    render::{self, view},
    spec::Abi,
    toolchain::{Compiler, Runner},
};

/// One form of program, and what was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// "static, in C++"
    pub form: String,
    /// "linked and run", "linked", or why it was not linked.
    pub what: String,
    /// Whether there was such a program at all.
    pub linked: bool,
}

impl Seen {
    pub(super) fn new(form: String, what: &str, linked: bool) -> Seen {
        Seen { form, what: what.replace(['\t', '\n'], " "), linked }
    }

    /// As text, for the cache.
    pub(super) fn record(all: &[Seen]) -> String {
        let line = |s: &Seen| format!("{}\t{}\t{}\n", s.linked, s.form, s.what);
        all.iter().map(line).collect()
    }

    pub(super) fn recall(text: &str) -> Vec<Seen> {
        let line = |line: &str| {
            let mut parts = line.splitn(3, '\t');
            let linked = parts.next()? == "true";
            Some(Seen { linked, form: parts.next()?.to_owned(), what: parts.next()?.to_owned() })
        };
        text.lines().filter_map(line).collect()
    }
}

/// The programs' texts, C first: they refer to every name of the plan.
///
/// # Errors
/// `A8999` if a template is wrong, which is never the user's fault.
pub(super) fn sources(plan: &Plan, abi: &Abi) -> Result<[String; 2]> {
    // As the assembler writes them.
    let written = |name: String| format!("{}{name}", abi.symbol_prefix);
    let names: Vec<_> = view::listed(plan, abi).into_iter().map(written).collect();
    let operators: Vec<_> = plan
        .platform
        .symbols_of(abi)
        // A zone is behind the system's own, which a program need not name.
        .filter(|s| s.operation.is_operator() && plan.zoned.is_none())
        .map(|s| s.name(abi))
        .collect();
    let text = |file: &str, names: &[String]| {
        let template =
            embedded::text(&format!("templates/carrier/{file}.tera")).unwrap_or_default();
        render::alone(file, &template, &serde_json::json!({ "names": names }))
    };
    Ok([text("carrier.c", &names)?, text("carrier.cpp", &operators)?])
}

/// Links the programs, reads them back and runs them.
///
/// # Errors
/// `A8441` with what was wrong with which program; `A8402` with what a linker said.
pub(super) fn prove(
    compiler: &Compiler,
    plan: &Plan,
    abi: &Abi,
    object: &Path,
    work: &Path,
) -> Result<Vec<Seen>> {
    let compilers = Compilers::beside(compiler);
    let texts = sources(plan, abi)?;
    let list = work.join("carrier.args");
    write(&list, &arguments(object, &options(compiler, plan, abi)))?;
    let mut at = OsString::from("@");
    at.push(&list);
    let mut seen = Vec::new();
    let mut report = Report::default();
    for (text, language) in texts.iter().zip(["C", "C++"]) {
        let file = work.join(if language == "C" { "carrier.c" } else { "carrier.cpp" });
        write(&file, text.as_bytes())?;
        for (form, option) in [("dynamic", None), ("static", Some("-static"))] {
            let form = format!("{form}, in {language}");
            let driver = match (language, &compilers.cxx) {
                ("C", _) => compiler,
                (_, Ok(cxx)) => cxx,
                (_, Err(why)) => {
                    seen.push(Seen::new(form, why, false));
                    continue;
                }
            };
            if option.is_some() && driver.library("libc.a").is_none() {
                seen.push(Seen::new(form, "not linked: there is no libc.a here", false));
                continue;
            }
            let link = Link { driver, file: &file, option, at: &at, plan, abi, object };
            match link.prove(&form, &work.join("carrier")) {
                Ok(what) => seen.push(Seen::new(form, what, true)),
                Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
            }
        }
    }
    report.finish(seen).map(|(seen, _)| seen)
}

/// One program to link.
struct Link<'a> {
    driver: &'a Compiler,
    file: &'a Path,
    option: Option<&'a str>,
    at: &'a OsString,
    plan: &'a Plan,
    abi: &'a Abi,
    object: &'a Path,
}

impl Link<'_> {
    fn prove(&self, form: &str, program: &PathBuf) -> Result<&'static str> {
        let names = view::listed(self.plan, self.abi);
        let mut arguments: Vec<OsString> = vec!["-O1".into(), "-pthread".into()];
        arguments.extend(self.option.map(OsString::from));
        arguments.extend([self.file.into(), self.at.clone(), "-o".into(), program.into()]);
        if self.driver.zig().is_none() {
            arguments.extend(names.iter().map(|name| format!("-Wl,-y,{name}").into()));
        }
        let said = self.driver.listen(&arguments, &format!("linking a program ({form})"))?;
        let data = read(program)?;
        let read_back = SharedObject::read(&data);
        let mut faults = match &read_back {
            Ok(object) => names.iter().filter_map(|name| fault(object, name)).collect(),
            Err(error) => vec![format!("the program cannot be read back: {error}")],
        };
        faults.extend(others(&said, self.object));
        let Some(runner) = Runner::of(&self.driver.target).filter(|_| faults.is_empty()) else {
            return wrong(form, faults).map(|()| "linked, not run: the target does not run here");
        };
        let output = runner.command(program, None).output();
        match output {
            Ok(output) if output.status.success() => return Ok("linked, read back and run"),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                faults.push(format!("it ended with {}: {said}", output.status));
            }
            Err(error) => faults.push(format!("it could not be started: {error}")),
        }
        wrong(form, faults).map(|()| "linked")
    }
}

pub(super) fn wrong(form: &str, faults: Vec<String>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let message =
        format!("a program that was linked with the object ({form}) does not use it alone");
    let mut diagnostic = Diagnostic::error("A8441", message);
    for fault in faults {
        diagnostic = diagnostic.fact(fault);
    }
    Err(diagnostic
        .help("try another linker with `--cc \"cc -fuse-ld=bfd\"`, and report what this one did")
        .into())
}

/// What is wrong with one name in a program.
fn fault(program: &SharedObject, name: &str) -> Option<String> {
    let dynamic = program.interpreter.is_some();
    // What a description exports may be a variable, which is in a program once or not at all.
    let variable = program.link_symbols.iter().flatten().any(|symbol| {
        symbol.defined && symbol.name == name && symbol.bind != Bind::Local && !symbol.is_code()
    });
    match program.linked(name).len().max(variable.into()) {
        0 => Some(format!("`{name}` is not in it")),
        1 if dynamic && program.export(name).is_none() => {
            Some(format!("`{name}` is in it, and its libraries do not see it"))
        }
        1 => None,
        count => Some(format!("`{name}` is in it {count} times")),
    }
}

/// The definitions that a linker took from elsewhere (`FILE: definition of NAME`).
fn others(said: &str, object: &Path) -> Vec<String> {
    let own = object.to_string_lossy();
    let definitions = said.lines().filter_map(|line| line.split_once(": definition of "));
    let elsewhere = definitions.filter(|(file, _)| !file.ends_with(&*own) && file.contains(".a"));
    elsewhere.map(|(file, name)| format!("`{name}` is that of {}", file.trim())).collect()
}

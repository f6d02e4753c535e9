//! `verify`: tell what a built library really interposes.

use std::path::Path;

use alloc8_gen::{
    artifact::{ArtifactError, Image, SharedObject},
    diagnostic::{Diagnostic, Report, Result},
    file,
    interposer::prepare,
    plan::Plan,
    spec::{self, Platform},
    toolchain::{Compiler, HOST, Runner, target_of},
    verify::{self, Grade, Status, Verdict, abi_of},
};
use serde_json::json;

use super::{DONE, NO, Show, build::cache, find_allocator, one_platform, run::target};
use crate::cli::{Lang, Verify};

pub(super) mod hooks;
mod image;
mod laws;
mod macho;

pub(crate) fn verify(options: &Verify, show: &Show) -> Result<u8> {
    let mut good = true;
    let mut report = Report::default();
    for file in &options.files {
        match one(file, options, show) {
            Ok(agrees) => good &= agrees,
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    report.finish(()).map(|_| if good { DONE } else { NO })
}

fn one(file: &Path, options: &Verify, show: &Show) -> Result<bool> {
    let data = read(file)?;
    if !macho::slices(&data).is_empty() {
        return macho::verify_all(file, &data, options, show);
    }
    if let Some(agrees) = hooks::tell(file, &data, options, show)? {
        return Ok(agrees);
    }
    if Image::is_image(&data) {
        return image::tell(file, &data, options, show);
    }
    let object = SharedObject::read(&data).map_err(|error| unreadable(file, &error))?;
    let platform = match &options.platform {
        Some(name) => one_platform(name)?,
        None => guess(file, &object)?,
    };
    let abi = abi_of(&platform, &object).cloned().ok_or_else(|| {
        Report::from(Diagnostic::error(
            "A8512",
            format!(
                "`{}` is for {} ({} bits), which platform `{}` does not know",
                file.display(),
                object.machine,
                object.class.pointer_size() * 8,
                platform.name
            ),
        ))
    })?;
    let plan = match &options.allocator {
        Some(name) => Some(planned(&object, &platform, name, options, show)?),
        None => None,
    };
    let verdict =
        verify::verify(&data, &object, &platform, &abi, plan.as_ref()).map_err(|error| {
            Report::from(Diagnostic::error("A8511", format!("`{}` is {error}", file.display())))
        })?;
    tell(file, &verdict, show);
    let mut good = !verdict.has_faults();
    if let Some(program) = &options.program {
        good &= target::tell(program, &object, &platform, &abi, show)?;
    }
    if options.laws.is_some() {
        // Before any compiler is asked for: it would make programs that nothing here runs.
        if let Some(target) = target(&object, &platform).filter(|t| Runner::of(t).is_none()) {
            return Err(laws::cannot_run(file, &target, &platform));
        }
        let compiler = compiler(&object, &platform, options)?;
        good &= laws::run(file, &platform, &compiler, options, show)?;
    }
    Ok(good)
}

fn unreadable(file: &Path, error: &ArtifactError) -> Report {
    Diagnostic::error("A8511", format!("`{}` is {error}", file.display()))
        .help("verify reads a built shared library or program")
        .into()
}

/// The plan for an allocator; with `--lib`, only after its promises have been measured.
fn planned(
    object: &SharedObject,
    platform: &Platform,
    name: &str,
    options: &Verify,
    show: &Show,
) -> Result<Plan> {
    let mut allocator = find_allocator(name, show)?.on(platform);
    if options.archive.lib.is_empty() {
        let how = match &allocator.cpp {
            Some(_) => "`build` measures the class",
            None => "name the library with `--lib`",
        };
        show.diagnostics(&[Diagnostic::note("A8705", format!("promised, not measured: {how}"))]);
    } else {
        let compiler = compiler(object, platform, options)?;
        let names = platform.abis.iter().flat_map(|abi| platform.names(abi)).collect();
        let prepared = prepare(&compiler, &allocator, &options.archive.lib, &names, &cache())?;
        show.diagnostics(&prepared.found);
        allocator = prepared.allocator;
    }
    let plan = Plan::new(platform, &allocator)?.0;
    if object.is_program() {
        return plan.in_program();
    }
    Ok(match options.lang {
        Some(Lang::Cpp) => plan.in_cxx(),
        Some(Lang::Rust) => plan.in_rust(),
        None if allocator.lang() == "cpp" => plan.in_cxx(),
        _ => plan,
    })
}

/// One that makes programs for the file's machine and C library.
fn compiler(object: &SharedObject, platform: &Platform, options: &Verify) -> Result<Compiler> {
    Compiler::find(options.archive.cc.as_deref(), target(object, platform).as_deref())
}

/// That of programs which load the file; `None`: the host's own.
fn target(object: &SharedObject, platform: &Platform) -> Option<String> {
    let environments = &abi_of(platform, object)?.environments;
    target_of(object.machine, object.class, object.endian, environments)
}

fn guess(file: &Path, object: &SharedObject) -> Result<Platform> {
    let fitting: Vec<_> =
        spec::platforms()?.into_iter().filter(|p| abi_of(p, object).is_some()).collect();
    let needs_libc = |p: &&Platform| object.needed.iter().any(|n| p.runtime.is_libc(n));
    // Two C libraries may have one name (`libc.so`); what it is asked for tells them apart.
    let asks_its_versions = |p: &&Platform| {
        let begins = &p.runtime.libc_versions;
        let mut needs = object.version_needs.iter().filter(|n| p.runtime.is_libc(&n.library));
        match begins.is_empty() {
            true => needs.next().is_none(),
            false => needs.any(|n| n.node.starts_with(begins.as_str())),
        }
    };
    let by_libc = fitting
        .iter()
        .find(|p| needs_libc(p) && asks_its_versions(p))
        .or_else(|| fitting.iter().find(needs_libc))
        .cloned();
    let of_host = fitting.iter().find(|p| p.abi_of(HOST).is_some()).cloned();
    by_libc.or(of_host).or_else(|| fitting.into_iter().next()).ok_or_else(|| {
        Diagnostic::error(
            "A8513",
            format!("`{}` is for {}, and no platform fits", file.display(), object.machine),
        )
        .help("name the platform with `--platform`")
        .into()
    })
}

fn tell(file: &Path, verdict: &Verdict, show: &Show) {
    if show.json() {
        // Universal files have a verdict for each part.
        let object = |mut object: serde_json::Value| {
            if let Some(slice) = &verdict.slice {
                object["slice"] = json!(slice);
            }
            object
        };
        for finding in &verdict.symbols {
            let line = json!({ "reason": "symbol", "file": file, "finding": finding });
            show.result("", || object(line));
        }
        for fact in &verdict.facts {
            show.result("", || object(json!({ "reason": "fact", "file": file, "fact": fact })));
        }
        show.result("", || {
            object(json!({
                "reason": "verdict", "file": file, "platform": verdict.platform, "abi": verdict.abi,
                "complete": !verdict.has_faults(), "bound": verdict.bound(),
            }))
        });
        return;
    }
    let slice = verdict.slice.as_ref().map(|slice| format!(" ({slice})")).unwrap_or_default();
    show.out(&format!("{}{slice}: {} {}", file.display(), verdict.platform, verdict.abi));
    for finding in &verdict.symbols {
        let status = status(&finding.status);
        let mark = mark(finding.grade);
        let how = [finding.how.as_str(), finding.remark.as_str()];
        let how: Vec<_> = how.into_iter().filter(|t| !t.is_empty()).collect();
        show.out(&format!("{mark} {:<38} {status:<11} {}", finding.symbol, how.join("; ")));
    }
    for fact in &verdict.facts {
        let page = fact.code.map(|code| format!(" [{code}]")).unwrap_or_default();
        show.out(&format!("{} {:<38} {}{page}", mark(fact.grade), fact.subject, fact.text));
    }
    let faults = verdict.symbols.iter().filter(|f| f.grade == Grade::Fault).count()
        + verdict.facts.iter().filter(|f| f.grade == Grade::Fault).count();
    let end = match faults {
        0 => "complete".to_owned(),
        1 => "1 fault".to_owned(),
        faults => format!("{faults} faults"),
    };
    show.out(&format!("{} of {} symbols bound: {end}", verdict.bound(), verdict.symbols.len()));
}

fn mark(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => " ",
        Grade::Note => "-",
        Grade::Fault => "!",
    }
}

fn status(status: &Status) -> String {
    match status {
        Status::Bound => "bound".to_owned(),
        Status::Versioned(node) => format!("@{node}"),
        Status::Hidden => "hidden".to_owned(),
        Status::Missing => "missing".to_owned(),
        Status::Left => "left".to_owned(),
        Status::Unexpected => "unexpected".to_owned(),
    }
}

pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    file::read(file).map_err(|error| {
        Diagnostic::error("A8304", format!("could not read `{}`: {error}", file.display()))
            .help("name a library or program that is built already")
            .into()
    })
}

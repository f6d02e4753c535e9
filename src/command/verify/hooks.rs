//! A library for Windows that has a table of what it hooks, and the program that it is for.

use std::path::Path;

use alloc8_gen::{
    artifact::{Endian, Image},
    diagnostic::{Diagnostic, Report, Result},
    interposer::{launcher, measure_for_hooks},
    plan::Plan,
    spec::{self, Abi, Platform},
    toolchain::{Compiler, HOST, Runner, target_of},
    verify::hooks::{Meeting, REGISTER, TABLE, abis_of, judge_hooks, meet},
};
use serde_json::json;

use super::{super::one_platform, find_allocator, laws, read};
use crate::{
    cli::Verify,
    command::{Show, build::cache},
};

/// Tells what the library hooks; `None` if it has no table.
///
/// # Errors
/// `A8512` if the platform does not know the machine; those of the plan.
pub(super) fn tell(
    file: &Path,
    data: &[u8],
    options: &Verify,
    show: &Show,
) -> Result<Option<bool>> {
    let Some(table) = Image::strings(data, TABLE) else { return Ok(None) };
    let image = Image::read(data).map_err(|error| super::unreadable(file, &error))?.remove(0);
    let platform = match &options.platform {
        Some(name) => one_platform(name)?,
        None => spec::platform("windows")?,
    };
    let abis = abis_of(&platform, &image);
    let Some(abi) = abis.first() else {
        let message =
            format!("`{}` is for a machine that `{}` does not know", file.display(), platform.name);
        return Err(Diagnostic::error("A8512", message).into());
    };
    let plan = match &options.allocator {
        Some(name) => Some(planned(&image, &platform, name, options, show)?),
        None => None,
    };
    let verdict = judge_hooks(&image, &table, &platform, abi, plan.as_ref());
    super::tell(file, &verdict, show);
    let mut good = !verdict.has_faults();
    if let Some(program) = &options.program {
        good &= tell_program(program, file, &image, &platform, show)?;
    }
    if options.laws.is_some() {
        good &= run_laws(file, &image, &platform, options, show)?;
    }
    Ok(Some(good))
}

/// Laws are compiled for the library's CPU, whoever built it, and started with it as their first import.
///
/// # Errors
/// `A8202` for hooks whose heap is elsewhere.
fn run_laws(
    file: &Path,
    image: &Image,
    platform: &Platform,
    options: &Verify,
    show: &Show,
) -> Result<bool> {
    let consequence = "the laws would judge the C library's";
    let help = "let the laws judge the heap with `--hook iat`, which changes the same";
    refuse_heapless(image, file, consequence, help)?;
    let found = targets(platform, image);
    let Some(target) = found.iter().find(|target| Runner::of(target).is_some()) else {
        let target = found.first().map_or("that CPU", String::as_str);
        return Err(laws::cannot_run(file, target, platform));
    };
    let compiler = Compiler::find(options.archive.cc.as_deref(), Some(target))?;
    let launcher = launcher::launcher(&compiler, &cache())?;
    laws::run_with(file, platform, &compiler, Some(&launcher), options, show)
}

/// What compilers call the systems that a file may be for, in the order of the platform's ABIs.
pub(crate) fn targets(platform: &Platform, image: &Image) -> Vec<String> {
    let is_hosts = |abi: &Abi| platform.abi_of(HOST).is_some_and(|own| own.name == abi.name);
    let target = |abi: &Abi| {
        let other = target_of(image.machine?, image.class, Endian::Little, &abi.environments);
        other.or_else(|| is_hosts(abi).then(|| HOST.to_owned()))
    };
    abis_of(platform, image).into_iter().filter_map(target).collect()
}

/// Refuses the hooks of `--hook redirect` by themselves: what would then happen, and what helps.
///
/// # Errors
/// `A8202`.
pub(crate) fn refuse_heapless(
    image: &Image,
    file: &Path,
    consequence: &str,
    help: &str,
) -> Result<()> {
    if !image.exports(REGISTER) {
        return Ok(());
    }
    let message = format!("`{}` has no heap: {consequence}", file.display());
    Err(Diagnostic::error("A8202", message)
        .fact("it has the hooks of `--hook redirect`; the heap comes with a library of its own, which imports this one")
        .help(help)
        .into())
}

/// The plan for an allocator; with `--lib`, only after its promises have been measured.
fn planned(
    image: &Image,
    platform: &Platform,
    name: &str,
    options: &Verify,
    show: &Show,
) -> Result<Plan> {
    let mut allocator = find_allocator(name, show)?.on(platform);
    if !options.archive.lib.is_empty() {
        let target = targets(platform, image).into_iter().next();
        let compiler = Compiler::find(options.archive.cc.as_deref(), target.as_deref())?;
        let archives = &options.archive.lib;
        let measured = measure_for_hooks(&compiler, &allocator, archives, &[], &cache())?;
        show.diagnostics(&measured.remarks);
        allocator = measured.allocator;
    }
    Ok(Plan::new(platform, &allocator)?.0)
}

/// Why hooks would find nothing in a program; `None` if they would.
pub(crate) fn obstacle(met: &Meeting, shown: &str) -> Option<Diagnostic> {
    match met {
        Meeting::NoProgram => Some(
            Diagnostic::error("A8652", format!("`{shown}` is a library, not a program"))
                .help("name a program that uses it"),
        ),
        Meeting::OtherMachine => Some(
            Diagnostic::error("A8654", format!("`{shown}` is for another machine than the library"))
                .help("build the library for the program's: `alloc8-gen build -p windows --target TRIPLE`"),
        ),
        Meeting::StaticLibrary => Some(
            Diagnostic::error("A8670", format!("`{shown}` imports no C library"))
                .fact("what it calls malloc is inside it (/MT, -static): no hook finds that")
                .help("link it with the C library's DLL (/MD)"),
        ),
        Meeting::Found { .. } => None,
    }
}

/// Tells whether the library's hooks would find the program's C library.
fn tell_program(
    program: &Path,
    file: &Path,
    library: &Image,
    platform: &Platform,
    show: &Show,
) -> Result<bool> {
    let data = read(program)?;
    let image = data.starts_with(b"MZ").then(|| Image::read(&data)).transpose();
    let image = image.map_err(|error| super::unreadable(program, &error))?;
    let Some(image) = image.and_then(|images| images.into_iter().next()) else {
        let message = format!("`{}` is no program of Windows", program.display());
        return Err(Report::from(Diagnostic::error("A8511", message)));
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let met = meet(&image, library, &name, platform);
    let shown = program.display();
    let diagnostic = obstacle(&met, &shown.to_string());
    let effect = diagnostic.is_none();
    if let Some(diagnostic) = diagnostic {
        show.diagnostics(&[diagnostic]);
    }
    let how = match &met {
        Meeting::Found { c_libraries, place, first_c_library } => {
            let found = c_libraries.join(", ");
            match place {
                Some(place) if place < first_c_library => {
                    format!("{found}; its import {place}, so hooked before the first block")
                }
                Some(place) => format!(
                    "{found}; its import {place}, after the C library: blocks from before the hooks go back to it"
                ),
                None => format!(
                    "{found}; not among its imports, so to be injected: blocks from before the hooks go back to the C library"
                ),
            }
        }
        _ => String::new(),
    };
    let text = match effect {
        true => format!("{shown}: hooks take effect: {how}"),
        false => format!("{shown}: hooks would take no effect"),
    };
    show.result(
        &text,
        || json!({ "reason": "program", "file": program, "takes_effect": effect, "how": how }),
    );
    Ok(effect)
}

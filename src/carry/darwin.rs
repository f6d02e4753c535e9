//! The same for macOS: a zone in the program takes the names' place, and who hides names renames them,
//! because a private one is still seen by all of the program that it is linked into.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{Seen, carrier};
use crate::{
    artifact::{Bind, Darwin, Symbol, Visibility},
    diagnostic::{Diagnostic, Report, Result},
    hide::{self, Hidden, read_archive},
    interposer::{Order, compile_beside, imports, read, recipe, write},
    laws::Compilers,
    plan::Plan,
    render::view,
    spec::Abi,
    toolchain::{Compiler, Recipe, Runner, is_of_cxx, join_for_darwin, link_dylib},
    verify::{Grade, macho::verify},
};

/// The object: the shim and the allocator joined, its other names hidden.
pub(super) fn made(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let recipe = Recipe {
        pull: plan.allocator.keep.iter().chain(&plan.allocator.export).cloned().collect(),
        ..recipe(order, abi, plan, &archives.archives, work)
    };
    let alone = order.compiler.alone();
    compile_beside(order.compiler, &work.join("shim.c"), &recipe.shim, alone, archives)?;
    let made = work.join("made.o");
    join_for_darwin(order.compiler, &recipe, &made)?;
    let names = view::listed(plan, abi);
    let others = read_archive(&made)?;
    let public = |s: &&Symbol| s.defined && s.bind != Bind::Local && !names.contains(&s.name);
    let symbols = others.members.iter().flat_map(|member| &member.symbols);
    let mark = plan.prefix().unwrap_or("");
    let renamed =
        symbols.filter(public).map(|s| (s.name.clone(), format!("alloc8_{mark}_in_{}", s.name)));
    hide::macho::close(&made, &renamed.collect(), &names.into_iter().collect())?;
    Ok(made)
}

/// A dylib of functions under a prefix.
pub(super) fn dylib(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let recipe = Recipe {
        pull: plan.allocator.export.clone(),
        ..recipe(order, abi, plan, &archives.archives, work)
    };
    let alone = order.compiler.alone();
    compile_beside(order.compiler, &work.join("shim.c"), &recipe.shim, alone, archives)?;
    let made = work.join("made.dylib");
    link_dylib(order.compiler, &recipe, &imports(&recipe)?, &plan.platform, &made)?;
    let data = read(&made)?;
    let slices = Darwin::read(&data).map_err(|error| unreadable(&made, &error.to_string()))?;
    let exports: BTreeSet<_> =
        slices.iter().flat_map(|s| &s.image.exports).map(|export| export.name.as_str()).collect();
    let names = view::listed(plan, abi);
    let missing = names.iter().filter(|name| !exports.contains(name.as_str()));
    let facts: Vec<_> = missing.map(|name| format!("`{name}` is not exported")).collect();
    if facts.is_empty() {
        return Ok(made);
    }
    let message = "the library that was linked does not do what its plan says";
    let diagnostic = Diagnostic::error("A8440", message);
    Err(facts.into_iter().fold(diagnostic, Diagnostic::fact).into())
}

/// What the object wants of a program's link beside itself.
pub(super) fn options(plan: &Plan, object: &Path) -> Result<Vec<String>> {
    let archive = read_archive(object)?;
    let cxx = archive.imports().any(|(_, symbol)| is_of_cxx(&symbol.name));
    let named = |lib: &&String| !["c++", "c++abi", "stdc++"].contains(&lib.as_str());
    let libs = plan.allocator.libs.iter().filter(named).map(|lib| format!("-l{lib}"));
    Ok(libs.chain(cxx.then(|| "-lc++".to_owned())).collect())
}

/// Whether a name is one that an object shows, of all that it defines for others.
pub(super) fn shows(symbol: &Symbol) -> bool {
    symbol.visibility != Visibility::Hidden
}

/// Links a program in each language and reads its zone back.
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
    let texts = carrier::sources(plan, abi)?;
    let drivers =
        [("C", "carrier.c", Ok(compiler)), ("C++", "carrier.cpp", compilers.cxx.as_ref())];
    let mut seen = Vec::new();
    for (text, (language, file, driver)) in texts.iter().zip(drivers) {
        let form = format!("dynamic, in {language}");
        let driver = match driver {
            // It would compile a whole C++ library first, for minutes.
            Ok(driver) if language == "C++" && driver.zig().is_some() => {
                seen.push(Seen::new(form, "not linked: zig has no C++ library made yet", false));
                continue;
            }
            Ok(driver) => driver,
            Err(why) => {
                seen.push(Seen::new(form, why, false));
                continue;
            }
        };
        let (file, program) = (work.join(file), work.join("carrier"));
        write(&file, text.as_bytes())?;
        let mut arguments: Vec<std::ffi::OsString> = vec!["-O1".into(), file.into()];
        arguments.push(object.into());
        arguments.extend(options(plan, object)?.into_iter().map(Into::into));
        arguments.extend(["-o".into(), program.clone().into()]);
        driver.run(&arguments, &format!("linking a program ({form})"))?;
        let mut faults = faults(&program, plan, abi)?;
        let runner = Runner::of(&driver.target).filter(|_| faults.is_empty());
        let what = match runner.map(|runner| runner.command(&program, None).output()) {
            None => "linked and read back, not run: the target does not run here",
            Some(Ok(output)) if output.status.success() => "linked, read back and run",
            Some(Ok(output)) => {
                faults.push(format!("it ended with {}", output.status));
                "linked"
            }
            Some(Err(error)) => {
                faults.push(format!("it could not be started: {error}"));
                "linked"
            }
        };
        carrier::wrong(&form, faults)?;
        seen.push(Seen::new(form, what, true));
    }
    Ok(seen)
}

/// What is wrong with the program's zone.
fn faults(program: &Path, plan: &Plan, abi: &Abi) -> Result<Vec<String>> {
    let data = read(program)?;
    let slices = Darwin::read(&data).map_err(|error| unreadable(program, &error.to_string()))?;
    let slice = slices.first().ok_or_else(|| unreadable(program, "it has no 64 bits"))?;
    let verdict = verify(slice, &plan.platform, abi, Some(plan));
    let zone = format!("zone {}", plan.allocator.name);
    let mut faults: Vec<String> = verdict
        .facts
        .iter()
        .filter(|fact| fact.grade == Grade::Fault)
        .map(|fact| format!("{}: {}", fact.subject, fact.text))
        .collect();
    if !verdict.facts.iter().any(|fact| fact.subject == zone) {
        faults.push(format!("it has no {zone}"));
    }
    Ok(faults)
}

fn unreadable(file: &Path, why: &str) -> Report {
    Diagnostic::error("A8441", format!("`{}` cannot be read back: {why}", file.display())).into()
}

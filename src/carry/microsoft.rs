//! A program of Microsoft's ABI that carries the heap, linked without a header or a library of Microsoft's.

use std::path::{Path, PathBuf};

use super::{
    Seen,
    windows::{ran, sources},
};
use crate::{
    diagnostic::Result,
    interposer::{system, write},
    plan::Plan,
    spec::Abi,
    toolchain::{Compiler, Dll, SystemLibrary, compile, link_program},
};

const FORM: &str = "in C, for Microsoft's ABI";

/// Links it, reads its imports and runs it.
///
/// # Errors
/// `A8441` with what was wrong; `A8402` with what the linker said.
pub(super) fn prove(
    compiler: &Compiler,
    plan: &Plan,
    abi: &Abi,
    object: &Path,
    work: &Path,
) -> Result<Vec<Seen>> {
    let [text, _] = sources(plan, abi)?;
    let (source, carrier) = (work.join("carrier.c"), work.join("carrier.o"));
    write(&source, text.as_bytes())?;
    compile(compiler, &source, &carrier, &[])?;
    let program = Dll {
        objects: vec![carrier, object.to_owned()],
        archives: vec![start_up(compiler, plan, abi, work)?],
        libs: plan.allocator.libs.clone(),
        system: with_c_library(plan),
        work: work.to_owned(),
        ..Dll::default()
    };
    let file = work.join("carrier.exe");
    let missing = link_program(compiler, &program, &file)?;
    let (what, linked) = match missing.is_empty() {
        true => (ran(compiler, plan, abi, FORM, &file)?.to_owned(), true),
        false => (without(&missing), false),
    };
    Ok(vec![Seen::new(FORM.to_owned(), &what, linked)])
}

/// An archive of what the C library's start-up code would bring, for who has none and asks for some of it.
///
/// # Errors
/// `A8402` with what a tool said.
pub(super) fn start_up(
    compiler: &Compiler,
    plan: &Plan,
    abi: &Abi,
    work: &Path,
) -> Result<PathBuf> {
    let [_, text] = sources(plan, abi)?;
    let [source, object, archive] = ["c", "o", "lib"].map(|end| work.join(format!("alone.{end}")));
    write(&source, text.as_bytes())?;
    compile(compiler, &source, &object, &[])?;
    super::archive(compiler, &object, &archive)?;
    Ok(archive)
}

/// Where a program or library finds what it calls, the C library's functions among it: names of Windows' own
/// begin with capital letters.
pub(super) fn with_c_library(plan: &Plan) -> Vec<SystemLibrary> {
    let own = SystemLibrary {
        file: plan.platform.runtime.libc.clone(),
        begins: ('a'..='z').chain(['_']).map(String::from).collect(),
        lends: Vec::new(),
    };
    let windows = plan.platform.hooks.as_ref().map(system).unwrap_or_default();
    std::iter::once(own).chain(windows).collect()
}

/// In words, why there is no program.
fn without(missing: &[String]) -> String {
    let shown: Vec<_> = missing.iter().take(3).map(|name| format!("`{name}`")).collect();
    let more = if missing.len() > 3 { " and more" } else { "" };
    format!(
        "not linked: {}{more} are Microsoft's, whose libraries are not here (LIB is not set)",
        shown.join(", ")
    )
}

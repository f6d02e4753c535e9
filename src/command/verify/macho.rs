//! Mach-O files: each slice is judged, by its tuples and its zones.

use std::path::Path;

use alloc8_gen::{
    artifact::{Darwin, image::ImageKind},
    diagnostic::{Diagnostic, Report, Result},
    interposer::prepare,
    plan::{Plan, decided},
    spec::{self, Platform},
    toolchain::{Compiler, Runner},
    verify::macho::{abi_of, verify},
};

use super::{laws, tell, unreadable};
use crate::{
    cli::{Lang, Verify},
    command::{Show, build::cache, find_allocator, one_platform, run::darwin},
};

/// The slices that can be judged; none of a file that has other kinds alone.
pub(super) fn slices(data: &[u8]) -> Vec<Darwin<'_>> {
    Darwin::read(data).unwrap_or_default()
}

/// Judges every slice.
pub(super) fn verify_all(file: &Path, data: &[u8], options: &Verify, show: &Show) -> Result<bool> {
    let slices = Darwin::read(data).map_err(|error| unreadable(file, &error))?;
    let platform = match &options.platform {
        Some(name) => one_platform(name)?,
        None => spec::platform("macos")?,
    };
    let mut good = true;
    for slice in &slices {
        let abi =
            abi_of(&platform, slice).ok_or_else(|| other_machine(file, slice.cpu(), &platform))?;
        let plan = match &options.allocator {
            Some(name) => Some(planned(slice, &platform, name, options, show)?),
            None => None,
        };
        let verdict = verify(slice, &platform, abi, plan.as_ref());
        tell(file, &verdict, show);
        good &= !verdict.has_faults();
    }
    if slices.iter().any(|slice| slice.image.kind == ImageKind::Library) {
        say_slices(&slices, show);
    }
    if let Some(program) = &options.program {
        good &= darwin::tell(program, &slices, show)?;
    }
    if options.laws.is_some() {
        let target = slices.first().map(triple).unwrap_or_default();
        return Err(laws::cannot_run(file, &target, &platform));
    }
    show.say(NEVER_RUN);
    Ok(good)
}

fn other_machine(file: &Path, cpu: &str, platform: &Platform) -> Report {
    let (file, name) = (file.display(), &platform.name);
    let message = format!("`{file}` is for {cpu}, which platform `{name}` does not know");
    Diagnostic::error("A8512", message).into()
}

/// What every answer about macOS ends with.
const NEVER_RUN: &str = "judged from the file by the rules in dyld's and libmalloc's sources: nothing of alloc8-gen has run on a Mac yet";

/// Which programs a library cannot be inserted into for lack of a slice.
fn say_slices(slices: &[Darwin<'_>], show: &Show) {
    let has = |cpu: &str| slices.iter().any(|slice| slice.cpu() == cpu);
    let all: Vec<_> = slices.iter().map(Darwin::cpu).collect();
    let mut notes = Vec::new();
    if !has("arm64e") && has("arm64") {
        notes.push("dyld ends an arm64e program (Apple's own) that it is inserted into");
    }
    if !has("arm64") {
        notes.push("not for programs of Apple silicon");
    }
    if !has("x86_64") {
        notes.push("not for programs of Intel Macs, nor under Rosetta");
    }
    let all = format!("slices: {}", all.join(", "));
    notes.insert(0, &all);
    show.say(&notes.join("; "));
}

/// The target of programs that load it.
fn triple(slice: &Darwin<'_>) -> String {
    match slice.cpu() {
        "x86_64" => "x86_64-apple-darwin".to_owned(),
        _ => "aarch64-apple-darwin".to_owned(),
    }
}

/// The plan for an allocator; with `--lib`, only after its promises have been measured, where its
/// programs run.
fn planned(
    slice: &Darwin<'_>,
    platform: &Platform,
    name: &str,
    options: &Verify,
    show: &Show,
) -> Result<Plan> {
    let mut allocator = find_allocator(name, show)?;
    let target = triple(slice);
    if options.archive.lib.is_empty() || Runner::of(&target).is_none() {
        let why = "promised, not measured: programs for macOS do not run here";
        show.diagnostics(&[Diagnostic::note("A8705", why)]);
    } else {
        let compiler = Compiler::find(options.archive.cc.as_deref(), Some(&target))?;
        let names = platform.abis.iter().flat_map(|abi| platform.names(abi)).collect();
        allocator = decided(platform, allocator);
        let prepared = prepare(&compiler, &allocator, &options.archive.lib, &names, &cache())?;
        show.diagnostics(&prepared.found);
        allocator = prepared.allocator;
    }
    let plan = Plan::new(platform, &allocator)?.0;
    Ok(match options.lang {
        Some(Lang::Cpp) => plan.in_cxx(),
        Some(Lang::Rust) => plan.in_rust(),
        None if allocator.lang() == "cpp" => plan.in_cxx(),
        _ => plan,
    })
}

//! From an allocator's code to one preloadable library, read back and judged.
//!
//! The order is: archive, inspection, private copy, measurement, plan, shim, link, verdict. Each
//! step refuses with words what the next could not mend.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

pub(crate) mod cxx;
mod dll;
mod dylib;
mod files;
mod found;
pub(crate) mod inline;
pub mod launcher;
mod work;

use crate::{
    allocator::Allocator,
    artifact::SharedObject,
    diagnostic::{Diagnostic, Report, Result},
    hide::{self, Hidden, inspect, machine_of},
    init::complete,
    parallel,
    plan::{Mode, Plan, decided, hooks::SEEN_TO},
    probe::{self, Measurements},
    render::{self, Inputs},
    spec::{Abi, Platform},
    toolchain::{Compiler, Recipe, Runner, compile, is_windows, link, make_folder},
    verify::{self, Verdict},
};

pub(crate) use dll::system;
pub use dll::{Measured, import_library_name, measure_for_hooks, usual_target};
pub(crate) use dylib::imports;
pub(crate) use files::{key, product_key, read, rename, write};
pub(crate) use found::archives;
pub(crate) use work::Work;

/// What to build.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// The platform.
    pub platform: &'a Platform,
    /// Who answers.
    pub allocator: &'a Allocator,
    /// The shim's language: `c` or `cpp`.
    pub lang: &'a str,
    /// Archives that were named beside the description; they take the place of its own.
    pub libs: &'a [PathBuf],
    /// The compiler.
    pub compiler: &'a Compiler,
    /// Where results are kept from one run to the next.
    pub cache: &'a Path,
    /// The library's file name, of which `DT_SONAME` is made; on Windows, what its import library has.
    pub soname: &'a str,
    /// How functions are hooked, where they are; `None`: the platform's default.
    pub hook: Option<&'a str>,
}

/// What was built.
#[derive(Debug, Clone)]
pub struct Interposer {
    /// The library, in the cache.
    pub library: PathBuf,
    /// What goes beside it under the same names, in the cache: on Windows, what programs are linked with.
    pub beside: Vec<PathBuf>,
    /// How each symbol is answered.
    pub plan: Plan,
    /// What was found in it.
    pub verdict: Verdict,
    /// What was measured; `None` if the target does not run here.
    pub measured: Option<Measurements>,
    /// The archives that were linked, before anything was hidden, and the user's sources.
    pub inputs: Vec<PathBuf>,
    /// What the user should know.
    pub remarks: Vec<Diagnostic>,
}

/// Builds it, or takes it from the cache if nothing has changed.
///
/// # Errors
/// Every phase's own; `A8601` if the library that came out does not do what its plan says.
pub fn build(order: &Order<'_>) -> Result<Interposer> {
    if let Some(hooks) = &order.platform.hooks {
        return dll::build(order, hooks);
    }
    refuse_other_language(order)?;
    let abi = abi(order)?;
    let mut platform = order.platform.clone();
    platform.narrow(&abi.name);
    let mut archives = archives(order)?;
    let mut inputs = archives.clone();
    let parts = Work::new(order.cache)?;
    if order.compiler.is_for_darwin() {
        archives = hide::macho::slices(order.compiler, &archives, &parts.path)?;
    }
    let class = match order.lang {
        "cpp" => {
            let (plan, _) = Plan::new(&platform, order.allocator)?;
            cxx::Unit::of_class(order, &plan, &cxx::inputs(order))?
        }
        _ => None,
    };
    let mut allocator = decided(&platform, order.allocator.on(&platform));
    if let Some(class) = &class {
        archives.insert(0, class.heap(order.cache)?);
        inputs.extend(class.inputs.iter().cloned());
        class.keep_asked(&mut allocator);
        allocator.libs.extend(class.cxx_library());
    }
    let names: BTreeSet<String> = order.platform.names(&abi).into_iter().collect();
    let Prepared { allocator, hidden, measured, mut remarks, found, work } =
        prepare(order.compiler, &allocator, &archives, &names, order.cache)?;
    remarks.extend(of_measurement(order.compiler, &allocator, measured.as_ref(), found));
    let (plan, more) = Plan::new(&platform, &allocator)?;
    remarks.extend(more);
    let (plan, library) = match (order.lang, class) {
        ("cpp", Some(class)) => {
            let plan = plan.in_cxx();
            // The first is the heap, which the class's own file has once more.
            let library =
                cxx::assemble(order, &abi, &plan, &class, &hidden.without_first(), &work.path)?;
            (plan, library)
        }
        ("cpp", None) => {
            let unit = cxx::Unit::of_archive(order, &plan, &cxx::inputs(order))?;
            let plan = plan.in_cxx();
            let library = cxx::assemble(order, &abi, &plan, &unit, &hidden, &work.path)?;
            (plan, library)
        }
        _ if platform.mechanism == "macho" => {
            let library = dylib::assemble(order, &abi, &plan, &hidden, &work.path)?;
            (plan, library)
        }
        _ => {
            let library = assemble(order, &abi, &plan, &hidden, &work.path)?;
            (plan, library)
        }
    };
    let verdict = judge(&library, &plan, &abi)?;
    Ok(Interposer { library, beside: Vec::new(), plan, verdict, measured, inputs, remarks })
}

/// What the user should know of a measurement, or of its lack; `found` is what it found.
pub(crate) fn of_measurement(
    compiler: &Compiler,
    allocator: &Allocator,
    measured: Option<&Measurements>,
    found: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    match measured {
        Some(measured) => {
            found.into_iter().chain(under_emulation(compiler, allocator, measured)).collect()
        }
        None => {
            vec![Diagnostic::note("A8705", "promised, not measured: the target does not run here")]
        }
    }
}

/// An allocator with those promises alone that a shim for the target relies on.
pub(crate) fn relied_on(compiler: &Compiler, allocator: &Allocator) -> Allocator {
    let seen_to = if is_windows(&compiler.target) { SEEN_TO } else { &[] };
    allocator.without(seen_to)
}

/// What an emulator leaves open.
pub(crate) fn under_emulation(
    compiler: &Compiler,
    allocator: &Allocator,
    measured: &Measurements,
) -> Option<Diagnostic> {
    let runner = Runner::of(&compiler.target).filter(Runner::emulates)?;
    let open = probe::unmeasured(&relied_on(compiler, allocator), measured);
    let message = format!("promised, not measured under {}: {}", runner.name(), open.join(", "));
    (!open.is_empty()).then(|| Diagnostic::note("A8705", message))
}

/// An allocator as its archives really are.
pub struct Prepared {
    /// The description with what the archives have, under the names of the copies.
    pub allocator: Allocator,
    /// Private copies of the archives with their own public names hidden; a measurement that was at
    /// hand has not made them.
    pub hidden: Hidden,
    /// What was measured; `None` if the target does not run here.
    pub measured: Option<Measurements>,
    /// What the inspection has to say.
    pub remarks: Vec<Diagnostic>,
    /// What the measurement has to say.
    pub found: Vec<Diagnostic>,
    /// Where the copies are.
    pub(crate) work: Work,
}

/// Inspects archives, decides which names private copies hide and measures what was promised.
///
/// # Errors
/// Those of [`inspect`], [`hide::plan`] and [`probe::measure_cached`]; `A8701` and its fellows if a promise does
/// not hold.
pub fn prepare(
    compiler: &Compiler,
    allocator: &Allocator,
    archives: &[PathBuf],
    names: &BTreeSet<String>,
    cache: &Path,
) -> Result<Prepared> {
    let (facts, report) = inspect(archives, allocator, names, machine_of(compiler));
    let (facts, remarks) = report.finish(facts)?;
    let mut allocator = complete(allocator, &facts.defined)?;
    allocator.indirect = facts.hidden_targets;
    let work = Work::new(cache)?;
    let folder = work.path.join("hidden");
    let mut hidden = hide::plan(archives, names, &allocator.keep, &folder)?;
    if compiler.is_for_darwin() {
        hidden = hidden.in_private(&allocator, &folder)?;
    }
    let described = hidden.describe(&allocator);
    let probes = cache.join("probes");
    let probe_work = work.path.join("probe");
    let measured = probe::measure_cached(compiler, &described, &hidden, &probe_work, &probes)?;
    let report = measured
        .as_ref()
        .map(|m| probe::compare(&relied_on(compiler, &allocator), m))
        .unwrap_or_default();
    let ((), found) = report.finish(())?;
    Ok(Prepared { allocator: described, hidden, measured, remarks, found, work })
}

pub(crate) fn abi(order: &Order<'_>) -> Result<Abi> {
    let triple = &order.compiler.target;
    order.platform.abi_of(triple).cloned().ok_or_else(|| {
        Diagnostic::error(
            "A8908",
            format!("platform `{}` has no ABI for `{triple}`", order.platform.name),
        )
        .help("name the platform with `--platform`, or another target with `--target`")
        .into()
    })
}

/// Methods of a type are called in the type's own language.
pub(crate) fn refuse_other_language(order: &Order<'_>) -> Result<()> {
    let allocator = order.allocator;
    if let Some(path) = &allocator.rust {
        return Err(Diagnostic::error(
            "A8207",
            format!("`{}` is the Rust type `{path}`", allocator.name),
        )
        .help("build its crate as a `cdylib` whose build script calls `Generator::rust`")
        .into());
    }
    render::refuse_class(allocator, order.lang)
}

/// Renders, compiles and links, unless the same inputs have been linked before.
fn assemble(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let inputs = Inputs::interposer(&plan.platform.name, &plan.allocator.name);
    let files = render::render(plan, &inputs)?;
    let shim = &files["shim.c"];
    let map = &files[&format!("exports.{}.map", abi.name)];
    let parts = [shim, map, order.soname].map(|part| part.as_bytes().to_vec()).to_vec();
    let key = product_key(order, plan, parts, archives)?;
    let library = order.cache.join("libraries").join(key).join(order.soname);
    if library.is_file() {
        return Ok(library);
    }
    make_folder(library.parent().unwrap_or(order.cache))?;
    let source = work.join("shim.c");
    write(&source, shim.as_bytes())?;
    write(&work.join("exports.map"), map.as_bytes())?;
    let recipe = recipe(order, abi, plan, &archives.archives, work);
    let direct: &[&str] = if recipe.aliases.is_empty() { &[] } else { &["-DALLOC8_DIRECT"] };
    compile_beside(order.compiler, &source, &recipe.shim, direct, archives)?;
    let made = work.join("made.so");
    link(order.compiler, &recipe, &made)?;
    rename(&made, &library)?;
    Ok(library)
}

/// Compiles while the archives' copies are made: neither needs the other.
pub(crate) fn compile_beside(
    compiler: &Compiler,
    source: &Path,
    object: &Path,
    more: &[&str],
    archives: &Hidden,
) -> Result<()> {
    let (compiled, made) =
        parallel::both(|| compile(compiler, source, object, more), || archives.make(compiler));
    made.and(compiled)
}

pub(crate) fn recipe(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    archives: &[PathBuf],
    work: &Path,
) -> Recipe {
    let mut aliases: Vec<(String, String)> =
        plan.direct().map(|(symbol, target)| (symbol.name(abi), target.to_owned())).collect();
    let mut pull: Vec<String> = aliases.iter().map(|(_, target)| target.clone()).collect();
    pull.extend(plan.allocator.keep.iter().chain(&plan.allocator.export).cloned());
    pull.sort();
    pull.dedup();
    if !aliases.is_empty() {
        let tag = plan.tag();
        aliases.push((format!("{tag}_direct_options"), format!("{tag}_direct_macro")));
    }
    Recipe {
        shim: work.join("shim.o"),
        archives: archives.to_vec(),
        libs: plan.allocator.libs.iter().chain(&plan.platform.runtime.libs).cloned().collect(),
        aliases,
        pull,
        map: work.join("exports.map"),
        soname: order.soname.to_owned(),
        init_first: plan.asks_to_be_first(),
        options: plan.platform.runtime.link.clone(),
        dissolve_groups: plan.mode == Mode::Static,
        work: work.to_owned(),
    }
}

/// Reads the library back: nothing that the plan promises may be missing from it.
fn judge(library: &Path, plan: &Plan, abi: &Abi) -> Result<Verdict> {
    let verdict = match plan.platform.mechanism.as_str() {
        "macho" => dylib::look(library, plan, abi)?,
        _ => look(library, plan, abi)?,
    };
    refuse_faults(&verdict).map(|()| verdict)
}

/// # Errors
/// `A8601` with every fault.
fn refuse_faults(verdict: &Verdict) -> Result<()> {
    if !verdict.has_faults() {
        return Ok(());
    }
    let mut diagnostic =
        Diagnostic::error("A8601", "the library that was linked does not do what its plan says");
    for finding in verdict.symbols.iter().filter(|f| f.grade == verify::Grade::Fault) {
        diagnostic =
            diagnostic.fact(format!("{}: {:?} {}", finding.symbol, finding.status, finding.remark));
    }
    for fact in verdict.facts.iter().filter(|f| f.grade == verify::Grade::Fault) {
        diagnostic = diagnostic.fact(format!("{}: {}", fact.subject, fact.text));
    }
    Err(diagnostic
        .help("the linker may have dropped names: try another with `--cc \"cc -fuse-ld=bfd\"`")
        .into())
}

fn look(library: &Path, plan: &Plan, abi: &Abi) -> Result<Verdict> {
    let data = read(library)?;
    let object = SharedObject::read(&data).map_err(|e| unreadable(library, &e))?;
    let verdict = verify::verify(&data, &object, &plan.platform, abi, Some(plan));
    verdict.map_err(|e| unreadable(library, &e))
}

/// `A8601`: what was just built is not what its reader expects.
fn unreadable(library: &Path, why: &dyn std::fmt::Display) -> Report {
    let message = format!("`{}` cannot be read back: {why}", library.display());
    Diagnostic::error("A8601", message).into()
}

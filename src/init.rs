//! Writes the description of a static library: its functions by their names, its promises by
//! measurement.
//!
//! Separate because it is the one place that guesses; what it writes is read and measured like any
//! description.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

mod find;
mod text;

pub use find::complete;

use crate::{
    allocator::{self, Allocator, Limit, Origin, Promise, Role, ThreadPolicy},
    artifact::{Archive, Format},
    diagnostic::{Diagnostic, Report, Result, Source},
    embedded,
    hide::{Hidden, hide, inspect, machine_of, read_archive, unseen},
    probe::{self, Measured, Measurements},
    toolchain::Compiler,
};
use find::{Found, Names};

/// What is written, step by step.
struct Draft {
    allocator: Allocator,
    /// The functions as the description spells them.
    found: Found,
    /// Functions that the library has and that are left out, with the reason.
    left_out: Vec<(Role, String, String)>,
    measured: Option<Measurements>,
    /// The library registers handlers for fork.
    minds_fork: bool,
    /// Libraries of the system that allocators are linked with.
    system_libraries: Vec<String>,
}

/// Describes the static libraries of an allocator.
///
/// `names` are those that a shim may export. The answer is the text of `NAME.toml`, which reads
/// without a mistake, and what the user should know.
///
/// # Errors
/// `A8501` if there are no functions that look like an allocator's, `A8503` if those found do not
/// work, `A8102` if there are too few;
/// all errors of [`inspect`], [`hide`] and [`probe::measure`].
pub fn describe(
    name: &str,
    archives: &[PathBuf],
    compiler: &Compiler,
    work: &Path,
    names: &BTreeSet<String>,
) -> Result<(String, Vec<Diagnostic>)> {
    let read: Vec<Archive> = archives.iter().map(|p| read_archive(p)).collect::<Result<_>>()?;
    let cross = foreign_target(&read, compiler);
    let defined: BTreeSet<&str> = read.iter().flat_map(Archive::names).collect();
    let tables = Names::read()?;
    unseen(archives.iter().map(PathBuf::as_path).zip(&read)).finish(())?;
    let found = tables.find(name, &defined).ok_or_else(|| nothing_found(name, &defined))?;
    let minds_fork = read.iter().any(|a| !a.imports_of(tables.fork_evidence()).is_empty());
    let mut draft = Draft {
        allocator: Allocator {
            archives: archives.iter().map(|p| p.display().to_string()).collect(),
            functions: Default::default(),
            ..allocator::convention(name)?
        },
        found,
        left_out: Vec::new(),
        measured: None,
        minds_fork,
        system_libraries: tables.libraries().to_vec(),
    };
    let introduced = draft.found.hooks_are_own();
    draft.use_found(|role, own| match role {
        Role::ThreadInit | Role::ThreadCleanup => introduced,
        role => own || !needs_reason(role),
    });
    draft.allocator.thread_created = draft.found.thread_created.clone();
    if let Some(target) = cross {
        // Nothing here links such an archive: its names are all that can be told of it.
        let text = text::write(&draft, &target);
        read_back(name, &text)?;
        return Ok((text, vec![not_measured(&target)]));
    }
    draft.ask_for_cxx(archives, compiler, names);
    let (_, report) = inspect(archives, &draft.allocator, names, machine_of(compiler));
    let mut remarks = report.finish(())?.1;
    let hidden = hide(compiler, archives, names, &[], &work.join("hidden"))?;
    if probe::can_run(compiler) {
        draft.measure(compiler, &hidden, work)?;
    } else {
        remarks.push(not_measured(&compiler.target));
    }
    let text = text::write(&draft, &compiler.target);
    let read = read_back(name, &text)?;
    if let Some(measured) = &draft.measured {
        remarks.extend(probe::compare(&read, measured).diagnostics);
    }
    Ok((text, remarks))
}

/// The text of a `CMakeLists.txt` that makes an interposer from what `generate` writes.
///
/// # Errors
/// `A8999` if the template is wrong, which is never the user's fault.
pub fn cmake(name: &str, platform: &str, archives: &[PathBuf]) -> Result<String> {
    let wrong = |error: tera::Error| {
        Report::from(
            Diagnostic::error("A8999", "internal error: this is a bug in alloc8-gen")
                .fact(error.to_string()),
        )
    };
    // CMake takes what stands in such brackets as it is.
    let libraries: Vec<_> = archives.iter().map(|a| format!("[==[{}]==]", a.display())).collect();
    let mut tera = tera::Tera::new();
    tera.autoescape_on(Vec::<String>::new());
    let text = embedded::text("templates/init/CMakeLists.txt.tera").unwrap_or_default();
    tera.add_raw_template("CMakeLists.txt", &text).map_err(wrong)?;
    let mut context = tera::Context::new();
    context.insert("name", name);
    context.insert("platform", platform);
    context.insert("libraries", &libraries);
    tera.render("CMakeLists.txt", &context).map_err(wrong)
}

/// Functions that a library may have without needing that anybody calls them, unless it gives them
/// the convention's own names.
fn needs_reason(role: Role) -> bool {
    matches!(role, Role::Init | Role::ThreadInit | Role::ThreadCleanup)
}

impl Draft {
    fn use_found(&mut self, wanted: impl Fn(Role, bool) -> bool) {
        for (role, candidates) in &self.found.roles {
            if wanted(*role, candidates[0].own) {
                self.allocator.functions.insert(*role, candidates[0].call.clone());
            }
        }
    }

    /// The C++ runtime is named if something is wanted of it.
    fn ask_for_cxx(&mut self, archives: &[PathBuf], compiler: &Compiler, names: &BTreeSet<String>) {
        let (facts, _) = inspect(archives, &self.allocator, names, machine_of(compiler));
        if !facts.cxx_runtime.is_empty() {
            self.allocator.libs.push("stdc++".to_owned());
        }
    }

    fn measure(&mut self, compiler: &Compiler, hidden: &Hidden, work: &Path) -> Result<()> {
        let work = work.join("probe");
        let run = |allocator: &Allocator| {
            probe::measure(compiler, &hidden.describe(allocator), &hidden.archives, &work)
        };
        let mut measured = self.find_libraries(compiler, run)?;
        if measured.threads_plain.is_broken() && self.found.roles.contains_key(&Role::ThreadInit) {
            self.use_found(|role, _| needs_reason(role));
            self.allocator.thread_policy = ThreadPolicy::Required;
            measured = run(&self.allocator)?;
        } else if !measured.problems.is_empty() && self.found.roles.contains_key(&Role::Init) {
            self.use_found(|role, _| role == Role::Init);
            measured = run(&self.allocator)?;
        }
        // A name does not tell the order of arguments, the measurement does.
        while let Some(observed) = problem(&measured, Role::Memalign) {
            if !self.next_candidate(Role::Memalign, observed) {
                break;
            }
            measured = run(&self.allocator)?;
        }
        if let Some(observed) = problem(&measured, Role::Malloc) {
            return Err(does_not_work(&self.allocator.name, &observed));
        }
        for role in [Role::FreeSized, Role::FreeAlignedSized, Role::GoodSize] {
            if let Some(observed) = problem(&measured, role) {
                self.leave_out(role, observed);
            }
        }
        if let Measured::Broken { observed } = &measured.owns {
            self.leave_out(Role::Owns, observed.clone());
        }
        measured.forget_problems(|key| {
            Role::ALL.iter().any(|r| r.key() == key && !self.allocator.functions.contains_key(r))
        });
        self.promise(&measured);
        self.measured = Some(measured);
        Ok(())
    }

    /// Measures with the first choice of system libraries that links: none, one, all.
    fn find_libraries(
        &mut self,
        compiler: &Compiler,
        run: impl Fn(&Allocator) -> Result<Measurements>,
    ) -> Result<Measurements> {
        let plain = match run(&self.allocator) {
            Err(report) if report.diagnostics.iter().any(|d| d.code == "A8402") => report,
            done => return done,
        };
        let present = |lib: &&String| {
            ["so", "a"].iter().any(|end| compiler.library(&format!("lib{lib}.{end}")).is_some())
        };
        let known: Vec<String> = self.system_libraries.iter().filter(present).cloned().collect();
        let choices = known.iter().map(|lib| vec![lib.clone()]).chain([known.clone()]);
        for more in choices {
            let mut allocator = self.allocator.clone();
            allocator.libs.extend(more);
            if let Ok(measured) = run(&allocator) {
                self.allocator = allocator;
                return Ok(measured);
            }
        }
        // What it said without guesses is what the user can act on.
        Err(plain)
    }

    fn next_candidate(&mut self, role: Role, observed: String) -> bool {
        let candidates = self.found.roles.get_mut(&role).filter(|c| !c.is_empty());
        let Some(candidates) = candidates else { return false };
        let dropped = candidates.remove(0);
        self.left_out.push((role, dropped.text, observed));
        match candidates.first() {
            Some(next) => {
                self.allocator.functions.insert(role, next.call.clone());
                true
            }
            None => {
                self.found.roles.remove(&role);
                self.allocator.functions.remove(&role).is_some()
            }
        }
    }

    fn leave_out(&mut self, role: Role, observed: String) {
        if self.allocator.functions.remove(&role).is_some() {
            let dropped = self.found.roles.remove(&role).into_iter().flatten().next();
            let text = dropped.map(|c| c.text).unwrap_or_default();
            self.left_out.push((role, text, observed));
        }
    }

    /// States what was measured; limits first, for what lies beyond them is refused by the shim.
    fn promise(&mut self, measured: &Measurements) {
        let held = |allocator: &Allocator, promise| measured.promise(promise, allocator).is_held();
        let allocator = &mut self.allocator;
        allocator.promises.max_size = match measured.size_limit() {
            None => Limit::Any,
            Some(_) if measured.default_size_holds() => Limit::Unknown,
            Some(limit) => Limit::Bytes(limit.max(1 << 20)),
        };
        allocator.promises.max_align = match held(allocator, Promise::MaxAlign) {
            true => Limit::Any,
            false if measured.max_align.value >= 16 => Limit::Bytes(measured.max_align.value),
            false => Limit::Unknown,
        };
        if held(allocator, Promise::MinAlign) {
            allocator.promises.min_align = 16;
        }
        if allocator.call(Role::Memalign).is_none() {
            allocator.promises.natural_align = measured.natural_align.value;
        }
        allocator.promises.free_null = held(allocator, Promise::FreeNull);
        allocator.promises.free_errno = held(allocator, Promise::FreeErrno);
        allocator.promises.zero_size = held(allocator, Promise::ZeroSize);
        allocator.promises.alignment_einval = held(allocator, Promise::AlignmentEinval);
        allocator.promises.calloc_overflow = held(allocator, Promise::CallocOverflow);
        allocator.promises.realloc_null = held(allocator, Promise::ReallocNull);
        allocator.promises.usable_size_null = held(allocator, Promise::UsableSizeNull);
        allocator.promises.realloc_zero = measured.realloc_zero();
        allocator.promises.errno = held(allocator, Promise::Errno);
        let locks = allocator.call(Role::Lock).is_some();
        allocator.promises.fork_own = self.minds_fork && !locks && held(allocator, Promise::Fork);
    }
}

fn problem(measured: &Measurements, role: Role) -> Option<String> {
    measured.problems.iter().find(|(key, _)| key == role.key()).map(|(_, seen)| seen.clone())
}

fn nothing_found(name: &str, defined: &BTreeSet<&str>) -> Report {
    let near: Vec<_> = defined
        .iter()
        .filter(|symbol| symbol.contains("alloc") && !symbol.starts_with("_Z"))
        .take(8)
        .map(|symbol| format!("`{symbol}`"))
        .collect();
    let diagnostic =
        Diagnostic::error("A8501", format!("no functions of an allocator found for `{name}`"))
            .help(format!("write `{name}.toml` by hand, naming at least `malloc` and `free`"));
    match near.as_slice() {
        [] => diagnostic.fact("nothing that the library defines has `alloc` in its name").into(),
        near => diagnostic.fact(format!("the library defines {}", near.join(", "))).into(),
    }
}

fn does_not_work(name: &str, observed: &str) -> Report {
    let message = format!("the functions found for `{name}` do not work as an allocator");
    Diagnostic::error("A8503", message)
        .fact(format!("measured: {observed}"))
        .help(format!("write `{name}.toml` by hand: is there a function that must be called first (`init`, `thread_init`), or another order of arguments?"))
        .into()
}

fn read_back(name: &str, text: &str) -> Result<Allocator> {
    let source = Source::new(format!("{name}.toml"), text);
    allocator::read(&source, name, Origin::File(PathBuf::from(&source.name)))
}

/// What the archives are for, if all of them are for another system than the compiler.
///
/// A compiler for that system would take them: then they are no strangers, and are judged as a
/// link would judge them.
fn foreign_target(archives: &[Archive], compiler: &Compiler) -> Option<String> {
    let mut members = archives.iter().flat_map(|a| &a.members);
    let first = members.clone().find(|m| m.machine.is_some())?;
    let system = match first.format {
        Format::MachO if !compiler.target.contains("apple") => "macOS",
        Format::Coff | Format::Import if !compiler.target.contains("windows") => "Windows",
        _ => return None,
    };
    members
        .all(|m| m.format == first.format || m.machine.is_none())
        .then(|| first.machine.map(|machine| format!("{system} on {machine}")))
        .flatten()
}

fn not_measured(target: &str) -> Diagnostic {
    let message = format!("nothing was measured: programs for {target} do not run here");
    Diagnostic::warning("A8502", message)
        .help("without promises the shim guards everything; add those that you know to hold")
}

//! `run`: a program under an interposer, or why that cannot take effect.
//!
//! Follows env(1): the program's own status; 125 when we refuse or a proof fails, 126 and 127 when
//! it cannot be executed. Writes nothing to standard output.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    artifact::{SharedObject, SymbolVersion},
    diagnostic::{Diagnostic, Report, Result, Severity},
    interposer::{self, Order},
    spec::{Abi, Platform},
    system,
    toolchain::{Compiler, HOST, is_windows},
    verify::abi_of,
};

use super::{Show, build::cache, find_allocator, host, host_platform, one_platform, verify::read};
use crate::cli::Run;

pub(crate) mod darwin;
mod evidence;
mod scratch;
pub(crate) mod target;
mod windows;

use target::Judged;

/// We refused, or a proof failed.
pub(crate) const REFUSED: u32 = 125;
const NOT_EXECUTABLE: u32 = 126;
const NOT_FOUND: u32 = 127;

/// The library to preload, and what it is.
struct Preload {
    path: PathBuf,
    object: SharedObject,
    platform: Platform,
    abi: Abi,
    /// The environment variable by which the allocator writes counters.
    counters: Option<String>,
}

pub(crate) fn run(options: &Run, show: &Show) -> Result<u32> {
    if options.command.is_empty() && !options.print_env {
        return Err(Diagnostic::error("A8905", "no program is named")
            .help("alloc8-gen run -- PROGRAM ARGS…")
            .into());
    }
    let platform = platform(options)?;
    if platform.mechanism == "pe" {
        return windows::run(options, &platform, show);
    }
    super::refuse_hook(options.hook, &platform)?;
    if platform.mechanism == "macho" {
        return darwin::run(options, &platform, show);
    }
    if is_windows(HOST) {
        return Err(Diagnostic::error("A8676", format!("programs for {} do not run here", platform.name))
            .fact(format!("this is {HOST}, where nothing is preloaded"))
            .help("`alloc8-gen verify LIBRARY --program PROGRAM` tells whether preloading it would take effect")
            .into());
    }
    preloaded(options, platform, show)
}

/// Has the dynamic linker load the library before all others.
fn preloaded(options: &Run, platform: Platform, show: &Show) -> Result<u32> {
    let preload = preload(options, platform, show)?;
    let link = without_spaces(&preload.path)?;
    if options.print_env {
        show.out(&format!("LD_PRELOAD={}", joined(&link).to_string_lossy()));
        return Ok(0);
    }
    let program = match target::find(&options.command[0]) {
        Ok(program) => program,
        Err(missing) => {
            show.diagnostics(&[missing.diagnostic()]);
            return Ok(if missing.found { NOT_EXECUTABLE } else { NOT_FOUND });
        }
    };
    let mut judged = judge(options, &preload, &program, show)?;
    if let Some(missing) = judged.missing.take() {
        show.diagnostics(&[missing]);
        return Ok(NOT_FOUND);
    }
    let command = command(options, &link, &judged, &program);
    match &options.proof {
        None => Ok(execute(command, &program, show)),
        Some(proof) => {
            let evidence = evidence::Evidence::new(&preload, &link)?;
            prove(command, evidence, proof, &program, show)
        }
    }
}

/// Whether the library can take effect in the program; what may matter is told where a proof is asked
/// for: else the program's own output comes first.
fn judge(options: &Run, preload: &Preload, program: &Path, show: &Show) -> Result<Judged> {
    let (name, arguments) = (&options.command[0], &options.command[1..]);
    let (object, platform, abi) = (&preload.object, &preload.platform, &preload.abi);
    let mut judged = target::judge(name, program, arguments, object, platform, abi)?;
    let (mut errors, remarks): (Vec<_>, Vec<_>) =
        std::mem::take(&mut judged.diagnostics).into_iter().partition(is_error);
    // The dynamic linker that preloads by its own option does not read the environment for it.
    if !options.no_inherit {
        errors.extend(judged.dropped.take());
    }
    if judged.missing.is_some() {
        return Ok(judged);
    }
    if !errors.is_empty() {
        return Err(Report { diagnostics: errors });
    }
    if options.proof.is_some() {
        show.diagnostics(&remarks);
    }
    Ok(judged)
}

/// Runs the program as our child, and tells afterwards what is known of it.
fn prove(
    mut command: Command,
    evidence: evidence::Evidence,
    proof: &Path,
    program: &Path,
    show: &Show,
) -> Result<u32> {
    evidence.request(&mut command);
    match command.spawn().and_then(|mut child| Ok((child.id(), host::wait_for(&mut child)?))) {
        Ok((pid, status)) => {
            let holds = evidence.tell(pid, proof, show)?;
            // The signal that ended the program may end us: nothing is cleared away then.
            drop(evidence);
            Ok(if holds { host::pass_on(status) } else { REFUSED })
        }
        Err(error) => {
            show.diagnostics(&[cannot_execute(program, &error)]);
            Ok(NOT_EXECUTABLE)
        }
    }
}

/// Has the program take our place; the status if it cannot.
fn execute(command: Command, program: &Path, show: &Show) -> u32 {
    host::execute(command).unwrap_or_else(|error| {
        show.diagnostics(&[cannot_execute(program, &error)]);
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        if missing { NOT_FOUND } else { NOT_EXECUTABLE }
    })
}

fn platform(options: &Run) -> Result<Platform> {
    match &options.platform {
        Some(name) => one_platform(name),
        None => host_platform(),
    }
}

fn preload(options: &Run, platform: Platform, show: &Show) -> Result<Preload> {
    let (path, counters) = match &options.preload {
        Some(path) => (path.clone(), None),
        None => {
            let name = options.allocator.as_deref().unwrap_or("simple_heap");
            let allocator = find_allocator(name, show)?;
            let cache = cache();
            let compiler = Compiler::find_known(options.archive.cc.as_deref(), None, &cache)?;
            let soname = format!("lib{}-alloc8.so", allocator.name);
            let order = Order {
                platform: &platform,
                allocator: &allocator,
                lang: allocator.lang(),
                libs: &options.archive.lib,
                compiler: &compiler,
                cache: &cache,
                soname: &soname,
                hook: None,
            };
            let built = interposer::build(&order)?;
            if options.proof.is_some() {
                show.diagnostics(&built.remarks);
            }
            (built.library, allocator.counters)
        }
    };
    let data = read(&path)?;
    let object = SharedObject::read(&data).map_err(|error| {
        Report::from(Diagnostic::error("A8511", format!("`{}` is {error}", path.display())))
    })?;
    let abi = abi_of(&platform, &object).cloned().ok_or_else(|| {
        Report::from(Diagnostic::error(
            "A8512",
            format!(
                "`{}` is for {}, which platform `{}` does not know",
                path.display(),
                object.machine,
                platform.name
            ),
        ))
    })?;
    let path = fs::canonicalize(&path).unwrap_or(path);
    let preload = Preload { path, object, platform, abi, counters };
    refuse_empty(&preload)?;
    Ok(preload)
}

/// A library that exports none of the platform's names would be a silent no-op.
fn refuse_empty(preload: &Preload) -> Result<()> {
    let first = preload.platform.symbols[0].name(&preload.abi);
    let exported: Vec<_> =
        preload.object.named(&first).filter(|symbol| symbol.is_exported()).collect();
    if exported.iter().any(|symbol| symbol.version == SymbolVersion::Unversioned) {
        return Ok(());
    }
    let path = preload.path.display();
    let diagnostic = match exported.first().map(|symbol| &symbol.version) {
        Some(SymbolVersion::Defined { node, .. }) => Diagnostic::error(
            "A8660",
            format!("`{path}` exports `{first}` under the version {node} alone"),
        )
        .fact("references to other versions would pass it over, and the heap would be split"),
        _ => Diagnostic::error("A8660", format!("`{path}` does not export `{first}`"))
            .fact("preloading it would change nothing"),
    };
    Err(diagnostic.help(format!("`alloc8-gen verify {path}` tells what it exports")).into())
}

/// LD_PRELOAD splits at spaces and colons (ld.so(8)): such a path is preloaded through a link.
fn without_spaces(path: &Path) -> Result<PathBuf> {
    let splits = |path: &Path| {
        let text = path.to_string_lossy();
        text.contains([' ', ':', ';', '\t', '\n', ','])
            || text.contains('$')
            || path.to_str().is_none()
    };
    if !splits(path) {
        return Ok(path.to_owned());
    }
    let temporary = std::env::temp_dir();
    let base = if splits(&temporary) { PathBuf::from("/tmp") } else { temporary };
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hash = DefaultHasher::new();
    path.hash(&mut hash);
    let folder = base.join(format!("alloc8-gen-{}-{:016x}", host::user(), hash.finish()));
    let link = folder.join("interposer.so");
    let made = (|| {
        if fs::read_link(&link).is_ok_and(|old| old == path) && host::is_own(&folder) {
            return Ok(());
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        system::link(path, &link)
    })();
    made.map_err(|error: std::io::Error| {
        Report::from(Diagnostic::error(
            "A8301",
            format!("could not make the link `{}`: {error}", link.display()),
        ))
    })?;
    Ok(link)
}

/// Ours first, then what the user has already.
fn joined(link: &Path) -> OsString {
    let mut value = link.as_os_str().to_owned();
    if let Some(old) = std::env::var_os("LD_PRELOAD").filter(|old| !old.is_empty()) {
        value.push(":");
        value.push(old);
    }
    value
}

fn command(options: &Run, link: &Path, judged: &Judged, program: &Path) -> Command {
    if let Some(by) = judged.by_loader.as_ref().filter(|_| options.no_inherit) {
        // The loader preloads for this program alone: nothing is in the environment.
        let mut words = by.before.clone();
        words.push(by.loader.clone().into());
        words.extend(["--preload".into(), link.into(), "--argv0".into(), by.name.clone()]);
        words.push(by.program.clone().into());
        words.extend(by.arguments.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        return command;
    }
    let (name, arguments) = (&options.command[0], &options.command[1..]);
    let mut command = if judged.shell {
        let mut shell = Command::new("/bin/sh");
        shell.arg(program);
        shell
    } else {
        // As it was named: a program may look at how it was called.
        let mut command = Command::new(program);
        host::call_it(&mut command, name);
        command
    };
    command.args(arguments).env("LD_PRELOAD", joined(link));
    command
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn cannot_execute(program: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("A8661", format!("`{}` could not be executed: {error}", program.display()))
}

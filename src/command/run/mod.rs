//! `run`: a program under an interposer, or why that cannot take effect.
//!
//! Follows env(1): the program's own status; 125 when we refuse or a proof fails, 126 and 127 when
//! it cannot be executed. Writes nothing to standard output.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use alloc8_gen::{
    artifact::SharedObject,
    diagnostic::{Diagnostic, Report, Result, Severity},
    interposer::{self, Order},
    spec::{Abi, Platform},
    toolchain::Compiler,
    verify::abi_of,
};

use super::{Show, build::cache, find_allocator, host_platform, platforms, verify::read};
use crate::cli::Run;

mod evidence;
pub(crate) mod target;

/// We refused, or a proof failed.
pub(crate) const REFUSED: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// The library to preload, and what it is.
struct Preload {
    path: PathBuf,
    object: SharedObject,
    platform: Platform,
    abi: Abi,
    /// The environment variable by which the allocator writes counters.
    counters: Option<String>,
}

pub(crate) fn run(options: &Run, show: &Show) -> Result<u8> {
    if options.command.is_empty() && !options.print_env {
        return Err(Diagnostic::error("A8905", "no program is named")
            .help("alloc8-gen run -- PROGRAM ARGS…")
            .into());
    }
    let preload = preload(options, show)?;
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
    let arguments: Vec<&OsStr> = options.command[1..].iter().map(OsString::as_os_str).collect();
    let judged =
        target::judge(&program, &arguments, &preload.object, &preload.platform, &preload.abi)?;
    let (errors, remarks): (Vec<_>, Vec<_>) =
        judged.diagnostics.into_iter().partition(|d| d.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(Report { diagnostics: errors });
    }
    // What may matter is told where a proof is asked for; else the program's own output comes first.
    if options.proof.is_some() {
        show.diagnostics(&remarks);
    }
    let mut command = command(options, &link, &judged.interpreter);
    let Some(proof) = &options.proof else {
        let error = command.exec();
        show.diagnostics(&[cannot_execute(&program, &error)]);
        return Ok(if error.kind() == std::io::ErrorKind::NotFound {
            NOT_FOUND
        } else {
            NOT_EXECUTABLE
        });
    };
    let evidence = evidence::Evidence::new(&preload, &link)?;
    evidence.request(&mut command);
    match command.spawn().and_then(|mut child| Ok((child.id(), child.wait()?))) {
        Ok((pid, status)) => {
            let holds = evidence.tell(pid, proof, show)?;
            if holds { Ok(pass_on(status)) } else { Ok(REFUSED) }
        }
        Err(error) => {
            show.diagnostics(&[cannot_execute(&program, &error)]);
            Ok(NOT_EXECUTABLE)
        }
    }
}

fn preload(options: &Run, show: &Show) -> Result<Preload> {
    let platform = match &options.platform {
        Some(name) => platforms(std::slice::from_ref(name))?.remove(0),
        None => host_platform()?,
    };
    let (path, counters) = match &options.preload {
        Some(path) => (path.clone(), None),
        None => {
            let name = options.allocator.as_deref().unwrap_or("simple_heap");
            let allocator = find_allocator(name, show)?;
            let compiler = Compiler::find(options.archive.cc.as_deref(), None)?;
            let soname = format!("lib{}-alloc8.so", allocator.name);
            let cache = cache();
            let order = Order {
                platform: &platform,
                allocator: &allocator,
                libs: &options.archive.lib,
                compiler: &compiler,
                cache: &cache,
                soname: &soname,
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
    let answers = preload
        .object
        .named(&first)
        .any(|s| s.is_exported() && s.version == alloc8_gen::artifact::SymbolVersion::Unversioned);
    if answers {
        return Ok(());
    }
    Err(Diagnostic::error(
        "A8660",
        format!("`{}` does not export `{first}`", preload.path.display()),
    )
    .fact("preloading it would change nothing")
    .help(format!("`alloc8-gen verify {}` tells what it exports", preload.path.display()))
    .into())
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
    let user = rustix::process::geteuid().as_raw();
    let folder = base.join(format!("alloc8-gen-{user}-{:016x}", hash.finish()));
    let link = folder.join("interposer.so");
    let made = (|| {
        if fs::read_link(&link).is_ok_and(|old| old == path) && owned(&folder, user) {
            return Ok(());
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        std::os::unix::fs::symlink(path, &link)
    })();
    made.map_err(|error: std::io::Error| {
        Report::from(Diagnostic::error(
            "A8301",
            format!("could not make the link `{}`: {error}", link.display()),
        ))
    })?;
    Ok(link)
}

/// A folder that somebody else made could lead anywhere.
fn owned(folder: &Path, user: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir() && m.uid() == user)
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

fn command(options: &Run, link: &Path, interpreter: &Option<PathBuf>) -> Command {
    let program = &options.command[0];
    let arguments = &options.command[1..];
    match interpreter.as_ref().filter(|_| options.no_inherit) {
        Some(loader) => {
            // The loader preloads for this program alone: nothing is in the environment.
            let mut command = Command::new(loader);
            let found = target::find(program).map_or_else(|_| PathBuf::from(program), |p| p);
            command
                .arg("--preload")
                .arg(link)
                .arg("--argv0")
                .arg(program)
                .arg(found)
                .args(arguments);
            command
        }
        None => {
            let mut command = Command::new(program);
            command.args(arguments).env("LD_PRELOAD", joined(link));
            command
        }
    }
}

fn cannot_execute(program: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("A8661", format!("`{}` could not be executed: {error}", program.display()))
}

/// The program's status; a signal that ended it ends us.
fn pass_on(status: ExitStatus) -> u8 {
    if let Some(number) = status.signal() {
        if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
        return u8::try_from(128 + number).unwrap_or(255);
    }
    u8::try_from(status.code().unwrap_or(255)).unwrap_or(255)
}

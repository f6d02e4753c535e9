//! `run` on macOS: dyld inserts the library, if nothing keeps it from doing so.
//!
//! Nothing here has run on a Mac; what decides is in [`preload::darwin`], which is tried everywhere.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    artifact::{Darwin, Program as Kind, program::Mode},
    diagnostic::{Diagnostic, Report, Result, Severity},
    interposer::{self, Order},
    preload::darwin::{Program, Slice, judge},
    spec::Platform,
    toolchain::{Compiler, HOST},
    verify::macho::{abi_of, verify},
};
use serde_json::json;

use super::{
    NOT_EXECUTABLE, NOT_FOUND, REFUSED, Show, cannot_execute, evidence::Evidence, execute,
    find_allocator, host, is_error, target::find,
};
use crate::{
    cli::Run,
    command::{build::cache, verify::read},
};

/// What dyld reads.
const VARIABLE: &str = "DYLD_INSERT_LIBRARIES";

/// The library to insert.
struct Inserted {
    path: PathBuf,
    slices: Vec<Slice>,
    /// The environment variable by which the allocator writes counters.
    counters: Option<String>,
}

pub(super) fn run(options: &Run, platform: &Platform, show: &Show) -> Result<u32> {
    if !HOST.contains("apple-darwin") {
        return Err(Diagnostic::error("A8676", "programs for macOS do not run here")
            .fact(format!("this is {HOST}; `run` starts programs of its own system"))
            .help("`alloc8-gen verify LIBRARY --program PROGRAM` tells whether inserting it would take effect")
            .into());
    }
    if options.no_inherit {
        return Err(Diagnostic::error("A8677", "`--no-inherit` cannot be had on macOS")
            .fact("dyld inserts what the environment names, and a program hands its environment on")
            .help("leave it out: programs of the system drop the variable by themselves")
            .into());
    }
    let library = inserted(options, platform, show)?;
    let value = joined(&library.path, std::env::var_os(VARIABLE))?;
    if options.print_env {
        show.out(&format!("{VARIABLE}={}", value.to_string_lossy()));
        return Ok(0);
    }
    let program = match find(&options.command[0]) {
        Ok(program) => program,
        Err(missing) => {
            show.diagnostics(&[missing.diagnostic()]);
            return Ok(if missing.found { NOT_EXECUTABLE } else { NOT_FOUND });
        }
    };
    let cpu = if HOST.starts_with("aarch64") { "arm64" } else { "x86_64" };
    let errors = judge(&facts(&program)?, &library.slices, Some(cpu));
    if errors.iter().any(is_error) {
        return Err(Report { diagnostics: errors });
    }
    let mut command = Command::new(&program);
    host::call_it(&mut command, &options.command[0]);
    command.args(&options.command[1..]).env(VARIABLE, value);
    start(command, &program, options, &library, show)
}

fn start(
    mut command: Command,
    program: &Path,
    options: &Run,
    library: &Inserted,
    show: &Show,
) -> Result<u32> {
    let Some(proof) = &options.proof else {
        return Ok(execute(command, program, show));
    };
    let Some(variable) = &library.counters else {
        return Err(Diagnostic::error("A8678", "nothing could prove it on macOS")
            .fact("dyld keeps no record of what it bound, so the heap's own count is the proof, and this one has none")
            .help("name its variable in the description (`counters = \"MY_COUNTERS\"`), or leave out `--proof`")
            .into());
    };
    let evidence = Evidence::counted(variable)?;
    evidence.request_counters(&mut command);
    match command.spawn().and_then(|mut child| Ok((child.id(), host::wait_for(&mut child)?))) {
        Ok((pid, status)) => {
            let holds = evidence.tell_counters(pid, proof, show)?;
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

fn inserted(options: &Run, platform: &Platform, show: &Show) -> Result<Inserted> {
    let (path, counters) = match &options.preload {
        Some(path) => (path.clone(), None),
        None => {
            let name = options.allocator.as_deref().unwrap_or("simple_heap");
            let allocator = find_allocator(name, show)?;
            let compiler = Compiler::find(options.archive.cc.as_deref(), None)?;
            let order = Order {
                platform,
                allocator: &allocator,
                lang: allocator.lang(),
                libs: &options.archive.lib,
                compiler: &compiler,
                cache: &cache(),
                soname: &format!("lib{}-alloc8.dylib", allocator.name),
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
    let slices = Darwin::read(&data).map_err(|error| {
        Report::from(Diagnostic::error("A8511", format!("`{}` is {error}", path.display())))
    })?;
    let bound = |slice: &Darwin<'_>| {
        let abi = abi_of(platform, slice);
        abi.is_some_and(|abi| verify(slice, platform, abi, None).takes_effect())
    };
    if !slices.iter().any(bound) {
        let path = path.display();
        return Err(Diagnostic::error("A8660", format!("`{path}` takes nothing over"))
            .fact("inserting it would change nothing: it has no tuple that dyld applies, and registers no zone")
            .help(format!("`alloc8-gen verify {path}` tells what it has"))
            .into());
    }
    let slices = slices.iter().map(Slice::from).collect();
    Ok(Inserted { path: fs::canonicalize(&path).unwrap_or(path), slices, counters })
}

/// Ours first, then what the user has already. dyld splits at colons, and knows no way to write one.
fn joined(library: &Path, old: Option<OsString>) -> Result<OsString> {
    if library.to_string_lossy().contains(':') {
        let message = format!("`{}` has a colon in its path", library.display());
        return Err(Diagnostic::error("A8679", message)
            .fact("dyld takes a colon for the end of a path")
            .help("move it, or insert it through a link (`--preload LINK`)")
            .into());
    }
    let mut value = library.as_os_str().to_owned();
    if let Some(old) = old.filter(|old| !old.is_empty()) {
        value.push(":");
        value.push(old);
    }
    Ok(value)
}

/// Reads a program, or the program that a script is for.
fn facts(path: &Path) -> Result<Program> {
    let mut path = path.to_owned();
    // As many scripts for scripts as the kernels of other systems follow.
    for _ in 0..5 {
        path = fs::canonicalize(&path).unwrap_or(path);
        let data = read(&path)?;
        let unreadable = |error| {
            Report::from(Diagnostic::error("A8664", format!("`{}` is {error}", path.display())))
        };
        match Kind::read(&data, Mode::default()).map_err(unreadable)? {
            Kind::Script { interpreter, .. } => path = PathBuf::from(interpreter),
            // A text without `#!` is the shell's.
            Kind::Other("something else") if data.is_ascii() => path = PathBuf::from("/bin/sh"),
            _ => {
                let slices = Darwin::read(&data).map_err(unreadable)?;
                let slices = slices.iter().map(Slice::from).collect();
                let metadata = fs::metadata(&path).ok();
                let mode =
                    metadata.map(|metadata| host::mode(&metadata, &path)).unwrap_or_default();
                return Ok(Program { path, mode, slices });
            }
        }
    }
    let message = format!("`{}` is a script for a script, and so on", path.display());
    Err(Diagnostic::error("A8664", message).into())
}

/// `verify --program`: whether inserting a library would take effect. Returns whether it would.
pub(crate) fn tell(program: &Path, library: &[Darwin<'_>], show: &Show) -> Result<bool> {
    let slices: Vec<_> = library.iter().map(Slice::from).collect();
    let found = judge(&facts(program)?, &slices, None);
    let takes = !found.iter().any(|d| d.severity == Severity::Error);
    show.diagnostics(&found);
    let answer =
        if takes { "an insertion takes effect" } else { "an insertion would take no effect" };
    show.result(
        &format!("{}: {answer}", program.display()),
        || json!({ "reason": "program", "program": program, "takes_effect": takes }),
    );
    Ok(takes)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_script_that_names_itself_comes_to_an_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("script");
        fs::write(&script, format!("#!{}\n", script.display())).expect("a script");
        assert!(facts(&script).is_err());
    }

    #[test]
    fn what_the_user_inserts_already_stays_behind_ours() {
        let with =
            |old: &str| joined(Path::new("/a b/l.dylib"), Some(old.into())).expect("a value");
        assert_eq!(with("/x.dylib:/y.dylib"), OsStr::new("/a b/l.dylib:/x.dylib:/y.dylib"));
        assert_eq!(with(""), OsStr::new("/a b/l.dylib"));
        assert!(joined(Path::new("/a:b/l.dylib"), None).is_err());
    }
}

//! The program that is to run: found as a shell finds it, read, and judged.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use alloc8_gen::{
    artifact::{
        Program, SharedObject,
        program::{ElfProgram, Mode},
    },
    diagnostic::{Diagnostic, Report, Result, Severity},
    preload,
    spec::{Abi, Platform},
};
use serde_json::json;

use super::super::{Show, verify::read};

/// Why a program cannot be executed.
pub(crate) struct Missing {
    name: OsString,
    /// It is there, but not executable.
    pub(crate) found: bool,
}

impl Missing {
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        let name = self.name.to_string_lossy();
        if self.found {
            Diagnostic::error("A8662", format!("`{name}` is not executable"))
        } else {
            Diagnostic::error("A8663", format!("`{name}` was not found"))
        }
    }
}

/// Finds a program as execvp(3) does.
pub(crate) fn find(name: &OsStr) -> std::result::Result<PathBuf, Missing> {
    let mut found = false;
    let candidates: Vec<PathBuf> = if name.to_string_lossy().contains('/') {
        vec![PathBuf::from(name)]
    } else {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
        std::env::split_paths(&path).map(|folder| folder.join(name)).collect()
    };
    for candidate in candidates {
        if let Ok(metadata) = fs::metadata(&candidate) {
            let executable = metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
            if executable {
                return Ok(candidate);
            }
            found = true;
        }
    }
    Err(Missing { name: name.to_owned(), found })
}

/// What was found out.
pub(crate) struct Judged {
    /// Errors: it would be a silent no-op.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The dynamic linker of the program that runs in the end.
    pub(crate) interpreter: Option<PathBuf>,
}

/// Follows scripts to their interpreters and judges the program that runs in the end.
pub(crate) fn judge(
    program: &Path,
    arguments: &[&OsStr],
    library: &SharedObject,
    platform: &Platform,
    abi: &Abi,
) -> Result<Judged> {
    let mut path = program.to_owned();
    let mut words: Vec<OsString> = arguments.iter().map(|&a| a.to_owned()).collect();
    for _ in 0..5 {
        let metadata = fs::metadata(&path).map_err(|error| {
            Report::from(Diagnostic::error(
                "A8304",
                format!("could not read `{}`: {error}", path.display()),
            ))
        })?;
        let read = Program::read(&read(&path)?, mode(&metadata, &path)).map_err(|error| {
            Report::from(Diagnostic::error("A8664", format!("`{}` is {error}", path.display())))
        })?;
        match read {
            Program::Elf(elf) => return Ok(judge_elf(&path, &elf, &words, library, platform, abi)),
            Program::Script { interpreter, argument } => {
                words.insert(0, path.into_os_string());
                if let Some(argument) = argument {
                    words.splice(0..0, argument.split_whitespace().map(OsString::from));
                }
                path = PathBuf::from(interpreter);
            }
            // A shell reads it: the shell will be interposed.
            Program::Other(_) => return Ok(Judged { diagnostics: Vec::new(), interpreter: None }),
        }
    }
    Ok(Judged { diagnostics: Vec::new(), interpreter: None })
}

fn judge_elf(
    path: &Path,
    elf: &ElfProgram,
    words: &[OsString],
    library: &SharedObject,
    platform: &Platform,
    abi: &Abi,
) -> Judged {
    let name = path.display().to_string();
    let mut diagnostics = preload::judge(&name, elf, library, platform, abi);
    diagnostics.extend(preload::remarks(&name, elf, &needed(elf, platform), platform, abi));
    // env(1) executes what its arguments name: that is the program that was meant.
    if path.file_name() == Some(OsStr::new("env")) {
        if let Some(next) = executed_by_env(words) {
            if let Ok(judged) = judge(
                &next.0,
                &next.1.iter().map(OsString::as_os_str).collect::<Vec<_>>(),
                library,
                platform,
                abi,
            ) {
                diagnostics.extend(judged.diagnostics);
            }
        }
    }
    let interpreter = elf.object.interpreter.as_ref().map(PathBuf::from);
    Judged { diagnostics, interpreter }
}

/// The command in `env -u X A=B COMMAND ARGS`; `None` where options make it hard to tell.
fn executed_by_env(words: &[OsString]) -> Option<(PathBuf, Vec<OsString>)> {
    let mut rest = words.iter().enumerate();
    let (at, name) = rest.find(|(_, word)| {
        let text = word.to_string_lossy();
        !text.contains('=') && !text.starts_with('-')
    })?;
    let takes_value = words[..at].iter().any(|w| w.to_string_lossy().starts_with('-'));
    if takes_value {
        return None;
    }
    Some((find(name).ok()?, words[at + 1..].to_vec()))
}

/// Set-user-ID matters only if it changes the user (AT_SECURE in getauxval(3)).
fn mode(metadata: &fs::Metadata, path: &Path) -> Mode {
    let st_mode = metadata.permissions().mode();
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    let mut buffer = [0u8; 64];
    let capabilities =
        rustix::fs::getxattr(path, "security.capability", &mut buffer).is_ok_and(|size| size > 0);
    let mut mode = Mode::new(st_mode, capabilities && user != 0);
    mode.setuid &= metadata.uid() != user;
    mode.setgid &= metadata.gid() != group;
    mode
}

/// The libraries that a program names, where the usual folders have them.
fn needed(elf: &ElfProgram, platform: &Platform) -> Vec<(String, SharedObject)> {
    const FOLDERS: &[&str] = &["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
    if let Some(loader) = &elf.object.interpreter {
        folders.extend(fs::canonicalize(loader).ok().and_then(|l| l.parent().map(Path::to_owned)));
    }
    let wanted = elf.object.needed.iter().filter(|name| **name != platform.runtime.libc);
    wanted
        .filter_map(|name| {
            let data = folders.iter().find_map(|folder| fs::read(folder.join(name)).ok())?;
            Some((name.clone(), SharedObject::read(&data).ok()?))
        })
        .collect()
}

/// `verify --program`: whether a preload would take effect. Returns whether it would.
pub(crate) fn tell(
    program: &Path,
    library: &SharedObject,
    platform: &Platform,
    abi: &Abi,
    show: &Show,
) -> Result<bool> {
    let judged = judge(program, &[], library, platform, abi)?;
    let takes = !judged.diagnostics.iter().any(|d| d.severity == Severity::Error);
    show.diagnostics(&judged.diagnostics);
    let answer = if takes { "a preload takes effect" } else { "a preload would take no effect" };
    show.result(
        &format!("{}: {answer}", program.display()),
        || json!({ "reason": "program", "program": program, "takes_effect": takes }),
    );
    Ok(takes)
}

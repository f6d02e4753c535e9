//! The program that is to run: found as a shell finds it, read, and judged.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    artifact::{Program, SharedObject, program::ElfProgram},
    diagnostic::{Diagnostic, Report, Result, Severity},
    preload,
    spec::{Abi, Platform},
};
use serde_json::json;

use super::super::{Show, host, verify::read};

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
    find_in(name, None)
}

/// The same, with another PATH.
fn find_in(name: &OsStr, path: Option<&OsStr>) -> std::result::Result<PathBuf, Missing> {
    let mut found = false;
    let candidates: Vec<PathBuf> = if name.to_string_lossy().contains('/') {
        vec![PathBuf::from(name)]
    } else {
        let own = || std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
        let path = path.map_or_else(own, OsStr::to_owned);
        // An empty name would be the folder itself.
        let folders = std::env::split_paths(&path).filter(|_| !name.is_empty());
        folders.map(|folder| folder.join(name)).collect()
    };
    for candidate in candidates {
        if let Ok(metadata) = fs::metadata(&candidate) {
            if host::is_executable(&metadata) {
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
    /// A script's interpreter that is not there.
    pub(crate) missing: Option<Diagnostic>,
    /// What takes the preload away again before the program is executed.
    pub(crate) dropped: Option<Diagnostic>,
    /// How the program that runs in the end can be executed by its own dynamic linker.
    pub(crate) by_loader: Option<ByLoader>,
    /// A text without `#!`: execvp(3) hands it to a shell, posix_spawn(3) does not.
    pub(crate) shell: bool,
}

/// A command line that is cut where a dynamic linker and its options may be put in.
pub(crate) struct ByLoader {
    /// What is executed before: env(1) and its arguments.
    pub(crate) before: Vec<OsString>,
    /// The dynamic linker.
    pub(crate) loader: PathBuf,
    /// The program's own name for itself.
    pub(crate) name: OsString,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
}

/// Follows scripts to their interpreters and judges the program that runs in the end.
pub(crate) fn judge(
    name: &OsStr,
    program: &Path,
    arguments: &[OsString],
    library: &SharedObject,
    platform: &Platform,
    abi: &Abi,
) -> Result<Judged> {
    let mut path = program.to_owned();
    let mut name = name.to_owned();
    let mut words = arguments.to_vec();
    let mut shell = false;
    // The kernel follows four interpreters of interpreters (execve(2)).
    for _ in 0..5 {
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if path == program => return Err(unreadable(&path, &error)),
            Err(error) => {
                let message = format!("the interpreter of `{}` was not found", words[0].display());
                let missing = Diagnostic::error("A8663", message)
                    .fact(format!("`{}`: {error}", path.display()))
                    .help("install it, or correct the script's first line");
                return Ok(Judged { missing: Some(missing), ..Judged::unknown(shell) });
            }
        };
        let read = Program::read(&read(&path)?, host::mode(&metadata, &path)).map_err(|error| {
            Report::from(Diagnostic::error("A8664", format!("`{}` is {error}", path.display())))
        })?;
        let (interpreter, argument) = match read {
            Program::Elf(elf) => {
                let mut judged = judge_elf(&name, &path, &elf, words, library, platform, abi);
                judged.shell = shell;
                return Ok(judged);
            }
            Program::Script { interpreter, argument } => (interpreter, argument),
            Program::Other(_) => {
                shell = true;
                ("/bin/sh".to_owned(), None)
            }
        };
        words.insert(0, path.into_os_string());
        words.splice(0..0, argument.map(OsString::from));
        path = PathBuf::from(&interpreter);
        name = interpreter.into();
    }
    Ok(Judged::unknown(shell))
}

impl Judged {
    /// What the system itself will refuse.
    fn unknown(shell: bool) -> Judged {
        Judged { diagnostics: Vec::new(), missing: None, dropped: None, by_loader: None, shell }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Report {
    Diagnostic::error("A8304", format!("could not read `{}`: {error}", path.display())).into()
}

fn judge_elf(
    name: &OsStr,
    path: &Path,
    elf: &ElfProgram,
    words: Vec<OsString>,
    library: &SharedObject,
    platform: &Platform,
    abi: &Abi,
) -> Judged {
    let shown = path.display().to_string();
    let mut diagnostics = preload::judge(&shown, elf, library, platform, abi);
    diagnostics.extend(preload::remarks(&shown, elf, &needed(path, elf, platform), platform, abi));
    let mut judged = Judged { diagnostics, ..Judged::unknown(false) };
    // env(1) executes what its arguments name: that is the program that was meant.
    if path.file_name() == Some(OsStr::new("env")) {
        let Some(env) = Env::read(&words) else { return judged };
        judged.dropped = env.dropped.map(|how| {
            Diagnostic::error("A8666", format!("`env {how}` takes the preload away again"))
                .fact("the program would run without the interposer, and nobody would notice")
                .help(
                    "let env come first: `env … alloc8-gen run -- PROGRAM`; or use `--no-inherit`",
                )
        });
        let Some(at) = env.command else { return judged };
        let next = &words[at];
        let Ok(program) = find_in(next, env.path.as_deref()) else { return judged };
        if let Ok(inner) = judge(next, &program, &words[at + 1..], library, platform, abi) {
            judged.diagnostics.extend(inner.diagnostics);
            judged.dropped = judged.dropped.or(inner.dropped);
            judged.by_loader = inner.by_loader.map(|mut inner| {
                let own = [path.as_os_str().to_owned()].into_iter();
                let before = own.chain(words[..at].iter().cloned());
                inner.before.splice(0..0, before);
                inner
            });
        }
        return judged;
    }
    judged.by_loader = elf.object.interpreter.as_ref().map(|loader| ByLoader {
        before: Vec::new(),
        loader: PathBuf::from(loader),
        name: name.to_owned(),
        program: path.to_owned(),
        arguments: words,
    });
    judged
}

/// What env(1) would do with its arguments.
struct Env {
    /// How it takes LD_PRELOAD away.
    dropped: Option<String>,
    /// The PATH that it sets.
    path: Option<OsString>,
    /// Where the command stands among the arguments.
    command: Option<usize>,
}

impl Env {
    /// `None` where options make it hard to tell.
    fn read(words: &[OsString]) -> Option<Env> {
        let mut env = Env { dropped: None, path: None, command: None };
        let mut options = true;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let text = word.to_string_lossy();
            let mut unset = None;
            match &*text {
                "--" if options => options = false,
                "-" | "-i" | "--ignore-environment" if options => env.dropped = Some(text.into()),
                "-v" | "--debug" if options => {}
                "-u" | "--unset" if options => {
                    at += 1;
                    unset = Some(words.get(at)?.to_string_lossy().into_owned());
                }
                _ if options && text.starts_with("--unset=") => {
                    unset = text.strip_prefix("--unset=").map(str::to_owned);
                }
                _ if options && text.starts_with("-u") => {
                    unset = text.strip_prefix("-u").map(str::to_owned);
                }
                _ if options && text.starts_with('-') => return None,
                _ if text.contains('=') => {
                    options = false;
                    if let Some(path) = text.strip_prefix("PATH=") {
                        env.path = Some(path.into());
                    } else if text.starts_with("LD_PRELOAD=") {
                        env.dropped = Some("LD_PRELOAD=…".to_owned());
                    }
                }
                _ => {
                    env.command = Some(at);
                    return Some(env);
                }
            }
            if unset.as_deref() == Some("LD_PRELOAD") {
                env.dropped = Some("-u LD_PRELOAD".to_owned());
            }
            at += 1;
        }
        Some(env)
    }
}

/// The libraries that a program names, where the dynamic linker would look for them.
fn needed(path: &Path, elf: &ElfProgram, platform: &Platform) -> Vec<(String, SharedObject)> {
    const FOLDERS: &[&str] = &["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
    let origin = path.parent().unwrap_or(Path::new("")).display().to_string();
    let own = [&elf.object.rpath, &elf.object.runpath].into_iter().flatten();
    let own: Vec<String> =
        own.map(|p| p.replace("$ORIGIN", &origin).replace("${ORIGIN}", &origin)).collect();
    let mut folders: Vec<PathBuf> = own.iter().flat_map(std::env::split_paths).collect();
    folders.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
    folders.extend(FOLDERS.iter().map(PathBuf::from));
    if let Some(loader) = &elf.object.interpreter {
        folders.extend(fs::canonicalize(loader).ok().and_then(|l| l.parent().map(Path::to_owned)));
    }
    let wanted = elf.object.needed.iter().filter(|name| !platform.runtime.is_libc(name));
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
    let mut judged = judge(program.as_os_str(), program, &[], library, platform, abi)?;
    judged.diagnostics.extend(judged.missing);
    let takes = !judged.diagnostics.iter().any(|d| d.severity == Severity::Error);
    show.diagnostics(&judged.diagnostics);
    let answer = if takes { "a preload takes effect" } else { "a preload would take no effect" };
    show.result(
        &format!("{}: {answer}", program.display()),
        || json!({ "reason": "program", "program": program, "takes_effect": takes }),
    );
    Ok(takes)
}

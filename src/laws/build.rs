//! Compiling laws: each build of each law once per compiler and flags.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{Lang, Law, parts, platform::HEADER, run::PATIENCE};
use crate::{
    diagnostic::{Diagnostic, Report, Result},
    toolchain::{Compiler, Runner, is_windows, make_folder},
};

/// A C compiler and the C++ compiler that belongs to it.
#[derive(Debug, Clone)]
pub struct Compilers {
    /// For C.
    pub c: Compiler,
    /// For C++; why there is none otherwise.
    pub cxx: std::result::Result<Compiler, String>,
    /// Whether they are clang.
    pub clang: bool,
}

impl Compilers {
    /// Finds the C++ compiler of the same name: `g++-12` for `gcc-12`, `clang++` for `clang`, else
    /// `$CXX`.
    pub fn beside(c: &Compiler) -> Compilers {
        let clang = c.version().contains("clang");
        Compilers { c: c.clone(), cxx: c.cxx(), clang }
    }
}

/// One build of a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its first argument, if the law loads a plug-in.
    pub plugin: Option<PathBuf>,
    /// What this build was compiled with beyond the others.
    pub flags: Vec<String>,
}

/// A folder in which laws are built.
#[derive(Debug)]
pub struct Workshop {
    compilers: Compilers,
    flags: Vec<String>,
    /// For programs alone, not for what they load.
    carried: Vec<String>,
    folder: PathBuf,
    runner: Runner,
    launcher: Option<PathBuf>,
    patience: Duration,
}

impl Workshop {
    /// Builds in a folder below `work`; `flags` are for every law.
    ///
    /// # Errors
    /// `A8301`.
    pub fn new(compilers: Compilers, flags: &[&str], work: &Path) -> Result<Workshop> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut hash = Sha256::new();
        for compiler in [Some(&compilers.c), compilers.cxx.as_ref().ok()].into_iter().flatten() {
            hash.update(compiler.name());
            hash.update([0]);
            hash.update(compiler.version());
        }
        hash.update(flags.join("\0"));
        for (name, text) in parts() {
            hash.update(name);
            hash.update(text);
        }
        // One call may run elsewhere than the next: what runs in another folder needs full paths.
        let work = std::path::absolute(work).unwrap_or_else(|_| work.to_owned());
        let folder = work.join(format!("laws-{}", hexadecimal(&hash.finalize()[..8])));
        make_folder(&folder)?;
        let runner = Runner::of(&compilers.c.target).unwrap_or_default();
        Ok(Workshop {
            compilers,
            flags,
            carried: Vec::new(),
            folder,
            runner,
            launcher: None,
            patience: PATIENCE,
        })
    }

    /// Ends a law that does nothing for longer than this, instead of 20 seconds.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Workshop {
        Workshop { patience, ..self }
    }

    /// How long a law may do nothing.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Where a platform's laws are compiled, with all that they include.
    fn place(&self, law: &Law) -> Result<PathBuf> {
        let folder = self.folder.join(hexadecimal(&Sha256::digest(&law.header)[..4]));
        make_folder(&folder)?;
        for (name, text) in parts() {
            write(&folder.join(name), &text)?;
        }
        write(&folder.join(HEADER), &law.header)?;
        Ok(folder)
    }

    /// The same with another way to start laws than their target's.
    #[must_use]
    pub fn run_by(mut self, runner: Runner) -> Workshop {
        self.runner = runner;
        self
    }

    /// The same for programs that carry their heap: `options` are for their links alone, as `@FILE`
    /// and `-static`. Nothing that was built before is used again: what a file says may change.
    #[must_use]
    pub fn carrying(mut self, options: &[String]) -> Workshop {
        self.carried = options.to_vec();
        self
    }

    /// The same on Windows, where nothing is preloaded: this program starts laws with a library as their first
    /// import (see [`crate::interposer::launcher`]).
    #[must_use]
    pub fn launched_by(mut self, launcher: &Path) -> Workshop {
        self.launcher = Some(launcher.to_owned());
        self
    }

    /// What starts laws with a library, if that is not the runner.
    pub(super) fn launcher(&self) -> Option<&Path> {
        self.launcher.as_deref()
    }

    /// How laws are started; natively, and in vain, if nothing here runs them.
    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Where laws may run.
    pub(super) fn scratch(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// Every build of a law, unless it is there already.
    ///
    /// # Errors
    /// `A8401` if there is no C++ compiler, `A8402` with what the compiler said.
    pub fn build(&self, law: &Law) -> Result<Vec<Program>> {
        let key = hexadecimal(&Sha256::digest(&law.text)[..4]);
        let place = self.place(law)?;
        let source = place.join(&law.file);
        write(&source, &law.text)?;
        let plugin = law.plugin.as_ref().map(|file| self.plugin(law, file, &place)).transpose()?;
        let mut programs = Vec::new();
        for (number, flags) in law.builds().into_iter().enumerate() {
            let end = if self.is_for_windows() { ".exe" } else { "" };
            let path = place.join(format!("{}.{key}.{number}{end}", law.name));
            if !path.is_file() || !self.carried.is_empty() {
                let mut arguments = self.arguments(law, law.lang, &flags);
                // First: what a program's objects run before all else, they run in this order.
                arguments.extend(self.carried.iter().map(OsString::from));
                arguments.push(source.clone().into());
                self.link(law.lang, arguments, &path)?;
            }
            programs.push(Program { path, plugin: plugin.clone(), flags });
        }
        Ok(programs)
    }

    fn plugin(&self, law: &Law, file: &str, place: &Path) -> Result<PathBuf> {
        let path = place.join(file).with_extension("so");
        if !path.is_file() {
            let lang = Lang::of(file).unwrap_or(law.lang);
            let mut arguments = self.arguments(law, lang, &[]);
            arguments.extend(["-shared", "-fPIC"].map(OsString::from));
            arguments.push(place.join(file).into());
            self.link(lang, arguments, &path)?;
        }
        Ok(path)
    }

    fn is_for_windows(&self) -> bool {
        is_windows(&self.compilers.c.target)
    }

    fn arguments(&self, law: &Law, lang: Lang, more: &[String]) -> Vec<OsString> {
        let standard = if lang == Lang::C { "-std=c11" } else { "-std=c++17" };
        let mut flags: Vec<&str> = vec![standard, "-O2", "-fno-builtin"];
        // The C++ runtime inside: its library would have to lie beside the program, and has operators of its own.
        flags.push(if self.is_for_windows() { "-static" } else { "-pthread" });
        let own = if self.compilers.clang { &law.flags_clang } else { &law.flags_gcc };
        let all = [&self.flags, &law.flags, own].into_iter().flatten().map(String::as_str);
        flags.extend(all.chain(more.iter().map(String::as_str)));
        let linker = self.compilers.c.linker();
        if self.compilers.clang && flags.contains(&"-flto") && linker.is_none() {
            flags.push("-fuse-ld=lld");
        }
        flags.into_iter().map(OsString::from).collect()
    }

    /// Compiles and links beside the target, then moves it there: others may build it meanwhile.
    fn link(&self, lang: Lang, mut arguments: Vec<OsString>, target: &Path) -> Result<()> {
        let compiler = match (lang, &self.compilers.cxx) {
            (Lang::C, _) => &self.compilers.c,
            (Lang::Cxx, Ok(cxx)) => cxx,
            (Lang::Cxx, Err(why)) => return Err(Diagnostic::error("A8401", why.clone()).into()),
        };
        let made = beside(target);
        arguments.extend(["-o".into(), made.clone().into()]);
        if !self.is_for_windows() {
            arguments.push("-ldl".into());
        }
        compiler.run(&arguments, &format!("compiling `{}`", target.display()))?;
        fs::rename(&made, target).map_err(|error| cannot_write(target, &error))
    }
}

/// Why a build failed, in a line.
pub(super) fn why(report: &Report) -> String {
    let Some(first) = report.diagnostics.first() else { return "it was not built".to_owned() };
    let lines = || first.notes.iter().flat_map(|note| note.lines());
    let said = lines().find(|line| line.contains("error")).or_else(|| lines().last());
    match said {
        Some(said) => format!("it could not be built: {}", said.trim()),
        None => first.message.clone(),
    }
}

/// Not twice, and whole at once: another thread's compiler may be reading it.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()) {
        return Ok(());
    }
    let made = beside(path);
    let written = fs::write(&made, text).and_then(|()| fs::rename(&made, path));
    written.map_err(|error| cannot_write(path, &error))
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{}-{number}.tmp", std::process::id()))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Report {
    Diagnostic::error("A8302", format!("could not write `{}`: {error}", path.display())).into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

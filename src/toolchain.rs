//! The edge to compilers, linkers and archivers: runs them, and turns what they say into diagnostics.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{
    diagnostic::{Diagnostic, Report, Result},
    parallel,
};

mod coff;
mod cpu;
mod cross;
mod cxx;
mod darwin;
mod known;
mod link;
mod runner;
mod target;
mod watch;
mod windows;
mod wine;

pub use coff::join_for_windows;
pub use cpu::{is_windows, target_of};
pub use darwin::{LEAST_SYSTEM, UNIVERSAL, link_dylib, slices};
pub(crate) use darwin::{is_of_cxx, join_for_darwin};
pub use link::{Linked, Recipe, compile, join, link, make_folder};
pub use runner::Runner;
pub(crate) use watch::Watch;
pub use windows::{
    Dll, SystemLibrary, link_dll, link_dll_with_c_library, link_program, own_sections,
};
pub use wine::windows_folder;

/// The target that this tool was built for; compilers for it need no prefix.
pub const HOST: &str = env!("ALLOC8_HOST");

/// A C compiler driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The program and the arguments that belong to it.
    command: Vec<OsString>,
    /// What it compiles for.
    pub target: String,
    /// What it answered to `--version`.
    version: String,
}

impl Compiler {
    /// The compiler for a target: `--cc` as given (split at spaces, like `$CC`), else `$CC` for the
    /// host, else what the `cc` crate knows for the target.
    ///
    /// # Errors
    /// `A8401` if there is none that runs, `A8412` if it compiles for something else.
    pub fn find(cc: Option<&str>, target: Option<&str>) -> Result<Compiler> {
        Compiler::named(cc, target)?.asked()
    }

    /// As [`Compiler::find`]; but one that was asked before, as `cache` tells, and is still the same
    /// file, is believed.
    ///
    /// # Errors
    /// As [`Compiler::find`].
    pub fn find_known(cc: Option<&str>, target: Option<&str>, cache: &Path) -> Result<Compiler> {
        let compiler = Compiler::named(cc, target)?;
        if let Some(version) = known::version(&compiler, cache) {
            return Ok(Compiler { version, ..compiler });
        }
        let compiler = compiler.asked()?;
        known::keep(&compiler, cache);
        Ok(compiler)
    }

    /// The one that is meant, not asked anything yet.
    fn named(cc: Option<&str>, target: Option<&str>) -> Result<Compiler> {
        let target = target.unwrap_or(HOST).to_owned();
        let given = cc
            .map(str::to_owned)
            .or_else(|| (target == HOST).then(|| std::env::var("CC").ok()).flatten());
        // Of an empty word, or of blanks, there is no command: as if nothing was said.
        let given = given.map(|text| split_command(&text)).filter(|words| !words.is_empty());
        let command = given.map_or_else(|| default_command(&target), Ok)?;
        Ok(Compiler::of(command, &target))
    }

    /// Asks it who it is, and whether it compiles for its target.
    fn asked(self) -> Result<Compiler> {
        let (version, macros) = parallel::both(
            // Without `-c`, zig leaves an empty `a.o` in the current folder when it is asked for Darwin.
            || self.command().args(["--version", "-c"]).output(),
            || target::predefined(&self),
        );
        match version {
            Ok(output) if output.status.success() => {
                target::check(&self, macros.as_deref())?;
                let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                Ok(Compiler { version, ..self })
            }
            Ok(output) => Err(self.missing(&String::from_utf8_lossy(&output.stderr)).into()),
            Err(error) => Err(self.missing(&error.to_string()).into()),
        }
    }

    /// One that was not asked anything yet.
    fn of(command: Vec<OsString>, target: &str) -> Compiler {
        Compiler { command, target: target.to_owned(), version: String::new() }
    }

    fn missing(&self, why: &str) -> Diagnostic {
        let message = format!("no C compiler: `{}` does not run", self.name());
        let diagnostic = Diagnostic::error("A8401", message);
        match why.trim() {
            "" => diagnostic.fact("`--version` made it fail, without a word"),
            why => diagnostic.fact(why),
        }
        .help(format!(
            "install a compiler for {}{}, or name one with `--cc`",
            self.target,
            if is_windows(HOST) { "" } else { " (on Debian: apt-get install gcc)" }
        ))
    }

    /// How it was called, for people and for cache keys.
    pub fn name(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|w| w.to_string_lossy()).collect();
        words.join(" ")
    }

    /// Which one it is, in its own words (`--version`), for people and for cache keys.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A command to add arguments to.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        // Messages are shown to the user and matched by tests.
        command.env("LC_ALL", "C");
        command
    }

    /// Runs it.
    ///
    /// # Errors
    /// `A8402` with what the compiler said.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], doing: &str) -> Result<()> {
        let mut command = self.command();
        command.args(arguments);
        run(command, doing)
    }

    /// Runs it and returns all that it said.
    ///
    /// # Errors
    /// As [`Compiler::run`].
    pub fn listen<S: AsRef<OsStr>>(&self, arguments: &[S], doing: &str) -> Result<String> {
        let mut command = self.command();
        command.args(arguments);
        let output = finish(command, doing)?;
        let said = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// The linker that is part of its command (`-fuse-ld=`).
    pub(crate) fn linker(&self) -> Option<String> {
        let words = self.command.iter().map(|word| word.to_string_lossy());
        words.rev().find_map(|word| Some(word.strip_prefix("-fuse-ld=")?.to_owned()))
    }

    /// Whether it compiles for Windows with the ABI of Microsoft's tools.
    pub fn is_msvc(&self) -> bool {
        windows::is_msvc(&self.target)
    }

    /// The words that start zig itself, if this is its `cc`.
    pub(crate) fn zig(&self) -> Option<&[OsString]> {
        let cc = self.command.iter().position(|word| word == "cc" || word == "c++")?;
        let before = &self.command[..cc];
        before.iter().any(|word| word.to_string_lossy().contains("zig")).then_some(before)
    }

    /// What it prints for one argument; `None` if it fails.
    pub fn ask(&self, argument: &str) -> Option<String> {
        let output = self.command().arg(argument).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The value of a macro that it predefines.
    pub fn predefined(&self, name: &str) -> Option<String> {
        let said = target::predefined(self)?;
        let mut lines = said.lines().filter_map(|l| l.strip_prefix("#define ")?.split_once(' '));
        lines.find(|(macro_name, _)| *macro_name == name).map(|(_, value)| value.to_owned())
    }

    /// What it writes before each name of C in objects for Windows: an underscore on x86.
    pub(crate) fn symbol_prefix(&self) -> String {
        let asks = is_windows(&self.target);
        asks.then(|| self.predefined("__USER_LABEL_PREFIX__")).flatten().unwrap_or_default()
    }

    /// The path of a library in its search path, if it is there.
    pub fn library(&self, file: &str) -> Option<PathBuf> {
        let answer = PathBuf::from(self.ask(&format!("-print-file-name={file}"))?);
        (answer.is_absolute() && answer.exists()).then_some(answer)
    }

    /// A tool of the same prefix (`aarch64-linux-gnu-objcopy`), or the plain one; of the host's, which
    /// are in PATH, the compiler is not asked.
    pub fn tool(&self, name: &str) -> OsString {
        if self.target == HOST && cross::in_path(name).is_some() {
            return name.into();
        }
        match self.ask(&format!("-print-prog-name={name}")) {
            Some(path) if Path::new(&path).is_absolute() => path.into(),
            _ => name.into(),
        }
    }
}

/// Runs a tool to its end.
///
/// # Errors
/// `A8402` with what the tool said, `A8403` if it cannot be started.
pub fn run(command: Command, doing: &str) -> Result<()> {
    finish(command, doing).map(|_| ())
}

fn finish(mut command: Command, doing: &str) -> Result<Output> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Report::from(
            Diagnostic::error("A8403", format!("`{program}` could not be started: {error}"))
                .fact(format!("while {doing}")),
        )
    })?;
    let said = match (output.status.success(), unmade(&command)) {
        (true, None) => return Ok(output),
        (true, Some(file)) => format!("it told of no mistake, and made no `{}`", file.display()),
        (false, _) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    };
    Err(Diagnostic::error("A8402", format!("{doing} failed")).fact(shown).fact(said).into())
}

/// What a tool was told to make (`-o FILE`) and has not made.
fn unmade(command: &Command) -> Option<PathBuf> {
    let mut arguments = command.get_args().skip_while(|argument| *argument != "-o");
    let file = Path::new(arguments.nth(1)?);
    let file = command.get_current_dir().map_or_else(|| file.to_owned(), |at| at.join(file));
    (!file.exists()).then_some(file)
}

fn split_command(text: &str) -> Vec<OsString> {
    // A path with spaces that exists is one word.
    if Path::new(text).is_file() {
        return vec![text.into()];
    }
    let mut words = text.split_whitespace();
    let program = words.next().map(cross::startable);
    program.into_iter().chain(words.map(OsString::from)).collect()
}

/// The variables by which the `cc` crate lets users choose.
fn named_in_the_environment(target: &str) -> bool {
    let names = [
        format!("CC_{target}"),
        format!("CC_{}", target.replace('-', "_")),
        if target == HOST { "HOST_CC" } else { "TARGET_CC" }.to_owned(),
    ];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn default_command(target: &str) -> Result<Vec<OsString>> {
    if !named_in_the_environment(target) && cross::knows(target) {
        let none = || cross::missing(target).map_or_else(Report::default, Report::from);
        return cross::command(target).ok_or_else(none);
    }
    // What the crate would answer after a look at what kind of compiler it is.
    if cfg!(target_os = "linux") && target == HOST && !named_in_the_environment(target) {
        return Ok(vec!["cc".into()]);
    }
    let tool = cc::Build::new()
        .cargo_metadata(false)
        .cargo_warnings(false)
        .host(HOST)
        .target(target)
        .opt_level(2)
        .try_get_compiler()
        .map_err(|error| {
            Report::from(
                Diagnostic::error("A8401", format!("no C compiler for {target}"))
                    .fact(error.to_string())
                    .help("install one, or name it with `--cc`"),
            )
        })?;
    let mut command = vec![tool.path().as_os_str().to_owned()];
    if tool.is_like_clang() && target != HOST {
        command.push(format!("--target={target}").into());
    }
    Ok(command)
}

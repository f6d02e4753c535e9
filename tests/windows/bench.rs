//! What the tests run, and on what: programs are built once, and kept as long as their sources are the same.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use crate::{archives, common};

/// A CPU that Wine runs programs for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cpu {
    /// As compilers are called.
    pub(super) name: &'static str,
}

pub(super) const X64: Cpu = Cpu { name: "x86_64" };
pub(super) const X86: Cpu = Cpu { name: "i686" };

/// Which C library a program is linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crt {
    Msvcrt,
    Ucrt,
}

impl Cpu {
    pub(super) fn target(self) -> String {
        format!("{}-pc-windows-gnu", self.name)
    }

    pub(super) fn gcc(self) -> String {
        format!("{}-w64-mingw32-gcc", self.name)
    }

    /// A call of its compiler, for a C library: Debian's knows msvcrt alone, and its specs are changed.
    pub(super) fn compiler(self, crt: Crt) -> Command {
        let mut command = Command::new(self.gcc());
        if crt == Crt::Ucrt {
            let specs = folder().join(format!("{}-ucrt.specs", self.name));
            if !specs.is_file() {
                let output = Command::new(self.gcc()).arg("-dumpspecs").output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                assert!(text.contains("-lmsvcrt"), "no -lmsvcrt in the specs");
                let made = tempfile::NamedTempFile::new_in(folder()).unwrap();
                fs::write(made.path(), text.replace("-lmsvcrt", "-lucrt")).unwrap();
                made.persist(&specs).unwrap();
            }
            command.arg(format!("-specs={}", specs.display())).arg("-D_UCRT");
        }
        command.args(["-std=gnu11", "-O1", "-fno-builtin", "-Wall", "-Wextra", "-Werror"]);
        command
    }

    /// The program that looks at its heap; `imports` comes before all other libraries.
    pub(super) fn client(self, crt: Crt, imports: Option<&Path>) -> PathBuf {
        let mut command = self.compiler(crt);
        command.arg(source("client.c"));
        if let Some(library) = imports {
            // Nothing of it is called: a reference brings the import. GNU's linker sorts imports by the paths of
            // their libraries, and `./` comes before all that begin with `/`.
            let prefix = if self == X86 { "_" } else { "" };
            let name = library.file_name().unwrap().to_str().unwrap();
            let wanted = if name.contains("-heap.") { "alloc8_heap" } else { "alloc8_hooks" };
            command
                .current_dir(library.parent().unwrap())
                .arg(format!("./{name}"))
                .arg(format!("-Wl,-u,__imp_{prefix}{wanted}"));
        }
        built(&format!("client-{}-{crt:?}.exe", self.name), &mut command, imports)
    }

    /// The same program with these files and options in its link.
    pub(super) fn program(self, crt: Crt, text: &str, more: &[&OsStr], program: &Path) {
        let mut command = self.compiler(crt);
        command.arg(source(text)).args(more).arg("-o").arg(program);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}\n{said}");
    }

    pub(super) fn plug(self, crt: Crt) -> PathBuf {
        let mut command = self.compiler(crt);
        command.arg("-shared").arg(source("plug.c"));
        built(&format!("plug-{}-{crt:?}.dll", self.name), &mut command, None)
    }

    pub(super) fn inject(self) -> PathBuf {
        let mut command = self.compiler(Crt::Msvcrt);
        built(&format!("inject-{}.exe", self.name), command.arg(source("inject.c")), None)
    }

    /// The object with counters around a heap whose functions have these names, in the order of `counted_heap.c`.
    pub(super) fn counters(self, name: &str, functions: &[String]) -> PathBuf {
        let own = "malloc free calloc realloc memalign malloc_usable_size owns".split(' ');
        let renamed = own.zip(functions).map(|(own, name)| format!("-Dsimple_heap_{own}={name}"));
        let mut command = Command::new(self.gcc());
        command.args(["-std=gnu11", "-O2", "-c"]).args(renamed).arg(source("counted_heap.c"));
        built(&format!("{name}-{}.o", self.name), &mut command, None)
    }

    /// The objects of the heap with counters around this C file, whose functions begin as given.
    pub(super) fn heap(self, around: &Path, begins: &str, options: &[&str]) -> Vec<PathBuf> {
        let names = match begins {
            "simple_heap_" => "malloc free calloc realloc memalign malloc_usable_size owns",
            _ => "malloc free calloc realloc memalign usable_size is_in_heap_region",
        };
        let names: Vec<_> = names.split(' ').map(|name| format!("{begins}{name}")).collect();
        let mut command = Command::new(self.gcc());
        command.args(["-std=gnu11", "-O2", "-c"]).args(options).arg(around);
        let heap = built(&format!("{begins}heap-{}.o", self.name), &mut command, None);
        vec![self.counters(&format!("{begins}counters"), &names), heap]
    }
}

impl Cpu {
    /// The objects of simple_heap with counters, by a compiler whose code calls no library of GNU's.
    pub(super) fn heap_by_clang(self) -> Vec<PathBuf> {
        let object = |name: &str, file: &Path| {
            let mut command = Command::new("clang");
            // What an object asks to be exported, GNU's linker and LLVM's read alike where names begin with no line.
            let system = if self == X86 { "pc-windows-msvc" } else { "w64-mingw32" };
            command.arg(format!("--target={}-{system}", self.name));
            command.args(["-std=gnu11", "-O2", "-ffreestanding", "-mno-stack-arg-probe", "-c"]);
            command.arg(file);
            built(&format!("{name}-{}-clang.o", self.name), &mut command, None)
        };
        vec![object("counted", &source("counted_heap.c")), object("simple", &simple_heap())]
    }
}

pub(super) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/windows").join(name)
}

pub(super) fn simple_heap() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simple_heap/simple_heap.c")
}

pub(super) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("windows");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a command that makes the file `-o`, unless it made it before of the same words and sources.
pub(super) fn built(name: &str, command: &mut Command, more: Option<&Path>) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(format!("{:?}", command.get_args().collect::<Vec<_>>()));
    let sources = [
        "aware_heap.c",
        "aware_heap.h",
        "client.c",
        "counted_heap.c",
        "counted_heap.h",
        "inject.c",
        "plug.c",
        "threads.c",
    ];
    for file in sources
        .map(source)
        .iter()
        .map(PathBuf::as_path)
        .chain(more)
        .chain([simple_heap().as_path()])
    {
        hash.update(fs::read(file).unwrap());
    }
    let hash: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let file = folder().join(format!("{hash}-{name}"));
    if !file.exists() {
        // Several tests may make it at once: each makes its own, and the last one stays.
        let work = tempfile::tempdir_in(folder()).unwrap();
        let new = work.path().join(name);
        let output = command.arg("-o").arg(&new).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}\n{said}");
        fs::rename(&new, &file).unwrap();
    }
    file
}

/// The sources of crates, for `build` and for heaps.
pub(super) fn crate_source(name: &str) -> PathBuf {
    static SOURCES: OnceLock<PathBuf> = OnceLock::new();
    SOURCES.get_or_init(|| archives::build().join("sources")).join(name)
}

/// The tool, which finds the sources that hooks need.
pub(super) fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.args(arguments).env("XDG_CACHE_HOME", folder().join("cache"));
    command.env("ALLOC8_MINHOOK", crate_source("minhook"));
    command.env("ALLOC8_DETOURS", crate_source("detours"));
    // Promises are measured there, if there is one.
    match Wine::installed() {
        Some(wine) => wine.around(command),
        None => command,
    }
}

/// Standard output, if the tool ended as it should.
#[track_caller]
pub(super) fn said(command: &mut Command, status: i32) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(status), "{command:?}\n{text}{}", stderr(&output));
    text
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Wine, with a Windows of its own below the target folder.
pub(super) struct Wine {
    prefix: PathBuf,
    narrow: Option<PathBuf>,
}

impl Wine {
    /// `None`, and said so, where it is not to be had.
    pub(super) fn new() -> Option<&'static Wine> {
        let wine = Wine::installed();
        if wine.is_none() {
            common::skip("wine", "apt-get install wine wine64");
        }
        wine
    }

    fn installed() -> Option<&'static Wine> {
        static WINE: OnceLock<Option<Wine>> = OnceLock::new();
        WINE.get_or_init(Wine::find).as_ref()
    }

    fn find() -> Option<Wine> {
        Command::new("wine").arg("--version").output().ok().filter(|o| o.status.success())?;
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("tools/wine");
        let narrow = Some(tools).filter(|folder| folder.join("i386-windows/ntdll.dll").is_file());
        // One that was made without the libraries for 32 bits never gets them.
        let name = if narrow.is_some() { "both" } else { "wide" };
        let wine = Wine { prefix: folder().join(format!("prefix-{name}")), narrow };
        wine.prepare();
        Some(wine)
    }

    /// Makes its Windows once: it takes ten seconds.
    fn prepare(&self) {
        let lock = File::create(folder().join("prefix.lock")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let made = self.prefix.join("made");
        if made.is_file() {
            return;
        }
        let mut boot = self.command("wineboot");
        assert!(boot.arg("-i").output().unwrap().status.success(), "wineboot");
        fs::write(made, "").unwrap();
    }

    fn command(&self, program: &str) -> Command {
        self.around(Command::new(program))
    }

    /// A command that finds this Wine's Windows.
    pub(super) fn around(&self, mut command: Command) -> Command {
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=").env_remove("DISPLAY");
        // The tool for Windows would take what was meant for the one here.
        if command.get_program() == "wine" {
            command.env_remove("ALLOC8_ZIG").env_remove("CC");
        }
        if let Some(folder) = &self.narrow {
            command.env("WINEDLLPATH", folder);
        }
        command
    }

    /// Whether programs for the CPU run; said so if not.
    pub(super) fn runs(&self, cpu: Cpu) -> bool {
        let runs = cpu == X64 || self.narrow.is_some();
        if !runs {
            common::skip("wine-i386", "cargo xtask install");
        }
        runs
    }

    /// Runs a program in its own folder. It is started once more if Wine's own connection broke, which was
    /// seen once in many thousand runs.
    pub(super) fn run(&self, program: &Path, arguments: &[&str]) -> Run {
        self.run_with(program, arguments, &[])
    }

    /// The same with these variables of the environment.
    pub(super) fn run_with(
        &self,
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Run {
        let mut command = self.command("wine");
        command.envs(variables.iter().copied());
        command.arg(program).args(arguments).current_dir(program.parent().unwrap());
        Self::finish(command)
    }

    /// The same in another folder.
    pub(super) fn run_in(&self, folder: &Path, program: &Path, arguments: &[&str]) -> Run {
        let mut command = self.command("wine");
        command.arg(program).args(arguments).current_dir(folder);
        Self::finish(command)
    }

    /// A line of the shell's with a terminal, of which Wine makes a console.
    pub(super) fn in_terminal(&self, folder: &Path, line: &str) -> Run {
        let mut command = self.command("script");
        command.args(["--quiet", "--return", "--command", line, "/dev/null"]).current_dir(folder);
        Self::finish(command)
    }

    /// The tool's own `run` in a folder.
    pub(super) fn launch(&self, folder: &Path, arguments: &[&str]) -> Run {
        let mut command = self.around(tool(&["run", "-p", "windows"]));
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        Self::finish(command)
    }

    /// What comes to no end is ended, and says nothing of its last line.
    fn finish(command: Command) -> Run {
        let mut limited = Command::new("timeout");
        limited.args(["-k", "5", "300"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            limited.current_dir(folder);
        }
        let mut command = limited;
        command.stdin(Stdio::null());
        let started = std::time::Instant::now();
        let mut output = command.output().unwrap();
        if stderr(&output).contains("wine client error:0: recvmsg") {
            output = command.output().unwrap();
        }
        Run {
            took: started.elapsed(),
            text: String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output),
            status: output.status.code(),
        }
    }
}

/// What a run left.
pub(super) struct Run {
    pub(super) took: std::time::Duration,
    pub(super) status: Option<i32>,
    pub(super) text: String,
}

impl Run {
    /// Why there is no last line, as far as it can be told.
    fn without_end(&self) -> String {
        let why = match self.status {
            Some(124 | 137) => "it did not end in 300 seconds",
            Some(53) => "a library was not found",
            Some(0) if self.text.is_empty() => "Wine ran nothing, and called that success",
            _ if self.text.is_empty() => "it said nothing at all",
            _ => "it did not come to its end",
        };
        format!("{why}: status {:?}, after {:?}\n{}", self.status, self.took, self.text)
    }

    /// What the client counted, by name. Wine may end with 0 and have run nothing: the last line is the proof.
    #[track_caller]
    pub(super) fn counted(&self, name: &str) -> u32 {
        let last = self.text.lines().map(str::trim_end).find(|line| line.starts_with("client: "));
        let last = last.unwrap_or_else(|| panic!("{}", self.without_end()));
        let parts = last.trim_start_matches("client: ").split(", ");
        let number = parts.filter_map(|part| match part.split_once(' ')? {
            (number, word) if word == name => number.parse().ok(),
            (word, number) if word == name => number.parse().ok(),
            _ => None,
        });
        number.last().unwrap_or_else(|| panic!("no {name} in {last}"))
    }

    /// All checks were made, and held.
    #[track_caller]
    pub(super) fn is_good(&self, what: &str) {
        assert!(
            self.counted("checks") >= 160 && self.counted("failed") == 0,
            "{what}\n{}",
            self.text
        );
        assert_eq!(self.status, Some(0), "{what}\n{}", self.text);
    }
}

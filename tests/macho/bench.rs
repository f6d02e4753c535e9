//! What the tests run, and on what: built once, and kept as long as its sources are the same.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::toolchain::{Compiler, HOST, Runner};
use sha2::{Digest, Sha256};

use crate::common;

/// A CPU that macOS runs on.
pub(super) struct Cpu {
    pub(super) zig: &'static str,
    pub(super) lld: &'static str,
    pub(super) rust: &'static str,
    triple: &'static str,
    how: &'static str,
}

const CPUS: [Cpu; 2] = [
    Cpu {
        zig: "x86_64-macos.11.0",
        lld: "x86_64",
        rust: "x86_64-apple-darwin",
        triple: HOST,
        how: "apt-get install gcc",
    },
    Cpu {
        zig: "aarch64-macos.11.0",
        lld: "arm64",
        rust: "aarch64-apple-darwin",
        triple: "aarch64-linux-gnu",
        how: "apt-get install qemu-user clang lld-19 libstdc++-12-dev-arm64-cross",
    },
];

/// How many checks the client makes: on a new system, on macOS 11, and where the heap is
/// no registered zone.
pub(super) const NEW: u32 = 143;
pub(super) const OLD: u32 = 119;
pub(super) const NO_ZONE: u32 = 113;

/// macOS 11: what later systems brought is not there.
pub(super) const MACOS_11: &[&str] = &[
    "--hide",
    "_malloc_type_",
    "--hide",
    "_malloc_zone_malloc_with_options",
    "--hide",
    "_reallocarray",
];

/// A CPU with the tools for it.
pub(super) struct Bench {
    pub(super) cpu: &'static Cpu,
    runner: Runner,
    loader: PathBuf,
    /// The program, and one that holds the control shim itself.
    client: PathBuf,
    holder: PathBuf,
    late: PathBuf,
}

/// Those whose tools are here; of the others it is said that they are skipped.
pub(super) fn benches() -> Vec<Bench> {
    if common::zig().is_none() {
        common::skip(common::ZIG.0, common::ZIG.1);
        return vec![];
    }
    CPUS.iter().filter_map(Bench::of).collect()
}

pub(super) fn sources(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/macho").join(folder)
}

/// The C files of a folder but those, in order.
fn c_files(folder: &Path, but: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .filter(|path| but.iter().all(|name| !path.ends_with(name)))
        .collect();
    files.sort();
    files
}

impl Bench {
    fn of(cpu: &'static Cpu) -> Option<Bench> {
        let tools = Compiler::find(None, Some(cpu.triple)).ok().zip(Runner::of(cpu.triple));
        let Some((compiler, runner)) = tools else {
            common::skip(&format!("macho-{}", cpu.lld), cpu.how);
            return None;
        };
        let mut cc = compiler.command();
        cc.args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]);
        let loader = built(&cpu.named("loader"), cc.args(c_files(&sources("loader"), &[])));
        let (folder, late) = (sources("client"), "late_library.c");
        let files = c_files(&folder, &[late]);
        let client = zig_cc(cpu, &[]).args(files.clone()).built(&cpu.named("client"));
        let files = files.into_iter().chain([sources("faults/none.c")]);
        let holder = zig_cc(cpu, &[]).args(files).built(&cpu.named("holder"));
        let library = zig_cc(cpu, &["-dynamiclib"]).args([folder.join(late)]);
        let late = library.built(&cpu.named("late.dylib"));
        Some(Bench { cpu, runner, loader, client, holder, late })
    }

    /// Runs the client: with these options of the loader, under these dylibs; the zone that must have the
    /// blocks; whether the system knows typed functions.
    pub(super) fn run(&self, options: &[&str], insert: &[&Path], zone: &str, typed: bool) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        command.args(options);
        for library in insert {
            command.arg("--insert").arg(library);
        }
        self.started(command.arg(&self.client), zone, typed)
    }

    /// Runs another program.
    pub(super) fn program(&self, insert: &Path, program: &Path) -> Command {
        let mut command = self.runner.command(&self.loader, None);
        command.arg("--insert").arg(insert).arg(program);
        command
    }

    /// Runs the client without some groups of laws.
    pub(super) fn run_without(&self, groups: &[&str], insert: &Path, zone: &str) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        command.arg("--insert").arg(insert).arg(&self.client);
        Run::of(command.args([zone, "typed"]).arg(&self.late).args(groups))
    }

    /// Runs another program under these dylibs.
    pub(super) fn run_program(&self, insert: &[&Path], program: &Path, words: &[&str]) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        for library in insert {
            command.arg("--insert").arg(library);
        }
        Run::of(command.arg(program).args(words))
    }

    /// Runs a program as two processes, whose images lie at different addresses.
    pub(super) fn two(&self, insert: &Path, program: &Path, zone: &str) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        command.args(["--two", "--insert"]).arg(insert).arg(program);
        Run::of(command.arg(zone))
    }

    /// The same where another heap's zone stands first already; without the laws of fork, whose locks that heap
    /// alone has.
    pub(super) fn run_beside(&self, first: &str, insert: &Path) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        command.args(["--first", first, "--insert"]).arg(insert).arg(&self.client);
        Run::of(command.args(["control", "typed"]).arg(&self.late).args(["fork", "enumerator"]))
    }

    /// The same for the client that holds the control shim, in whose tuples no one is interested.
    pub(super) fn run_holder(&self, options: &[&str], typed: bool) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        self.started(command.args(options).arg(&self.holder), "control", typed)
    }

    /// The client linked with these objects, in one program.
    pub(super) fn client_with(&self, objects: &[PathBuf]) -> PathBuf {
        let files = c_files(&sources("client"), &["late_library.c"]);
        let objects = objects.iter().cloned();
        zig_cc(self.cpu, &[])
            .args(files.into_iter().chain(objects))
            .built(&self.cpu.named("carrier"))
    }

    /// Runs a program without anything beside it.
    pub(super) fn alone(&self, program: &Path) -> Command {
        let mut command = self.runner.command(&self.loader, None);
        command.arg(program);
        command
    }

    /// Runs such a program.
    pub(super) fn run_carrier(
        &self,
        options: &[&str],
        program: &Path,
        zone: &str,
        typed: bool,
    ) -> Run {
        let mut command = self.runner.command(&self.loader, None);
        self.started(command.args(options).arg(program), zone, typed)
    }

    fn started(&self, command: &mut Command, zone: &str, typed: bool) -> Run {
        Run::of(command.args([zone, if typed { "typed" } else { "untyped" }]).arg(&self.late))
    }

    /// A dylib of tests/macho/faults, linked by zig: with opcodes for dyld.
    pub(super) fn control(&self, name: &str) -> PathBuf {
        let id = format!("@rpath/{name}.dylib");
        let library =
            zig_cc(self.cpu, &["-dynamiclib", "-fvisibility=hidden", "-install_name", &id]);
        let source = sources("faults").join(name).with_extension("c");
        library.args([source]).built(&self.cpu.named(&format!("{name}.dylib")))
    }

    /// The names that the model of libSystem has.
    pub(super) fn exports(&self) -> String {
        let output = self.runner.command(&self.loader, None).arg("--exports").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Cpu {
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}-{name}", self.lld)
    }
}

/// A call of zig's compiler.
pub(super) struct Zig(Command);

pub(super) fn zig_cc(cpu: &Cpu, words: &[&str]) -> Zig {
    let mut command = common::zig().expect("benches() asked for it");
    command.args(["cc", "-target", cpu.zig, "-O1", "-std=gnu11", "-fno-builtin"]).args(words);
    command.args(["-Wall", "-Wextra", "-Werror"]);
    Zig(command)
}

/// The same for C++, which is compiled alone: zig would link operators of its own.
pub(super) fn zig_cxx(cpu: &Cpu, words: &[&str]) -> Zig {
    let mut command = common::zig().expect("benches() asked for it");
    command.args(["c++", "-target", cpu.zig, "-O1", "-c", "-fvisibility=hidden"]).args(words);
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    Zig(command)
}

impl Zig {
    pub(super) fn args(mut self, files: impl IntoIterator<Item = PathBuf>) -> Zig {
        self.0.args(files);
        self
    }

    pub(super) fn built(mut self, name: &str) -> PathBuf {
        built(name, &mut self.0)
    }
}

/// Runs a command that makes the file `-o`, unless it made it before of the same words and sources.
pub(super) fn built(name: &str, command: &mut Command) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("macho");
    fs::create_dir_all(&folder).unwrap();
    let mut hash = Sha256::new();
    hash.update(format!("{:?}", command.get_args().collect::<Vec<_>>()));
    for part in ["loader", "client", "faults", "hooks", "watch"] {
        let mut files: Vec<_> =
            fs::read_dir(sources(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            hash.update(fs::read(file).unwrap());
        }
    }
    let hash: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(format!("{hash}-{name}"));
    if !file.exists() {
        // Several tests may make it at once: each makes its own, and the last one stays.
        let work = tempfile::tempdir_in(&folder).unwrap();
        let new = work.path().join(name);
        let output = command.arg("-o").arg(&new).output().unwrap();
        assert!(
            output.status.success(),
            "{command:?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::rename(&new, &file).unwrap();
    }
    file
}

/// A file with this text, under a name that tells one text from another.
pub(super) fn stored(name: &str, text: &str) -> PathBuf {
    let hash: String = Sha256::digest(text).iter().take(6).map(|b| format!("{b:02x}")).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("macho").join(hash);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    if !file.exists() {
        let work = tempfile::NamedTempFile::new_in(&folder).unwrap();
        fs::write(&work, text).unwrap();
        work.persist(&file).unwrap();
    }
    file
}

/// What a run left.
pub(super) struct Run {
    pub(super) status: Option<i32>,
    pub(super) signal: Option<i32>,
    /// The laws that failed, in the order of the client's checks.
    pub(super) failed: Vec<String>,
    /// Its last line, if it came so far.
    pub(super) end: Option<String>,
    /// What the loader said.
    pub(super) said: String,
}

impl Run {
    fn of(command: &mut Command) -> Run {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = String::from_utf8(output.stdout).unwrap();
        let failed = text.lines().filter_map(|line| line.strip_prefix("FAIL "));
        Run {
            status: output.status.code(),
            signal: output.status.signal(),
            failed: failed.map(str::to_owned).collect(),
            end: text.lines().last().filter(|line| line.contains(" checks, ")).map(str::to_owned),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Every law held, as often as the client has one; before any initialiser too.
    pub(super) fn is_good(&self, checks: u32, what: &str) {
        let end = format!("client: {checks} checks, 0 failed");
        assert_eq!(self.end, Some(end), "{what}: {:?}\n{}", self.failed, self.said);
        assert_eq!(self.status, Some(0), "{what}\n{}", self.said);
        self.says("loader: pre-init: 14 checks, 0 failed\n", what);
        self.says("loader: threads 5 started 5 ended\n", what);
        self.says(" 0 dropped\n", what);
    }

    pub(super) fn says(&self, words: &str, what: &str) {
        assert!(self.said.contains(words), "{what}: not said: {words}\n{}", self.said);
    }

    /// Exactly these laws failed.
    pub(super) fn fails(&self, laws: &[&str], what: &str) {
        assert_eq!(self.failed, laws, "{what}\n{}", self.said);
    }
}

//! The CPUs, musl's programs for them, and what runs those.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread::available_parallelism,
};

use alloc8_gen::{
    allocator::{self, Allocator},
    artifact::SharedObject,
    interposer::{self, Interposer, Order},
    laws::{self, Compilers, Lang, Law, Outcome, Workshop},
    spec::{self, Platform},
    toolchain::{Compiler, Runner},
};

use crate::common::{self, zig_cc};

/// One CPU.
pub(super) struct Machine {
    /// How triples begin.
    pub(super) name: &'static str,
    /// How zig names it, with its musl.
    zig: &'static str,
    /// Debian's architecture; empty: the host's own.
    debian: &'static str,
    /// musl's dynamic linker.
    loader: &'static str,
    /// Whether the host's processor runs it.
    pub(super) native: bool,
}

pub(super) const X86_64: Machine = Machine {
    name: "x86_64",
    zig: "x86_64-linux-musl",
    debian: "",
    loader: "lib/ld-musl-x86_64.so.1",
    native: true,
};
pub(super) const AARCH64: Machine = Machine {
    name: "aarch64",
    zig: "aarch64-linux-musl",
    debian: "arm64",
    loader: "lib/ld-musl-aarch64.so.1",
    native: false,
};

pub(super) const I686: Machine = Machine {
    name: "i686",
    zig: "x86-linux-musl",
    debian: "i386",
    loader: "lib/ld-musl-i386.so.1",
    native: true,
};
pub(super) const ARM: Machine = Machine {
    name: "arm",
    zig: "arm-linux-musleabihf",
    debian: "armhf",
    loader: "lib/ld-musl-armhf.so.1",
    native: false,
};

/// A CPU's compiler for musl's programs, and what runs them.
pub(super) struct Tools {
    pub(super) machine: &'static Machine,
    pub(super) compiler: Compiler,
    pub(super) runner: Runner,
}

impl Machine {
    /// Where its musl is: Debian's own for the host, else what `cargo xtask install` unpacked.
    pub(super) fn root(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
        match self.debian {
            "" => PathBuf::from("/"),
            debian => target.join("tools/musl").join(debian),
        }
    }

    fn triple(&self) -> String {
        let (_, system) = self.zig.split_once('-').expect("a triple");
        format!("{}-{system}", self.name)
    }

    /// `None`, and said so, if something is not installed.
    pub(super) fn tools(&'static self) -> Option<Tools> {
        let root = self.root();
        let loader = root.join(self.loader);
        if !loader.exists() {
            let how = if self.debian.is_empty() {
                "apt-get install musl-tools"
            } else {
                "cargo xtask install"
            };
            common::skip(&format!("musl-{}", self.name), how);
            return None;
        }
        let command = if self.debian.is_empty() {
            "musl-gcc".to_owned()
        } else if self.native {
            zig_cc(self.zig, &format!("-dynamic -Wl,--dynamic-linker={}", loader.display()))?
        } else {
            zig_cc(self.zig, "-dynamic")?
        };
        let runner = match self.native {
            true => Some(Runner::native()),
            false => Runner::emulated(&self.triple(), &[], &root),
        };
        let compiler = Compiler::find(Some(&command), Some(&self.triple())).ok();
        let Some((compiler, runner)) = compiler.zip(runner) else {
            common::skip(&format!("musl-{}", self.name), "apt-get install musl-tools qemu-user");
            return None;
        };
        Some(Tools { machine: self, compiler, runner })
    }
}

impl Tools {
    /// What musl's own answers come from: its dynamic linker is its C library.
    pub(super) fn libc(&self) -> &'static str {
        self.machine.loader.rsplit('/').next().unwrap_or_default()
    }
}

/// Kept from one run to the next.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("libcs")
}

/// What every library here is called.
pub(super) const SONAME: &str = "liballoc8_test.so";

/// What `alloc8-gen build` makes.
pub(super) fn build(
    platform: &Platform,
    allocator: &Allocator,
    libs: &[PathBuf],
    compiler: &Compiler,
) -> Interposer {
    build_in("c", platform, allocator, libs, compiler)
}

/// The same with a shim in another language.
pub(super) fn build_in(
    lang: &str,
    platform: &Platform,
    allocator: &Allocator,
    libs: &[PathBuf],
    compiler: &Compiler,
) -> Interposer {
    let cache = folder().join("cache");
    let order = Order {
        platform,
        allocator,
        libs,
        compiler,
        cache: &cache,
        soname: SONAME,
        lang,
        hook: None,
    };
    match interposer::build(&order) {
        Ok(built) => built,
        Err(report) => panic!("{}: {:#?}", compiler.target, report.diagnostics),
    }
}

pub(super) fn simple_heap() -> Allocator {
    allocator::built_in("simple_heap").unwrap().unwrap()
}

/// A heap of the fixtures under the naming convention, which promises nothing, as an object.
pub(super) fn unpromising(compiler: &Compiler, work: &Path) -> (Allocator, PathBuf) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heaps/unpromising.c");
    let object = work.join("libunpromising.o");
    let mut command = compiler.command();
    run(command.args(["-O2", "-fPIC", "-c", "-o"]).arg(&object).arg(source));
    (allocator::convention("unpromising").unwrap(), object)
}

/// A law that has no effect here: its name, what the place's name contains, why.
pub(super) type Exceptions = &'static [(&'static str, &'static str, &'static str)];

/// Tries a platform's laws in C under a library, writes a row, and asserts that they hold but for
/// the exceptions.
#[track_caller]
pub(super) fn laws_hold(
    place: &str,
    tools: &Tools,
    platform: &Platform,
    library: &Path,
    chosen: impl Fn(&Law) -> bool,
    exceptions: Exceptions,
) {
    answers(tools, Some(library), SONAME);
    let in_c = |law: &Law| {
        law.lang == Lang::C && !law.plugin.as_ref().is_some_and(|plugin| plugin.ends_with(".cpp"))
    };
    let mut laws = laws::laws(platform).unwrap();
    laws.retain(|law| in_c(law) && chosen(law));
    hold(place, tools, Err("not asked for".to_owned()), laws, library, exceptions);
}

/// The same for laws in C++, over the C++ library that is linked into each program.
#[track_caller]
pub(super) fn laws_in_cxx_hold(
    place: &str,
    tools: &Tools,
    platform: &Platform,
    library: &Path,
    exceptions: Exceptions,
) {
    answers(tools, Some(library), SONAME);
    let mut laws = laws::laws(platform).unwrap();
    laws.retain(|law| law.lang == Lang::Cxx);
    assert!(laws.len() > 15, "{place}: {}", laws.len());
    hold(place, tools, tools.compiler.cxx(), laws, library, exceptions);
}

#[track_caller]
fn hold(
    place: &str,
    tools: &Tools,
    cxx: Result<Compiler, String>,
    laws: Vec<Law>,
    library: &Path,
    exceptions: Exceptions,
) {
    // Tests of one process take turns: each uses all processors, and laws have time limits.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let clang = tools.compiler.name().contains("zig");
    let compilers = Compilers { c: tools.compiler.clone(), cxx, clang };
    let headers = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/tests/libcs/bsd/include");
    let workshop =
        Workshop::new(compilers, &[headers], &folder()).unwrap().run_by(tools.runner.clone());
    let excused = |law: &Law| {
        exceptions.iter().any(|(name, part, _)| law.name == *name && place.contains(part))
    };
    let jobs = available_parallelism().map_or(2, |n| n.get().min(4));
    let judged = laws::check_with(&workshop, laws, Some(library), jobs).unwrap();
    let wrong: Vec<_> = judged
        .iter()
        .filter(|(law, outcome)| match outcome {
            Outcome::Holds => excused(law),
            Outcome::NotHere { .. } => !excused(law),
            Outcome::Broken { .. } | Outcome::Hung => true,
        })
        .map(|(law, outcome)| format!("{}: {outcome:?}", law.name))
        .collect();
    let held = judged.iter().filter(|(_, outcome)| *outcome == Outcome::Holds).count();
    println!("{place} | {held} of {} hold", judged.len());
    for (law, why) in judged.iter().filter_map(|(law, _)| {
        let found =
            exceptions.iter().find(|(name, part, _)| law.name == *name && place.contains(part));
        Some((&law.name, found?.2))
    }) {
        println!("  not here: {law}: {why}");
    }
    assert!(wrong.is_empty(), "{place}:\n{}", wrong.join("\n"));
}

/// Who answers a program's calls, seen from inside: the library, or musl itself.
#[track_caller]
pub(super) fn answers(tools: &Tools, library: Option<&Path>, wanted: &str) {
    fs::create_dir_all(folder()).unwrap();
    let work = tempfile::tempdir_in(folder()).unwrap();
    let program = who(tools, work.path());
    let said = run(&mut tools.runner.command(&program, library));
    assert_eq!(answering(&said), BTreeSet::from([wanted]), "{}: {said}", tools.machine.name);
}

/// The libraries that such a program named.
pub(super) fn answering(said: &str) -> BTreeSet<&str> {
    said.lines().filter_map(|line| line.split(' ').nth(1)).collect()
}

/// How what a library exports differs from the list that is rendered beside the shim.
pub(super) fn not_listed(object: &SharedObject, platform: &str) -> Vec<String> {
    // A linker may make a symbol of a node as well.
    let mut exported: BTreeSet<_> = object.exports().map(|symbol| symbol.name.as_str()).collect();
    exported.retain(|name| object.version_nodes.iter().all(|node| node != name));
    let list = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("generated/simple_heap/{platform}/symbols.lp64.txt"));
    let list = fs::read_to_string(list).unwrap();
    let listed: BTreeSet<_> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let missing = listed.difference(&exported).map(|name| format!("{name} is missing"));
    let more = exported.difference(&listed).map(|name| format!("{name} is in no list"));
    let nodes = object.version_nodes.iter().map(|node| format!("defines the version {node}"));
    missing.chain(more).chain(nodes).collect()
}

/// A program that tells who answers.
pub(super) fn who(tools: &Tools, work: &Path) -> PathBuf {
    let program = work.join("who");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libcs/who.c");
    let mut command = tools.compiler.command();
    run(command.args(["-O1", "-fno-builtin", "-o"]).arg(&program).arg(source).arg("-ldl"));
    program
}

/// What it writes; it must end well.
#[track_caller]
pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn platform(name: &str) -> Platform {
    spec::platform(name).unwrap()
}

//! Libraries over simple_heap and over the fixture `odd`, with a policy, in every language.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    diagnostic::Source,
    plan::Plan,
    render::{self, Inputs},
    spec,
    toolchain::Compiler,
};
use tempfile::TempDir;

use crate::{common, heaps};

/// How a shim is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Gcc(&'static str),
    Clang(&'static str),
    Gxx,
    Clangxx,
    Rustc,
}

impl By {
    pub(super) const ALL: &[By] = &[
        By::Gcc("-O0"),
        By::Gcc("-O2"),
        By::Clang("-O0"),
        By::Clang("-O2"),
        By::Gxx,
        By::Clangxx,
        By::Rustc,
    ];

    fn tool(self) -> &'static str {
        match self {
            By::Gcc(_) => "gcc",
            By::Clang(_) => "clang",
            By::Gxx => "g++",
            By::Clangxx => "clang++",
            By::Rustc => "rustc",
        }
    }

    pub(super) fn lang(self) -> &'static str {
        match self {
            By::Gcc(_) | By::Clang(_) => "c",
            By::Gxx | By::Clangxx => "cpp",
            By::Rustc => "rust",
        }
    }

    fn is_there(self) -> bool {
        let tool = self.tool();
        let there = Command::new(tool).arg("--version").output().is_ok();
        if !there {
            common::skip(tool, "apt-get install gcc g++ clang");
        }
        there
    }
}

/// A heap of the repository, its description's text, and its source.
pub(super) struct Heap {
    name: &'static str,
    text: String,
    source: PathBuf,
}

pub(super) fn simple_heap() -> Heap {
    let text = fs::read_to_string(heaps::root().join("specs/allocators/simple_heap.toml")).unwrap();
    let source = heaps::root().join("examples/simple_heap/simple_heap.c");
    Heap { name: "simple_heap", text, source }
}

pub(super) fn odd() -> Heap {
    let text = fs::read_to_string(heaps::heap("odd.toml")).unwrap();
    Heap { name: "odd", text, source: heaps::heap("odd_orders.c") }
}

/// Ends the program if a function, `owns` too, is called before the heap and the thread are initialized;
/// without the line that begins so.
pub(super) fn strict(without: &str) -> Heap {
    let text = fs::read_to_string(heaps::heap("strict.toml")).unwrap();
    let kept = |line: &&str| without.is_empty() || !line.starts_with(without);
    let text = text.lines().filter(kept).map(|line| format!("{line}\n")).collect();
    Heap { name: "strict", text, source: heaps::heap("needs_thread_init.c") }
}

impl Heap {
    /// The description with these lines more.
    pub(super) fn with(&self, lines: &str) -> Allocator {
        let text = self.text.replace("[promises]", &format!("{lines}\n[promises]"));
        let source = Source::new(format!("{}.toml", self.name), text);
        let read = allocator::read(&source, self.name, Origin::BuiltIn);
        read.unwrap_or_else(|report| panic!("{report}"))
    }
}

/// A library to preload, and the folder that it is in.
pub(super) struct Library {
    pub(super) work: TempDir,
    pub(super) file: PathBuf,
}

/// Renders, compiles and links as the files say; `None` if the compiler is missing.
pub(super) fn library(heap: &Heap, lines: &str, by: By) -> Option<Library> {
    if !by.is_there() {
        return None;
    }
    let allocator = heap.with(lines);
    let work = TempDir::new().unwrap();
    let platform = spec::platform("linux").unwrap();
    let (plan, _) = Plan::new(&platform, &allocator).unwrap();
    let inputs =
        Inputs { lang: by.lang().to_owned(), ..Inputs::interposer("linux", &allocator.name) };
    for (name, text) in render::render(&plan, &inputs).unwrap_or_else(|r| panic!("{r}")) {
        fs::write(work.path().join(name), text).unwrap();
    }
    let compiler = Compiler::find(Some("gcc"), None).expect("the tests need gcc");
    let archive = heaps::archive(&compiler, &[&heap.source], work.path(), &[]);
    let file = work.path().join("libshim.so");
    heaps::run(&mut command(by, work.path(), &archive, &file));
    Some(Library { work, file })
}

fn command(by: By, work: &Path, archive: &Path, file: &Path) -> Command {
    let abi = if cfg!(target_pointer_width = "64") { "lp64" } else { "ilp32" };
    let warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC", "-shared"];
    let mut command = Command::new(by.tool());
    command.current_dir(work);
    match by {
        By::Gcc(level) | By::Clang(level) => {
            command.args(warnings).args(["-std=c11", level, "shim.c"]);
        }
        By::Gxx | By::Clangxx => {
            fs::write(work.join("shim.cpp"), "#include \"shim.hpp\"\n").unwrap();
            command.args(warnings).args(["-std=c++17", "-O2", "shim.cpp"]);
        }
        By::Rustc => {
            let text = include_str!("../fixtures/shim_crate.rs");
            fs::write(work.join("lib.rs"), text).unwrap();
            let rest = ["-Cpanic=abort", "--crate-type=cdylib", "-O", "-L.", "-lstatic=heap"];
            command
                .arg("--edition=2024")
                .args(rest)
                .args(["-Clink-arg=-Wl,-z,initfirst", "lib.rs"]);
            command.arg("-o").arg(file);
            return command;
        }
    }
    command.arg(archive).arg(format!("-Wl,--version-script=exports.{abi}.map,-z,initfirst,-z,now"));
    command.arg("-o").arg(file);
    command
}

/// Compiles a fixture.
pub(super) fn program(folder: &Path, file: &str, name: &str, flags: &[&str]) -> PathBuf {
    let source = heaps::root().join("tests/fixtures/foreign").join(file);
    let out = folder.join(name);
    let mut gcc = Command::new("gcc");
    gcc.args(["-O1", "-fno-builtin"]).arg(source).args(flags).arg("-o").arg(&out).arg("-ldl");
    heaps::run(&mut gcc);
    out
}

/// Runs a program under a library.
pub(super) fn under(library: &Path, program: &Path, words: &[&Path]) -> Output {
    let mut command = Command::new(program);
    command.args(words).env("LD_PRELOAD", library).output().expect("it starts")
}

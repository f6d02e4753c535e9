//! Shims in C++ and Rust for other C libraries than glibc: their code under the laws in C.
//!
//! In C++ by zig, with its headers for the system; for Android with musl's, for there are none of bionic's.
//! In Rust by rustc for this machine: the text asks nothing of its target but the CPU.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    allocator::{self, Allocator},
    plan::Plan,
    render::{self, Inputs},
    toolchain::Compiler,
};

use super::{
    android, bsd,
    machines::{Exceptions, SONAME, Tools, X86_64, laws_hold, platform, run, simple_heap},
    musl,
};
use crate::{
    common::zig_cc,
    systems::{SYSTEMS, System},
};

/// The laws that are tried on a system, and what is known of some.
fn laws_of(system: &System) -> (&'static [&'static str], Exceptions) {
    match system.platform {
        "linux-musl" => (musl::SOME, musl::EXCEPTIONS),
        "android" => (android::SOME, android::EXCEPTIONS),
        _ => (bsd::SOME, bsd::EXCEPTIONS),
    }
}

const CLASS: &str =
    "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
const HEADER: &str = "#include \"shim.hpp\"\n";
const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const CRATE: &str = include_str!("../fixtures/shim_crate.rs");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One shim on its way to a library.
struct Kit<'a> {
    system: &'a System,
    /// For the system.
    compiler: Compiler,
    work: &'a Path,
}

impl Kit<'_> {
    fn at(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    fn render(&self, heap: &Allocator, lang: &str) {
        let plan = Plan::new(&platform(self.system.platform), heap).unwrap().0;
        let inputs = Inputs {
            lang: lang.to_owned(),
            ..Inputs::interposer(self.system.platform, &heap.name)
        };
        for (name, text) in render::render(&plan, &inputs).unwrap() {
            fs::write(self.at(&name), text).unwrap();
        }
    }

    fn in_c(&self, source: &Path, object: &str) -> PathBuf {
        let mut command = self.compiler.command();
        command.args(["-O2", "-fPIC", "-c"]).arg(source).arg("-o").arg(self.at(object));
        run(&mut command);
        self.at(object)
    }

    fn in_cxx(&self, text: &str, standard: &str) -> PathBuf {
        let source = self.at("shim.cpp");
        fs::write(&source, text).unwrap();
        self.in_cxx_of(&source, "shim.o", &[standard])
    }

    /// Files of ours may be included, and what was rendered.
    fn in_cxx_of(&self, source: &Path, object: &str, options: &[&str]) -> PathBuf {
        let mut command = self.compiler.cxx().unwrap().command();
        command.args(WARNINGS).args(options).args(["-O2", "-fPIC", "-c"]).arg(source);
        for folder in [self.work, &root().join("tests/fixtures/heaps")] {
            command.arg("-I").arg(folder);
        }
        run(command.arg("-o").arg(self.at(object)));
        self.at(object)
    }

    fn in_rust(&self) -> PathBuf {
        let (source, archive) = (self.at("lib.rs"), self.at("libshim.a"));
        fs::write(&source, CRATE).unwrap();
        let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
        rustc.args(["--edition=2024", "-Cpanic=abort", "-O", "-Ccodegen-units=1"]);
        rustc.args(["--crate-type=staticlib", "-o"]).arg(&archive).arg(source);
        run(&mut rustc);
        archive
    }

    /// By the system's own linker, as far as there is one.
    fn link(&self, tools: &Tools, parts: &[PathBuf]) -> PathBuf {
        let is_bsd = self.system.zig.ends_with("bsd");
        let linker = if is_bsd { &self.compiler } else { &tools.compiler };
        let library = self.at(SONAME);
        let mut command = linker.command();
        command.args(["-shared", "-Wl,-z,now", "-Wl,-u,malloc"]).args(parts);
        command.arg(format!("-Wl,--version-script={}", self.at("exports.lp64.map").display()));
        run(command.arg("-o").arg(&library));
        library
    }
}

/// A shim's library as `make` makes it, under the laws.
fn all_holds(place: &str, system: &System, make: impl Fn(&Kit<'_>) -> Vec<PathBuf>) {
    let Some(tools) = X86_64.tools() else { return };
    let Some(command) = zig_cc(system.zig, "") else { return };
    let work = tempfile::tempdir().unwrap();
    let compiler = Compiler::find(Some(&command), Some(system.zig)).unwrap();
    let kit = Kit { system, compiler, work: work.path() };
    let library = kit.link(&tools, &make(&kit));
    let runner = match system.stub(tools.compiler.command(), kit.work) {
        None => tools.runner.clone(),
        Some((mut command, stub)) => {
            run(&mut command);
            // FreeBSD's own library of threads, whose functions are musl's here.
            fs::copy(&stub, kit.at("libthr.so.3")).unwrap();
            tools.runner.clone().behind(&stub)
        }
    };
    let tools = Tools { runner, ..tools };
    let place = format!("{} x86_64, over musl | {place}", system.platform);
    let (some, exceptions) = laws_of(system);
    let chosen = |name: &str| crate::common::everything() || some.contains(&name);
    let laws = platform(system.platform);
    laws_hold(&place, &tools, &laws, &library, |law| chosen(&law.name), exceptions);
}

fn simple_heap_of(kit: &Kit<'_>) -> PathBuf {
    kit.in_c(&root().join("examples/simple_heap/simple_heap.c"), "heap.o")
}

#[test]
fn the_laws_hold_under_shims_in_cxx_for_every_c_library() {
    for system in &SYSTEMS {
        let runtime = |kit: &Kit<'_>| kit.in_c(&root().join("tests/fixtures/no_cxx.c"), "none.o");
        all_holds("shim.hpp, simple_heap", system, |kit| {
            kit.render(&simple_heap(), "cpp");
            vec![kit.in_cxx(HEADER, "-std=c++17"), simple_heap_of(kit), runtime(kit)]
        });
        let file = root().join("tests/fixtures/heaps/free_list.toml");
        all_holds("shim.hpp, a class", system, |kit| {
            kit.render(&allocator::read_file(&file).unwrap(), "cpp");
            vec![kit.in_cxx(CLASS, "-std=c++20"), runtime(kit)]
        });
    }
}

/// The allocators that people copy: Hoard, whose buffers come and go with threads, and DieHard, a class. Their locks
/// are the system's mutexes, and those of the BSDs are smaller than musl's, which would be written into them.
#[test]
fn the_laws_hold_under_the_examples_for_other_c_libraries() {
    let file = |name: &str| root().join("examples").join(name);
    let described = |path: &str| allocator::read_file(&file(path)).unwrap();
    for system in SYSTEMS.iter().filter(|system| !system.zig.ends_with("bsd")) {
        // Android's threads have no thread-local variables of their own before API 29.
        let own = if system.platform == "android" { "-D__ANDROID__" } else { "-DNDEBUG" };
        all_holds("shim.c, hoard", system, |kit| {
            kit.render(&described("hoard/hoard.toml"), "c");
            let options = ["-std=c++17", "-fno-exceptions", "-fno-rtti", own];
            let heap = kit.in_cxx_of(&file("hoard/hoard.cpp"), "hoard.o", &options);
            vec![kit.in_c(&kit.at("shim.c"), "shim.o"), heap]
        });
        all_holds("shim.hpp, diehard", system, |kit| {
            kit.render(&described("diehard/diehard.toml"), "cpp");
            let heap = file("diehard/diehard.cpp");
            let none = kit.in_c(&root().join("tests/fixtures/no_cxx.c"), "none.o");
            vec![kit.in_cxx_of(&heap, "shim.o", &["-std=c++17"]), none]
        });
    }
}

#[test]
fn the_laws_hold_under_shims_in_rust_for_every_c_library() {
    for system in &SYSTEMS {
        all_holds("shim.rs, simple_heap", system, |kit| {
            kit.render(&simple_heap(), "rust");
            vec![kit.in_rust(), simple_heap_of(kit)]
        });
    }
}

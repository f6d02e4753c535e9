//! Interposers to try the laws under.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::{self, Allocator},
    interposer::{self, Interposer, Order},
    render::{self, Inputs},
    spec,
    toolchain::Compiler,
};
use tempfile::TempDir;

use super::table::folder;
use crate::heaps;

/// A heap, described or under the naming convention.
pub(super) struct Heap {
    pub(super) name: &'static str,
    pub(super) allocator: Allocator,
    /// `None`: embedded.
    source: Option<&'static str>,
}

pub(super) fn simple_heap() -> Heap {
    let allocator = allocator::built_in("simple_heap").unwrap().unwrap();
    Heap { name: "simple_heap", allocator, source: None }
}

/// A fixture under the naming convention: no promises at all.
pub(super) fn convention(name: &'static str, source: &'static str) -> Heap {
    Heap { name, allocator: allocator::convention(name).unwrap(), source: Some(source) }
}

/// A fixture with a description beside it.
pub(super) fn described(name: &'static str, source: &'static str) -> Heap {
    let file = heaps::heap(&format!("{name}.toml"));
    Heap { name, allocator: allocator::read_file(&file).unwrap(), source: Some(source) }
}

/// All kinds.
pub(super) fn every_heap() -> Vec<Heap> {
    vec![
        simple_heap(),
        convention("unpromising", "unpromising.c"),
        convention("minimal", "minimal.c"),
        described("odd", "odd_orders.c"),
        described("strict", "needs_thread_init.c"),
    ]
}

/// What `alloc8-gen build` makes.
pub(super) fn interposer(heap: &Heap, compiler: &Compiler) -> Interposer {
    let work = TempDir::new().unwrap();
    let libs: Vec<PathBuf> = heap
        .source
        .iter()
        .map(|source| heaps::archive(compiler, &[&heaps::heap(source)], work.path(), &[]))
        .collect();
    let order = Order {
        platform: &spec::platform("linux").unwrap(),
        allocator: &heap.allocator,
        lang: "c",
        libs: &libs,
        compiler,
        cache: &folder().join("cache"),
        soname: "liballoc8_test.so",
    };
    match interposer::build(&order) {
        Ok(built) => built,
        Err(report) => panic!("{}: {:#?}", heap.name, report.diagnostics),
    }
}

/// The same shim, compiled and linked by hand: without direct binding, with no flags but the given
/// ones, `-shared`, `-fPIC` and the version script.
pub(super) fn jumping(heap: &Heap, compiler: &Compiler, flags: &[&str]) -> (TempDir, PathBuf) {
    let plan = interposer(heap, compiler).plan;
    let inputs = Inputs::interposer("linux", heap.name);
    let files = render::render(&plan, &inputs).unwrap();
    let abi = &plan.platform.abis[0].name;
    let work = TempDir::new().unwrap();
    let at = |name: &str| work.path().join(name);
    fs::write(at("shim.c"), &files["shim.c"]).unwrap();
    fs::write(at("exports.map"), &files[&format!("exports.{abi}.map")]).unwrap();
    let source = match heap.source {
        Some(source) => heaps::heap(source),
        None => heaps::root().join("examples/simple_heap/simple_heap.c"),
    };
    let archive = heaps::archive(compiler, &[&source], work.path(), &[]);
    let library = at("libjumping.so");
    let mut arguments: Vec<OsString> = flags.iter().map(OsString::from).collect();
    if flags.contains(&"-flto") && compiler.name().contains("clang") {
        arguments.push("-fuse-ld=lld".into());
    }
    arguments.extend(["-shared", "-fPIC"].map(OsString::from));
    arguments.push(at("shim.c").into());
    arguments.push(archive.into());
    arguments.push(format!("-Wl,--version-script={}", at("exports.map").display()).into());
    arguments.extend(plan.allocator.libs.iter().map(|lib| format!("-l{lib}").into()));
    arguments.extend(["-o".into(), library.clone().into()]);
    if let Err(report) = compiler.run(&arguments, "linking a jumping shim") {
        panic!("{}: {:#?}", heap.name, report.diagnostics);
    }
    (work, library)
}

/// A library of the test's own.
pub(super) fn planted(compiler: &Compiler, text: &str, work: &Path) -> PathBuf {
    let (source, library) = (work.join("planted.c"), work.join("libplanted.so"));
    fs::write(&source, text).unwrap();
    let mut command = compiler.command();
    command.args(["-O1", "-fno-builtin", "-shared", "-fPIC"]).arg(source);
    heaps::run(command.arg("-o").arg(&library).arg("-ldl"));
    library
}

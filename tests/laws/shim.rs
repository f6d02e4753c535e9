//! Interposers to try the laws under.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloc8_gen::{
    allocator::{self, Allocator},
    interposer::{self, Interposer, Order},
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
    pub(super) source: Option<&'static str>,
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
        hook: None,
    };
    match interposer::build(&order) {
        Ok(built) => built,
        Err(report) => panic!("{}: {:#?}", heap.name, report.diagnostics),
    }
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

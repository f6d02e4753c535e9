//! What a call costs on each way to the allocator.

use std::path::{Path, PathBuf};

use super::{
    libraries::Workshop,
    measure::{instructions, median},
};
use crate::shell::{output, program, root};

/// An allocator that is measured.
pub(super) struct Allocator {
    /// As `-a` takes it.
    pub(super) name: &'static str,
    /// How the names of its functions begin.
    pub(super) prefix: &'static str,
}

pub(super) const ALLOCATORS: &[Allocator] = &[
    Allocator { name: "simple_heap", prefix: "simple_heap_" },
    Allocator { name: "mimalloc", prefix: "mi_" },
];

/// What `calls.c` does in each iteration, by its first argument.
pub(super) const OPERATIONS: &[&str] =
    &["malloc(32), free", "calloc(1, 32), free", "new(32), delete", "realloc to 24, to 32"];

/// Iterations in a timed run, and how many of these each program gets.
const TIMED: u32 = 1_000_000;
const ROUNDS: usize = 9;

/// A way from a program to the heap.
pub(super) struct Way {
    pub(super) title: &'static str,
    /// Per iteration, by operation.
    pub(super) instructions: Vec<f64>,
    /// Per iteration, by operation.
    pub(super) nanoseconds: Vec<f64>,
}

/// An allocator's ways; the first is the one that the others are compared with.
pub(super) struct Table {
    pub(super) allocator: &'static str,
    pub(super) ways: Vec<Way>,
}

pub(super) const PLT: &str = "its functions, called through a PLT";
pub(super) const BUILT: &str = "alloc8-gen build";
pub(super) const WAIVED: &str = "alloc8-gen build, `errno` waived";
pub(super) const OWN: &str = "its own override";
pub(super) const GLIBC: &str = "glibc's own heap, for comparison";

pub(super) fn measure(
    tool: &Path,
    allocator: &'static Allocator,
    work: &Path,
) -> anyhow::Result<Table> {
    eprintln!("{}: calls", allocator.name);
    let shop = Workshop::new(tool, allocator, work)?;
    let mut programs = vec![
        (PLT, shop.caller("plain", Some(&shop.plain()?), true)?),
        (BUILT, shop.caller("built", Some(&shop.built()?), false)?),
        ("shim.c, gcc", shop.caller("gcc", Some(&shop.jumping("gcc")?), false)?),
        ("shim.c, clang", shop.caller("clang", Some(&shop.jumping("clang")?), false)?),
        ("shim.hpp, g++", shop.caller("g++", Some(&shop.header("g++")?), false)?),
        ("shim.hpp, clang++", shop.caller("clang++", Some(&shop.header("clang++")?), false)?),
        ("shim.rs, rustc", shop.caller("rust", Some(&shop.rust()?), false)?),
        (
            "nothing promised: shim.c, gcc",
            shop.caller("guarded", Some(&shop.guarded("gcc")?), false)?,
        ),
        (
            "nothing promised: shim.c, clang",
            shop.caller("guarded-clang", Some(&shop.guarded("clang")?), false)?,
        ),
        ("a hand-written forwarder, gcc", shop.caller("by-hand", Some(&shop.by_hand()?), false)?),
    ];
    if allocator.name == "mimalloc" {
        programs.push((WAIVED, shop.caller("waived", Some(&shop.waived()?), false)?));
        programs.push((OWN, shop.caller("own", Some(&shop.own_override()?), false)?));
    }
    programs.push((GLIBC, shop.caller("glibc", None, false)?));
    let mut ways = Vec::new();
    for (title, executable) in &programs {
        let counts = (0..OPERATIONS.len())
            .map(|operation| per_iteration(executable, operation, &shop.folder));
        let instructions = counts.collect::<anyhow::Result<_>>()?;
        ways.push(Way { title, instructions, nanoseconds: Vec::new() });
    }
    for operation in 0..OPERATIONS.len() {
        let mut times = vec![Vec::new(); programs.len()];
        for _ in 0..ROUNDS {
            for ((_, executable), times) in programs.iter().zip(&mut times) {
                let words = [operation.to_string(), TIMED.to_string()];
                times.push(output(program(executable).args(words))?.trim().parse()?);
            }
        }
        for (way, times) in ways.iter_mut().zip(times) {
            way.nanoseconds.push(median(times));
        }
    }
    Ok(Table { allocator: allocator.name, ways })
}

impl Workshop<'_> {
    /// `calls.c`, linked with a library; with `own`, it calls the allocator's functions by their names.
    fn caller(&self, name: &str, library: Option<&Path>, own: bool) -> anyhow::Result<PathBuf> {
        let executable = self.folder.join(format!("calls-{name}"));
        let mut gcc = program("gcc");
        gcc.args(["-O2", "-fno-builtin", "-Wl,-z,now,--no-as-needed", "-o"]).arg(&executable);
        gcc.arg(root().join("xtask/bench/calls.c"));
        if own {
            gcc.arg(format!("-DPREFIX={}", self.allocator.prefix));
        }
        if let Some(library) = library {
            // A library that has a name of its own is looked for by that.
            gcc.arg(library).arg(format!("-Wl,-rpath,{}", self.folder.display()));
        }
        // Operators that a library leaves to the C++ runtime.
        gcc.arg("-lstdc++");
        output(&mut gcc)?;
        Ok(executable)
    }
}

/// The first calls (loading, binding, filling caches) fall out of the difference.
fn per_iteration(executable: &Path, operation: usize, folder: &Path) -> anyhow::Result<f64> {
    let total =
        |count: u32| instructions(executable, &[operation.to_string(), count.to_string()], folder);
    let (few, many) = (total(10_000)?, total(60_000)?);
    Ok((many as f64 - few as f64) / 50_000.0)
}

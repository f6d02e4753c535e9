//! One row of the table: all laws, compiled by one compiler, under one library.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    thread::available_parallelism,
};

use alloc8_gen::{
    laws::{self, Compilers, Outcome, Workshop},
    spec,
    toolchain::Compiler,
};

use super::exceptions::exception;
use crate::common;

/// Kept from one run to the next: what was compiled, and the rows.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws")
}

/// `gcc` or `clang`; `None`, and said so, if it is not installed.
pub(super) fn compiler(name: &str) -> Option<Compiler> {
    let found = Compiler::find(Some(name), None).ok();
    let found = found.filter(|c| Compilers::beside(c).cxx.is_ok());
    if found.is_none() {
        let how = match name {
            "gcc" => "apt-get install gcc g++",
            _ => "apt-get install clang lld",
        };
        common::skip(name, how);
    }
    found
}

/// Whether clang can link bytecode, and half of the laws with it.
pub(super) fn has_lld() -> bool {
    let found = std::process::Command::new("ld.lld").arg("--version").output().is_ok();
    if !found {
        common::skip("lld", "apt-get install lld");
    }
    found
}

/// What a test found in its cells.
#[derive(Default)]
pub(super) struct Findings(Vec<String>);

impl Findings {
    /// Tries all laws under one library.
    pub(super) fn try_all(&mut self, cell: &str, compiler: &Compiler, library: Option<&Path>) {
        self.0.extend(try_all(cell, compiler, library));
    }

    pub(super) fn none(&self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// Where a cell's row is kept.
pub(super) fn file_of(cell: &str, judge: &str) -> String {
    format!("{cell} {judge}.txt").replace([' ', '/', '='], "-")
}

/// Tries all laws, writes a row, and tells what the table of exceptions does not have.
fn try_all(cell: &str, compiler: &Compiler, library: Option<&Path>) -> Vec<String> {
    // Tests of one process take turns: each uses all processors, and laws have time limits.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let linux = spec::platform("linux").unwrap();
    let workshop = Workshop::new(Compilers::beside(compiler), &[], &folder()).unwrap();
    let jobs = available_parallelism().map_or(2, |n| n.get().min(8));
    let all = laws::laws(&linux).unwrap();
    let judged = laws::check_with(&workshop, all, library, jobs).unwrap();

    let mut wrong = Vec::new();
    let mut held = 0;
    let mut row = Vec::new();
    for (law, outcome) in &judged {
        let name = law.name.as_str();
        match (outcome, exception(name, cell)) {
            (Outcome::Holds, None) => held += 1,
            (Outcome::Holds, Some(e)) => {
                wrong.push(format!("{name} holds; the table excuses it: {}", e.reason));
            }
            (other, Some(e)) => {
                let here = matches!(other, Outcome::NotHere { .. });
                let word = if here { "not here" } else { "excused" };
                row.push(format!("  {word}: {name}: {}", e.reason));
            }
            (other, None) => wrong.push(format!("{name}: {other:?}")),
        }
    }
    let head = format!("{cell} | laws by {} | {held} of {} hold", compiler.name(), judged.len());
    row.insert(0, head);
    let row = row.join("\n");
    println!("{row}");
    let rows = folder().join("table");
    std::fs::create_dir_all(&rows).unwrap();
    std::fs::write(rows.join(file_of(cell, &compiler.name())), row + "\n").unwrap();
    let place = format!("{cell}, laws by {}", compiler.name());
    wrong.into_iter().map(|what| format!("{place}: {what}")).collect()
}

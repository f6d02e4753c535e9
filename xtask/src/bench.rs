//! What the layer costs, side by side in one run: `xtask/bench/README.md` and its plots.
//!
//! Instructions are counted by callgrind and are the same on every run; times are medians, taken in
//! turns so that a slow minute is everybody's.

use crate::{
    install,
    shell::{root, tool},
    test,
};

mod calls;
mod generation;
mod libraries;
mod machine;
mod measure;
mod plot;
mod programs;
mod report;

/// Packages, and a program of each.
const PACKAGES: &[(&str, &str)] = &[
    ("valgrind", "valgrind"),
    ("gcc", "gcc"),
    ("g++", "g++"),
    ("clang", "clang"),
    ("python3", "python3"),
    ("redis-server", "redis-server"),
    ("redis-tools", "redis-benchmark"),
    ("sqlite3", "sqlite3"),
];

pub(crate) fn bench() -> anyhow::Result<()> {
    for (package, program) in PACKAGES {
        install::one(package, program)?;
    }
    test::archives()?;
    let tool = tool("release")?;
    let work = tempfile::tempdir()?;
    let allocators = calls::ALLOCATORS
        .iter()
        .map(|allocator| calls::measure(&tool, allocator, work.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let report = report::Report {
        allocators,
        programs: programs::measure(&tool, work.path())?,
        generation: generation::measure(&tool, work.path())?,
    };
    let folder = root().join("xtask/bench");
    report.write(&folder)?;
    eprintln!("written: {}", folder.join("README.md").display());
    Ok(())
}

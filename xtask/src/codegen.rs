//! `generated/`: what the tool renders for `simple_heap`, committed.

use crate::shell::{program, root, run, tool};

pub(crate) fn write() -> anyhow::Result<()> {
    run(program(tool("dev")?).args(["generate", "-p", "all", "-a", "simple_heap"]))
}

/// Fails if a file in the tree is not what would be rendered.
pub(crate) fn check() -> anyhow::Result<()> {
    let folders = ["generated", "examples/vendored_cmake"];
    let there = folders.into_iter().filter(|folder| root().join(folder).is_dir());
    run(program(tool("dev")?).arg("check").args(there))
}

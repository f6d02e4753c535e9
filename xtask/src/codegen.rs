//! `generated/`: what the tool renders for `simple_heap`, committed.

use crate::shell::{program, root, run, tool};

pub(crate) fn write() -> anyhow::Result<()> {
    let tool = tool("dev")?;
    run(program(&tool).args(["generate", "-p", "all", "-a", "simple_heap"]))?;
    let linux = ["generate", "-p", "linux", "-a", "simple_heap", "--lang"];
    run(program(&tool).args(linux).arg("cpp"))?;
    run(program(&tool).args(linux).arg("rust"))
}

/// Fails if a file in the tree is not what would be rendered.
pub(crate) fn check() -> anyhow::Result<()> {
    let folders = ["generated", "examples/vendored_cmake"];
    let there = folders.into_iter().filter(|folder| root().join(folder).is_dir());
    run(program(tool("dev")?).arg("check").args(there))
}

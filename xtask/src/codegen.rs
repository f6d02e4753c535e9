//! `generated/`: what the tool renders for `simple_heap`, committed; and what examples have of it.

use crate::shell::{program, root, run, tool};

/// Examples that keep rendered files: name, description, and the options of each configuration.
const EXAMPLES: &[(&str, &str, &[&[&str]])] = &[
    ("vendored_cmake", "block_heap.toml", &[LINUX]),
    ("vendored_meson", "block_heap.toml", &[LINUX]),
    (
        "diehard",
        "diehard.toml",
        &[&["-p", "linux", "--lang", "cpp"], &["-p", "windows", "--lang", "cpp", "--hook", "iat"]],
    ),
    ("hoard", "hoard.toml", &[LINUX, &["-p", "windows", "--hook", "iat"]]),
    ("prefixed", "simple_heap", &[&["-p", "linux", "--mode", "prefixed", "--prefix", "table"]]),
];

const LINUX: &[&str] = &["-p", "linux"];

pub(crate) fn write() -> anyhow::Result<()> {
    let tool = tool("dev")?;
    run(program(&tool).args(["generate", "-p", "all", "-a", "simple_heap"]))?;
    let linux = ["generate", "-p", "linux", "-a", "simple_heap"];
    run(program(&tool).args(linux).args(["--lang", "cpp"]))?;
    run(program(&tool).args(linux).args(["--lang", "rust"]))?;
    let macos = ["generate", "-p", "macos", "-a", "simple_heap"];
    run(program(&tool).args(macos).args(["--lang", "cpp"]))?;
    run(program(&tool).args(macos).args(["--lang", "rust"]))?;
    let windows = ["generate", "-p", "windows", "-a", "simple_heap"];
    run(program(&tool).args(windows).args(["--lang", "cpp"]))?;
    run(program(&tool).args(windows).args(["--lang", "cpp", "--mode", "static"]))?;
    run(program(&tool).args(windows).args(["--lang", "rust"]))?;
    run(program(&tool).args(linux).args(["--mode", "static"]))?;
    run(program(&tool).args(linux).args(["--mode", "prefixed", "--prefix", "my"]))?;
    run(program(&tool).args(["generate", "-p", "macos", "-a", "simple_heap", "--mode", "static"]))?;
    let prefixed = ["--mode", "prefixed", "--prefix", "my"];
    run(program(&tool).args(["generate", "-p", "macos", "-a", "simple_heap"]).args(prefixed))?;
    for (name, description, configurations) in EXAMPLES {
        let folder = root().join("examples").join(name);
        for configuration in *configurations {
            let mut generate = program(&tool);
            generate.args(["generate", "-a", description, "-o", "alloc8"]).args(*configuration);
            run(generate.current_dir(&folder))?;
        }
    }
    Ok(())
}

/// Fails if a file in the tree is not what would be rendered.
pub(crate) fn check() -> anyhow::Result<()> {
    let examples = EXAMPLES.iter().map(|(name, ..)| format!("examples/{name}"));
    let folders = ["generated".to_owned()].into_iter().chain(examples);
    let there = folders.filter(|folder| root().join(folder).is_dir());
    run(program(tool("dev")?).arg("check").args(there))
}

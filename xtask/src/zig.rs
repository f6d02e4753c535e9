//! Zig, which compiles and links for systems that are not this one: clang, their headers and their
//! libraries' export lists in one Python package. Debian has none.

use std::path::Path;

use crate::shell::{program, run, succeeds, target};

/// The tests rely on what this version bundles.
const PACKAGE: &str = "ziglang==0.17.1";

/// Installs it below the target folder, where tests look for it; says why not, if it cannot.
pub(crate) fn install() {
    let folder = target().join("tools/zig");
    let python = folder.join("bin/python");
    if present(&python) {
        return;
    }
    let mut venv = program("python3");
    venv.args(["-m", "venv"]).arg(&folder);
    let mut pip = program(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]);
    if let Err(error) = run(&mut venv).and_then(|()| run(&mut pip)) {
        eprintln!("warning: {error:#}");
        eprintln!("not installed, tests that need it are skipped: zig");
        eprintln!("help: set ALLOC8_ZIG to a zig 0.17.1, or install python3-venv");
    }
}

fn present(python: &Path) -> bool {
    let (name, version) = PACKAGE.split_once("==").expect("a version");
    let check =
        format!("import importlib.metadata as m; assert m.version({name:?}) == {version:?}");
    python.is_file() && succeeds(program(python).args(["-c", &check]))
}

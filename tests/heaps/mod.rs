//! Static libraries made of the heaps under tests/fixtures.

use std::path::{Path, PathBuf};
use std::process::Command;

use alloc8_gen::toolchain::Compiler;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn heap(file: &str) -> PathBuf {
    root().join("tests/fixtures/heaps").join(file)
}

/// Compiles the sources, with these options more, into one archive.
#[allow(dead_code, reason = "not every harness has sources that all compilers take alike")]
pub(crate) fn archive(
    compiler: &Compiler,
    sources: &[&Path],
    work: &Path,
    more: &[&str],
) -> PathBuf {
    let archive = work.join("libheap.a");
    let _ = std::fs::remove_file(&archive);
    let mut ar = Command::new("ar");
    ar.arg("rcs").arg(&archive);
    for source in sources {
        let object = work.join(source.with_extension("o").file_name().unwrap());
        let mut compile = compiler.command();
        compile.args(["-std=gnu11", "-O2", "-fPIC", "-c"]).args(more).arg(source);
        run(compile.arg("-o").arg(&object));
        ar.arg(object);
    }
    run(&mut ar);
    archive
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

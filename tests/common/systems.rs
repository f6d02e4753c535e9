//! Systems with other C libraries than glibc, whose libraries run under musl here.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A system, what zig calls it or one like it, and what its libraries find under musl.
pub(crate) struct System {
    pub(crate) platform: &'static str,
    pub(crate) zig: &'static str,
    stub: Option<&'static str>,
}

pub(crate) const SYSTEMS: [System; 4] = [
    System { platform: "linux-musl", zig: "x86_64-linux-musl", stub: None },
    System { platform: "android", zig: "x86_64-linux-musl", stub: Some("bionic/over_musl.c") },
    System { platform: "freebsd", zig: "x86_64-freebsd", stub: Some("bsd/over_musl.c") },
    System { platform: "netbsd", zig: "x86_64-netbsd", stub: Some("bsd/over_musl.c") },
];

impl System {
    /// What compiles the functions that musl names otherwise, with a compiler for musl, and into which file.
    pub(crate) fn stub(&self, mut compiler: Command, work: &Path) -> Option<(Command, PathBuf)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libcs");
        let file = work.join("libstub.so");
        compiler.args(["-O1", "-fPIC", "-shared", "-w", "-o"]).arg(&file);
        compiler.arg(folder.join(self.stub?));
        Some((compiler, file))
    }
}

//! musl for other CPUs, below the target folder.

use std::path::Path;

use crate::{foreign, shell::target};

/// Debian's architectures, and how musl names its dynamic linker there.
const MACHINES: &[(&str, &str)] = &[("arm64", "aarch64"), ("armhf", "armhf"), ("i386", "i386")];

/// Unpacks it where tests look for it; says why not, if it cannot.
pub(crate) fn install() {
    let folder = target().join("tools/musl");
    if MACHINES.iter().all(|(debian, musl)| loader(&folder, debian, musl).is_file()) {
        return;
    }
    if let Err(error) = unpack(&folder) {
        eprintln!("warning: {error:#}");
        eprintln!("not installed, tests that need it are skipped: musl for other CPUs");
        eprintln!("help: on Debian, `cargo xtask install` fetches its packages with apt-get");
    }
}

fn loader(folder: &Path, debian: &str, musl: &str) -> std::path::PathBuf {
    folder.join(debian).join(format!("lib/ld-musl-{musl}.so.1"))
}

fn unpack(folder: &Path) -> anyhow::Result<()> {
    let packages: Vec<_> = MACHINES
        .iter()
        .map(|(debian, _)| (format!("musl:{debian}"), folder.join(debian)))
        .collect();
    foreign::unpack(folder, &packages)?;
    for (debian, musl) in MACHINES {
        anyhow::ensure!(loader(folder, debian, musl).is_file(), "musl:{debian} has no loader");
    }
    Ok(())
}

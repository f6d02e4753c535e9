//! musl for other CPUs, out of Debian's packages and unpacked below the target folder: dpkg on the
//! host never hears of it, so that nothing of another architecture is installed.

use std::{fs, path::Path};

use anyhow::Context;

use crate::shell::{output, program, run, target, which};

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
    anyhow::ensure!(which("apt-get").is_some() && which("dpkg").is_some(), "there is no apt-get");
    // Lists and state of its own: the system's stay as they are.
    let apt = folder.join("apt");
    for part in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(part)).with_context(|| apt.display().to_string())?;
    }
    fs::write(apt.join("status"), "")?;
    let architectures: String =
        MACHINES.iter().map(|(debian, _)| format!("\"{debian}\";")).collect();
    let own = |part: &str| apt.join(part).display().to_string();
    let host = output(program("dpkg").arg("--print-architecture"))?;
    let settings = format!(
        "Dir::State \"{}\";\nDir::State::status \"{}\";\nDir::Cache \"{}\";\n\
         APT::Architecture \"{}\";\nAPT::Architectures {{{architectures}}};\n\
         Acquire::Languages \"none\";\nAPT::Sandbox::User \"root\";\n",
        own("state"),
        own("status"),
        own("cache"),
        host.trim(),
    );
    fs::write(apt.join("apt.conf"), settings)?;
    let get = |words: &[&str]| {
        let mut command = program("apt-get");
        command.env("APT_CONFIG", apt.join("apt.conf")).current_dir(&apt).arg("--quiet=2");
        run(command.args(words))
    };
    // One suite of several may be in the middle of its mirror's update: what counts is the package.
    if let Err(error) = get(&["update"]) {
        eprintln!("warning: {error:#}");
    }
    for (debian, musl) in MACHINES {
        get(&["download", &format!("musl:{debian}")])?;
        let mut packages = fs::read_dir(&apt)?.filter_map(Result::ok).map(|entry| entry.path());
        let package =
            packages.find(|path| path.to_string_lossy().ends_with(&format!("_{debian}.deb")));
        let package = package.with_context(|| format!("no package musl:{debian}"))?;
        let root = folder.join(debian);
        run(program("dpkg").arg("-x").arg(package).arg(&root))?;
        anyhow::ensure!(loader(folder, debian, musl).is_file(), "musl:{debian} has no loader");
    }
    let _ = fs::remove_dir_all(&apt);
    Ok(())
}

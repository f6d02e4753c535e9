//! Debian's packages for other architectures, unpacked below the target folder: dpkg on the host never
//! hears of them, so that nothing of another architecture is installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::shell::{output, program, run, which};

/// Unpacks packages (`musl:arm64`), each below a folder of its own; `folder` is where to work.
pub(crate) fn unpack(folder: &Path, packages: &[(String, PathBuf)]) -> anyhow::Result<()> {
    anyhow::ensure!(which("apt-get").is_some() && which("dpkg").is_some(), "there is no apt-get");
    // Lists and state of its own: the system's stay as they are.
    let apt = folder.join("apt");
    for part in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(part)).with_context(|| apt.display().to_string())?;
    }
    fs::write(apt.join("status"), "")?;
    let architecture =
        |package: &str| package.split_once(':').map(|(_, architecture)| architecture.to_owned());
    let architectures: String = packages
        .iter()
        .filter_map(|(package, _)| architecture(package))
        .map(|architecture| format!("\"{architecture}\";"))
        .collect();
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
    for (package, root) in packages {
        get(&["download", package])?;
        let ending = format!("_{}.deb", architecture(package).unwrap_or_default());
        let mut files = fs::read_dir(&apt)?.filter_map(Result::ok).map(|entry| entry.path());
        let file = files.find(|path| path.to_string_lossy().ends_with(&ending));
        let file = file.with_context(|| format!("no package {package}"))?;
        run(program("dpkg").arg("-x").arg(file).arg(root))?;
    }
    let _ = fs::remove_dir_all(&apt);
    Ok(())
}

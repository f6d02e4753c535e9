//! Wine, which runs Windows' programs elsewhere.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    HOST,
    cpu::{Place, is_windows},
    cross::in_path,
};

/// A Wine that runs the programs of one CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wine {
    program: PathBuf,
}

impl Wine {
    /// `None` if it is not here, or runs no programs of this CPU.
    pub(super) fn of(place: Place) -> Option<Wine> {
        let host = Place::host()?;
        let runs = host.cpu == place.cpu || place.is_narrow_host() && has_narrow_libraries();
        let program = in_path("wine").filter(|_| runs)?;
        Some(Wine { program })
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// To be followed by the program. What the user set stays: where Wine keeps its files (WINEPREFIX) too.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Messages of Wine's own; and questions whether to fetch what few programs need.
        for (name, value) in [("WINEDEBUG", "-all"), ("WINEDLLOVERRIDES", "mscoree,mshtml=")] {
            if env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        command
    }
}

/// Without its libraries for 32-bit programs, Wine ends with 0 and has run nothing.
fn has_narrow_libraries() -> bool {
    let named = env::var_os("WINEDLLPATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        env::split_paths(&named).map(|folder| folder.join("i386-windows")).collect();
    folders.push("/usr/lib/i386-linux-gnu/wine/i386-windows".into());
    folders.push(windows_folder().join("syswow64"));
    folders.iter().any(|folder| folder.join("ntdll.dll").is_file())
}

/// Windows' own folder; elsewhere, where Wine keeps the user's `C:\windows`, whether it is there yet or not.
pub fn windows_folder() -> PathBuf {
    match env::var_os("SystemRoot").filter(|_| is_windows(HOST)) {
        Some(folder) => folder.into(),
        None => prefix().join("drive_c/windows"),
    }
}

/// Where it keeps a user's Windows.
fn prefix() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".wine");
    env::var_os("WINEPREFIX").map_or_else(home, PathBuf::from)
}

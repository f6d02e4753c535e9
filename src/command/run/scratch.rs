//! A private folder for the records of one run, and what runs that were killed left of theirs.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use alloc8_gen::diagnostic::{Diagnostic, Report, Result};

use super::host;

/// How the folders' names begin.
const NAME: &str = "alloc8-gen-proof-";

/// The file in it that its owner holds for as long as it lives.
const HELD: &str = "held";

/// A folder that nobody else writes into; it goes when this goes.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    /// Given up with the folder, or by the system when we are killed.
    held: Option<File>,
}

impl Scratch {
    /// # Errors
    /// `A8301` if there is no room for it.
    pub(super) fn new() -> Result<Scratch> {
        let place = std::env::temp_dir();
        sweep(&place);
        let made = create(&place).and_then(|path| {
            let held = host::hold_new(&path.join(HELD))?;
            Ok(Scratch { path, held: Some(held) })
        });
        made.map_err(|error| {
            let message = format!("could not make a folder in `{}`: {error}", place.display());
            Report::from(Diagnostic::error("A8301", message))
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Windows removes no file that is held.
        self.held = None;
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A folder of a name that was free: another process may have our number, in a container that shares it.
fn create(place: &Path) -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let path = place.join(format!("{NAME}{}-{number}", std::process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                number += 1
            }
            made => return made.map(|()| path),
        }
    }
}

/// Removes what the user's runs that were killed have left. Who lives holds a file; what has none is just being made.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if !name.to_string_lossy().starts_with(NAME) || !host::is_own(&path) {
            continue;
        }
        if host::hold(&path.join(HELD), OpenOptions::new().write(true)).is_ok() {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_lives_is_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = place.path().join(format!("{NAME}{name}"));
            fs::create_dir(&path).unwrap();
            path
        };
        let (left, lives, born) = (folder("1-0"), folder("2-0"), folder("3-0"));
        let other = place.path().join("another");
        fs::create_dir(&other).unwrap();
        for path in [&left, &lives, &other] {
            fs::write(path.join(HELD), "").unwrap();
        }
        fs::write(left.join("ld.1"), "a record").unwrap();
        let held = host::hold(&lives.join(HELD), OpenOptions::new().write(true)).unwrap();
        sweep(place.path());
        assert!(!left.exists() && lives.exists() && born.exists() && other.exists());
        drop(held);
        sweep(place.path());
        assert!(!lives.exists());
    }
}

//! Files that people name: what is a pipe, a device or a folder is no library, no archive and no description,
//! and nothing that is built takes its place.

use std::{fs, io, path::Path};

/// The bytes of a file.
///
/// # Errors
/// The system's own, and one for what is no regular file: a pipe would be waited for, and a device need not end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    refuse_special(&fs::metadata(path)?)?;
    fs::read(path)
}

/// Whether a new file may take the place of what has this name, if anything has. A link may be replaced,
/// whatever it leads to.
///
/// # Errors
/// One for a folder, a pipe or a device.
pub fn may_be_replaced(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Ok(()),
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) => refuse_special(&found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn refuse_special(found: &fs::Metadata) -> io::Result<()> {
    // Of a folder the system says so by itself.
    match found.is_file() || found.is_dir() {
        true => Ok(()),
        false => Err(io::Error::other("it is a pipe or a device, and no regular file")),
    }
}

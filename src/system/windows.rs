//! On Windows.

use std::{
    io,
    os::windows::fs::symlink_file,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

/// Nothing needs to be done: a process is known as the parent of those that it started.
pub(crate) fn lead_group(_: &mut Command) {}

/// Ends a process with all that it started.
pub(crate) fn end_group(child: &mut Child) {
    let mut end = Command::new("taskkill");
    end.args(["/T", "/F", "/PID", &child.id().to_string()]);
    let _ = end.stderr(Stdio::null()).stdout(Stdio::null()).status();
    let _ = (child.kill(), child.wait());
}

/// There are none: a process always ends with a status.
pub(crate) fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// Makes another name for a file: a symbolic link.
///
/// # Errors
/// The system's own, where a file of that name is there or the folder cannot be written.
pub fn link(file: &Path, name: &Path) -> io::Result<()> {
    symlink_file(file, name)
}

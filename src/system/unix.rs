//! On Unix.

use std::{
    io,
    os::unix::{
        fs::symlink,
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

/// Has a process lead a group of its own.
pub(crate) fn lead_group(command: &mut Command) {
    command.process_group(0);
}

/// Ends a process with all that it started, if it leads a group of its own.
pub(crate) fn end_group(child: &mut Child) {
    // The shell's own `kill` reaches the whole group.
    let group = format!("kill -9 -{}", child.id());
    let quiet = || Stdio::null();
    let _ = Command::new("sh").args(["-c", &group]).stderr(quiet()).stdout(quiet()).status();
    let _ = (child.kill(), child.wait());
}

/// The signal that ended a process.
pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// Makes another name for a file: a symbolic link.
///
/// # Errors
/// The system's own, where a file of that name is there or the folder cannot be written.
pub fn link(file: &Path, name: &Path) -> io::Result<()> {
    symlink(file, name)
}

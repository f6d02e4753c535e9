//! On Unix.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, ExitCode, ExitStatus},
};

use alloc8_gen::artifact::program::Mode;
use rustix::{
    fs::{FlockOperation, flock, getxattr},
    process::{
        Resource, Rlimit, Signal, getegid, geteuid, getpid, getrlimit, kill_process, setrlimit,
    },
};

/// The program takes this one's place; what comes back is why it could not.
pub(crate) fn execute(mut command: Command) -> io::Result<u32> {
    Err(command.exec())
}

/// What a program is told that it is called.
pub(crate) fn call_it(command: &mut Command, name: &OsStr) {
    command.arg0(name);
}

/// Waits for the program. What a terminal sends (Ctrl-C) is for the program, as with system(3): it reaches both,
/// and who waits goes on waiting.
pub(crate) fn wait_for(child: &mut Child) -> io::Result<ExitStatus> {
    let signals = [libc::SIGINT, libc::SIGQUIT];
    let before = signals.map(|signal| answer(signal, libc::SIG_IGN));
    let status = child.wait();
    for (signal, before) in signals.into_iter().zip(before) {
        answer(signal, before);
    }
    status
}

/// What a signal does from now on; returns what it did before.
#[expect(unsafe_code, reason = "the standard library has nothing for it")]
fn answer(signal: libc::c_int, by: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: a signal is ignored, or does what it did before; no code of ours is called.
    unsafe { libc::signal(signal, by) }
}

/// The program's status; a signal that ended it ends us.
pub(crate) fn pass_on(status: ExitStatus) -> u32 {
    if let Some(number) = status.signal() {
        // Our core would overwrite the program's.
        let limit = getrlimit(Resource::Core);
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: limit.maximum });
        if let Some(signal) = Signal::from_named_raw(number) {
            let _ = kill_process(getpid(), signal);
        }
        // Still here: we ignore that signal (SIGPIPE). A shell that takes our place does not.
        let _ = Command::new("/bin/sh").arg("-c").arg(format!("kill -{number} $$")).exec();
        return u32::try_from(128 + number).unwrap_or(255);
    }
    u32::try_from(status.code().unwrap_or(255)).unwrap_or(255)
}

/// As much of a status as there is room for here; never one of failure as success.
pub(crate) fn exit_code(status: u32) -> ExitCode {
    ExitCode::from(low_bits(status))
}

fn low_bits(status: u32) -> u8 {
    match status.to_le_bytes()[0] {
        0 if status != 0 => u8::MAX,
        low => low,
    }
}

/// Whether somebody may execute a file.
pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}

/// Set-user-ID matters only if it changes the user (AT_SECURE in getauxval(3)).
pub(crate) fn mode(metadata: &Metadata, path: &Path) -> Mode {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let mut buffer = [0u8; 64];
    let capabilities =
        getxattr(path, "security.capability", &mut buffer).is_ok_and(|size| size > 0);
    let mut mode = Mode::new(metadata.permissions().mode(), capabilities && user != 0);
    mode.setuid &= metadata.uid() != user;
    mode.setgid &= metadata.gid() != group;
    mode
}

/// A folder that somebody else made could lead anywhere.
pub(crate) fn is_own(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir() && m.uid() == user())
}

/// Holds a file for as long as the answer lives, and this process; an error if another one holds it.
pub(crate) fn hold(path: &Path, how: &OpenOptions) -> io::Result<File> {
    let file = how.open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Makes a file and holds it: nobody finds it under its name before it is held.
pub(crate) fn hold_new(path: &Path) -> io::Result<File> {
    let born = path.with_extension("born");
    let held = hold(&born, OpenOptions::new().write(true).create_new(true))?;
    fs::rename(&born, path).map(|()| held)
}

/// Whose files are told apart in a folder of everybody's.
pub(crate) fn user() -> u32 {
    geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_becomes_success_by_losing_its_upper_bits() {
        assert_eq!([0, 7, 255, 256, 0xC000_0005].map(low_bits), [0, 7, 255, 255, 5]);
    }
}

//! On Windows.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::windows::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command, ExitCode, ExitStatus},
};

use alloc8_gen::artifact::program::Mode;
use windows_sys::{
    Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler},
    core::BOOL,
};

/// No program takes another one's place here: it is started, and waited for.
pub(crate) fn execute(mut command: Command) -> io::Result<u32> {
    wait_for(&mut command.spawn()?).map(pass_on)
}

/// A program is called what starts it.
pub(crate) fn call_it(_: &mut Command, _: &OsStr) {}

/// Waits for the program. Ctrl-C is for the program: it reaches all on a console, and who waits goes on waiting.
pub(crate) fn wait_for(child: &mut Child) -> io::Result<ExitStatus> {
    leave_ctrl_c_to_others();
    child.wait()
}

#[expect(unsafe_code, reason = "the standard library has nothing for it")]
fn leave_ctrl_c_to_others() {
    unsafe extern "system" fn is_known(event: u32) -> BOOL {
        BOOL::from(event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT)
    }
    // SAFETY: the function may be called at any time, on any thread: it touches nothing.
    unsafe { SetConsoleCtrlHandler(Some(is_known), 1) };
}

/// The program's status.
pub(crate) fn pass_on(status: ExitStatus) -> u32 {
    status.code().map_or(255, i32::cast_unsigned)
}

/// All of a status; there is no room for that in an `ExitCode`.
#[expect(clippy::exit, reason = "the end of the program: nothing is left to be done")]
pub(crate) fn exit_code(status: u32) -> ExitCode {
    match u8::try_from(status) {
        Ok(status) => ExitCode::from(status),
        Err(_) => std::process::exit(status.cast_signed()),
    }
}

/// Any file may be tried.
pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file()
}

/// No file gives privileges here.
pub(crate) fn mode(_: &Metadata, _: &Path) -> Mode {
    Mode::default()
}

/// The temporary folder is the user's own.
pub(crate) fn is_own(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir())
}

/// Holds a file for as long as the answer lives, and this process; an error if another one holds it.
pub(crate) fn hold(path: &Path, how: &OpenOptions) -> io::Result<File> {
    how.clone().share_mode(0).open(path)
}

/// Makes a file and holds it.
pub(crate) fn hold_new(path: &Path) -> io::Result<File> {
    hold(path, OpenOptions::new().write(true).create_new(true))
}

/// Nobody else has files in the user's own temporary folder.
pub(crate) fn user() -> u32 {
    0
}

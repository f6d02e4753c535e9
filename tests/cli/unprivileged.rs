//! The tool as a user to whom permissions apply: they mean nothing to root.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use super::{
    common,
    tool::{TOOL, cache},
};

/// The tool in a folder, as nobody where the tests are root's; `None`, with words, where that cannot
/// be done. A copy that everybody may execute is put beside, as `tool`.
pub(crate) fn tool(place: &Path) -> Option<Command> {
    let copy = place.join("tool");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    if !copy.exists() {
        fs::copy(TOOL, &copy).unwrap();
        mode(&copy, 0o755);
        mode(place, 0o755);
    }
    let mut command = Command::new(&copy);
    if fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0) {
        if Command::new("setpriv").arg("--version").output().is_err() {
            common::skip("setpriv", "apt-get install util-linux");
            return None;
        }
        command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]).arg(&copy);
    }
    command.current_dir(place).env("LC_ALL", "C").env("XDG_CACHE_HOME", cache());
    command.env_remove("NO_COLOR");
    Some(command)
}

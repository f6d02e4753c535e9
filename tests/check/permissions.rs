//! What `check` does where it may not write, and where it may not read.
//!
//! Permissions mean nothing to root: as root, the tool runs as another user.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
};

use super::{
    project::{MAP, SHIM, edit, project, snapshot},
    tool::{Ran, TOOL, cache, run},
};

const NOBODY: u32 = 65534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A copy of the tool that everybody may execute, beside the project.
fn everyones(place: &Path) -> std::path::PathBuf {
    let copy = place.join("tool");
    fs::copy(TOOL, &copy).unwrap();
    mode(&copy, 0o755);
    mode(place, 0o755);
    copy
}

/// Runs `check` as one to whom permissions apply; `None`, with words, where that cannot be done.
fn check_unprivileged(place: &Path, arguments: &[&str]) -> Option<Ran> {
    let root = fs::metadata("/proc/self").map_or(0, |m| m.uid()) == 0;
    let copy = place.join("tool");
    let mut command = if root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]).arg(&copy);
        command
    } else {
        Command::new(&copy)
    };
    command.arg("check").args(arguments).current_dir(place).env("LC_ALL", "C");
    command.env("XDG_CACHE_HOME", cache());
    if root && Command::new("setpriv").arg("--version").output().is_err() {
        println!("skipped: setpriv (apt-get install util-linux)");
        return None;
    }
    Some(Ran::new(&mut command))
}

#[test]
fn a_read_only_tree_can_be_checked() {
    let place = project();
    everyones(place.path());
    let inside = place.path().join("generated/heap/linux");
    for entry in fs::read_dir(&inside).unwrap() {
        mode(&entry.unwrap().path(), 0o444);
    }
    for folder in ["generated/heap/linux", "generated/heap", "generated"] {
        mode(&place.path().join(folder), 0o555);
    }
    mode(place.path(), 0o555);
    let before = snapshot(place.path());
    run(place.path(), &["check"]).exits(0);
    let clean = check_unprivileged(place.path(), &[]);
    let same = snapshot(place.path()) == before;
    mode(place.path(), 0o755);
    edit(&place.path().join("heap.toml"), "heap_malloc", "heap_allocate");
    mode(place.path(), 0o555);
    let before = snapshot(place.path());
    run(place.path(), &["check"]).exits(1);
    let stale = check_unprivileged(place.path(), &[]);
    let still = snapshot(place.path()) == before;
    for folder in [".", "generated", "generated/heap", "generated/heap/linux"] {
        mode(&place.path().join(folder), 0o755);
    }
    assert!(same && still, "check has changed something");
    if let (Some(clean), Some(stale)) = (clean, stale) {
        clean.exits(0);
        assert!(stale.exits(1).out.contains(&format!("stale         A8310  {SHIM}")));
    }
}

#[test]
fn an_unreadable_file_is_an_error_and_the_rest_is_told() {
    let place = project();
    everyones(place.path());
    edit(&place.path().join(SHIM), "stddef", "stdlib");
    mode(&place.path().join(MAP), 0o000);
    let before = snapshot(place.path());
    let Some(ran) = check_unprivileged(place.path(), &[]) else { return };
    assert!(snapshot(place.path()) == before, "check has changed something");
    let ran = ran.exits(2).says(&["error[A8304]", MAP, "Permission denied"]);
    assert!(ran.out.contains(&format!("hand-edited   A8313  {SHIM}")), "{}", ran.all());
    assert_eq!(ran.err.matches("error[A8304]").count(), 1, "{}", ran.all());
}

#[test]
fn what_may_not_be_read_is_never_taken_for_agreement() {
    let place = project();
    everyones(place.path());
    run(place.path(), &["generate", "-p", "linux", "-a", "simple_heap"]).exits(0);
    // All files of one folder: nothing says that they are ours, and nothing that they are not.
    let inside = place.path().join("generated/simple_heap/linux");
    for entry in fs::read_dir(&inside).unwrap() {
        mode(&entry.unwrap().path(), 0o000);
    }
    if let Some(ran) = check_unprivileged(place.path(), &[]) {
        let ran = ran.exits(2).says(&["error[A8304]", "generated/simple_heap/linux/shim.c"]);
        assert!(!ran.err.contains("everything agrees"), "{}", ran.all());
    }
}

#[test]
fn an_unreadable_folder_is_an_error_and_the_rest_is_told() {
    let place = project();
    everyones(place.path());
    run(place.path(), &["generate", "-p", "linux", "-a", "simple_heap"]).exits(0);
    edit(&place.path().join("generated/simple_heap/linux/shim.c"), "stddef", "stdlib");
    let closed = place.path().join("generated/heap/linux");
    mode(&closed, 0o000);
    let ran = check_unprivileged(place.path(), &[]);
    mode(&closed, 0o755);
    let Some(ran) = ran else { return };
    let ran = ran.exits(2).says(&["error[A8304]", "generated/heap/linux"]);
    let row = "hand-edited   A8313  generated/simple_heap/linux/shim.c";
    assert!(ran.out.contains(row), "{}", ran.all());
    // Files may be read there by their names, but strangers cannot be seen.
    mode(&closed, 0o311);
    let given = check_unprivileged(place.path(), &["-p", "linux", "-a", "heap"]);
    mode(&closed, 0o755);
    given.unwrap().exits(2).says(&["error[A8304]", "generated/heap/linux"]);
}

#[test]
fn a_tree_of_another_owner_can_be_checked() {
    let place = project();
    everyones(place.path());
    if chown(place.path().join(SHIM), Some(NOBODY), Some(NOBODY)).is_err() {
        println!("skipped: chown (run the tests as root)");
        return;
    }
    if let Some(ran) = check_unprivileged(place.path(), &[]) {
        ran.exits(0);
    }
}

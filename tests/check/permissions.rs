//! What `check` does where it may not write, and where it may not read.
//!
//! Permissions mean nothing to root: as root, the tool runs as another user.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{
    project::{MAP, SHIM, edit, project, snapshot},
    tool::{Ran, run},
    unprivileged,
};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs `check` as one to whom permissions apply.
fn check_unprivileged(place: &Path, arguments: &[&str]) -> Option<Ran> {
    let mut command = unprivileged::tool(place)?;
    Some(Ran::new(command.arg("check").args(arguments)))
}

#[test]
fn a_read_only_tree_can_be_checked() {
    let place = project();
    // Puts the tool beside, before nothing can be put there any more.
    unprivileged::tool(place.path());
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
    unprivileged::tool(place.path());
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
    given.expect("it ran before").exits(2).says(&["error[A8304]", "generated/heap/linux"]);
}

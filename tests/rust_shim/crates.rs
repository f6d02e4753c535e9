//! Examples that are crates, each built by cargo as its README says, from this repository's Cargo.lock.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::toolbox::{ROOT, command, finish, folder, text};

/// A copy of the example beside its build, so that nothing is written into the tree.
fn copied(name: &str) -> PathBuf {
    let copy = folder(name);
    let source = Path::new(ROOT).join("examples").join(name);
    update(&source, &copy);
    let manifest = fs::read_to_string(source.join("Cargo.toml")).unwrap();
    let here = format!("path = {ROOT:?}");
    assert!(manifest.contains("path = \"../..\""), "{manifest}");
    write(&copy.join("Cargo.toml"), manifest.replace("path = \"../..\"", &here).as_bytes());
    fs::copy(Path::new(ROOT).join("Cargo.lock"), copy.join("Cargo.lock")).unwrap();
    copy
}

fn update(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() && name != "target" && name != "__pycache__" {
            update(&path, &to.join(name));
        } else if path.is_file() && name != "Cargo.toml" && name != "Cargo.lock" {
            write(&to.join(name), &fs::read(path).unwrap());
        }
    }
}

/// An old date tells cargo that there is nothing to do.
fn write(to: &Path, text: &[u8]) {
    if fs::read(to).is_ok_and(|old| old == text) {
        return;
    }
    fs::write(to, text).unwrap();
}

/// Builds with these options and without a warning; what was built is then in the folder. What the
/// examples have in common is built once.
pub(super) fn build(name: &str, options: &[&str]) -> PathBuf {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let target = folder("target");
    let mut cargo = command(&std::env::var("CARGO").unwrap_or("cargo".to_owned()));
    cargo.args(["build", "--release", "--offline"]).args(options).current_dir(copied(name));
    cargo.arg("--target-dir").arg(&target);
    let said = text(&finish(&mut cargo).stderr);
    assert!(!said.contains("warning"), "{said}");
    target.join("release")
}

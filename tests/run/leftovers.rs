//! What a proof leaves behind: nothing, however the program ends, and whoever is killed.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::tool::{Ran, folder, interposer, tool};

/// A proof of a program whose records go below a folder.
fn proof(temporary: &Path, command: &[&str]) -> Command {
    let mut run = tool(temporary);
    run.env("TMPDIR", temporary).args(["run", "--proof", "--preload"]);
    run.arg(interposer()).arg("--").args(command);
    run
}

fn folders(temporary: &Path) -> Vec<PathBuf> {
    fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn nothing_is_left_however_the_program_ends() {
    let temporary = folder();
    for end in ["exit 3", "kill -s SEGV $$", "kill -s KILL $$", "kill -s PIPE $$"] {
        let ran = Ran::new(&mut proof(temporary.path(), &["sh", "-c", end]));
        assert!(ran.err.starts_with("proof: ") || ran.err.contains("\nproof: "), "{}", ran.all());
        assert_eq!(folders(temporary.path()), Vec::<PathBuf>::new(), "{end}");
    }
    Ran::new(&mut proof(temporary.path(), &["/nonexistent/program"])).exits(127);
    assert_eq!(folders(temporary.path()), Vec::<PathBuf>::new());
}

#[test]
fn what_a_killed_run_leaves_goes_with_the_next_and_what_another_writes_stays() {
    let temporary = folder();
    let cat = |command: &mut Command| {
        let mut run = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It has come up when it gives back what it got.
        run.stdin.as_mut().unwrap().write_all(b"up\n").unwrap();
        let mut said = [0; 3];
        run.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        run
    };
    let mut killed = cat(&mut proof(temporary.path(), &["cat"]));
    let left = folders(temporary.path());
    assert_eq!(left.len(), 1, "{left:?}");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(left[0].is_dir());
    drop(killed.stdin.take());
    let mut lives = cat(&mut proof(temporary.path(), &["cat"]));
    assert!(!left[0].exists());
    let living = folders(temporary.path());
    Ran::new(&mut proof(temporary.path(), &["true"])).exits(0).says(&["proof: 1 of 1"]);
    assert_eq!(folders(temporary.path()), living);
    drop(lives.stdin.take());
    lives.wait().unwrap();
    assert_eq!(folders(temporary.path()), Vec::<PathBuf>::new());
}

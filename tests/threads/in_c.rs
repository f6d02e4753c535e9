//! Shims in C, as `build` makes them.

use std::fs;

use tempfile::TempDir;

use super::place::{GLIBC, I686, MUSL, POLICIES, Place, cli, description, hold, run};
use crate::heaps;

fn hold_at(place: &Place, binding: &[bool]) {
    let work = TempDir::new().unwrap();
    if !place.is_there(work.path()) {
        return;
    }
    let programs = place.programs(work.path());
    for policy in POLICIES {
        hold(&programs, &place.library(policy, work.path()), policy, binding);
    }
}

#[test]
fn threads_are_introduced_and_seen_off_under_glibc() {
    hold_at(&GLIBC, &[false, true]);
}

#[test]
fn threads_are_introduced_and_seen_off_on_32_bits() {
    hold_at(&I686, &[true]);
}

#[test]
fn threads_are_introduced_and_seen_off_under_musl() {
    hold_at(&MUSL, &[true]);
}

/// Without the hooks in its description the same heap is told of nobody: the programs can fail.
#[test]
fn a_heap_that_does_not_ask_is_not_told() {
    let work = TempDir::new().unwrap();
    let text = fs::read_to_string(description("advisory")).unwrap();
    let silent: Vec<_> = text.lines().filter(|line| !line.starts_with("thread_")).collect();
    let silent_toml = work.path().join("aware.toml");
    fs::write(&silent_toml, silent.join("\n")).unwrap();
    let library = work.path().join("silent.so");
    let mut build = cli();
    build.arg("build").arg("-a").arg(&silent_toml).arg("--lib");
    heaps::run(build.arg(GLIBC.archive("advisory", work.path())).arg("-o").arg(&library));
    let data = fs::read(&library).unwrap();
    let object = alloc8_gen::artifact::SharedObject::read(&data).unwrap();
    assert!(object.export("pthread_create").is_none() && object.export("thrd_create").is_none());
    let programs = GLIBC.programs(work.path());
    for told in ["threads_that_return_are_seen_off", "threads_of_c11_are_seen_off"] {
        let (_, program) = programs.iter().find(|(name, _)| name == told).unwrap();
        assert_eq!(run(program, &library, "advisory", false).status.code(), Some(1), "{told}");
    }
}

//! Compilers that are missing or wrong, and libraries that are not what was described.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{
    same::refused,
    tool::{cc, folder, root, run},
};

#[test]
fn a_compiler_that_is_not_there_is_told_with_what_installs_it() {
    let place = folder();
    refused("no-compiler", place.path(), &["build", "--cc", "no-such-cc"]);
    refused("broken-compiler", place.path(), &["build", "--cc", "false"]);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_compiler_that_says_that_all_is_well_and_makes_nothing_is_told() {
    let place = folder();
    let silent = place.path().join("silent");
    fs::write(&silent, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(&silent, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = run(place.path(), &["build", "--cc", "./silent"]).exits(2);
    ran.says(&["A8402", "it told of no mistake, and made no `"]);
}

#[test]
fn a_compiler_for_another_target_is_refused_before_it_compiles() {
    let place = folder();
    let line = ["build", "--cc", "cc", "--target", "powerpc64le-unknown-linux-gnu"];
    refused("wrong-compiler", place.path(), &line);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_promise_that_the_probe_disproves_is_refused_at_its_place() {
    let place = folder();
    let text = "\
schema = 1
malloc = \"liar_malloc\"
free = \"liar_free\"
calloc = \"liar_calloc\"
realloc = \"liar_realloc\"
memalign = \"liar_memalign\"
malloc_usable_size = \"liar_malloc_usable_size\"
waive = [\"fork\"]

[promises]
free_null = true
errno = true
calloc_overflow = true
";
    fs::write(place.path().join("liar.toml"), text).unwrap();
    let source = root().join("tests/fixtures/heaps/liars.c");
    let object = place.path().join("liar.o");
    let files = ["-o".as_ref(), object.as_os_str(), source.as_os_str()];
    cc(&files, &["-O2", "-fPIC", "-c"]);
    refused("promise", place.path(), &["build", "-a", "liar", "--lib", "liar.o"]);
}

//! `examples/real`: each Makefile builds a library for this machine that is complete and takes effect.

use std::{fs, path::Path, process::Command};

use super::made::made;

const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");

/// A job with many blocks; `--proof` fails if they come from anywhere else.
fn takes_effect(name: &str, library: &Path) {
    let tool = |arguments: &[&str]| {
        let mut tool = Command::new(TOOL);
        tool.args(arguments).env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
        let output = tool.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let library = library.to_str().unwrap();
    let verdict = tool(&["verify", "-a", name, library]);
    assert!(verdict.trim_end().ends_with("complete"), "{verdict}");
    let job = "my %h = map { $_ => 'x' x $_ } 1..3000; print scalar(keys %h), qq(\\n)";
    let said = tool(&["run", "--preload", library, "--proof", "--", "perl", "-e", job]);
    assert_eq!(said, "3000\n", "{name}");
}

fn one_command_makes(name: &str) {
    if let Some(library) = made(name, None) {
        takes_effect(name, &library);
    }
}

#[test]
fn one_command_makes_a_library_of_mimalloc() {
    one_command_makes("mimalloc");
}

#[test]
fn one_command_makes_a_library_of_snmalloc() {
    one_command_makes("snmalloc");
}

#[test]
fn one_command_makes_a_library_of_rpmalloc() {
    one_command_makes("rpmalloc");
}

/// Its configure script and its many files take a minute and a half.
#[test]
#[ignore = "long; cargo xtask test --all"]
fn one_command_makes_a_library_of_jemalloc() {
    one_command_makes("jemalloc");
}

/// The crates of a lock file that are allocators, or for hooks, each with its checksum.
fn locked(folder: &str) -> Vec<(String, String)> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.lock");
    let lock: toml::Table = fs::read_to_string(&lock).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let crates = packages.filter_map(|package| {
        let name = package["name"].as_str()?;
        Some((name.to_owned(), package.get("checksum")?.as_str()?.to_owned()))
    });
    crates.filter(|(name, _)| name.ends_with("-sys")).collect()
}

/// The descriptions that are built in were measured on those.
#[test]
fn the_crates_are_those_that_the_tests_of_real_allocators_build() {
    let (here, there) = (locked("examples/real"), locked("tests/allocators"));
    assert_eq!(here.len(), 5, "{here:?}");
    for pinned in here {
        assert!(there.contains(&pinned), "{pinned:?} is not in {there:?}");
    }
}

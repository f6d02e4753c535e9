//! What `cargo package` would publish: all that the tool is made of, and nothing that was made of it.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or("cargo".to_owned()));
    cargo.current_dir(folder);
    cargo
}

#[track_caller]
fn finish(command: &mut Command) -> Output {
    let output = command.output().expect("started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

/// The names of the files that would be published.
fn published() -> BTreeSet<String> {
    let list = ["package", "--list", "--allow-dirty", "--package=alloc8-gen"];
    let output = finish(cargo(Path::new(ROOT)).args(list));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// Every file of a folder of the repository.
fn files(folder: &str, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).expect("readable") {
        let entry = entry.expect("readable");
        let name = format!("{folder}/{}", entry.file_name().to_str().expect("UTF-8"));
        match entry.path().is_dir() {
            true => files(&name, all),
            false => drop(all.insert(name)),
        }
    }
}

#[test]
fn the_package_has_all_that_the_tool_is_made_of_and_nothing_else() {
    let mut wanted = BTreeSet::new();
    // What the build script embeds, and the sources.
    for folder in ["specs", "templates", "examples/simple_heap", "src"] {
        files(folder, &mut wanted);
    }
    for file in [
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ] {
        wanted.insert(file.to_owned());
    }
    let mut published = published();
    // Made by cargo itself.
    published.retain(|name| name != "Cargo.toml.orig" && name != ".cargo_vcs_info.json");
    assert_eq!(published, wanted);
}

/// What `cargo vendor` cannot copy (a repository of somebody's), a packager cannot build offline.
#[test]
fn all_that_the_tool_depends_on_can_be_vendored() {
    let lock = fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).expect("there");
    let lock: toml::Table = lock.parse().expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    assert!(packages.len() > 20, "{}", packages.len());
    for package in packages {
        let source = package.get("source").and_then(toml::Value::as_str);
        let registry = source.is_some_and(|source| source.starts_with("registry+"));
        let ours = ["alloc8-gen", "xtask"].contains(&package["name"].as_str().expect("a name"));
        assert!(registry != ours, "{package}");
    }
}

/// As a packager builds it: from the tarball, where nothing else of the repository is, with vendored
/// crates alone. It has the same facts inside.
#[test]
#[ignore = "builds the tool anew with all that it depends on: minutes"]
fn the_package_builds_by_itself_from_vendored_crates() {
    // Above a folder `target/package` cargo looks for no workspace that a crate might belong to.
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("package/target");
    let package = ["package", "--allow-dirty", "--package=alloc8-gen", "--no-verify"];
    finish(cargo(Path::new(ROOT)).args(package).arg("--target-dir").arg(&target));
    let name = concat!("alloc8-gen-", env!("CARGO_PKG_VERSION"));
    let crates = target.join("package");
    let mut unpack = Command::new("tar");
    finish(unpack.current_dir(&crates).args(["-xf", &format!("{name}.crate")]));
    let folder = crates.join(name);
    // It fetches what other systems need, too; the build is offline.
    let vendor = finish(cargo(&folder).args(["vendor", "--locked", "vendor"]));
    fs::create_dir_all(folder.join(".cargo")).expect("made");
    fs::write(folder.join(".cargo/config.toml"), vendor.stdout).expect("written");
    let home = tempfile::tempdir().expect("a folder");
    let mut build = cargo(&folder);
    build.env("CARGO_HOME", home.path()).args(["build", "--offline", "--locked", "--target-dir"]);
    finish(build.arg(&target));
    let list = |tool: &Path| {
        let mut tool = Command::new(tool);
        tool.args(["list", "symbols", "-p", "all", "--format", "json"]).current_dir(&folder);
        finish(&mut tool).stdout
    };
    let built = list(&target.join("debug/alloc8-gen"));
    assert!(!built.is_empty());
    assert!(built == list(Path::new(env!("CARGO_BIN_EXE_alloc8-gen"))), "other facts");
}

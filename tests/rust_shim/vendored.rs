//! The fragment for cargo: `examples/rust_cdylib` with the shim vendored, built without alloc8-gen.

use std::{fs, path::Path};

use super::toolbox::{ROOT, command, finish, folder, text};

const MANIFEST: &str = r#"
[package]
name = "vendored"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[profile.release]
panic = "abort"
codegen-units = 1

[features]
std = []

[workspace]
"#;

const BUILD: &str = "#[path = \"alloc8/linux-rust/alloc8.rs\"]
mod alloc8;

fn main() {
    alloc8::link();
}
";

const TEST: &str = "#[path = \"../alloc8/linux-rust/alloc8.rs\"]
mod alloc8;

#[test]
fn everything_is_exported() {
    let library = std::env::var(\"LIBRARY\").unwrap();
    assert_eq!(alloc8::missing(library).unwrap(), [\"\"; 0]);
}
";

#[test]
fn a_crate_with_vendored_files_builds_without_the_tool_and_once() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("größer als");
    for part in ["src", "tests"] {
        fs::create_dir_all(place.join(part)).unwrap();
    }
    let example = Path::new(ROOT).join("examples/rust_cdylib");
    fs::copy(example.join("src/pages.rs"), place.join("src/pages.rs")).unwrap();
    fs::copy(example.join("pages.toml"), place.join("pages.toml")).unwrap();
    let lib = fs::read_to_string(example.join("src/lib.rs")).unwrap();
    let included = r#"pub mod alloc8 {
    include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs"));
}"#;
    assert!(lib.contains(included), "{lib}");
    let lib = lib.replace(included, "#[path = \"../alloc8/linux-rust/shim.rs\"]\npub mod alloc8;");
    fs::write(place.join("src/lib.rs"), lib).unwrap();
    fs::write(place.join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(place.join("build.rs"), BUILD).unwrap();
    fs::write(place.join("tests/exports.rs"), TEST).unwrap();
    let mut tool = command(env!("CARGO_BIN_EXE_alloc8-gen"));
    tool.args(["generate", "-p", "linux", "-a", "pages.toml", "--lang", "rust", "-o", "alloc8"]);
    finish(tool.current_dir(&place));

    let target = folder("vendored");
    let cargo = |words: &[&str]| {
        let mut cargo = command(&std::env::var("CARGO").unwrap_or("cargo".to_owned()));
        cargo.args(words).current_dir(&place).arg("--target-dir").arg(&target);
        cargo
    };
    let build = ["build", "--release", "--offline"];
    let said = text(&finish(&mut cargo(&build)).stderr);
    assert!(said.contains("Compiling vendored") && !said.contains("warning"), "{said}");
    let again = text(&finish(&mut cargo(&build)).stderr);
    assert!(!again.contains("Compiling"), "{again}");

    let library = target.join("release/libvendored.so");
    let dynamic = text(&finish(command("readelf").arg("-dW").arg(&library)).stdout);
    assert!(dynamic.contains("INITFIRST"), "{dynamic}");
    let mut verify = command(env!("CARGO_BIN_EXE_alloc8-gen"));
    verify.args(["verify", "-a", "pages.toml", "--lang", "rust"]).arg(&library);
    let verdict = text(&finish(verify.current_dir(&place)).stdout);
    assert!(verdict.trim_end().ends_with("complete"), "{verdict}");

    // The crate's own test, which passes, and tells what another library lacks.
    let test = ["test", "--release", "--offline", "--test", "exports"];
    finish(cargo(&test).env("LIBRARY", &library));
    let other = finish(command("cc").args(["-print-file-name=libm.so.6"]));
    let output = cargo(&test).env("LIBRARY", text(&other.stdout).trim()).output().unwrap();
    assert!(!output.status.success() && text(&output.stdout).contains("\"calloc\""), "{output:?}");
}

//! The fragment for cargo: `examples/rust_cdylib` with the shim vendored, and a crate around an archive of C, both
//! built without alloc8-gen.

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

const BUILD_AROUND: &str = "#[path = \"alloc8/linux-rust/alloc8.rs\"]
mod alloc8;

fn main() {
    let here = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
    println!(\"cargo::rustc-link-search=native={here}/the heap\");
    println!(\"cargo::rerun-if-changed=the heap/libsimple_heap.a\");
    alloc8::link();
}
";

const LIB_AROUND: &str = "#![no_std]
#[path = \"../alloc8/linux-rust/shim.rs\"]
pub mod alloc8;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
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

#[test]
fn a_crate_around_an_archive_of_c_is_linked_with_it_and_only_when_it_changed() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path().join("größer als");
    for part in ["src", "the heap"] {
        fs::create_dir_all(place.join(part)).unwrap();
    }
    fs::write(place.join("Cargo.toml"), MANIFEST.replace("vendored", "around")).unwrap();
    fs::write(place.join("build.rs"), BUILD_AROUND).unwrap();
    fs::write(place.join("src/lib.rs"), LIB_AROUND).unwrap();
    let mut tool = command(env!("CARGO_BIN_EXE_alloc8-gen"));
    tool.args(["generate", "-p", "linux", "-a", "simple_heap", "--lang", "rust", "-o", "alloc8"]);
    finish(tool.current_dir(&place));
    let archive = |more: &[&str]| {
        let mut gcc = command("gcc");
        gcc.args(["-O2", "-fPIC", "-c", "-o", "heap.o"]).args(more).current_dir(&place);
        finish(gcc.arg(Path::new(ROOT).join("examples/simple_heap/simple_heap.c")));
        let mut ar = command("ar");
        finish(ar.args(["rcs", "the heap/libsimple_heap.a", "heap.o"]).current_dir(&place));
    };

    let target = folder("around");
    let build = || {
        let mut cargo = command(&std::env::var("CARGO").unwrap_or("cargo".to_owned()));
        cargo.args(["build", "--release", "--offline", "--target-dir"]).arg(&target);
        let said = text(&finish(cargo.current_dir(&place)).stderr);
        assert!(!said.contains("warning"), "{said}");
        said.contains("Compiling around")
    };
    archive(&[]);
    assert!(build());
    assert!(!build(), "made twice");
    archive(&["-g"]);
    assert!(build(), "the archive is another");
    assert!(!build(), "made twice");

    let library = target.join("release/libaround.so");
    let mut verify = command(env!("CARGO_BIN_EXE_alloc8-gen"));
    let verdict = verify.args(["verify", "-a", "simple_heap", "--lang", "rust"]).arg(&library);
    let verdict = text(&finish(verdict).stdout);
    assert!(verdict.trim_end().ends_with("complete"), "{verdict}");
    let mut run = command(env!("CARGO_BIN_EXE_alloc8-gen"));
    run.args(["run", "--proof", "--preload"]).arg(&library).args(["--", "ls", "/"]);
    let proof = text(&finish(&mut run).stderr);
    assert!(proof.contains("proof: 1 of 1 programs ran with their heap in"), "{proof}");
}

//! A crate as its author has it: six lines of build script, cargo for a target of macOS, zig as the linker.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    bench::{Bench, MACOS_11, NEW, OLD, benches, sources, zig_cc},
    shim::has_rust,
};
use crate::{
    common,
    tool::{Ran, folder, root, run},
};

const BUILD: &str = r#"fn main() {
    alloc8_gen::Generator::new("macos", "mylib.toml")
        .and_then(|generator| generator.rust())
        .unwrap_or_else(|report| panic!("{report}"));
}
"#;

const LIB: &str = r#"//! A heap in C, under every name by which programs of macOS allocate.
#![no_std]

pub mod alloc8 {
    include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs"));
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
"#;

/// The crate, with the heap's archive for the CPU, and zig under one word as its linker.
fn written(bench: &Bench, place: &Path) {
    let manifest = format!(
        "[package]\nname = \"mylib\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [build-dependencies]\nalloc8-gen = {{ path = {:?} }}\n\n\
         [profile.release]\npanic = \"abort\"\n\n[workspace]\n",
        root()
    );
    let built_in = alloc8_gen::allocator::built_in("simple_heap").unwrap().unwrap();
    let text = &built_in.source.text;
    let functions = &text[text.find("\nmalloc ").unwrap()..];
    let description = format!("archive = \"libmylib.a\"\n{functions}");
    let zig = common::zig().unwrap();
    let words: Vec<_> = std::iter::once(zig.get_program()).chain(zig.get_args()).collect();
    let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let linker =
        format!("#!/bin/sh\nexec {} cc -target {} \"$@\"\n", words.join(" "), bench.cpu.zig);
    fs::create_dir_all(place.join("src")).unwrap();
    for (name, text) in [
        ("Cargo.toml", manifest.as_str()),
        ("build.rs", BUILD),
        ("src/lib.rs", LIB),
        ("mylib.toml", &description),
        ("zcc", &linker),
    ] {
        fs::write(place.join(name), text).unwrap();
    }
    fs::set_permissions(place.join("zcc"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(root().join("Cargo.lock"), place.join("Cargo.lock")).unwrap();
    let heap = sources("../../examples/simple_heap/simple_heap.c");
    let object = zig_cc(bench.cpu, &["-c"]).args([heap]).built(&bench.cpu.named("mylib.o"));
    let mut archiver = common::zig().unwrap();
    archiver.args(["ar", "rcs"]).arg(place.join("libmylib.a")).arg(object);
    Ran::new(&mut archiver).exits(0);
}

/// What cargo makes of it. The examples that are crates share what they all depend on.
fn made(bench: &Bench, place: &Path) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust_shim/target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "LD_PRELOAD"] {
        cargo.env_remove(name);
    }
    let zig = common::zig().unwrap();
    cargo.envs(zig.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let linker = bench.cpu.rust.to_uppercase().replace('-', "_");
    cargo.env(format!("CARGO_TARGET_{linker}_LINKER"), place.join("zcc"));
    // Only the linker would ask for Apple's SDK, and zig has a list of its own.
    cargo.env("SDKROOT", place).env("MACOSX_DEPLOYMENT_TARGET", "11.0");
    cargo.args(["build", "--release", "--offline", "--target", bench.cpu.rust]);
    let said = Ran::new(cargo.current_dir(place).arg("--target-dir").arg(&target)).exits(0);
    assert!(!said.err.contains("warning"), "{}", said.err);
    let made = place.join("libmylib.dylib");
    fs::copy(target.join(bench.cpu.rust).join("release/libmylib.dylib"), &made).unwrap();
    made
}

#[test]
fn a_crate_is_built_for_macos_verified_and_keeps_every_law() {
    for bench in benches().iter().filter(|bench| has_rust(bench.cpu)) {
        let place = folder();
        written(bench, place.path());
        let library = made(bench, place.path());
        let words = ["verify", "libmylib.dylib", "-a", "mylib.toml", "--lang", "rust"];
        let verdict = run(place.path(), &words).exits(0);
        assert!(verdict.out.contains("symbols bound: complete"), "{}", verdict.out);
        let run = |options: &[&str], typed| bench.run(options, &[&library], "mylib", typed);
        let new = run(&[], true);
        new.is_good(NEW, bench.cpu.zig);
        new.says("tuples 22 live 0 absent 0 dropped", bench.cpu.zig);
        run(MACOS_11, false).is_good(OLD, "macOS 11");
    }
}

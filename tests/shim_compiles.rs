//! Every shim that can be rendered compiles without a warning, whatever the compiler and level; under
//! a sanitizer it compiles to nothing.
#![cfg(target_os = "linux")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use alloc8_gen::{
    allocator::{self, Allocator},
    plan::Plan,
    render::{self, Inputs},
    spec,
};
use object::{Object, ObjectSymbol};

/// Built-in allocators, the naming convention, and the fixtures' descriptions.
fn allocators() -> Vec<Allocator> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<Allocator> = allocator::built_in_names()
        .iter()
        .map(|name| allocator::built_in(name).unwrap().unwrap())
        .collect();
    assert!(all.len() >= 2, "no built-in allocators");
    all.push(allocator::convention("undescribed").unwrap());
    for file in ["odd.toml", "strict.toml"] {
        let path = root.join("tests/fixtures/heaps").join(file);
        all.push(allocator::read_file(&path).unwrap());
    }
    all
}

fn shims(folder: &Path) -> Vec<PathBuf> {
    let linux = spec::platform("linux").unwrap();
    let mut files = Vec::new();
    for allocator in allocators() {
        let (plan, _) = Plan::new(&linux, &allocator).unwrap();
        let inputs = Inputs::interposer("linux", &allocator.name);
        let file = folder.join(format!("{}.c", allocator.name));
        fs::write(&file, &render::render(&plan, &inputs).unwrap()["shim.c"]).unwrap();
        files.push(file);
    }
    files
}

fn compilers() -> Vec<&'static str> {
    let mut found = vec!["gcc", "clang"];
    found.retain(|name| {
        let there = Command::new(name).arg("--version").output().is_ok();
        if !there {
            common::skip(name, &format!("apt-get install {name}"));
        }
        there
    });
    found
}

/// What the compiler said, and the object.
fn compile(cc: &str, shim: &Path, flags: &[&str], object: &Path) -> Result<String, String> {
    let mut command = Command::new(cc);
    command.args(["-std=c11", "-fPIC", "-c"]).args(flags).arg(shim).arg("-o").arg(object);
    let output = command.output().expect("it runs: it said its version");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("{command:?}\n{said}")) }
}

#[test]
fn shims_have_no_warnings() {
    let work = tempfile::tempdir().unwrap();
    let shims = shims(work.path());
    let mut wrong = Vec::new();
    for cc in compilers() {
        let levels: &[&[&str]] = &[
            &["-O0"],
            &["-O2"],
            &["-O3"],
            &["-O2", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-fcf-protection"],
        ];
        let try_level = |level: &[&str]| {
            let object = work.path().join(format!("{cc}{}.o", level.concat()));
            let mut wrong = Vec::new();
            for shim in &shims {
                for direct in [&[][..], &["-DALLOC8_DIRECT"]] {
                    let mut flags = vec!["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
                    flags.extend(level.iter().chain(direct));
                    wrong.extend(compile(cc, shim, &flags, &object).err());
                }
            }
            wrong
        };
        // By levels, not by shims: these are as many as there are processors to use.
        let found: Vec<Vec<String>> = thread::scope(|scope| {
            let tries: Vec<_> =
                levels.iter().map(|level| scope.spawn(move || try_level(level))).collect();
            tries.into_iter().map(|t| t.join().expect("no panic")).collect()
        });
        wrong.extend(found.into_iter().flatten());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sanitizer_keeps_its_own_malloc() {
    let work = tempfile::tempdir().unwrap();
    for shim in shims(work.path()) {
        for cc in compilers() {
            let sanitizers: &[&str] = match cc {
                "gcc" => &["address", "thread"],
                _ => &["address", "thread", "memory"],
            };
            for sanitizer in sanitizers {
                let object = work.path().join("sanitized.o");
                let flag = format!("-fsanitize={sanitizer}");
                let said = compile(cc, &shim, &["-O1", &flag], &object).unwrap();
                assert!(said.contains("interposes nothing here"), "{cc} {flag}: {said}");
                let data = fs::read(&object).unwrap();
                let file = object::File::parse(&*data).unwrap();
                let defined: Vec<_> = file
                    .symbols()
                    .filter(|s| s.is_global() && s.is_definition())
                    .map(|s| s.name().unwrap_or_default().to_owned())
                    .collect();
                assert!(defined.is_empty(), "{cc} {flag} {}: {defined:?}", shim.display());
            }
        }
    }
}

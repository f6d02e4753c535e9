//! Every linker, in every form of program.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use super::toolbox::{at, built, carries_ours, fixture, installed, link, succeeds, verdict};

const LINKERS: &[(&str, &str, &str)] = &[
    ("bfd", "ld.bfd", "apt-get install binutils"),
    ("gold", "ld.gold", "apt-get install binutils"),
    ("lld", "ld.lld", "apt-get install lld"),
    ("mold", "mold", "apt-get install mold"),
];

const FORMS: &[&str] = &["-static", "-static-pie", "-pie", "-no-pie"];

fn forms(driver: &str, linkers: &[&str]) {
    let work = TempDir::new().unwrap();
    let heap = built(&work.path().join("heap"), &[]);
    for (linker, program, how) in LINKERS.iter().filter(|(name, ..)| linkers.contains(name)) {
        if !installed(program, how) {
            continue;
        }
        for form in FORMS {
            // It links no static program that can be moved, with whatever heap.
            if (*linker, *form) == ("gold", "-static-pie") {
                continue;
            }
            let program = work.path().join(format!("{linker}{form}"));
            let linker = format!("-fuse-ld={linker}");
            let options = [*form, linker.as_str(), "-Wl,--as-needed", "-Wl,--gc-sections"];
            link(driver, &options, &fixture("everything.cpp"), &heap, &program);
            carries_ours(&program, &[]);
        }
    }
}

#[test]
fn programs_of_every_form_carry_the_heap_by_gcc_and_every_linker() {
    forms("g++", &["bfd", "gold", "lld", "mold"]);
}

#[test]
fn programs_of_every_form_carry_the_heap_by_clang() {
    if installed("clang++", "apt-get install clang") {
        forms("clang++", &["lld"]);
    }
}

#[test]
fn link_time_optimization_of_the_program_does_not_lose_the_heap() {
    let work = TempDir::new().unwrap();
    let heap = built(&work.path().join("heap"), &[]);
    for form in ["-static", "-pie"] {
        let program = work.path().join(format!("gcc{form}"));
        link("g++", &[form, "-flto"], &fixture("everything.cpp"), &heap, &program);
        carries_ours(&program, &[]);
        if installed("clang++", "apt-get install clang")
            && installed("ld.lld", "apt-get install lld")
        {
            let program = work.path().join(format!("clang{form}"));
            let options = [form, "-flto", "-fuse-ld=lld"];
            link("clang++", &options, &fixture("everything.cpp"), &heap, &program);
            carries_ours(&program, &[]);
        }
    }
}

#[test]
fn libraries_that_are_opened_later_have_the_programs_heap_and_their_own_bad_alloc() {
    let work = TempDir::new().unwrap();
    let heap = built(&work.path().join("heap"), &[]);
    let plugin = work.path().join("plugin.so");
    let mut command = Command::new("g++");
    command.args(["-O2", "-shared", "-fPIC"]).arg(fixture("plugin.cpp")).arg("-o").arg(&plugin);
    succeeds(&mut command);
    for form in ["-pie", "-no-pie"] {
        let program = work.path().join(format!("opens{form}"));
        link("gcc", &[form], &fixture("opens.c"), &heap, &program);
        carries_ours(&program, &[plugin.as_os_str()]);
    }
    // With the C++ runtime inside the program.
    let program = work.path().join("carries the runtime");
    link("g++", &["-static-libstdc++"], &fixture("everything.cpp"), &heap, &program);
    carries_ours(&program, &[]);
}

#[test]
fn a_program_may_replace_operators_that_it_carries() {
    let work = TempDir::new().unwrap();
    let heap = built(&work.path().join("heap"), &[]);
    for form in ["-static", "-pie"] {
        let program = work.path().join("replaces");
        link("g++", &[form], &fixture("replaces.cpp"), &heap, &program);
        succeeds(&mut Command::new(&program));
        let (status, text) = verdict(&program, &["-a", "simple_heap"]);
        assert_eq!(status, Some(0), "{text}");
    }
}

#[test]
fn arguments_name_the_object_wherever_it_lies() {
    let work = TempDir::new().unwrap();
    for name in ["with space", "größer, als 'das' \"da\"", "back\\slash"] {
        let folder = work.path().join(name);
        fs::create_dir(&folder).unwrap();
        let heap = built(&folder.join("heap.a"), &[]);
        for driver in ["gcc", "clang"] {
            if !installed(driver, &format!("apt-get install {driver}")) {
                continue;
            }
            // From another folder, with what the arguments name alone.
            let mut command = Command::new(driver);
            command.arg(fixture("small.c")).arg(at(&heap)).arg("-o").arg(folder.join("program"));
            succeeds(command.current_dir("/"));
            carries_ours(&folder.join("program"), &[]);
        }
    }
}

#[test]
fn the_archive_serves_those_who_ask_for_it() {
    let work = TempDir::new().unwrap();
    let heap = built(&work.path().join("heap"), &[]);
    let program = work.path().join("program");
    for options in [&["-static", "-Wl,-u,malloc"][..], &["-Wl,--whole-archive"]] {
        let mut command = Command::new("gcc");
        command.arg(fixture("small.c")).args(options).arg(heap.with_extension("a"));
        succeeds(command.args(["-Wl,--no-whole-archive", "-o"]).arg(&program));
        succeeds(&mut Command::new(&program));
        assert!(verdict(&program, &["-a", "simple_heap"]).1.contains("direct: simple_heap_malloc"));
    }
}

#[test]
fn programs_on_musl_carry_the_heap() {
    let gcc = Command::new("musl-gcc").arg("-dumpversion").output();
    if !gcc.is_ok_and(|o| o.status.success()) {
        crate::common::skip("musl-gcc", "apt-get install musl-tools");
        return;
    }
    let work = TempDir::new().unwrap();
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let more = ["--cc", "musl-gcc", "-p", "linux-musl", "--target", &triple];
    let heap = built(&work.path().join("heap"), &more);
    let source = fixture("small.c");
    for options in
        [&["-static"][..], &["-static", "-flto", "-Wl,--gc-sections"], &["-Wl,--as-needed"]]
    {
        let program = work.path().join("program");
        let mut command = Command::new("musl-gcc");
        command.args(options).arg(&source).arg(at(&heap)).arg("-o").arg(&program);
        succeeds(&mut command);
        succeeds(&mut Command::new(&program));
        let (status, text) = verdict(&program, &["-p", "linux-musl", "-a", "simple_heap"]);
        assert_eq!(status, Some(0), "{options:?}: {text}");
        assert!(text.contains("direct: simple_heap_malloc"), "{text}");
        own_heap_is_told(&program, &source, options);
    }
}

/// The same program without ours.
fn own_heap_is_told(program: &Path, source: &Path, options: &[&str]) {
    let mut command = Command::new("musl-gcc");
    succeeds(command.args(options).arg(source).arg("-o").arg(program));
    let (status, text) = verdict(program, &["-p", "linux-musl"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("the C library's own") || text.contains("carries no heap"), "{text}");
}

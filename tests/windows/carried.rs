//! Programs that carry the heap, and functions under a prefix: built by the tool, linked by MinGW's gcc, run under Wine.

use std::{ffi::OsStr, fs, process::Command};

use super::bench::{Cpu, Crt, Wine, X64, X86, folder, said, simple_heap, source, tool};

fn wine(cpu: Cpu) -> Option<&'static Wine> {
    Wine::new().filter(|wine| wine.runs(cpu))
}

fn build(cpu: Cpu, mode: &[&str], output: &str, place: &tempfile::TempDir) -> String {
    let mut build = tool(&["build", "-v", "-p", "windows", "--target", &cpu.target()]);
    if let Some(wine) = Wine::new() {
        build = wine.around(build);
    }
    build.args(["--mode"]).args(mode).arg("-o").arg(place.path().join(output));
    build.arg("-a").arg(source("counted_heap.toml"));
    for object in cpu.heap(&simple_heap(), "simple_heap_", &[]) {
        build.arg("--lib").arg(object);
    }
    said(&mut build, 0)
}

/// What a program imports, as objdump shows it.
fn imports(cpu: Cpu, program: &std::path::Path) -> String {
    let mut objdump = Command::new(format!("{}-w64-mingw32-objdump", cpu.name));
    String::from_utf8(objdump.arg("-p").arg(program).output().unwrap().stdout).unwrap()
}

fn carries(cpu: Cpu, crts: &[Crt]) {
    let Some(wine) = wine(cpu) else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let text = build(cpu, &["static"], "heap.o", &place);
    assert!(text.contains("2 of 2 forms of program use them"), "{text}");
    for crt in crts {
        let plugs = [Crt::Msvcrt, Crt::Ucrt].map(|crt| {
            let name = format!("plug-{crt:?}.dll");
            fs::copy(cpu.plug(crt), place.path().join(&name)).unwrap();
            name
        });
        let mut list = std::ffi::OsString::from("@");
        list.push(place.path().join("heap.args"));
        let archive = place.path().join("heap.a");
        let prefix = if cpu == X86 { "_" } else { "" };
        let pull = format!("-Wl,-u,{prefix}malloc,-u,{prefix}counted_heap_counters");
        let links: [(&str, Vec<&OsStr>); 2] =
            [("object", vec![&list]), ("archive", vec![OsStr::new(&pull), archive.as_os_str()])];
        for (form, link) in links {
            let what = format!("{} {crt:?} {form}", cpu.name);
            let program = place.path().join("client.exe");
            cpu.program(*crt, "client.c", &link, &program);
            let table = imports(cpu, &program);
            let taken = |name: &str| table.lines().any(|line| line.ends_with(&format!(" {name}")));
            assert!(taken("_getcwd") || taken("_fullpath"), "{what}: {table}");
            for name in
                ["malloc", "calloc", "realloc", "free", "_msize", "_strdup", "_aligned_malloc"]
            {
                assert!(!taken(name), "{what} imports {name}");
            }
            let run = wine.run(&program, &["module", "client.exe", &plugs[0], &plugs[1]]);
            assert!(
                run.counted("checks") >= 140 && run.counted("failed") == 0,
                "{what}\n{}",
                run.text
            );
            assert!(
                run.counted("allocated") > 1000 && run.counted("foreign") >= 2,
                "{what}\n{}",
                run.text
            );
            assert_eq!(run.status, Some(0), "{what}");
        }
    }
}

#[test]
fn a_program_that_carries_the_heap_calls_it_for_all_of_its_own_blocks() {
    carries(X64, &[Crt::Msvcrt, Crt::Ucrt]);
}

#[test]
fn a_program_of_32_bits_that_carries_the_heap_calls_it_for_all_of_its_own_blocks() {
    carries(X86, &[Crt::Msvcrt]);
}

fn prefixed(cpu: Cpu, crt: Crt) {
    let Some(wine) = wine(cpu) else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let include = format!("-I{}", place.path().display());
    for (output, linked) in [("libmy.a", "libmy.a"), ("my.dll", "libmy.dll.a")] {
        build(cpu, &["prefixed", "--prefix", "my"], output, &place);
        let (library, program) = (place.path().join(linked), place.path().join("prefixed.exe"));
        cpu.program(crt, "prefixed.c", &[OsStr::new(&include), library.as_os_str()], &program);
        assert_eq!(imports(cpu, &program).contains("my.dll"), output == "my.dll");
        let run = wine.run(&program, &[]);
        let what = format!("{} {crt:?} {output}\n{}", cpu.name, run.text);
        assert!(run.counted("checks") >= 120 && run.counted("failed") == 0, "{what}");
        assert_eq!(run.status, Some(0), "{what}");
    }
}

#[test]
fn functions_under_a_prefix_live_beside_the_c_librarys_own() {
    prefixed(X64, Crt::Msvcrt);
    prefixed(X86, Crt::Msvcrt);
}

/// The archive's own public names are hidden: `malloc = "malloc"` describes it.
#[test]
fn an_archive_without_a_prefix_of_its_own_is_carried_too() {
    for cpu in [X64, X86] {
        let Some(wine) = wine(cpu) else { return };
        let place = tempfile::tempdir_in(folder()).unwrap();
        let own = ["malloc", "free", "calloc", "realloc", "memalign", "malloc_usable_size", "owns"];
        let renamed: Vec<_> =
            own.iter().map(|name| format!("-Dsimple_heap_{name}={name}")).collect();
        let object = place.path().join("plain.o");
        let mut compile = Command::new(cpu.gcc());
        compile.args(["-std=gnu11", "-O2", "-fno-builtin", "-c"]).args(&renamed);
        assert!(compile.arg(simple_heap()).arg("-o").arg(&object).status().unwrap().success());
        let text = fs::read_to_string(source("counted_heap.toml")).unwrap();
        let text: String = text
            .replace("counted_heap_", "")
            .lines()
            .filter(|line| !line.starts_with("export"))
            .map(|line| format!("{line}\n"))
            .collect();
        let description = place.path().join("plain.toml");
        fs::write(&description, text).unwrap();
        let mut build = wine.around(tool(&["build", "-p", "windows", "--mode", "static"]));
        build.args(["--target", &cpu.target(), "-a"]).arg(description);
        build.arg("--lib").arg(object).arg("-o").arg(place.path().join("plain.o"));
        let said = said(&mut build, 0);
        assert!(said.contains("2 of 2 forms of program use them"), "{said}");
    }
}

//! Programs that carry the heap, and functions under a prefix: built by the tool, linked by MinGW's gcc, run under Wine.

use std::{ffi::OsStr, fs, process::Command};

use object::{Object, ObjectSection};

use super::bench::{Cpu, Crt, Wine, X64, X86, folder, said, simple_heap, source, tool};
use crate::common;

fn wine(cpu: Cpu) -> Option<&'static Wine> {
    Wine::new().filter(|wine| wine.runs(cpu))
}

/// The heap, and in which language the shim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heap {
    C,
    /// An archive, under a header for C++.
    Header,
    /// A class.
    Class,
}

fn build(cpu: Cpu, heap: Heap, mode: &[&str], output: &str, place: &tempfile::TempDir) -> String {
    let mut build = tool(&["build", "-v", "-p", "windows", "--target", &cpu.target()]);
    if let Some(wine) = Wine::new() {
        build = wine.around(build);
    }
    build.args(["--mode"]).args(mode).arg("-o").arg(place.path().join(output));
    let mut objects = cpu.heap(&simple_heap(), "simple_heap_", &[]);
    let description = match heap {
        Heap::Class => {
            objects.remove(0); // what counts is the class
            "counted_class.toml"
        }
        _ => "counted_heap.toml",
    };
    if heap == Heap::Header {
        build.args(["--lang", "cpp"]);
    }
    build.arg("-a").arg(source(description));
    for object in objects {
        build.arg("--lib").arg(object);
    }
    said(&mut build, 0)
}

/// What a program imports, as objdump shows it.
fn imports(cpu: Cpu, program: &std::path::Path) -> String {
    let mut objdump = Command::new(format!("{}-w64-mingw32-objdump", cpu.name));
    String::from_utf8(objdump.arg("-p").arg(program).output().unwrap().stdout).unwrap()
}

fn carries(cpu: Cpu, heap: Heap, crts: &[Crt]) {
    let Some(wine) = wine(cpu) else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let text = build(cpu, heap, &["static"], "heap.o", &place);
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
            let what = format!("{} {heap:?} {crt:?} {form}", cpu.name);
            let program = place.path().join("client.exe");
            match heap {
                Heap::C => cpu.program(*crt, "client.c", &link, &program),
                // The archive has what it throws of no runtime beside it.
                _ if form == "archive" => continue,
                _ => in_cxx(cpu, &["-x", "c"], "client.c", &link, &program),
            }
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
    carries(X64, Heap::C, &[Crt::Msvcrt, Crt::Ucrt]);
    carries(X64, Heap::Class, &[Crt::Msvcrt]);
}

#[test]
fn a_program_of_32_bits_that_carries_the_heap_calls_it_for_all_of_its_own_blocks() {
    carries(X86, Heap::C, &[Crt::Msvcrt]);
    carries(X86, Heap::Header, &[Crt::Msvcrt]);
}

/// A program linked by the driver for C++, which brings the runtime.
fn in_cxx(cpu: Cpu, options: &[&str], text: &str, more: &[&OsStr], program: &std::path::Path) {
    let mut gxx = Command::new(format!("{}-w64-mingw32-g++", cpu.name));
    gxx.args(["-O1", "-fno-builtin", "-Wall", "-Wextra", "-Wno-cast-function-type", "-Werror"]);
    gxx.args(options).arg(source(text)).args(["-x", "none"]).args(more).arg("-o").arg(program);
    said(&mut gxx, 0);
}

#[test]
fn operators_of_a_program_that_carries_the_heap_call_it() {
    for (cpu, heap) in [(X64, Heap::Header), (X64, Heap::Class), (X86, Heap::Class)] {
        let Some(wine) = wine(cpu) else { return };
        let place = tempfile::tempdir_in(folder()).unwrap();
        build(cpu, heap, &["static"], "heap.o", &place);
        let mut list = std::ffi::OsString::from("@");
        list.push(place.path().join("heap.args"));
        let program = place.path().join("operators.exe");
        in_cxx(cpu, &["-std=c++17"], "operators.cpp", &[&list], &program);
        let run = wine.run(&program, &[]);
        let what = format!("{} {heap:?}\n{}", cpu.name, run.text);
        assert!(run.counted("checks") >= 35 && run.counted("failed") == 0, "{what}");
        assert!(run.counted("allocated") > 300 && run.counted("foreign") >= 2, "{what}");
        assert_eq!(run.status, Some(0), "{what}");
        if cpu == X64 {
            are_sorted(&program);
        }
        // The object's own: what it throws is caught, and shares no name with the program.
        let table = imports(cpu, &program);
        assert!(!table.contains("libstdc++") && !table.contains("libgcc"), "{table}");
        if heap == Heap::Header {
            continue;
        }
        // Without the heap, the same program finds none of its blocks there.
        let objects = cpu.heap(&simple_heap(), "simple_heap_", &[]);
        let objects: Vec<&OsStr> = objects.iter().map(|object| object.as_os_str()).collect();
        let alone = [&objects[..], &[OsStr::new("-static")]].concat();
        in_cxx(cpu, &["-std=c++17"], "operators.cpp", &alone, &program);
        let run = wine.run(&program, &[]);
        assert!(run.counted("failed") >= 20 && run.counted("allocated") == 0, "{}", run.text);
    }
}

/// Zig's runtime is libc++, over UCRT: minutes for the first program, for which zig compiles both.
#[test]
fn operators_of_a_program_that_zig_links_call_the_heap_too() {
    if !common::everything() {
        return;
    }
    let Some(wine) = wine(X64) else { return };
    let Some(zig) = common::zig() else { return common::skip(common::ZIG.0, common::ZIG.1) };
    let words = std::iter::once(zig.get_program()).chain(zig.get_args());
    let zig: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let place = tempfile::tempdir_in(folder()).unwrap();
    let driver = |name: &str| {
        let mut driver = Command::new(&zig[0]);
        driver.args(&zig[1..]).args([name, "-target", "x86_64-windows-gnu"]);
        driver.current_dir(place.path());
        driver
    };
    let object = |file: &std::path::Path, name: &str| {
        said(driver("cc").args(["-std=gnu11", "-O2", "-c", "-o", name]).arg(file), 0);
        place.path().join(name)
    };
    let heap = object(&simple_heap(), "simple.o");
    let counters = object(&source("counted_heap.c"), "counters.o");
    let cc = format!("{} cc -target x86_64-windows-gnu", zig.join(" "));
    for (description, objects) in
        [("counted_heap.toml", vec![&counters, &heap]), ("counted_class.toml", vec![&heap])]
    {
        let mut build = tool(&["build", "-p", "windows", "--lang", "cpp", "--mode", "static"]);
        build.args(["--target", &X64.target(), "--cc", &cc, "-a"]).arg(source(description));
        build.args(objects.iter().flat_map(|object| [OsStr::new("--lib"), object.as_os_str()]));
        let text = said(wine.around(build).arg("-o").arg(place.path().join("heap.o")), 0);
        assert!(text.contains("2 of 2 forms of program use them"), "{text}");
        let mut link = driver("c++");
        link.args(["-std=c++17", "-O1", "-fno-builtin", "-fsized-deallocation"]);
        let program = place.path().join("operators.exe");
        said(link.arg(source("operators.cpp")).arg("@heap.args").arg("-o").arg(&program), 0);
        let run = wine.run(&program, &[]);
        assert!(run.counted("checks") >= 35 && run.counted("failed") == 0, "{}", run.text);
        assert!(run.counted("allocated") > 300 && run.counted("foreign") >= 2, "{}", run.text);
    }
}

/// GNU's linker sorts the table for unwinding of objects that it joins, and leaves its relocations behind.
fn are_sorted(program: &std::path::Path) {
    let data = fs::read(program).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let table = file.section_by_name(".pdata").unwrap().data().unwrap();
    let word = |word: &[u8]| u32::from_le_bytes(word.try_into().unwrap());
    let mut last = 0;
    for entry in table.chunks_exact(12).filter(|entry| word(&entry[..4]) != 0) {
        let (begins, ends) = (word(&entry[..4]), word(&entry[4..8]));
        assert!(last <= begins && begins < ends, "{last:x} {begins:x} {ends:x}");
        last = ends;
    }
    assert!(last != 0);
}

fn prefixed(cpu: Cpu, crt: Crt, heap: Heap) {
    let Some(wine) = wine(cpu) else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let include = format!("-I{}", place.path().display());
    for (output, linked) in [("libmy.a", "libmy.a"), ("my.dll", "libmy.dll.a")] {
        build(cpu, heap, &["prefixed", "--prefix", "my"], output, &place);
        let (library, program) = (place.path().join(linked), place.path().join("prefixed.exe"));
        cpu.program(crt, "prefixed.c", &[OsStr::new(&include), library.as_os_str()], &program);
        assert_eq!(imports(cpu, &program).contains("my.dll"), output == "my.dll");
        let run = wine.run(&program, &[]);
        let what = format!("{} {heap:?} {crt:?} {output}\n{}", cpu.name, run.text);
        assert!(run.counted("checks") >= 120 && run.counted("failed") == 0, "{what}");
        assert_eq!(run.status, Some(0), "{what}");
    }
}

#[test]
fn functions_under_a_prefix_live_beside_the_c_librarys_own() {
    prefixed(X64, Crt::Msvcrt, Heap::C);
    prefixed(X86, Crt::Msvcrt, Heap::C);
    prefixed(X64, Crt::Msvcrt, Heap::Class);
    prefixed(X86, Crt::Msvcrt, Heap::Header);
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

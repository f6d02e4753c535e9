//! What Microsoft's compiler is shown has none of GNU's words in it. It is not here: clang stands in, without its own
//! name and GNU's, and with its warnings about GNU's extensions.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::artifact::Image;

use super::bench::{Cpu, Crt, Wine, X64, X86, folder, said, source, tool};
use crate::common;

const TARGETS: [&str; 3] = ["x86_64", "i686", "aarch64"];

/// Words that no other compiler knows.
const GNUS: [&str; 8] = [
    "__asm",
    "__atomic_",
    "__attribute",
    "__builtin_",
    "__extension__",
    "__restrict",
    "__sync_",
    "typeof",
];

/// Heaps that want every guard: one that promises nothing and has neither calloc nor realloc, and one with
/// hooks for threads, under each policy.
fn descriptions(place: &Path) -> Vec<PathBuf> {
    let aware = fs::read_to_string(source("aware.toml")).unwrap();
    let required = aware.replace("\nthread_init", "\nthread_policy = \"required\"\nthread_init");
    assert_ne!(aware, required);
    let functions = ["malloc", "free", "memalign", "malloc_usable_size", "owns"];
    let functions: String = functions.map(|name| format!("{name} = \"bare_{name}\"\n")).concat();
    let bare = format!("schema = 1\nname = \"bare\"\ntitle = \"bare\"\n{functions}");
    let calloc = bare.replace("\nfree", "\ncalloc = \"bare_calloc\"\nfree");
    let write = |(name, text): (&str, String)| {
        let file = place.join(format!("{name}.toml"));
        fs::write(&file, text).unwrap();
        file
    };
    [("advisory", aware), ("required", required), ("bare", bare), ("calloc", calloc)]
        .map(write)
        .to_vec()
}

const CONFIGURATIONS: [&[&str]; 6] = [
    &["--hook", "minhook"],
    &["--hook", "detours"],
    &["--hook", "iat"],
    &["--hook", "redirect"],
    &["--mode", "static"],
    &["--mode", "prefixed", "--prefix", "my"],
];

#[test]
fn nothing_that_microsofts_compiler_is_shown_is_gnus() {
    if Command::new("clang").arg("--version").output().is_err() {
        return common::skip("clang", "apt-get install clang lld llvm");
    }
    let place = tempfile::tempdir_in(folder()).unwrap();
    let mut seen = 0;
    for description in descriptions(place.path()) {
        for words in CONFIGURATIONS {
            let out = tempfile::tempdir_in(place.path()).unwrap();
            let mut generate = tool(&["generate", "-p", "windows"]);
            said(generate.args(words).arg("-a").arg(&description).arg("-o").arg(out.path()), 0);
            let files = fs::read_dir(out.path()).unwrap().flatten();
            let files = files.flat_map(|folder| fs::read_dir(folder.path()).unwrap().flatten());
            let sources: Vec<_> = files
                .map(|file| file.path())
                .filter(|file| file.extension().is_some_and(|end| end == "c"))
                .collect();
            assert!(!sources.is_empty(), "{words:?}");
            for (file, target) in sources.iter().flat_map(|f| TARGETS.map(|t| (f, t))) {
                let inline = words.iter().any(|word| ["minhook", "detours"].contains(word));
                if !(inline && target == "aarch64") {
                    is_not_gnus(file, target, &format!("{} {words:?}", description.display()));
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 4 * (2 * 2 + 3 + 6 + 3 + 3));
}

fn is_not_gnus(file: &Path, target: &str, what: &str) {
    let run = |more: &[&str]| {
        let mut clang = Command::new("clang");
        clang
            .arg(format!("--target={target}-pc-windows-msvc"))
            .args(["-std=c11", "-ffreestanding"]);
        clang.args(["__clang__", "__GNUC__"].map(|name| format!("-U{name}")));
        let output = clang.args(more).arg(file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{what} {target}\n{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&["-fsyntax-only", "-Wall", "-Wextra", "-Wgnu", "-Werror", "-Wno-unused-function"]);
    let text = run(&["-E", "-P"]);
    assert!(text.contains("__stdcall"), "{what}");
    for word in GNUS {
        assert!(!text.contains(word), "{what} {target}: {word}");
    }
}

/// Builds the heap with counters for Microsoft's ABI; `None`, and said so, where that is not possible or does
/// not run.
fn built(cpu: Cpu, mode: &[&str], output: &str, place: &Path) -> Option<(&'static Wine, String)> {
    let wine = Wine::new().filter(|wine| wine.runs(cpu))?;
    if Command::new("lld-link").arg("--version").output().is_err() {
        common::skip("lld-link", "apt-get install clang lld llvm");
        return None;
    }
    let target = format!("{}-pc-windows-msvc", cpu.name);
    let mut build = wine.around(tool(&["build", "-v", "-p", "windows", "--target", &target]));
    build.arg("--mode").args(mode).arg("-o").arg(place.join(output));
    build.arg("-a").arg(source("counted_heap.toml"));
    for object in cpu.heap_by_clang() {
        build.arg("--lib").arg(object);
    }
    let output = build.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    Some((wine, text))
}

/// The tool's own program is linked without a library of Microsoft's; the client by MinGW's gcc.
#[test]
fn an_object_for_microsofts_abi_is_carried_by_programs() {
    for cpu in [X64, X86] {
        let place = tempfile::tempdir_in(folder()).unwrap();
        let Some((wine, text)) = built(cpu, &["static"], "heap.obj", place.path()) else { return };
        assert!(text.contains("linked, read back and run"), "{text}");
        if cpu == X86 {
            continue; // GNU's linker does not read what such objects ask it to export
        }
        let (object, archive) = (place.path().join("heap.obj"), place.path().join("heap.lib"));
        let pull = OsStr::new("-Wl,-u,malloc,-u,counted_heap_counters");
        let plug = place.path().join("plug.dll");
        fs::copy(cpu.plug(Crt::Ucrt), &plug).unwrap();
        for link in [vec![object.as_os_str()], vec![pull, archive.as_os_str()]] {
            let program = place.path().join("client.exe");
            cpu.program(Crt::Ucrt, "client.c", &link, &program);
            let run = wine.run(&program, &["module", "client.exe", "plug.dll"]);
            let what = format!("{link:?}\n{}", run.text);
            assert!(run.counted("checks") >= 140 && run.counted("failed") == 0, "{what}");
            assert!(run.counted("allocated") > 1000 && run.counted("foreign") >= 2, "{what}");
            assert_eq!(run.status, Some(0), "{what}");
        }
    }
}

/// An archive and a DLL of one name lie in one folder, and neither's library for links is the other's.
#[test]
fn functions_under_a_prefix_for_microsofts_abi_live_beside_the_c_librarys_own() {
    for cpu in [X64, X86] {
        let place = tempfile::tempdir_in(folder()).unwrap();
        let mode = ["prefixed", "--prefix", "my"];
        let mut wine = None;
        // What is compiled as C++ throws nothing, and needs no library of C++.
        let in_cxx = [&mode[..], &["--lang", "cpp"]].concat();
        for (output, mode) in [("my.lib", &mode[..]), ("my.dll", &mode[..]), ("cpp.lib", &in_cxx)] {
            wine = built(cpu, mode, output, place.path()).map(|(wine, _)| wine);
        }
        let Some(wine) = wine else { return };
        let include = format!("-I{}", place.path().display());
        for (linked, imports) in [("my.lib", false), ("my.dll.lib", true), ("cpp.lib", false)] {
            let (library, program) = (place.path().join(linked), place.path().join("program.exe"));
            let link = [OsStr::new(&include), library.as_os_str()];
            cpu.program(Crt::Ucrt, "prefixed.c", &link, &program);
            let data = fs::read(&program).unwrap();
            let image = Image::read(&data).unwrap().remove(0);
            let takes = image.libraries.iter().any(|library| library.name == "my.dll");
            assert_eq!(takes, imports, "{linked}");
            let run = wine.run(&program, &[]);
            let what = format!("{} {linked}\n{}", cpu.name, run.text);
            assert!(run.counted("checks") >= 120 && run.counted("failed") == 0, "{what}");
            assert_eq!(run.status, Some(0), "{what}");
        }
    }
}

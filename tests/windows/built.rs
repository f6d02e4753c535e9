//! What `build` and `verify` say of libraries for Windows; arm64 is linked and read, for nothing here runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::artifact::Image;
use serde_json::Value;

use super::bench::{Cpu, Crt, X64, X86, crate_source, folder, said, tool};
use crate::common;

fn place() -> tempfile::TempDir {
    tempfile::tempdir_in(folder()).unwrap()
}

/// Builds a library; the last line of the tool.
fn build(library: &Path, more: &[&str]) -> String {
    let mut build = tool(&["build", "-p", "windows"]);
    said(build.args(more).arg("-o").arg(library), 0)
}

/// What `verify` says as JSON, line by line.
fn verified(library: &Path, more: &[&str], status: i32) -> Vec<Value> {
    let mut verify = tool(&["verify", "--format", "json"]);
    let text = said(verify.arg(library).args(more), status);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn fact(lines: &[Value], subject: &str) -> String {
    let facts = lines.iter().filter(|line| line["reason"] == "fact");
    let mut found = facts.filter(|line| line["fact"]["subject"] == subject);
    found.next().map(|line| line["fact"]["text"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn a_library_needs_windows_own_libraries_alone_and_hooks_what_its_plan_says() {
    let place = place();
    for cpu in [X64, X86] {
        let library = place.path().join(format!("{}.dll", cpu.name));
        build(&library, &["--target", &cpu.target()]);
        let lines = verified(&library, &["-a", "simple_heap"], 0);
        let verdict = lines.last().unwrap();
        assert_eq!(verdict["complete"], true, "{verdict}");
        assert!(verdict["bound"].as_u64().unwrap() > 60, "{verdict}");
        let needs = fact(&lines, "needs").to_lowercase();
        let own = |name: &str| ["kernel32.dll", "ntdll.dll"].contains(&name);
        assert!(needs.split(", ").all(own), "{needs}");
        assert!(fact(&lines, "C library").starts_with("none"), "{needs}");
        assert!(place.path().join(format!("lib{}.dll.a", cpu.name)).is_file());
    }
}

#[test]
fn a_table_that_lacks_a_function_is_a_fault() {
    let place = place();
    let library = place.path().join("whole.dll");
    build(&library, &["--hook", "iat"]);
    let mut data = fs::read(&library).unwrap();
    let name = b"\0_msize\0";
    let at = data.windows(name.len()).position(|window| window == name).expect("in the table");
    data[at + 1] = b'!';
    let broken = place.path().join("broken.dll");
    fs::write(&broken, data).unwrap();
    let lines = verified(&broken, &["-a", "simple_heap"], 1);
    let missing: Vec<_> =
        lines.iter().filter(|line| line["finding"]["status"] == "missing").collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0]["finding"]["symbol"], "_msize");
    assert!(lines.iter().any(|line| line["finding"]["symbol"] == "!msize"));
    assert_eq!(lines.last().unwrap()["complete"], false);
}

/// What `verify --program` says, and how it ends.
fn with_program(library: &Path, program: &Path, status: i32) -> String {
    let output = tool(&["verify"]).arg(library).arg("--program").arg(program).output().unwrap();
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_program_is_told_from_one_whose_c_library_no_hook_finds() {
    let place = place();
    let library = place.path().join("hooks.dll");
    build(&library, &["--hook", "iat"]);
    let injected = with_program(&library, &X64.client(Crt::Msvcrt, None), 0);
    assert!(injected.contains("not among its imports"), "{injected}");
    let imports = place.path().join("libhooks.dll.a");
    let linked = with_program(&library, &X64.client(Crt::Ucrt, Some(&imports)), 0);
    assert!(linked.contains("its import 1, so hooked before the first block"), "{linked}");
    assert!(linked.contains("api-ms-win-crt-heap-l1-1-0.dll"), "{linked}");
    let other = with_program(&library, &X86.client(Crt::Msvcrt, None), 1);
    assert!(other.contains("A8654") && other.contains("no effect"), "{other}");
    let mut macho = tool(&["verify"]);
    let file = place.path().join("program");
    fs::write(
        &file,
        b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    )
    .unwrap();
    let output = macho.arg(&library).arg("--program").arg(&file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("A8511") && text.contains("no program of Windows"), "{text}");
    let itself = with_program(&library, &library, 1);
    assert!(itself.contains("A8652"), "{itself}");
    let none = static_program(X64, place.path());
    let none = with_program(&library, &none, 1);
    assert!(none.contains("A8670") && none.contains("imports no C library"), "{none}");
}

/// A program without a C library's DLL.
pub(super) fn static_program(cpu: Cpu, folder: &Path) -> std::path::PathBuf {
    let (source, program) = (folder.join("alone.c"), folder.join("alone.exe"));
    let text = "__declspec(dllimport) void __stdcall ExitProcess(unsigned);\n\
                void start(void) { ExitProcess(0); }\n";
    fs::write(&source, text).unwrap();
    let mut compile = Command::new(cpu.gcc());
    compile.args(["-nostdlib", "-Wl,-e,start", "-o"]).arg(&program).arg(&source);
    assert!(compile.arg("-lkernel32").status().unwrap().success());
    program
}

#[test]
fn arm64_is_linked_by_clang_and_zig_and_read() {
    let place = place();
    let library = place.path().join("msvc.dll");
    if Command::new("lld-link").arg("--version").output().is_ok() {
        build(&library, &["--target", "aarch64-pc-windows-msvc"]);
        is_whole_arm64(&library);
        assert!(place.path().join("msvc.dll.lib").is_file());
    } else {
        common::skip("lld-link", "apt-get install clang lld llvm");
    }
    let Some(mut zig) = common::zig() else { return common::skip(common::ZIG.0, common::ZIG.1) };
    zig.args(["cc", "-target", "aarch64-windows-gnu"]);
    let words: Vec<_> = std::iter::once(zig.get_program())
        .chain(zig.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let library = place.path().join("gnu.dll");
    build(&library, &["--target", "aarch64-pc-windows-gnu", "--cc", &words.join(" ")]);
    is_whole_arm64(&library);
}

/// What nothing here runs is at least linked, and is what it is called.
#[test]
fn every_mode_is_linked_for_arm64_and_read() {
    if Command::new("lld-link").arg("--version").output().is_err() {
        return common::skip("lld-link", "apt-get install clang lld llvm");
    }
    let place = place();
    let target = ["--target", "aarch64-pc-windows-msvc"];
    let build = |words: &[&str], name: &str| {
        build(&place.path().join(name), &[&target, words].concat());
        let mut readobj = Command::new("llvm-readobj");
        let options = ["--file-headers", "--coff-exports", "--coff-imports", "--symbols"];
        let output = readobj.args(options).arg(place.path().join(name)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("IMAGE_FILE_MACHINE_ARM64"), "{name}\n{text}");
        text
    };
    let program = build(&["--mode", "static"], "heap.obj");
    assert!(program.contains("Name: __imp__aligned_malloc"), "{program}");
    let under_prefix = ["--mode", "prefixed", "--prefix", "my"];
    assert!(build(&under_prefix, "heap.lib").contains("Name: my_aligned_malloc"));
    let library = build(&under_prefix, "my.dll");
    assert!(library.contains("Name: my_aligned_malloc"), "{library}");
    assert!(library.contains("Name: ucrtbase.dll"), "{library}");
    let heap = build(&["--hook", "redirect"], "hooks.dll");
    assert!(heap.contains("Name: alloc8_register"), "{heap}");
    let imports = fs::read(place.path().join("hooks-heap.dll")).unwrap();
    assert!(imports.windows(9).any(|window| window == b"hooks.dll"));
}

fn is_whole_arm64(library: &Path) {
    let lines = verified(library, &["-a", "simple_heap"], 0);
    let verdict = lines.last().unwrap();
    assert_eq!(verdict["complete"], true);
    assert!(verdict["abi"].as_str().unwrap().starts_with("arm64"), "{verdict}");
    let mut readobj = Command::new("llvm-readobj");
    let output = readobj.arg("--file-headers").arg(library).output().expect("llvm-readobj");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("IMAGE_FILE_MACHINE_ARM64"), "{text}");
}

#[test]
fn without_the_sources_of_minhook_it_is_said_where_they_come_from() {
    let place = place();
    let mut build = tool(&["build", "-p", "windows", "-o"]);
    build.arg(place.path().join("x.dll")).env("ALLOC8_MINHOOK", place.path());
    let output = build.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for words in ["error[A8604]", "src/buffer.c", "$ALLOC8_MINHOOK", "minhook-sys", "--hook iat"] {
        assert!(text.contains(words), "{text}");
    }
    // Where cargo has fetched the crate, nothing need be named.
    let unpacked = place.path().join("registry/src/index/minhook-sys-0.1.1");
    fs::create_dir_all(&unpacked).unwrap();
    std::os::unix::fs::symlink(crate_source("minhook"), unpacked.join("minhook")).unwrap();
    let mut build = tool(&["build", "-p", "windows", "-o"]);
    build.arg(place.path().join("x.dll")).env("CARGO_HOME", place.path());
    said(build.env_remove("ALLOC8_MINHOOK"), 0);
}

#[test]
fn runs_of_two_libraries_are_refused_with_words() {
    let place = place();
    let refused = |command: &mut Command, words: &str| {
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!([Some(2), Some(125)].contains(&output.status.code()), "{text}");
        assert!(text.contains("error[A8202]") && text.contains(words), "{text}");
    };
    let program = static_program(X64, place.path());
    let mut run = tool(&["run", "-p", "windows", "--hook", "redirect", "--"]);
    refused(run.arg(&program), "build --hook redirect");
    // Nor would laws and programs find a heap in the hooks' half alone.
    let objects = X64.heap(&super::bench::simple_heap(), "simple_heap_", &[]);
    let hooks = place.path().join("half.dll");
    let mut build = tool(&["build", "-p", "windows", "--hook", "redirect", "-a"]);
    build.arg(super::bench::source("counted_heap.toml")).arg("-o").arg(&hooks);
    objects.iter().for_each(|object| _ = build.arg("--lib").arg(object));
    said(&mut build, 0);
    refused(tool(&["verify", "--laws"]).arg(&hooks), "has no heap");
    if super::bench::Wine::new().is_some() {
        let mut run = tool(&["run", "-p", "windows", "--preload"]);
        refused(run.arg(&hooks).arg("--").arg(program), "has no heap");
    }
}

#[test]
fn a_depfile_names_the_users_archives() {
    let place = place();
    let (library, depfile) = (place.path().join("x.dll"), place.path().join("x.d"));
    let objects = X64.heap(&super::bench::simple_heap(), "simple_heap_", &[]);
    let mut build = tool(&["build", "-p", "windows", "--hook", "iat", "-a"]);
    build.arg(super::bench::source("counted_heap.toml")).arg("-o").arg(&library);
    build.arg("--depfile").arg(&depfile);
    for object in &objects {
        build.arg("--lib").arg(object);
    }
    said(&mut build, 0);
    let text = fs::read_to_string(depfile).unwrap();
    for object in &objects {
        assert!(text.contains(object.file_name().unwrap().to_str().unwrap()), "{text}");
    }
}

/// Hooks see to most of what a heap might promise; the rest is measured where Wine is.
#[test]
fn a_promise_that_does_not_hold_under_wine_is_refused_with_what_was_seen() {
    let Some(wine) = super::bench::Wine::new() else { return };
    let place = place();
    let (text, object) = (place.path().join("heap.c"), place.path().join("heap.o"));
    let heap = fs::read_to_string(super::bench::simple_heap()).unwrap();
    // As some do: a request of no bytes gives NULL. And errno is left alone, which no shim asks of a heap there.
    let own = "void *simple_heap_malloc(size_t size)\n{\n    return size ? whole(size) : 0;\n}\n";
    let whole = "void *whole(size_t size);\n";
    let heap =
        heap.replacen("void *simple_heap_malloc(size_t size)\n{", "void *whole(size_t size)\n{", 1);
    assert!(heap.contains("void *whole("));
    fs::write(&text, format!("#include <stddef.h>\n{whole}{heap}{own}")).unwrap();
    let mut compile = Command::new(X64.gcc());
    compile.args(["-std=gnu11", "-O1", "-c", "-o"]).arg(&object).arg(&text);
    assert!(compile.status().unwrap().success());
    let mut build = wine.around(tool(&["build", "-p", "windows", "--hook", "iat", "--lib"]));
    build.arg(&object).arg("-o").arg(place.path().join("x.dll"));
    let output = build.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("A8701") && said.contains("malloc(0) returned NULL"), "{said}");
    assert!(said.contains("zero_size") && !said.contains("errno"), "{said}");
}

/// That one is loaded before the hooks, and has blocks already.
#[test]
fn a_heap_whose_archive_calls_a_c_library_must_tell_its_blocks() {
    let place = place();
    let (text, object) = (place.path().join("heap.c"), place.path().join("heap.o"));
    let heap = fs::read_to_string(super::bench::simple_heap()).unwrap();
    let calls = "\nint puts(const char *);\nvoid simple_heap_greets(void) { puts(\"\"); }\n";
    fs::write(&text, heap + calls).unwrap();
    let mut compile = Command::new(X64.gcc());
    compile.args(["-std=gnu11", "-O1", "-c", "-o"]).arg(&object).arg(&text);
    assert!(compile.status().unwrap().success());
    let file = place.path().join("silent.toml");
    let functions = ["malloc", "free", "realloc", "memalign", "malloc_usable_size"];
    let functions = functions.map(|name| format!("{name} = \"simple_heap_{name}\"\n")).concat();
    let silent = format!("schema = 1\nname = \"silent\"\ntitle = \"silent\"\n{functions}");
    fs::write(&file, &silent).unwrap();
    let mut build = tool(&["build", "-p", "windows", "-a"]);
    build.arg(&file).arg("--lib").arg(&object).arg("-o").arg(place.path().join("x.dll"));
    let output = build.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("error[A8250]") && text.contains("`owns`"), "{text}");
    // With `owns` it is told that there is a C library.
    fs::write(&file, silent + "owns = \"simple_heap_owns\"\n").unwrap();
    let output = build.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("A8605"), "{text}");
}

/// Each block goes back to whom `owns` names: what it says is as good as a promise. So is a natural alignment, where there is
/// no `memalign`.
#[test]
fn an_owner_that_takes_null_for_its_own_is_refused_where_wine_is() {
    let Some(wine) = super::bench::Wine::new() else { return };
    let place = place();
    let (text, object) = (place.path().join("heap.c"), place.path().join("heap.o"));
    let heap = fs::read_to_string(super::bench::simple_heap()).unwrap();
    let heap = heap.replace("simple_heap_owns(", "whole(");
    let own = "bool whole(const void *ptr);\nbool simple_heap_owns(const void *ptr)\n{\n    return !ptr || whole(ptr);\n}\n";
    fs::write(&text, heap + own).unwrap();
    let mut compile = Command::new(X64.gcc());
    compile.args(["-std=gnu11", "-O1", "-c", "-o"]).arg(&object).arg(&text);
    assert!(compile.status().unwrap().success());
    let file = place.path().join("natural.toml");
    let functions = ["malloc", "free", "realloc", "malloc_usable_size", "owns"];
    let functions = functions.map(|name| format!("{name} = \"simple_heap_{name}\"\n")).concat();
    let named = "schema = 1\nname = \"natural\"\ntitle = \"natural\"\n";
    fs::write(&file, format!("{named}{functions}[promises]\nnatural_align = 0x10_0000\n")).unwrap();
    let mut build = wine.around(tool(&["build", "-p", "windows", "--hook", "iat", "-a"]));
    build.arg(&file).arg("--lib").arg(&object).arg("-o").arg(place.path().join("x.dll"));
    let output = build.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("error[A8701]") && said.contains("natural_align"), "{said}");
    assert!(said.contains("error[A8703]") && said.contains("owns(NULL) is true"), "{said}");
}

/// MinGW's gcc keeps such a variable under a key, which is gone when a thread is seen off.
#[test]
fn a_thread_local_variable_of_a_heap_with_a_cleanup_is_warned_of() {
    let place = place();
    let (text, local) = (place.path().join("local.c"), place.path().join("local.o"));
    fs::write(&text, "__thread int local;\nint aware_touches(void) { return ++local; }\n").unwrap();
    let mut build = tool(&["build", "-p", "windows", "--hook", "iat", "-a"]);
    build.arg(super::bench::source("aware.toml")).arg("-o").arg(place.path().join("x.dll"));
    let heap = [super::bench::source("aware_heap.c"), super::bench::simple_heap(), text];
    let objects = [place.path().join("aware.o"), place.path().join("heap.o"), local];
    for (file, object) in heap.iter().zip(&objects) {
        let mut compile = Command::new(X64.gcc());
        compile.args(["-std=gnu11", "-O1", "-c", "-o"]).arg(object).arg(file);
        assert!(compile.status().unwrap().success());
        build.arg("--lib").arg(object);
    }
    let output = build.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("warning[A8413]") && text.contains("TlsAlloc"), "{text}");
}

/// What an emulator that runs nothing leaves behind is no heap's doing.
#[test]
fn a_wine_that_runs_nothing_is_no_measurement_and_is_not_kept() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let lost = "echo 'wine client error:0: recvmsg: Connection reset by peer' >&2; exit 1";
    for (number, does) in ["exit 0", lost].into_iter().enumerate() {
        let (wine, tries) = (place.path().join("wine"), place.path().join("tries"));
        fs::write(&wine, format!("#!/bin/sh\necho >> {}\n{does}\n", tries.display())).unwrap();
        fs::set_permissions(&wine, fs::Permissions::from_mode(0o755)).unwrap();
        let cache = place.path().join(format!("cache-{number}"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(place.path().to_owned()).chain(std::env::split_paths(&path));
        let mut build = tool(&["build", "-p", "windows", "--hook", "iat", "-o"]);
        build.arg(place.path().join("x.dll")).env("XDG_CACHE_HOME", &cache);
        let output = build.env("PATH", std::env::join_paths(path).unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("A8705") && !said.contains("A8701"), "{said}");
        let kept = files_below(&cache);
        assert!(!kept.is_empty(), "the library is");
        assert!(!kept.iter().any(|file| file.starts_with("probe-")), "{kept:?}");
        assert_eq!(
            fs::read_to_string(&tries).unwrap().lines().count(),
            2,
            "once more, and no more"
        );
        fs::remove_file(tries).unwrap();
    }
}

/// The names of all files in a folder and in those inside.
fn files_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path().is_dir() {
            true => names.extend(files_below(&entry.path())),
            false => names.push(entry.file_name().to_string_lossy().into_owned()),
        }
    }
    names
}

/// A library for a heap that promises nothing and exports a function, its description and its archive.
fn small(place: &Path, cpu: Cpu, more: &[&str]) -> (PathBuf, PathBuf, PathBuf) {
    let object = cpu.heap(&super::bench::simple_heap(), "simple_heap_", &[]).remove(1);
    let archive = place.join(format!("libsmall-{}.a", cpu.name));
    let mut ar = Command::new(format!("{}-w64-mingw32-ar", cpu.name));
    assert!(ar.arg("rcs").arg(&archive).arg(object).status().unwrap().success());
    let description = place.join("small.toml");
    let functions = ["malloc", "free", "realloc", "memalign", "malloc_usable_size", "owns"];
    let functions = functions.map(|name| format!("{name} = \"simple_heap_{name}\"\n")).concat();
    let named = "schema = 1\nname = \"small\"\ntitle = \"small\"\n";
    let export = "export = [\"simple_heap_calloc\"]\n";
    fs::write(&description, format!("{named}{functions}{export}")).unwrap();
    let library = place.join("small.dll");
    let mut build = tool(&["build", "-p", "windows", "--hook", "iat"]);
    if !more.contains(&"--target") {
        build.args(["--target", &cpu.target()]);
    }
    build.args(more).arg("-a").arg(&description).arg("--lib").arg(&archive).arg("-o").arg(&library);
    said(&mut build, 0);
    (library, description, archive)
}

fn exports(library: &Path, name: &str) -> bool {
    let image = Image::read(&fs::read(library).unwrap()).unwrap().remove(0);
    image.exports(name)
}

/// Nothing in the archive says that it is exported, nor does anybody call it.
#[test]
fn names_that_a_description_exports_are_exported() {
    let place = place();
    for cpu in [X64, X86] {
        let (library, ..) = small(place.path(), cpu, &[]);
        assert!(exports(&library, "simple_heap_calloc"), "{}", cpu.name);
        assert!(!exports(&library, "simple_heap_malloc"), "{}", cpu.name);
    }
    if Command::new("lld-link").arg("--version").output().is_err() {
        return common::skip("lld-link", "apt-get install clang lld llvm");
    }
    let (library, ..) = small(place.path(), X64, &["--target", "x86_64-pc-windows-msvc"]);
    assert!(exports(&library, "simple_heap_calloc"));
}

#[test]
fn verify_measures_the_promises_of_a_library_that_is_named() {
    let Some(_) = super::bench::Wine::new() else { return };
    let place = place();
    let (library, description, archive) = small(place.path(), X64, &[]);
    let mut verify = tool(&["verify", "-a"]);
    said(verify.arg(&description).arg("--lib").arg(&archive).arg(&library), 0);
    // It aligns to 16 bytes, and no more.
    let text = fs::read_to_string(&description).unwrap();
    fs::write(&description, text + "[promises]\nmin_align = 4096\n").unwrap();
    let output = verify.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("error[A8701]") && text.contains("min_align"), "{text}");
}

//! Programs under Wine: each way into a process, for each kind of hook.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::bench::{Cpu, Crt, Wine, X64, X86, crate_source, simple_heap, source, tool};

const CRTS: [Crt; 2] = [Crt::Msvcrt, Crt::Ucrt];

/// What a hook sees, in the client's words.
fn sees(hook: &str) -> &'static str {
    match hook {
        "minhook" | "detours" => "code",
        _ => "imports",
    }
}

/// A library around these objects, in a folder of its own with all that goes with it.
pub(super) struct Place {
    folder: tempfile::TempDir,
    cpu: Cpu,
    hook: &'static str,
}

impl Place {
    fn new(cpu: Cpu, hook: &'static str, objects: &[PathBuf], more: &[&str]) -> Place {
        Place::of("counted_heap.toml", cpu, hook, objects, more)
    }

    /// Of another heap, whose description lies here.
    pub(super) fn of(
        description: &str,
        cpu: Cpu,
        hook: &'static str,
        objects: &[PathBuf],
        more: &[&str],
    ) -> Place {
        let place = Place::empty(cpu, hook);
        let (target, output) = (cpu.target(), place.path("hooks.dll"));
        let description = source(description);
        let mut build = tool(&["build", "-p", "windows", "--hook", hook]);
        if !more.contains(&"--target") {
            build.args(["--target", &target]);
        }
        build.args(more).arg("-a").arg(description).arg("-o").arg(output);
        for object in objects {
            build.arg("--lib").arg(object);
        }
        super::bench::said(&mut build, 0);
        place
    }

    /// A folder for one.
    pub(super) fn empty(cpu: Cpu, hook: &'static str) -> Place {
        let folder = tempfile::tempdir_in(super::bench::folder()).unwrap();
        Place { folder, cpu, hook }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts the client here, with plug-ins of both C libraries.
    fn client(&self, crt: Crt, linked: bool) -> PathBuf {
        let imports = self.path(&format!("lib{}.a", self.heap()));
        let program = self.cpu.client(crt, linked.then_some(imports.as_path()));
        let here = self.path("client.exe");
        fs::copy(program, &here).unwrap();
        for crt in CRTS {
            fs::copy(self.cpu.plug(crt), self.path(&format!("plug-{crt:?}.dll"))).unwrap();
        }
        here
    }

    /// Where the heap is: in a library of its own, which brings the one with the hooks, or in that one.
    fn heap(&self) -> &'static str {
        if self.hook == "redirect" { "hooks-heap.dll" } else { "hooks.dll" }
    }

    fn arguments<'a>(&self, how: &'a str) -> [&'a str; 4] {
        [how, self.heap(), "plug-Msvcrt.dll", "plug-Ucrt.dll"]
    }

    /// The library is the program's first import: no block is older than its hooks.
    pub(super) fn linked(&self, wine: &Wine, crt: Crt) {
        let run = wine.run(&self.client(crt, true), &self.arguments(sees(self.hook)));
        let what = self.what(crt, "linked");
        run.is_good(&what);
        assert!(run.counted("allocated") > 1000, "{what}");
        if sees(self.hook) == "code" {
            assert_eq!(run.counted("foreign"), 0, "{what}\n{}", run.text);
        }
    }

    /// Another process has the program load it before its first instruction.
    pub(super) fn injected(&self, wine: &Wine, crt: Crt) {
        self.client(crt, false);
        let here = self.path("inject.exe");
        fs::copy(self.cpu.inject(), &here).unwrap();
        let how = self.arguments(sees(self.hook));
        let run = wine.run(&here, &[&[self.heap(), "client.exe"], &how[..]].concat());
        run.is_good(&self.what(crt, "injected"));
        assert!(run.counted("allocated") > 1000 && run.counted("foreign") < 100, "{}", run.text);
    }

    /// The tool makes it the program's first import, though the program knows nothing of it.
    pub(super) fn launched(&self, wine: &Wine, crt: Crt) {
        self.client(crt, false);
        let how = self.arguments(sees(self.hook));
        let words = [&["--preload", "hooks.dll", "--", "client.exe"], &how[..]].concat();
        let run = wine.launch(self.folder.path(), &words);
        let what = self.what(crt, "launched");
        run.is_good(&what);
        assert!(run.counted("allocated") > 1000, "{what}");
        if sees(self.hook) == "code" {
            assert_eq!(run.counted("foreign"), 0, "{what}\n{}", run.text);
        }
    }

    /// The program loads it itself, while its threads allocate: blocks from before go back where they came from.
    pub(super) fn late(&self, wine: &Wine, crt: Crt) {
        let how = format!("late-{}", sees(self.hook));
        let run = wine.run(&self.client(crt, false), &self.arguments(&how));
        run.is_good(&self.what(crt, "late"));
        assert!(run.counted("allocated") > 1000 && run.counted("foreign") >= 2, "{}", run.text);
    }

    fn what(&self, crt: Crt, way: &str) -> String {
        format!("{} {crt:?} {} {way}", self.cpu.name, self.hook)
    }
}

fn counted(cpu: Cpu) -> Vec<PathBuf> {
    cpu.heap(&simple_heap(), "simple_heap_", &[])
}

/// The C libraries to try: all on x64, and on x86 only under `cargo xtask test --all`.
fn crts(cpu: Cpu) -> &'static [Crt] {
    if cpu == X64 || crate::common::everything() { &CRTS } else { &CRTS[..1] }
}

fn every_way(cpu: Cpu, hook: &'static str) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    let place = Place::new(cpu, hook, &counted(cpu), &[]);
    for crt in crts(cpu) {
        place.linked(wine, *crt);
        place.injected(wine, *crt);
        if hook != "redirect" {
            place.launched(wine, *crt);
        }
        place.late(wine, *crt);
    }
}

#[test]
fn hooks_in_code_by_minhook_hold_every_way_on_x64() {
    every_way(X64, "minhook");
}

#[test]
fn hooks_in_code_by_detours_hold_every_way_on_x64() {
    every_way(X64, "detours");
}

#[test]
fn hooks_in_imports_hold_every_way_on_x64() {
    every_way(X64, "iat");
}

#[test]
fn hooks_before_a_heap_in_a_library_of_its_own_hold_every_way() {
    every_way(X64, "redirect");
    if crate::common::everything() {
        every_way(X86, "redirect");
    }
}

#[test]
fn hooks_in_code_by_minhook_hold_every_way_on_x86() {
    every_way(X86, "minhook");
}

#[test]
fn hooks_in_code_by_detours_hold_every_way_on_x86() {
    if crate::common::everything() {
        every_way(X86, "detours");
    }
}

#[test]
fn hooks_in_imports_hold_every_way_on_x86() {
    every_way(X86, "iat");
}

/// The heap alone: what counts is the class.
pub(super) fn uncounted(cpu: Cpu) -> Vec<PathBuf> {
    counted(cpu).split_off(1)
}

#[test]
fn a_heap_that_is_a_class_answers_as_one_in_c_does() {
    let Some(wine) = Wine::new() else { return };
    for (cpu, hook) in [(X64, "minhook"), (X64, "iat"), (X86, "minhook"), (X64, "detours")] {
        if !wine.runs(cpu) || hook == "detours" && !crate::common::everything() {
            continue;
        }
        let place = Place::of("counted_class.toml", cpu, hook, &uncounted(cpu), &[]);
        // What a program's C library is makes no difference to the language of the hooks.
        place.linked(wine, Crt::Msvcrt);
        place.late(wine, Crt::Ucrt);
    }
}

/// The hooks stay in C; what comes when the C library is ready is the class.
#[test]
fn a_heap_that_is_a_class_answers_from_a_library_of_its_own() {
    let Some(wine) = Wine::new() else { return };
    let place = Place::of("counted_class.toml", X64, "redirect", &uncounted(X64), &[]);
    place.linked(wine, Crt::Ucrt);
    place.late(wine, Crt::Msvcrt);
    if wine.runs(X86) {
        let place = Place::new(X86, "redirect", &counted(X86), &["--lang", "cpp"]);
        place.linked(wine, Crt::Msvcrt);
    }
}

#[test]
fn a_header_over_an_archive_hooks_as_the_shim_in_c_does() {
    let Some(wine) = Wine::new() else { return };
    let place = Place::new(X64, "minhook", &counted(X64), &["--lang", "cpp"]);
    place.linked(wine, Crt::Ucrt);
    place.injected(wine, Crt::Msvcrt);
    let msvc = ["--lang", "cpp", "--target", "x86_64-pc-windows-msvc"];
    if std::process::Command::new("lld-link").arg("--version").output().is_err() {
        return crate::common::skip("lld-link", "apt-get install clang lld llvm");
    }
    Place::new(X64, "iat", &counted(X64), &msvc).late(wine, Crt::Ucrt);
}

#[test]
fn mimalloc_needs_a_c_library_and_answers_all_calls_but_its_own() {
    let Some(wine) = Wine::new() else { return };
    let mimalloc = crate_source("mimalloc");
    let include = format!("-I{}", mimalloc.join("include").display());
    let options = ["-DNDEBUG", "-DMI_STATIC_LIB", "-w", &include];
    let objects = X64.heap(&mimalloc.join("src/static.c"), "mi_", &options);
    let place = Place::new(X64, "minhook", &objects, &[]);
    for crt in CRTS {
        place.injected(wine, crt);
        place.late(wine, crt);
    }
}

#[test]
fn a_library_of_microsofts_abi_hooks_programs_of_either() {
    let Some(wine) = Wine::new() else { return };
    if std::process::Command::new("lld-link").arg("--version").output().is_err() {
        return crate::common::skip("lld-link", "apt-get install clang lld llvm");
    }
    let place = Place::new(X64, "iat", &counted(X64), &["--target", "x86_64-pc-windows-msvc"]);
    for crt in CRTS {
        place.injected(wine, crt);
        place.late(wine, crt);
    }
    let msvc = ["--target", "x86_64-pc-windows-msvc"];
    Place::new(X64, "redirect", &counted(X64), &msvc).late(wine, Crt::Ucrt);
    if wine.runs(X86) {
        let msvc = ["--target", "i686-pc-windows-msvc"];
        Place::new(X86, "iat", &X86.heap_by_clang(), &msvc).injected(wine, Crt::Ucrt);
    }
}

#[test]
fn without_hooks_the_client_sees_the_c_librarys_heap_and_says_so() {
    let Some(wine) = Wine::new() else { return };
    for cpu in [X64, X86] {
        if !wine.runs(cpu) {
            continue;
        }
        let folder = tempfile::tempdir_in(super::bench::folder()).unwrap();
        for crt in CRTS {
            let program = folder.path().join("client.exe");
            fs::copy(cpu.client(crt, None), &program).unwrap();
            let run = wine.run(&program, &["none", "none"]);
            run.is_good(&format!("{} {crt:?}", cpu.name));
            assert_eq!(run.counted("allocated"), 0);
            // What is to be found under hooks is not found without them.
            let run = wine.run(&program, &["code", "absent.dll"]);
            assert!(run.counted("failed") >= 10 && run.status == Some(1), "{}", run.text);
        }
    }
}

#[test]
fn a_library_that_a_program_lacks_is_not_taken_for_success() {
    let Some(wine) = Wine::new() else { return };
    let place = Place::new(X64, "iat", &counted(X64), &[]);
    let program = place.client(Crt::Msvcrt, true);
    fs::remove_file(place.path("hooks.dll")).unwrap();
    let run = wine.run(Path::new(&program), &place.arguments("imports"));
    assert!(run.status != Some(0) && !run.text.contains("client: "), "{}", run.text);
}

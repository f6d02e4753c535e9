//! What a heap is told of threads (threads.c), for each kind of hook, each way into a process, and inside a program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use object::{Object, ObjectSection};

use super::bench::{Cpu, Crt, Run, Wine, X64, X86, built, folder, said, simple_heap, source, tool};
use crate::common;

mod crates;

const ARM64: Cpu = Cpu { name: "aarch64" };

/// Of every CPU, where Debian has them.
const MINGW_HEADERS: &str = "/usr/share/mingw-w64/include";

const POLICIES: [&str; 2] = ["advisory", "required"];

/// The description of the heap, with a policy of its own or without a word of threads.
fn description(policy: &str, place: &Path) -> PathBuf {
    let text = fs::read_to_string(source("aware.toml")).unwrap();
    let kept = |line: &&str| policy != "silent" || !line.starts_with("thread_");
    let mut lines: Vec<_> = text.lines().filter(kept).collect();
    let policy_line = format!("thread_policy = {policy:?}");
    if policy != "silent" {
        let at = lines.iter().position(|line| line.starts_with("[promises]")).unwrap();
        lines.insert(at, &policy_line);
    }
    let file = place.join("aware.toml");
    fs::write(&file, lines.join("\n")).unwrap();
    file
}

impl Cpu {
    /// The objects of the heap that counts.
    fn aware(self) -> Vec<PathBuf> {
        vec![self.aware_with("aware", &[]), self.object("simple", &simple_heap(), &[])]
    }

    fn aware_with(self, name: &str, more: &[&str]) -> PathBuf {
        self.object(name, &source("aware_heap.c"), more)
    }

    fn object(self, name: &str, file: &Path, more: &[&str]) -> PathBuf {
        let mut command = match self == ARM64 {
            true => Command::new("clang"),
            false => Command::new(self.gcc()),
        };
        if self == ARM64 {
            command.args(["--target=aarch64-w64-mingw32", "-isystem", MINGW_HEADERS]);
        }
        command.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-c"]).args(more);
        built(&format!("{name}-{}.o", self.name), command.arg(file), None)
    }

    /// The command that compiles the program; winpthreads is inside, where it is made for the C library.
    fn threads(self, crt: Crt) -> Command {
        let mut command = self.compiler(crt);
        command.arg("-D_WIN32_WINNT=0x0601").arg(source("threads.c"));
        if crt == Crt::Msvcrt {
            command.arg("-DPTHREADS").arg("-l:libwinpthread.a");
        }
        command
    }
}

/// Which heap the program is to find, and how.
struct Place {
    folder: tempfile::TempDir,
    cpu: Cpu,
    policy: &'static str,
}

impl Place {
    fn new(cpu: Cpu, policy: &'static str) -> Place {
        Place { folder: tempfile::tempdir_in(folder()).unwrap(), cpu, policy }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A library around the heap, as `build` makes it.
    fn library(&self, hook: &str, target: &str) {
        self.library_in("c", hook, target);
    }

    fn library_in(&self, lang: &str, hook: &str, target: &str) {
        let mut build = tool(&["build", "-p", "windows", "--lang", lang, "--hook", hook]);
        build.args(["--target", target]);
        build.arg("-a").arg(description(self.policy, self.folder.path()));
        for object in self.cpu.aware() {
            build.arg("--lib").arg(object);
        }
        said(build.arg("-o").arg(self.path("hooks.dll")), 0);
    }

    fn rendered(&self, more: &[&str]) -> PathBuf {
        let mut generate = tool(&["generate", "-p", "windows"]);
        generate.args(more).arg("-a").arg(description(self.policy, self.folder.path()));
        said(generate.arg("-o").arg(self.path("rendered")), 0);
        let folder = fs::read_dir(self.path("rendered")).unwrap().next().unwrap();
        folder.unwrap().path()
    }

    /// The two libraries of `--hook redirect`: the heap's own imports the one with the hooks.
    fn redirected(&self) {
        let rendered = self.rendered(&["--hook", "redirect"]);
        let entry = if self.cpu == X86 { "-Wl,-e,_DllMain@12" } else { "-Wl,-e,DllMain" };
        let mut hooks = Command::new(self.cpu.gcc());
        hooks.args(["-std=c11", "-O2", "-shared", "-nostdlib", entry]);
        hooks.arg(rendered.join("shim.c")).arg("-o").arg(self.path("front.dll"));
        said(hooks.args(["-lkernel32", "-lntdll", "-lntdllcrt", "-lgcc"]), 0);
        let mut heap = Command::new(self.cpu.gcc());
        heap.args(["-std=c11", "-O2", "-shared", "-static-libgcc"])
            .arg(rendered.join("heap.c"))
            .args(self.cpu.aware());
        heap.arg(self.path("front.dll")).arg("-o").arg(self.path("hooks.dll"));
        said(&mut heap, 0);
    }

    fn program(&self, crt: Crt) -> PathBuf {
        let program = built(
            &format!("threads-{}-{crt:?}.exe", self.cpu.name),
            &mut self.cpu.threads(crt),
            None,
        );
        let here = self.path("threads.exe");
        fs::copy(program, &here).unwrap();
        here
    }

    /// The same, with the shim in C++.
    fn program_with_heap_in_cxx(&self, crt: Crt) -> PathBuf {
        let rendered = self.rendered(&["--lang", "cpp", "--mode", "static"]);
        let (unit, object) = (self.path("unit.cpp"), self.path("unit.o"));
        fs::write(&unit, "#include \"shim.hpp\"\n").unwrap();
        let mut gxx = Command::new(self.cpu.gcc().replace("gcc", "g++"));
        gxx.args(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c", "-I"]);
        said(gxx.arg(rendered).arg(&unit).arg("-o").arg(&object), 0);
        let program = self.path("within.exe");
        let mut command = self.cpu.threads(crt);
        command.arg(object).args(self.cpu.aware());
        command.args(["-DWITHIN", "-static", "-lstdc++", "-o"]).arg(&program);
        said(&mut command, 0);
        program
    }

    /// The program that has the heap inside.
    fn program_with_heap(&self, crt: Crt, prefix: Option<&str>) -> PathBuf {
        let mut command = self.cpu.threads(crt);
        match prefix {
            Some(prefix) => {
                let shim =
                    self.rendered(&["--mode", "prefixed", "--prefix", prefix]).join("shim.c");
                command.arg(shim);
                command
                    .arg(format!("-DMALLOC={prefix}_malloc"))
                    .arg(format!("-DFREE={prefix}_free"));
            }
            None => {
                command.arg(self.rendered(&["--mode", "static"]).join("shim.c"));
            }
        }
        let program = self.path("within.exe");
        command.args(self.cpu.aware()).args(["-DWITHIN", "-o"]).arg(&program);
        said(&mut command, 0);
        program
    }

    fn run(&self, wine: &Wine, program: &Path, how: &str) -> Run {
        wine.run(program, &[how, self.policy, "hooks.dll"])
    }

    /// The program loads the library.
    fn late(&self, wine: &Wine, crt: Crt) {
        all_held(&self.run(wine, &self.program(crt), "late"), crt, "late");
    }

    /// The tool makes the library the program's first import.
    fn early(&self, wine: &Wine, crt: Crt) {
        self.program(crt);
        let words =
            ["--preload", "hooks.dll", "--", "threads.exe", "early", self.policy, "hooks.dll"];
        all_held(&wine.launch(self.folder.path(), &words), crt, "early");
    }
}

/// All checks were made, and held; nobody was seen off by the process's end.
#[track_caller]
fn all_held(run: &Run, crt: Crt, how: &str) {
    let checks = 52 + if crt == Crt::Msvcrt { 16 } else { 0 } + if how == "late" { 4 } else { 0 };
    let last = format!("threads: {checks} checks, 0 failed");
    assert!(run.text.contains(&last), "{last}, {:?}\n{}", run.status, run.text);
    assert!(!run.text.contains("while the process ends"), "{}", run.text);
    assert_eq!(run.status, Some(0), "{}", run.text);
}

/// With one policy, one C library and one way into the process; with all of them on demand.
fn told(cpu: Cpu, hook: &str, usual: (&'static str, Crt, bool)) {
    let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
    for policy in POLICIES.into_iter().filter(|policy| common::everything() || *policy == usual.0) {
        let place = Place::new(cpu, policy);
        place.library(hook, &cpu.target());
        for crt in [Crt::Msvcrt, Crt::Ucrt]
            .into_iter()
            .filter(|crt| common::everything() || *crt == usual.1)
        {
            if common::everything() || usual.2 {
                place.early(wine, crt);
            }
            if common::everything() || !usual.2 {
                place.late(wine, crt);
            }
        }
    }
}

#[test]
fn threads_are_told_by_hooks_in_imports() {
    told(X64, "iat", ("advisory", Crt::Ucrt, false));
    told(X64, "iat", ("required", Crt::Msvcrt, true));
    told(X86, "iat", ("required", Crt::Msvcrt, false));
}

#[test]
fn threads_are_told_by_hooks_in_code() {
    told(X64, "minhook", ("required", Crt::Msvcrt, false));
    told(X64, "detours", ("advisory", Crt::Msvcrt, true));
    if common::everything() {
        told(X86, "minhook", ("advisory", Crt::Msvcrt, true));
        told(X86, "detours", ("required", Crt::Msvcrt, false));
    }
}

#[test]
fn threads_are_told_to_a_heap_in_a_library_of_its_own() {
    for (cpu, usual) in [(X64, "required"), (X86, "advisory")] {
        let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
        for policy in POLICIES.into_iter().filter(|policy| common::everything() || *policy == usual)
        {
            let place = Place::new(cpu, policy);
            place.redirected();
            place.late(wine, Crt::Msvcrt);
        }
    }
}

#[test]
fn threads_are_told_to_a_heap_inside_a_program() {
    for (cpu, prefix, usual) in [
        (X64, None, "advisory"),
        (X64, Some("my"), "required"),
        (X86, None, "required"),
        (X86, Some("my"), "advisory"),
    ] {
        let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
        for policy in POLICIES.into_iter().filter(|policy| common::everything() || *policy == usual)
        {
            let place = Place::new(cpu, policy);
            let crt = if prefix.is_some() { Crt::Ucrt } else { Crt::Msvcrt };
            let program = place.program_with_heap(crt, prefix);
            all_held(&place.run(wine, &program, "within"), crt, "within");
        }
    }
}

#[test]
fn threads_are_told_by_a_library_of_microsofts_abi() {
    let Some(wine) = Wine::new() else { return };
    if Command::new("lld-link").arg("--version").output().is_err() {
        return common::skip("lld-link", "apt-get install clang lld llvm");
    }
    for policy in
        POLICIES.into_iter().filter(|policy| common::everything() || *policy == "advisory")
    {
        let place = Place::new(X64, policy);
        place.library("iat", "x86_64-pc-windows-msvc");
        place.late(wine, Crt::Ucrt);
    }
}

#[test]
fn threads_are_told_by_the_header_for_cxx() {
    let Some(wine) = Wine::new() else { return };
    for policy in
        POLICIES.into_iter().filter(|policy| common::everything() || *policy == "required")
    {
        let place = Place::new(X64, policy);
        place.library_in("cpp", "iat", &X64.target());
        place.late(wine, Crt::Msvcrt);
    }
}

#[test]
fn threads_are_told_to_a_heap_inside_a_program_by_the_header_for_cxx() {
    for (cpu, usual) in [(X64, "required"), (X86, "advisory")] {
        let Some(wine) = Wine::new().filter(|wine| wine.runs(cpu)) else { return };
        for policy in POLICIES.into_iter().filter(|policy| common::everything() || *policy == usual)
        {
            let place = Place::new(cpu, policy);
            let program = place.program_with_heap_in_cxx(Crt::Msvcrt);
            all_held(&place.run(wine, &program, "within"), Crt::Msvcrt, "within");
        }
    }
}

/// The program can fail; and who asks for nothing pays for nothing.
#[test]
fn a_heap_that_does_not_ask_is_told_of_no_threads() {
    let Some(wine) = Wine::new() else { return };
    let place = Place::new(X64, "silent");
    place.library("iat", &X64.target());
    let run = place.run(wine, &place.program(Crt::Msvcrt), "late");
    for law in ["threads that return are introduced once", "the main thread is introduced"] {
        assert!(run.text.contains(&format!("FAILED: {law}")), "{law}\n{}", run.text);
    }
    assert_eq!(run.status, Some(1), "{}", run.text);
    let shim = fs::read_to_string(place.rendered(&["--hook", "iat"]).join("shim.c")).unwrap();
    assert!(!["Tls", "THREAD_ATTACH", "THREAD_DETACH"].iter().any(|word| shim.contains(word)));
    assert!(shim.contains("DisableThreadLibraryCalls(module)"));
}

/// Nothing here runs arm64: the code at the library's entry asks for both reasons, and a program's object has both
/// callbacks, before and after those of others.
#[test]
fn on_arm64_libraries_and_programs_listen_to_the_loader() {
    if Command::new("lld-link").arg("--version").output().is_err() {
        return common::skip("lld-link", "apt-get install clang lld llvm");
    }
    let place = Place::new(ARM64, "advisory");
    let description = description(place.policy, place.folder.path());
    let library = place.path("hooks.dll");
    let mut build = tool(&["build", "-p", "windows", "--target", "aarch64-pc-windows-msvc", "-a"]);
    build.arg(description).arg("-o").arg(&library);
    for object in ARM64.aware() {
        build.arg("--lib").arg(object);
    }
    said(&mut build, 0);
    let data = fs::read(&library).unwrap();
    let image = object::File::parse(&*data).unwrap();
    let holds = |s: &object::Section<'_, '_>| {
        (s.address()..s.address() + s.size()).contains(&image.entry())
    };
    let code = image.sections().find(holds).expect("the entry's section");
    let code = &code.data().unwrap()[(image.entry() - code.address()) as usize..][..128];
    for reason in 1..=3_u32 {
        // cmp w1, #REASON
        let compares = (0x7100_003F | (reason << 10)).to_le_bytes();
        assert!(code.chunks(4).any(|word| word == compares), "{reason}: {code:02x?}");
    }
    let shim = place.rendered(&["--mode", "static"]).join("shim.c");
    for target in ["aarch64-pc-windows-msvc", "aarch64-w64-mingw32"] {
        let made = place.path("shim.o");
        let mut clang = Command::new("clang");
        clang.arg(format!("--target={target}")).args(["-std=c11", "-O2", "-ffreestanding"]);
        clang.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c"]).arg(&shim);
        said(clang.arg("-o").arg(&made), 0);
        let data = fs::read(made).unwrap();
        let made = object::File::parse(&*data).unwrap();
        for section in [".CRT$XLB", ".CRT$XLY"] {
            let size = made.section_by_name(section).map(|section| section.size());
            assert_eq!(size, Some(8), "{target}: {section}");
        }
    }
}

//! A heap that is a type in Rust: its crate's `cdylib` is the library, whose build script compiles the hooks.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use alloc8_gen::{Generator, artifact::Image};

use super::{
    bench::{Cpu, Crt, Wine, X64, X86, crate_source, said, source, tool},
    runs::{Place, uncounted},
};
use crate::common;

/// What a crate's build script says, when this test is run as one.
#[test]
#[ignore = "the build script of the others"]
fn build_script() {
    // What runs ignored tests, too, has no order for it.
    let Ok(kind) = std::env::var("ALLOC8_TEST_HOOK") else { return };
    let description = std::env::var_os("ALLOC8_TEST_DESCRIPTION").expect("a description");
    Generator::new("windows", description)
        .map(|generator| match kind.as_str() {
            "carried" => generator.carried(),
            "prefixed" => generator.prefixed("my"),
            hook => generator.hook(hook),
        })
        .and_then(|generator| generator.rust())
        .unwrap_or_else(|report| panic!("{report}"));
}

/// Runs this program as cargo runs build scripts; the options that cargo would pass on to rustc.
fn options(cpu: Cpu, description: &Path, hook: &str, out: &Path) -> Vec<String> {
    let mut script = Command::new(std::env::current_exe().unwrap());
    script.args(["--exact", "windows::crates::build_script", "--ignored", "--nocapture"]);
    script.env("OUT_DIR", out).env("ALLOC8_TEST_HOOK", hook);
    script.env("ALLOC8_TEST_DESCRIPTION", description);
    script.env("ALLOC8_MINHOOK", crate_source("minhook"));
    script.env("ALLOC8_DETOURS", crate_source("detours"));
    let target = cpu.target();
    let of_cargo = [
        ("TARGET", target.as_str()),
        ("HOST", "x86_64-unknown-linux-gnu"),
        ("OPT_LEVEL", "3"),
        ("DEBUG", "false"),
        ("CARGO_CFG_TARGET_ARCH", if cpu == X86 { "x86" } else { "x86_64" }),
        ("CARGO_CFG_TARGET_VENDOR", "pc"),
        ("CARGO_CFG_TARGET_OS", "windows"),
        ("CARGO_CFG_TARGET_ENV", "gnu"),
        ("CARGO_CFG_TARGET_ABI", ""),
    ];
    said_to_cargo(script.envs(of_cargo))
}

/// The options that cargo would pass on to rustc.
fn said_to_cargo(script: &mut Command) -> Vec<String> {
    let text = said(script.stdin(Stdio::null()), 0);
    let lines =
        text.lines().filter_map(|l| l.split_once("cargo:").map(|(_, l)| l.trim_start_matches(':')));
    let option = |line: &str| match line.split_once('=')? {
        ("rustc-link-lib", name) => Some(format!("-l{name}")),
        ("rustc-link-search", folder) => Some(format!("-L{folder}")),
        _ => None,
    };
    lines.filter_map(option).collect()
}

/// The same of a build script that does without alloc8-gen: it includes `alloc8.rs` beside the rendered shim.
fn options_of_fragment(cpu: Cpu, description: &Path, words: &[&str], out: &Path) -> Vec<String> {
    let mut generate = tool(&["generate", "-q", "-p", "windows", "--lang", "rust", "-a"]);
    said(generate.arg(description).args(words).arg("-o").arg(out.join("rendered")), 0);
    let rendered = fs::read_dir(out.join("rendered")).unwrap().next().unwrap().unwrap().path();
    fs::create_dir(out.join("alloc8")).unwrap();
    for name in ["shim.rs", "my.h"].iter().filter(|name| rendered.join(name).is_file()) {
        fs::copy(rendered.join(name), out.join("alloc8").join(name)).unwrap();
    }
    let text = format!(
        "#![deny(warnings)]\n#[path = {:?}]\nmod alloc8;\nfn main() {{ alloc8::link(); }}\n",
        rendered.join("alloc8.rs")
    );
    fs::write(out.join("build.rs"), text).unwrap();
    let script = out.join("build-script");
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
    rustc.args(["--edition", "2021", "--crate-name", "build_script"]);
    said(rustc.arg(out.join("build.rs")).arg("-o").arg(&script), 0);
    let mut script = Command::new(script);
    script.env("OUT_DIR", out).env("TARGET", cpu.target());
    script.env("CARGO_CFG_TARGET_ARCH", if cpu == X86 { "x86" } else { "x86_64" });
    script.env("ALLOC8_MINHOOK", crate_source("minhook"));
    said_to_cargo(script.env("ALLOC8_DETOURS", crate_source("detours")))
}

/// What rustc makes of a crate with this description, linked with the objects; `None`, and said so, without Rust's
/// library for the CPU.
pub(super) struct Crate<'a> {
    pub(super) text: &'a str,
    pub(super) description: PathBuf,
    pub(super) objects: Vec<PathBuf>,
    pub(super) options: &'a [&'a str],
}

impl Crate<'_> {
    pub(super) fn made(&self, cpu: Cpu, hook: &'static str, file: &str) -> Option<Place> {
        self.made_by(cpu, hook, file, |out| options(cpu, &self.description, hook, out))
    }

    /// The same with what another build script says, which has this folder.
    fn made_by(
        &self,
        cpu: Cpu,
        hook: &'static str,
        file: &str,
        script: impl Fn(&Path) -> Vec<String>,
    ) -> Option<Place> {
        let place = Place::empty(cpu, hook);
        let out = place.path("out");
        fs::create_dir(&out).unwrap();
        let of_script = script(&out);
        let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
        rustc.args(["--edition", "2024", "--crate-name", "hooks", "--check-cfg=cfg(program)"]);
        rustc.args(["-O", "-Cpanic=abort", "--target", &cpu.target()]).args(self.options);
        rustc.arg(format!("-Clinker={}", cpu.gcc())).args(of_script).env("OUT_DIR", &out);
        for object in &self.objects {
            rustc.arg(format!("-Clink-arg={}", object.display()));
        }
        // The hooks bring what their heap's objects call, and a heap in a library of its own has a C library.
        rustc.args((hook == "redirect").then_some("-Clink-arg=-lmsvcrt"));
        rustc.args(["-Clink-arg=-lkernel32", "-Clink-arg=-lgcc"]);
        rustc.arg(source(self.text)).arg("-o").arg(place.path(file));
        let output = rustc.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if text.contains("E0463") {
            common::skip("rust-std for Windows", "cargo xtask install");
            return None;
        }
        assert!(output.status.success() && text.is_empty(), "{rustc:?}\n{text}");
        Some(place)
    }
}

impl Crate<'_> {
    /// Its `staticlib` for x64 is linked with a program in C, and run.
    fn is_called(&self, wine: &Wine, place: &Place, mode: &str, text: &str) {
        let (archive, include) = (place.path("libheap.a"), place.path("out/alloc8"));
        let include = format!("-I{}", include.display());
        let mut words = vec![OsStr::new(&include), OsStr::new("-Wl,-u,malloc")];
        words.truncate(if mode == "carried" { 2 } else { 1 });
        words.push(archive.as_os_str());
        words.extend(self.objects.iter().map(|object| object.as_os_str()));
        let program = place.path("client.exe");
        // A module's own exports are what the client asks for.
        words.push(OsStr::new("-Wl,--export-all-symbols"));
        X64.program(Crt::Msvcrt, text, &words, &program);
        let run = wine.run(&program, &["module", "client.exe"]);
        assert!(run.counted("checks") >= 120 && run.counted("failed") == 0, "{mode}\n{}", run.text);
        assert_eq!(run.status, Some(0), "{mode}\n{}", run.text);
    }
}

/// The crate whose type counts, around simple_heap.
fn counted(cpu: Cpu, options: &'static [&'static str]) -> Crate<'static> {
    let description = source("counted_type.toml");
    Crate { text: "counted_type.rs", description, objects: uncounted(cpu), options }
}

/// Its `cdylib`.
fn built(cpu: Cpu, hook: &'static str) -> Option<Place> {
    counted(cpu, &["--crate-type", "cdylib"]).made(cpu, hook, "hooks.dll")
}

#[test]
fn a_program_in_rust_that_carries_the_heap_allocates_from_it_in_both_languages() {
    // That of 32 bits imports ws2_32.dll, which Wine 8 cannot start there.
    let Some(wine) = Wine::new() else { return };
    let program = counted(X64, &["--crate-type", "bin", "--cfg", "program"]);
    let Some(place) = program.made(X64, "carried", "program.exe") else { return };
    let mut prng = Command::new(X64.gcc());
    prng.arg("-shared").arg(source("prng.c")).arg("-ladvapi32");
    said(prng.arg("-o").arg(place.path("bcryptprimitives.dll")), 0);
    let run = wine.run(&place.path("program.exe"), &[]);
    assert!(run.counted("checks") >= 12 && run.counted("failed") == 0, "{}", run.text);
    assert!(run.counted("allocated") > 5000 && run.counted("foreign") >= 1, "{}", run.text);
    assert_eq!(run.status, Some(0), "{}", run.text);
}

#[test]
fn a_program_in_c_carries_a_crates_heap_and_calls_functions_under_a_prefix() {
    let Some(wine) = Wine::new() else { return };
    let library = counted(X64, &["--crate-type", "staticlib"]);
    for (mode, text) in [("carried", "client.c"), ("prefixed", "prefixed.c")] {
        let Some(place) = library.made(X64, mode, "libheap.a") else { return };
        library.is_called(wine, &place, mode, text);
    }
}

#[test]
fn a_crate_hooks_programs_of_32_bits_and_by_detours() {
    let Some(wine) = Wine::new() else { return };
    if let Some(place) = built(X64, "detours") {
        place.late(wine, Crt::Ucrt);
    }
    if wine.runs(X86)
        && let Some(place) = built(X86, "minhook")
    {
        place.late(wine, Crt::Msvcrt);
    }
}

#[test]
fn a_heap_that_is_a_type_in_rust_answers_as_one_in_c_does() {
    let Some(wine) = Wine::new() else { return };
    let Some(place) = built(X64, "minhook") else { return };
    let mut verify = tool(&["verify", "-a"]);
    verify.arg(source("counted_type.toml")).args(["--lang", "rust"]).arg(place.path("hooks.dll"));
    said(&mut verify, 0);
    place.injected(wine, Crt::Msvcrt);
    place.late(wine, Crt::Ucrt);
    if let Some(place) = built(X64, "iat") {
        place.late(wine, Crt::Msvcrt);
    }
}

/// Its crate's `cdylib` is the heap, and imports the hooks before the C library that Rust's start-up code has.
#[test]
fn a_heap_that_is_a_type_in_rust_answers_from_a_library_of_its_own() {
    let Some(wine) = Wine::new() else { return };
    for (cpu, crts) in [(X64, [Crt::Msvcrt, Crt::Ucrt]), (X86, [Crt::Msvcrt; 2])] {
        if !wine.runs(cpu) {
            continue;
        }
        let library = counted(cpu, &["--crate-type", "cdylib"]);
        let Some(place) = library.made(cpu, "redirect", "hooks-heap.dll") else { return };
        let hooks = place.path("counted_type-hooks.dll");
        fs::copy(place.path("out/alloc8/hooks/counted_type-hooks.dll"), &hooks).unwrap();
        let mut verify = tool(&["verify", "-a"]);
        verify.arg(source("counted_type.toml")).args(["--lang", "rust"]).arg(&hooks);
        said(&mut verify, 0);
        let imported = |file: &Path| {
            let image = Image::read(&fs::read(file).unwrap()).unwrap().remove(0);
            image.libraries.into_iter().map(|library| library.name).collect::<Vec<_>>()
        };
        let imports = imported(&place.path("hooks-heap.dll"));
        assert_eq!(imports[0], "counted_type-hooks.dll", "{imports:?}");
        assert!(imports.len() > 1, "{imports:?}");
        let own = |name: &String| ["kernel32.dll", "ntdll.dll"].contains(&&*name.to_lowercase());
        assert!(imported(&hooks).iter().all(own), "{:?}", imported(&hooks));
        place.linked(wine, crts[0]);
        place.late(wine, crts[1]);
    }
}

/// Without alloc8-gen in the build: `alloc8.rs` compiles what is C.
#[test]
fn a_build_script_makes_the_hooks_of_a_crate_without_the_tool() {
    let Some(wine) = Wine::new() else { return };
    let usual = [(X64, "minhook"), (X86, "iat")];
    let all = [(X64, "minhook"), (X86, "iat"), (X64, "detours"), (X86, "minhook")];
    let tried = if common::everything() { &all[..] } else { &usual[..] };
    for (cpu, hook) in tried.iter().copied().filter(|(cpu, _)| wine.runs(*cpu)) {
        let library = counted(cpu, &["--crate-type", "cdylib"]);
        let words: &[&str] = if hook == "minhook" { &[] } else { &["--hook", hook] };
        let script = |out: &Path| options_of_fragment(cpu, &library.description, words, out);
        let Some(place) = library.made_by(cpu, hook, "hooks.dll", script) else { return };
        place.late(wine, Crt::Msvcrt);
    }
    let library = counted(X64, &["--crate-type", "staticlib"]);
    let words = ["--mode", "prefixed", "--prefix", "my"];
    let script = |out: &Path| options_of_fragment(X64, &library.description, &words, out);
    if let Some(place) = library.made_by(X64, "prefixed", "libheap.a", script) {
        library.is_called(wine, &place, "prefixed", "prefixed.c");
    }
}

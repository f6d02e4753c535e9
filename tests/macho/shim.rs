//! The shims that the tool renders for macOS, in each language: built by zig with their heaps.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    allocator::{self, Allocator},
    plan::Plan,
    render::{self, Files, Inputs},
    spec::{self, Field},
};

use super::bench::{Cpu, stored, zig_cc, zig_cxx};
use crate::common;

/// A heap, and the file that has its functions.
pub(super) struct Heap {
    pub(super) allocator: Allocator,
    pub(super) source: PathBuf,
    /// What its compiler is told.
    pub(super) words: Vec<&'static str>,
}

fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Whether rustc has its own library for a CPU of macOS: else says what is skipped.
pub(super) fn has_rust(cpu: &Cpu) -> bool {
    let output = rustc().args(["--print", "target-libdir", "--target", cpu.rust]).output();
    let there = output
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if !there {
        common::skip(&format!("rust-{}", cpu.rust), &format!("rustup target add {}", cpu.rust));
    }
    there
}

/// Where each field of Apple's structures lies: pointers, but for the numbers. rendered.rs holds it against
/// the system's header.
pub(super) fn layout() -> Vec<(Field, usize)> {
    let zone = spec::platform("macos").unwrap().zone.unwrap();
    let mut all = Vec::new();
    for structure in [&zone.structure, &zone.introspection] {
        let mut next = 0_usize;
        for field in zone.fields.iter().filter(|field| field.structure == *structure) {
            let size = if field.declaration == "unsigned" { 4 } else { 8 };
            let at = next.next_multiple_of(size);
            next = at + size;
            all.push((field.clone(), at));
        }
    }
    assert_eq!(all.len(), 25 + 17);
    all
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Heap {
    /// The built-in one.
    pub(super) fn simple() -> Heap {
        Heap {
            allocator: allocator::built_in("simple_heap").unwrap().unwrap(),
            source: root().join("examples/simple_heap/simple_heap.c"),
            words: vec![],
        }
    }

    /// The one that counts what it is told of threads, under a policy.
    pub(super) fn aware(policy: &str) -> Heap {
        let description = root().join(format!("tests/macho/hooks/{policy}.toml"));
        Heap {
            allocator: allocator::read_file(&description).unwrap(),
            source: root().join("tests/fixtures/heaps/thread_aware.c"),
            words: if policy == "required" { vec!["-DAWARE_STRICT"] } else { vec![] },
        }
    }

    /// The shim in Rust, as rustc makes an object of a crate that has nothing else.
    fn object(&self, cpu: &Cpu) -> PathBuf {
        let module = stored("shim.rs", &self.files("rust")["shim.rs"]);
        let mut proof = String::new();
        for (field, at) in layout() {
            let name = if field.structure == "malloc_zone_t" { "Zone" } else { "Introspection" };
            let field = field.name;
            proof += &format!(
                "const _: () = assert!(core::mem::offset_of!({name}, {field}) == {at});\n"
            );
        }
        let text = format!(
            "#![no_std]\npub mod alloc8 {{ include!({module:?});\n{proof}}}\n\
             #[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n"
        );
        let mut rustc = rustc();
        rustc.args(["--edition=2024", "--crate-name=shim", "--crate-type=lib", "--emit=obj"]);
        rustc.args(["-Copt-level=2", "-Cpanic=abort", "-Ccodegen-units=1", "-Dwarnings"]);
        rustc.args(["--target", cpu.rust]).arg(stored("lib.rs", &text));
        super::bench::built(&cpu.named(&format!("{}-rust-shim.o", self.allocator.name)), &mut rustc)
    }

    fn files(&self, lang: &str) -> Files {
        let macos = spec::platform("macos").unwrap();
        let (plan, _) = Plan::new(&macos, &self.allocator).unwrap();
        let inputs =
            Inputs { lang: lang.to_owned(), ..Inputs::interposer("macos", &self.allocator.name) };
        render::render(&plan, &inputs).unwrap()
    }

    /// The dylib: no warning is let pass in the shim.
    pub(super) fn dylib(&self, cpu: &Cpu, lang: &str) -> PathBuf {
        let named = |end: &str| cpu.named(&format!("{}-{lang}{end}", self.allocator.name));
        let shim = match lang {
            "cpp" => {
                let header = stored("shim.hpp", &self.files(lang)["shim.hpp"]);
                let folder = format!("-I{}", header.parent().unwrap().display());
                let mut text = "#include \"shim.hpp\"\n".to_owned();
                for (field, at) in layout() {
                    let place = format!(
                        "__builtin_offsetof(alloc8::apple::{}, {})",
                        field.structure, field.name
                    );
                    text += &format!("static_assert({place} == {at});\n");
                }
                let text = stored("shim.cpp", &text);
                let standard = if cpu.lld == "x86_64" { "-std=c++17" } else { "-std=c++20" };
                zig_cxx(cpu, &[standard, &folder]).args([text]).built(&named("-shim.o"))
            }
            "rust" => self.object(cpu),
            _ => {
                let text = stored("shim.c", &self.files(lang)["shim.c"]);
                let strict = ["-c", "-Wpedantic", "-std=c11"];
                zig_cc(cpu, &strict).args([text]).built(&named("-shim.o"))
            }
        };
        // What the source includes is told apart by where the copy lies.
        let folder = format!("-I{}", self.source.parent().unwrap().display());
        let source = std::fs::read_to_string(&self.source).unwrap();
        let source = stored(self.source.file_name().unwrap().to_str().unwrap(), &source);
        let install = format!("@rpath/{}.dylib", self.allocator.name);
        let mut words = vec!["-dynamiclib", "-install_name", install.as_str(), &folder];
        words.extend(&self.words);
        zig_cc(cpu, &words).args([shim, source]).built(&named(".dylib"))
    }
}

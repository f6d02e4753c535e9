//! The library of each cell, compiled and linked by hand as a vendor does: nothing but what the cell
//! says, `-shared`, `-fPIC` and the version script. Only direct bindings come from the fragment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    allocator,
    interposer::Interposer,
    plan::Plan,
    render::{self, Inputs},
    spec,
    toolchain::Compiler,
};
use tempfile::TempDir;

use super::{
    cells::Cell,
    shim::{self, Heap},
    table::{compiler, has_lld},
};
use crate::heaps;

/// What distributions build and link packages with.
const COMPILE: &[&str] = &[
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=3",
    "-fstack-protector-strong",
    "-fcf-protection",
    "-flto",
];
const LINK: &[&str] = &["-Wl,-Bsymbolic-functions", "-Wl,-z,relro,-z,now", "-Wl,--as-needed"];

/// What they build crates with: Debian's and Ubuntu's dh-cargo, Fedora's %build_rustflags.
const RUSTFLAGS: &[&str] = &[
    "-Cdebuginfo=2",
    "-Cstrip=none",
    "-Ccodegen-units=1",
    "-Cforce-frame-pointers=yes",
    "--cap-lints=warn",
    "--remap-path-prefix=/usr/src=/registry",
];

/// What the fragments, and `build`, link with after whatever came before.
const MENDED: &[&str] = &["-Wl,-Bno-symbolic", "-Wl,-z,initfirst"];

/// A class, inlined.
const CLASS: &str =
    "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
const HEADER: &str = "#include \"shim.hpp\"\n";
/// Nothing in it unwinds; without optimization the compiler's own code names what unwinding would need.
const CRATE: &str = "#![no_std]\n#![deny(warnings)]\npub mod alloc8 { include!(\"shim.rs\"); }\n\
                     #[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }\n\
                     core::arch::global_asm!(\".globl rust_eh_personality\",\n\
                     \".hidden rust_eh_personality\", \".set rust_eh_personality, 0\");\n";
/// A type, inlined: that of examples/rust_cdylib.
const TYPE: &str = "mod pages;\npub use pages::Pages;\n";

/// Everything that a library is made of, in one folder.
struct Kit {
    work: TempDir,
    maker: Compiler,
    /// Of the heap; none for a type.
    archive: Option<PathBuf>,
    map: PathBuf,
    libs: Vec<String>,
}

/// Makes a cell's library; `None`, and said so, if a tool is missing.
pub(super) fn library(cell: &Cell) -> Option<(TempDir, PathBuf)> {
    let maker = compiler(cell.maker)?;
    let bytecode = cell.level.contains("-flto") || cell.dress != "plain";
    if bytecode && cell.lang != "rust" && maker.name() == "clang" && !has_lld() {
        return None;
    }
    let kit = Kit::new(cell, maker);
    let made = match (cell.lang, cell.form) {
        ("c", "direct") => kit.by_fragment(cell),
        ("c", _) => kit.by_compiler(&kit.maker, "shim.c", cell),
        ("c++", form) => {
            let text = if form == "inlined" { CLASS } else { HEADER };
            fs::write(kit.at("library.cpp"), text).unwrap();
            kit.by_compiler(&kit.maker.cxx().unwrap(), "library.cpp", cell)
        }
        _ => kit.by_rustc(cell),
    };
    Some((kit.work, made))
}

impl Kit {
    fn new(cell: &Cell, maker: Compiler) -> Kit {
        let lang = if cell.lang == "c++" { "cpp" } else { cell.lang };
        let heap = shim::every_heap().into_iter().find(|heap| heap.name == cell.heap);
        let plan = match (&heap, cell.heap) {
            // As `build` completes and measures it.
            (Some(heap), _) => {
                let Interposer { plan, .. } = shim::interposer(heap, &maker);
                plan
            }
            (None, "free_list") => of_description(&heaps::heap("free_list.toml")),
            (None, _) => of_description(&heaps::root().join("examples/rust_cdylib/pages.toml")),
        };
        let inputs = Inputs { lang: lang.to_owned(), ..Inputs::interposer("linux", cell.heap) };
        let work = TempDir::new().unwrap();
        for (name, text) in render::render(&plan, &inputs).unwrap() {
            fs::write(work.path().join(name), text).unwrap();
        }
        let archive = heap.as_ref().map(|heap| archive(heap, &maker, work.path()));
        let map = work.path().join(format!("exports.{}.map", plan.platform.abis[0].name));
        Kit { work, maker, archive, map, libs: plan.allocator.libs }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn by_compiler(&self, driver: &Compiler, source: &str, cell: &Cell) -> PathBuf {
        let library = self.at("libmade.so");
        let mut command = driver.command();
        command.args(cell.level.split_whitespace());
        let (compile, link) = dress(cell);
        command.args(compile).args(link);
        if driver.name().contains("clang") && (cell.level.contains("-flto") || !compile.is_empty())
        {
            command.arg("-fuse-ld=lld");
        }
        // Each standard that the headers are for, by one of them.
        let standard = if cell.maker == "gcc" { "-std=c++17" } else { "-std=c++20" };
        command.args((cell.lang == "c++").then_some(standard));
        command.args(["-shared", "-fPIC"]).arg(self.at(source));
        command.arg(format!("-I{}", heaps::heap("").display()));
        command.args(&self.archive);
        command.arg(format!("-Wl,--version-script={}", self.map.display()));
        command.args(self.libs.iter().map(|lib| format!("-l{lib}")));
        heaps::run(command.arg("-o").arg(&library));
        library
    }

    /// By alloc8.mk, with the cell's flags as CFLAGS and LDFLAGS.
    fn by_fragment(&self, cell: &Cell) -> PathBuf {
        let (compile, link) = dress(cell);
        let flags =
            [&cell.level.split_whitespace().collect::<Vec<_>>(), compile].concat().join(" ");
        let lld = cell.maker == "clang" && flags.contains("-flto");
        let link = link.into_iter().chain(lld.then_some("-fuse-ld=lld"));
        let link = link.collect::<Vec<_>>().join(" ");
        let archive = self.archive.as_ref().expect("functions").display();
        let text = format!(
            "ALLOC8_ARCHIVE = {archive}\nALLOC8_LIBRARY = libmade.so\nALLOC8_LIBS = {}\n\
             include alloc8.mk\n",
            self.libs.iter().map(|lib| format!("-l{lib}")).collect::<Vec<_>>().join(" ")
        );
        fs::write(self.at("Makefile"), text).unwrap();
        let mut make = Command::new("make");
        make.current_dir(self.work.path()).args(["-s", "libmade.so", "ALLOC8_GEN="]);
        make.arg(format!("CC={}", cell.maker)).arg(format!("CFLAGS={flags}"));
        heaps::run(make.arg(format!("LDFLAGS={link}")).env_remove("MAKEFLAGS"));
        self.at("libmade.so")
    }

    fn by_rustc(&self, cell: &Cell) -> PathBuf {
        let mut text = CRATE.to_owned();
        if self.archive.is_none() {
            text += TYPE;
            let pages = heaps::root().join("examples/rust_cdylib/src/pages.rs");
            fs::copy(pages, self.at("pages.rs")).unwrap();
        }
        fs::write(self.at("lib.rs"), text).unwrap();
        let library = self.at("libmade.so");
        let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
        rustc.args(["--edition=2024", "-Cpanic=abort", "--crate-type=cdylib"]);
        rustc.args(match cell.level {
            "-O0" => &["-Copt-level=0"][..],
            "-O2" => &["-Copt-level=2"],
            _ => &["-Copt-level=3", "-Clto=fat"],
        });
        let (compile, link) = dress(cell);
        rustc.args(if compile.is_empty() { &[] } else { RUSTFLAGS });
        rustc.arg(format!("-Clinker={}", cell.maker));
        rustc.args(link.iter().map(|option| format!("-Clink-arg={option}")));
        if self.archive.is_some() {
            rustc.arg("-lstatic=heap").arg("-L").arg(self.work.path());
        }
        heaps::run(rustc.arg(self.at("lib.rs")).arg("-o").arg(&library));
        library
    }
}

/// What compiles, and what links, beyond the level.
fn dress(cell: &Cell) -> (&'static [&'static str], Vec<&'static str>) {
    match cell.dress {
        "plain" => (&[], Vec::new()),
        "symbolic" => (COMPILE, LINK.to_vec()),
        _ => (COMPILE, [LINK, MENDED].concat()),
    }
}

fn of_description(file: &Path) -> Plan {
    let allocator = allocator::read_file(file).unwrap();
    Plan::new(&spec::platform("linux").unwrap(), &allocator).unwrap().0
}

fn archive(heap: &Heap, maker: &Compiler, work: &Path) -> PathBuf {
    let simple = || heaps::root().join("examples/simple_heap/simple_heap.c");
    let source = heap.source.map_or_else(simple, heaps::heap);
    heaps::archive(maker, &[&source], work, &[])
}

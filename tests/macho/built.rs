//! What `build -p macos` makes: read back, joined, and run on the loader under every law.

use std::{fs, path::Path, process::Command};

use alloc8_gen::{allocator, artifact::Darwin};
use object::read::macho::MachOFatFile32;

use super::bench::{Bench, NEW, benches, sources, stored, zig_cc};
use crate::{
    common,
    tool::{Ran, folder, tool},
};

/// The tool with zig and its cache.
fn tool_in(place: &Path, arguments: &[&str]) -> Command {
    let mut command = tool(place);
    let zig = common::zig().expect("benches() asked for it");
    let words: Vec<_> = std::iter::once(zig.get_program()).chain(zig.get_args()).collect();
    command.env("ALLOC8_ZIG", words.join(std::ffi::OsStr::new(" ")));
    command.envs(zig.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(arguments);
    command
}

pub(super) fn ran(place: &Path, arguments: &[&str]) -> Ran {
    Ran::new(&mut tool_in(place, arguments))
}

pub(super) fn triple(bench: &Bench) -> &'static str {
    if bench.cpu.lld == "arm64" { "aarch64-apple-darwin" } else { "x86_64-apple-darwin" }
}

/// The names that an image exports.
pub(super) fn exports(file: &Path) -> Vec<String> {
    let data = fs::read(file).unwrap();
    let image = Darwin::read(&data).unwrap().remove(0);
    image.image.exports.into_iter().map(|export| export.name).collect()
}

#[test]
fn what_build_makes_keeps_every_law() {
    for bench in benches() {
        let place = folder();
        let words = ["build", "-p", "macos", "--target", triple(&bench), "-o", "heap.dylib"];
        let built = ran(place.path(), &words).exits(0).says(&["A8705", "not measured"]);
        assert!(built.out.contains("22 symbols bound"), "{}", built.all());
        ran(place.path(), &["verify", "heap.dylib", "-a", "simple_heap"]).exits(0);
        let library = place.path().join("heap.dylib");
        bench.run(&[], &[&library], "simple_heap", true).is_good(NEW, bench.cpu.zig);
        let own = |name: &String| name.starts_with("simple_");
        assert!(!exports(&library).iter().any(own), "{:?}", exports(&library));
    }
}

#[test]
fn a_universal_library_is_both_of_its_slices() {
    if benches().is_empty() {
        return;
    }
    let place = folder();
    let built = ran(place.path(), &["build", "-p", "macos"]).exits(0);
    assert!(built.out.contains("(x86_64, arm64)"), "{}", built.all());
    let whole = fs::read(place.path().join("libsimple_heap-alloc8.dylib")).unwrap();
    let table = MachOFatFile32::parse(&*whole).unwrap();
    for (arch, target) in table.arches().iter().zip(["x86_64-apple-darwin", "aarch64-apple-darwin"])
    {
        let name = "one/libsimple_heap-alloc8.dylib";
        fs::create_dir_all(place.path().join("one")).unwrap();
        ran(place.path(), &["build", "-p", "macos", "--target", target, "-o", name]).exits(0);
        use object::read::macho::FatArch;
        let (offset, size) = arch.file_range();
        assert_eq!(offset % 0x4000, 0, "slices begin at pages");
        let slice = &whole[offset as usize..(offset + size) as usize];
        assert!(fs::read(place.path().join(name)).unwrap() == slice, "{target}");
    }
    let told = ran(place.path(), &["verify", "libsimple_heap-alloc8.dylib", "--format", "json"]);
    let verdicts: Vec<_> =
        told.exits(0).json().into_iter().filter(|line| line["reason"] == "verdict").collect();
    let slices: Vec<_> = verdicts.iter().map(|v| v["slice"].as_str().unwrap()).collect();
    assert_eq!(slices, ["x86_64", "arm64"]);
}

/// The names of simple_heap's that the archive below has without its prefix.
const BARE: [&str; 5] = ["malloc", "free", "calloc", "realloc", "memalign"];

/// simple_heap as an archive with the C library's own names, for both processors in one file, and its
/// description.
fn bare(benches: &[Bench], place: &Path) {
    let built_in = allocator::built_in("simple_heap").unwrap().unwrap();
    let lines = built_in.source.text.lines().filter(|line| {
        !["source", "archive", "name", "title"].iter().any(|key| line.starts_with(key))
    });
    let mut text = String::from("name = \"bare\"\nexport = [\"simple_heap_owns\"]\n");
    for line in lines {
        let bare = BARE.iter().find(|name| line.contains(&format!("\"simple_heap_{name}\"")));
        text += &bare.map_or(line.to_owned(), |_| line.replace("simple_heap_", ""));
        text.push('\n');
    }
    fs::write(place.join("bare.toml"), text).unwrap();
    let mut parts = Vec::new();
    for bench in benches {
        let renames = BARE.map(|name| format!("-Dsimple_heap_{name}={name}"));
        let words: Vec<_> =
            renames.iter().map(String::as_str).chain(["-c", "-fvisibility=default"]).collect();
        let source = sources("../../examples/simple_heap/simple_heap.c");
        let source = stored("simple_heap.c", &fs::read_to_string(source).unwrap());
        let object = zig_cc(bench.cpu, &words).args([source]).built(&bench.cpu.named("bare.o"));
        let archive = place.join(bench.cpu.named("bare.a"));
        let mut ar = common::zig().unwrap();
        assert!(ar.args(["ar", "rcs"]).arg(&archive).arg(object).status().unwrap().success());
        parts.push(archive);
    }
    let whole = place.join("libbare.a");
    // As lipo writes it: the table of two, and each part at a page.
    let mut file = [0xcafe_babe_u32.to_be_bytes(), (parts.len() as u32).to_be_bytes()].concat();
    let datas: Vec<_> = parts.iter().map(|part| fs::read(part).unwrap()).collect();
    let mut offset = 0x4000_u32;
    for (bench, data) in benches.iter().zip(&datas) {
        let (cpu, sub) = if bench.cpu.lld == "arm64" { (0x0100_000c, 0) } else { (0x0100_0007, 3) };
        for number in [cpu, sub, offset, data.len() as u32, 14] {
            file.extend(u32::to_be_bytes(number));
        }
        offset = (offset + data.len() as u32).next_multiple_of(0x4000);
    }
    for data in &datas {
        file.resize(file.len().next_multiple_of(0x4000), 0);
        file.extend(data);
    }
    fs::write(&whole, file).unwrap();
}

#[test]
fn an_archive_with_the_systems_own_names_is_bound_and_hidden() {
    let benches = benches();
    if benches.len() < 2 {
        return;
    }
    let place = folder();
    bare(&benches, place.path());
    for bench in &benches {
        let words = ["build", "-p", "macos", "-a", "bare", "--lib", "libbare.a", "--target"];
        let words = [&words[..], &[triple(bench), "-o", "bare.dylib"]].concat();
        ran(place.path(), &words).exits(0);
        ran(place.path(), &["verify", "bare.dylib", "-a", "bare"]).exits(0);
        let library = place.path().join("bare.dylib");
        let exports = exports(&library);
        let own: Vec<_> = exports.iter().filter(|name| !name.starts_with('_')).collect();
        assert_eq!(own, ["simple_heap_owns"], "what `export` names, and no more");
        bench.run(&[], &[&library], "bare", true).is_good(NEW, bench.cpu.zig);
    }
}

#[test]
fn clang_and_lld_link_an_archive_without_any_sdk() {
    let benches = benches();
    let has = |name: &str| Command::new(name).arg("--version").output().is_ok();
    if !has("clang") || !["ld64.lld", "ld64.lld-19", "ld64.lld-14"].into_iter().any(has) {
        return common::skip("ld64.lld", "apt-get install clang lld-19");
    }
    if benches.len() < 2 {
        return;
    }
    let place = folder();
    bare(&benches, place.path());
    for bench in &benches {
        let cc = format!("clang --target={}-apple-macos11.0", bench.cpu.lld);
        let words = ["build", "-p", "macos", "-a", "bare", "--lib", "libbare.a", "--cc", &cc];
        let words = [&words[..], &["--target", triple(bench), "-o", "bare.dylib"]].concat();
        ran(place.path(), &words).exits(0);
        let library = place.path().join("bare.dylib");
        bench.run(&[], &[&library], "bare", true).is_good(NEW, bench.cpu.zig);
    }
}

#[test]
fn an_archive_for_another_processor_is_refused() {
    let benches = benches();
    let Some(bench) = benches.iter().find(|bench| bench.cpu.lld == "x86_64") else { return };
    let place = folder();
    bare(std::slice::from_ref(bench), place.path());
    let words = ["build", "-p", "macos", "-a", "bare", "--lib", "libbare.a", "--target"];
    let words = [&words[..], &["aarch64-apple-darwin"]].concat();
    ran(place.path(), &words).exits(2).says(&["A8406", "has no part for aarch64"]);
}

#[test]
fn without_a_compiler_build_says_what_to_install() {
    let place = folder();
    let mut command = tool(place.path());
    command.env("PATH", place.path()).env_remove("ALLOC8_ZIG").args(["build", "-p", "macos"]);
    Ran::new(&mut command).exits(2).says(&["A8401", "pip install ziglang"]);
}

#[test]
fn what_build_cannot_make_for_macos_is_refused() {
    let place = folder();
    ran_without_zig(place.path(), &["build", "-p", "macos", "--lang", "rust"])
        .exits(2)
        .says(&["A8202", "Generator::rust"]);
    ran_without_zig(place.path(), &["build", "-p", "macos", "--cc", "clang"])
        .exits(2)
        .says(&["A8914", "--target aarch64-apple-darwin"]);
}

#[test]
fn run_starts_nothing_where_there_is_no_mac() {
    let place = folder();
    ran_without_zig(place.path(), &["run", "-p", "macos", "--", "/bin/true"])
        .exits(125)
        .says(&["A8676", "do not run here"]);
}

fn ran_without_zig(place: &Path, arguments: &[&str]) -> Ran {
    Ran::new(tool(place).args(arguments))
}

/// A program for macOS with these bytes changed.
fn program(bench: &Bench, place: &Path, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let source = place.join("program.c");
    fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let mut data =
        fs::read(zig_cc(bench.cpu, &[]).args([source]).built(&bench.cpu.named(name))).unwrap();
    change(&mut data);
    fs::write(place.join(name), data).unwrap();
}

/// Where the signature's directory of code begins: its flags lie 12 bytes behind.
fn code_directory(data: &[u8]) -> usize {
    let magic = 0xfade_0c02_u32.to_be_bytes();
    data.windows(4).rposition(|window| window == magic).expect("a signature")
}

#[test]
fn whether_a_program_takes_an_insertion_is_read_from_its_file() {
    let benches = benches();
    let Some(bench) = benches.iter().find(|bench| bench.cpu.lld == "arm64") else { return };
    let place = folder();
    fs::copy(bench.control("none"), place.path().join("heap.dylib")).unwrap();
    let asked = |name: &str| ran(place.path(), &["verify", "heap.dylib", "--program", name]);
    program(bench, place.path(), "plain", |_| {});
    assert!(asked("plain").exits(0).out.contains("an insertion takes effect"));
    program(bench, place.path(), "hardened", |data| {
        let at = code_directory(data) + 12;
        data[at + 1] |= 1; // CS_RUNTIME
    });
    asked("hardened").exits(1).says(&["A8673", "A8674", "disable-library-validation"]);
    program(bench, place.path(), "pointers-signed", |data| {
        data[8] = 2; // CPU_SUBTYPE_ARM64E
    });
    asked("pointers-signed").exits(1).says(&["A8675", "runs as arm64e"]);
    fs::write(place.path().join("script"), "#!/bin/sh\n").unwrap();
    // The shell here is no file of macOS; there it is one of the system's.
    asked("script").exits(2).says(&["A8664"]);
}

//! Mach-O and PE: images, objects, import libraries.

use super::cross::{self, CPUS};
use super::toolbox::{Toolbox, skip};
use alloc8_gen::artifact::image::*;
use alloc8_gen::artifact::*;
use std::path::Path;

fn exports(image: &Image) -> Vec<&str> {
    let mut names: Vec<_> = image.exports.iter().map(|e| e.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn is_the_heap(image: &Image) {
    assert_eq!((image.format, image.kind), (ImageFormat::MachO, ImageKind::Library));
    assert_eq!(image.class, Class::Elf64);
    assert_eq!(image.name.as_deref(), Some("@rpath/libheap.dylib"));
    assert_eq!(exports(image), ["heap_free", "heap_malloc"]);
    let libraries: Vec<_> = image.libraries.iter().map(|l| (l.name.as_str(), l.wanted)).collect();
    assert_eq!(libraries, [("/usr/lib/libSystem.B.dylib", LibraryUse::Required)]);
    let malloc = image.import("malloc").expect("imported");
    assert_eq!(malloc.library.as_deref(), Some("/usr/lib/libSystem.B.dylib"));
    assert!(!malloc.weak && image.import("outside").expect("imported").weak);
    assert_eq!(image.interpose_pairs, 1);
}

#[test]
fn a_mach_o_library_says_what_it_offers_and_takes() {
    if !cross::can_build() {
        return;
    }
    for ((arch, _), machine) in CPUS.iter().zip([Machine::X86_64, Machine::Aarch64]) {
        let images = Image::read(&cross::dylib("lld", arch, "")).expect("a library");
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].machine, Some(machine));
        is_the_heap(&images[0]);
    }
}

#[test]
fn chained_fixups_tell_imports_too() {
    if !cross::can_build() {
        return;
    }
    let Some(linker) = cross::rust_lld() else {
        return skip("rust-lld", "rustup component add llvm-tools");
    };
    let images = Image::read(&cross::dylib(&linker, "arm64", "-fixup_chains")).expect("a library");
    is_the_heap(&images[0]);
}

#[test]
fn a_universal_file_has_an_image_for_each_processor() {
    if !cross::can_build() {
        return;
    }
    let parts = CPUS.map(|(arch, cpu)| (cpu, cross::dylib("lld", arch, "")));
    let parts = [(parts[0].0, parts[0].1.as_slice()), (parts[1].0, parts[1].1.as_slice())];
    let images = Image::read(&cross::universal(&parts)).expect("two libraries");
    let machines: Vec<_> = images.iter().map(|i| i.machine).collect();
    assert_eq!(machines, [Some(Machine::X86_64), Some(Machine::Aarch64)]);
    images.iter().for_each(is_the_heap);
}

#[test]
fn a_re_export_names_its_library() {
    if !cross::can_build() {
        return;
    }
    let more = "-alias _heap_malloc _other_malloc -reexport_library libSystem.tbd";
    let images = Image::read(&cross::dylib("lld", "x86_64", more)).expect("a library");
    let wanted: Vec<_> = images[0].libraries.iter().map(|l| l.wanted).collect();
    assert!(wanted.contains(&LibraryUse::Reexported), "{wanted:?}");
}

#[test]
fn mach_o_members_have_c_s_names() {
    if !cross::can_build() {
        return;
    }
    let tools = Toolbox::new();
    std::fs::write(tools.path("in.o"), cross::darwin_object("x86_64")).expect("written");
    tools.run("ar rcS in.a in.o");
    let archive = Archive::read(&tools.read("in.a")).expect("an archive");
    let member = &archive.members[0];
    assert_eq!((member.format, member.problem.as_deref()), (Format::MachO, None));
    assert_eq!((member.machine, member.class), (Some(Machine::X86_64), Some(Class::Elf64)));
    assert_eq!(
        archive.names().into_iter().collect::<Vec<_>>(),
        ["heap_free", "heap_malloc", "hidden_one"]
    );
    assert_eq!(archive.imports_of(["malloc"]), [("in.o", "malloc")]);
    let free = archive.definition("heap_free").expect("defined").1;
    assert_eq!((free.bind, free.kind), (Bind::Weak, SymbolKind::Function));
    assert!(archive.hidden_functions().any(|(_, s)| s.name == "hidden_one"));
    let whole = tools.read("in.a");
    let both = cross::universal(&[(CPUS[0].1, &whole), (CPUS[1].1, &whole)]);
    assert_eq!(Archive::read(&both).expect("two archives").members.len(), 2);
}

#[test]
fn a_dll_says_what_it_offers_and_takes() {
    if !cross::can_build() {
        return;
    }
    for (arch, machine, class) in
        [("x86_64", Machine::X86_64, Class::Elf64), ("i686", Machine::X86, Class::Elf32)]
    {
        let files = cross::windows(arch);
        let runtime = &Image::read(&files.runtime).expect("a library")[0];
        assert_eq!((runtime.format, runtime.kind), (ImageFormat::Pe, ImageKind::Library));
        assert_eq!((runtime.machine, runtime.class), (Some(machine), class));
        assert_eq!(runtime.name.as_deref(), Some("ucrtbase.dll"));
        assert_eq!(exports(runtime), ["#7", "environ_", "forwarded", "free", "malloc"]);
        let forwarded = runtime.exports.iter().find(|e| e.name == "forwarded").expect("there");
        // lld decorates the other library's name too.
        assert!(forwarded.forward.as_deref().is_some_and(|f| f.ends_with("other.real")));
        assert_eq!(runtime.libraries, []);
        let user = &Image::read(&files.user).expect("a library")[0];
        assert!(user.exports("heap_malloc") && !user.exports("malloc"));
        let malloc = user.import("malloc").expect("imported");
        assert_eq!(malloc.library.as_deref(), Some("ucrtbase.dll"));
        assert_eq!(user.libraries[0].name, "ucrtbase.dll");
    }
}

#[test]
fn an_import_library_says_what_its_dll_exports() {
    if !cross::can_build() {
        return;
    }
    for arch in ["x86_64", "i686"] {
        let files = cross::windows(arch);
        let archive = Archive::read(&files.import_library).expect("an archive");
        assert_eq!(archive.dlls().into_iter().collect::<Vec<_>>(), ["ucrtbase.dll"]);
        let exports: Vec<_> = archive.dll_exports().into_iter().collect();
        assert_eq!(exports, ["#7", "environ_", "forwarded", "free", "malloc"], "{arch}");
        assert!(archive.defines("malloc") && archive.defines("__imp_malloc"));
        assert!(archive.defines("bynumber") && !archive.defines("environ_"));
    }
}

#[test]
fn coff_members_have_c_s_names() {
    if !cross::can_build() {
        return;
    }
    for (arch, class) in [("x86_64", Class::Elf64), ("i686", Class::Elf32)] {
        let archive = Archive::read(&cross::windows(arch).object).expect("an object");
        assert_eq!(
            (archive.members[0].format, archive.members[0].class),
            (Format::Coff, Some(class))
        );
        assert!(archive.defines("heap_malloc"), "{:?}", archive.names());
        assert_eq!(archive.imports_of(["__imp_malloc"]).len(), 1);
        assert_eq!(archive.members[0].problem, None);
    }
}

#[test]
fn mingw_s_import_libraries_are_read() {
    for (folder, machine) in [("x86_64", Machine::X86_64), ("i686", Machine::X86)] {
        let folder = format!("/usr/{folder}-w64-mingw32/lib");
        if !Path::new(&folder).is_dir() {
            skip("mingw-w64", "apt-get install mingw-w64-x86-64-dev mingw-w64-i686-dev");
            continue;
        }
        for (name, dll) in [("libmsvcrt-os.a", "msvcrt.dll"), ("libucrtbase.a", "ucrtbase.dll")] {
            let data = std::fs::read(format!("{folder}/{name}")).expect("readable");
            let archive = Archive::read(&data).expect("an archive");
            let broken: Vec<_> = archive.members.iter().filter(|m| m.problem.is_some()).collect();
            assert!(broken.is_empty(), "{name}: {broken:?}");
            assert!(archive.members.iter().all(|m| m.machine == Some(machine)), "{name}");
            assert!(archive.dlls().iter().any(|d| d.eq_ignore_ascii_case(dll)), "{name}");
            let exports = archive.dll_exports();
            assert!(exports.len() > 1000, "{name}: {}", exports.len());
            for known in ["malloc", "free", "calloc", "realloc", "_aligned_malloc", "_msize"] {
                assert!(exports.contains(known), "{name} lacks {known}");
                assert!(archive.defines(known), "{name} lacks {known}");
            }
            // What mingw adds by code of its own is no export of the DLL.
            assert!(archive.definitions().count() > exports.len());
        }
    }
}

#[test]
fn other_kinds_of_files_are_no_images() {
    let error = |data: &[u8]| Image::read(data).expect_err("no image").to_string();
    assert_eq!(error(b""), "not a Mach-O or PE file but an empty file");
    assert_eq!(error(b"#!/bin/sh"), "not a Mach-O or PE file but a script");
    // A Java class of version 52 begins as a universal file does.
    let class = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52];
    assert_eq!(error(&class), "not a Mach-O or PE file but something else");
    if cross::can_build() {
        let object = cross::darwin_object("arm64");
        assert_eq!(error(&object), "not a library or program but a relocatable object");
    }
}

/// A Mach-O file of the given kind with 16384 symbols, all of which have one name of 512 KiB.
fn one_long_name(kind: u32, symbol: [u8; 16]) -> Vec<u8> {
    let (count, size) = (1u32 << 14, 1u32 << 19);
    let header = [0xfeed_facf, 0x0100_000c, 0, kind, 1, 24, 0, 0];
    let table = [2, 24, 56, count, 56 + 16 * count, size + 1];
    let mut data: Vec<u8> = header.iter().chain(&table).flat_map(|w| w.to_le_bytes()).collect();
    data.extend(symbol.repeat(count as usize));
    data.resize(data.len() + size as usize, b'a');
    data.push(0);
    data
}

#[test]
fn names_of_other_formats_cannot_be_multiplied() {
    const OBJECT: u32 = 1;
    const LIBRARY: u32 = 6;
    let wanted = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let error = Image::read(&one_long_name(LIBRARY, wanted)).expect_err("too many names");
    assert!(error.to_string().contains("far larger than the file"), "{error}");
    let member = Member::read("", &one_long_name(OBJECT, wanted));
    let problem = member.problem.expect("a problem");
    assert!(problem.contains("far larger than the file"), "{problem}");
}

#[test]
fn slices_cannot_be_multiplied() {
    let mut data = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
    for _ in 0..2 {
        let slice = [CPUS[0].1, 0, 48, 64, 0];
        data.extend(slice.iter().flat_map(|word: &u32| word.to_be_bytes()));
    }
    data.resize(112, 0);
    let error = Image::read(&data).expect_err("overlapping").to_string();
    assert_eq!(error, "malformed: its slices overlap");
    assert_eq!(Archive::read(&data).expect_err("overlapping").to_string(), error);
}

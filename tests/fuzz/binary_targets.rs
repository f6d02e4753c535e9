//! Readers of binaries: ELF, archives and objects, Mach-O and PE.

use super::binary_seeds;
use super::cage::Target;
use alloc8_gen::artifact::program::Mode;
use alloc8_gen::artifact::*;
use alloc8_gen::preload::darwin;
use alloc8_gen::spec::{self, Platform};
use alloc8_gen::toolchain::join_for_windows;
use alloc8_gen::verify::{self, image, macho};
use std::collections::BTreeMap;
use std::sync::OnceLock;

#[test]
fn a_broken_elf_file_is_an_error_or_less() {
    let (seeds, read) = (binary_seeds::elf, elf as fn(&[u8]));
    let name = "a_broken_elf_file_is_an_error_or_less";
    Target { module: module_path!(), name, inputs: 4000, words: &[], seeds, read }.run();
}

#[test]
fn a_broken_archive_is_an_error_or_less() {
    let (seeds, read) = (binary_seeds::archives, archive as fn(&[u8]));
    let name = "a_broken_archive_is_an_error_or_less";
    Target { module: module_path!(), name, inputs: 5000, words: &[], seeds, read }.run();
}

#[test]
fn a_broken_image_is_an_error_or_less() {
    let (seeds, read) = (binary_seeds::images, images as fn(&[u8]));
    let name = "a_broken_image_is_an_error_or_less";
    Target { module: module_path!(), name, inputs: 6000, words: &[], seeds, read }.run();
}

#[test]
fn a_broken_object_of_windows_is_not_joined_or_gives_an_object() {
    let (seeds, read) = (binary_seeds::windows_objects, joined as fn(&[u8]));
    let name = "a_broken_object_of_windows_is_not_joined_or_gives_an_object";
    Target { module: module_path!(), name, inputs: 3000, words: DIRECTIVES, seeds, read }.run();
}

/// What objects ask of linkers in words.
const DIRECTIVES: &[&[u8]] =
    &[b"/alternatename:", b"-aligncomm:", b"-export:", b"/include:", b"\"", b"=", b",", b"12"];

fn linux() -> &'static Platform {
    static LINUX: OnceLock<Platform> = OnceLock::new();
    LINUX.get_or_init(|| spec::platform("linux").expect("without a mistake"))
}

fn macos() -> &'static Platform {
    static MACOS: OnceLock<Platform> = OnceLock::new();
    MACOS.get_or_init(|| spec::platform("macos").expect("without a mistake"))
}

/// All that `verify` and `run` ask of a file.
pub(super) fn elf(data: &[u8]) {
    if let Ok(object) = SharedObject::read(data) {
        let _ = (object.has_text_relocations(), object.tls.model(), object.exports().count());
        for symbol in object.symbols.iter().take(1000) {
            let _ = (symbol.answers(None), symbol.answers(Some("V1")));
        }
        if let Ok(bindings) = Bindings::new(&object, data) {
            let _ = bindings.goes_through_any("derived", "base", &["base"]);
        }
        if let Some(abi) = verify::abi_of(linux(), &object) {
            let _ = verify::verify(data, &object, linux(), abi, None).map(|v| v.has_faults());
        }
    }
    if let Ok(program) = Program::read(data, Mode::default()) {
        let _ = program.elf().map(|p| (p.exports(&["malloc"]), p.hides(&["malloc"])));
    }
}

/// All that `init` and `build` ask of a library, and what `build` makes of one for macOS.
pub(super) fn archive(data: &[u8]) {
    if let Ok(archive) = Archive::read(data) {
        let _ = (archive.imports_of(["malloc"]), archive.names().len(), archive.machines());
        let _ = (archive.cxx_runtime(), archive.rust_std(), archive.pic_faults().count());
        let _ = (archive.tls(), archive.tls_size(), archive.constructors().count());
        let _ = (slice_for(data, Machine::Aarch64), join_slices(&[data.to_vec()]));
        let _ = make_private(data, &BTreeMap::new(), |_| false);
        let _ = (archive.dlls(), archive.dll_exports(), archive.hidden_functions().count());
    }
}

/// What joins objects for programs, which the one beside it calls.
pub(super) fn joined(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("broken.o"), data).expect("written");
    let public = ["malloc", "_malloc", "main", "answer"].map(str::to_owned);
    for parts in [vec![], vec![at("broken.o")]] {
        let _ = join_for_windows(&at("broken.o"), &parts, &public, &[], &at("made.o"));
    }
}

/// All that `verify` and `run` ask of other systems' files.
pub(super) fn images(data: &[u8]) {
    let names = image::names_of(Some(linux()), &[]);
    for found in Image::read(data).into_iter().flatten() {
        let _ = (image::names_in(&found, &names), image::what(&found));
    }
    let slices = Darwin::read(data).unwrap_or_default();
    for slice in &slices {
        if let Some(abi) = macho::abi_of(macos(), slice) {
            let _ = macho::verify(slice, macos(), abi, None).has_faults();
        }
    }
    let program = darwin::Program {
        slices: slices.iter().map(darwin::Slice::from).collect(),
        ..darwin::Program::default()
    };
    let _ = darwin::judge(&program, &program.slices, None).len();
}

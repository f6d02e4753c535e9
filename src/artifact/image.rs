//! A linked Mach-O or PE file: what it offers, what it takes from which library.
//!
//! Separate from `shared` because these loaders bind a name to a library, not to whoever comes
//! first: a list of exports and one of imports with their libraries is all there is to ask of both.

use super::machine::{Class, Machine};
use super::names::Names;
use super::{ArtifactError, describe, macho, pe};
use object::{Architecture, SubArchitecture};
use serde::Serialize;

/// Which loader takes the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// Darwin's.
    MachO,
    /// Windows'.
    Pe,
}

/// What a linked file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageKind {
    /// A `.dylib` or a `.dll`.
    Library,
    /// A program.
    Program,
    /// A Mach-O plug-in (`MH_BUNDLE`).
    Bundle,
    /// Another linked kind: a dynamic linker, a stub without code, a kernel extension.
    Other,
}

/// How a library is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LibraryUse {
    /// Loading fails without it.
    Required,
    /// It may be missing.
    Weak,
    /// Its exports are offered as this file's own.
    Reexported,
    /// Loaded when the first of its functions is called.
    Delayed,
    /// One that depends on this file in turn.
    Upward,
}

/// A library that the file needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeededLibrary {
    /// The install name, or the DLL's file name.
    pub name: String,
    /// How it is wanted.
    pub wanted: LibraryUse,
}

/// A name that the file offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageExport {
    /// As C spells it, so without Mach-O's leading underscore; `#5` for a nameless ordinal.
    pub name: String,
    /// Where the definition is, if not here: `LIBRARY.name` as PE writes it.
    pub forward: Option<String>,
}

/// A name that the file takes from a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageImport {
    /// As C spells it; `#5` for an ordinal.
    pub name: String,
    /// The library that must have it; `None` if the loader looks elsewhere (flat namespace, weak
    /// definitions, the main program).
    pub library: Option<String>,
    /// It may be missing.
    pub weak: bool,
}

/// A linked file for one processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Which loader takes it.
    pub format: ImageFormat,
    /// What it is for.
    pub kind: ImageKind,
    /// The processor, if it is one that this reader has a name for.
    pub machine: Option<Machine>,
    /// The processor's own ABI variant: `arm64e`, `arm64ec`.
    pub variant: Option<&'static str>,
    /// 32 or 64 bits.
    pub class: Class,
    /// The install name, or the name in the export directory.
    pub name: Option<String>,
    /// What it needs, in the loader's order; delayed ones come last.
    pub libraries: Vec<NeededLibrary>,
    /// What it offers.
    pub exports: Vec<ImageExport>,
    /// What it takes.
    pub imports: Vec<ImageImport>,
    /// Whether the loader is told of thread-local storage, and so may have functions to call when
    /// threads begin and end (PE).
    pub tls_directory: bool,
    /// Pairs in `__DATA,__interpose`: functions that dyld would put in place of others. Their
    /// number only: the pairs are addresses that the loader has still to fill in.
    pub interpose_pairs: u64,
}

impl Image {
    /// Reads a Mach-O or PE file; a universal file has an image for each processor.
    ///
    /// # Errors
    /// If it is neither, not linked, or contradicts itself.
    pub fn read(data: &[u8]) -> Result<Vec<Image>, ArtifactError> {
        let mut names = Names::new(data);
        match data {
            [b'M', b'Z', ..] => Ok(vec![pe::read(data, &mut names)?]),
            _ if macho::is_fat(data) || macho::is_thin(data) => macho::read(data, &mut names),
            _ => Err(ArtifactError::NotImage(describe(data))),
        }
    }

    /// Whether [`Image::read`] is the reader for these bytes, as far as the first ones tell.
    #[must_use]
    pub fn is_image(data: &[u8]) -> bool {
        data.starts_with(b"MZ") || macho::is_fat(data) || macho::is_thin(data)
    }

    /// The strings that a PE file has behind one export, each ended by a zero and all of them by an
    /// empty one; `None` if it is no PE file, exports no data of that name, or they have no end.
    #[must_use]
    pub fn strings(data: &[u8], export: &str) -> Option<Vec<String>> {
        data.starts_with(b"MZ").then(|| pe::strings(data, export, &mut Names::new(data)))?
    }

    /// Whether it offers this name.
    #[must_use]
    pub fn exports(&self, name: &str) -> bool {
        self.exports.iter().any(|e| e.name == name)
    }

    /// Where it takes this name from; `None` if it does not want it.
    #[must_use]
    pub fn import(&self, name: &str) -> Option<&ImageImport> {
        self.imports.iter().find(|i| i.name == name)
    }
}

/// The processor and its variant.
pub(super) fn machine(
    architecture: Architecture,
    sub: Option<SubArchitecture>,
) -> (Option<Machine>, Option<&'static str>) {
    let machine = match architecture {
        Architecture::I386 => Some(Machine::X86),
        Architecture::X86_64 => Some(Machine::X86_64),
        Architecture::Arm => Some(Machine::Arm),
        Architecture::Aarch64 | Architecture::Aarch64_Ilp32 => Some(Machine::Aarch64),
        Architecture::Riscv32 | Architecture::Riscv64 => Some(Machine::Riscv),
        _ => None,
    };
    let variant = match sub {
        Some(SubArchitecture::Arm64E) => Some("arm64e"),
        Some(SubArchitecture::Arm64EC) => Some("arm64ec"),
        _ => None,
    };
    (machine, variant)
}

/// 32 or 64 bits.
pub(super) fn class(is_64: bool) -> Class {
    if is_64 { Class::Elf64 } else { Class::Elf32 }
}

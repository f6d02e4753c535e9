//! What a built library, archive or program really contains, read from its bytes.
//!
//! Separate from everything that renders, because it must not believe what was asked for: it sees
//! only what a linker or a dynamic loader will see. Pure: bytes in, facts out. Nothing here knows
//! a name of the malloc family; callers pass the names they care about.

mod arm64;
mod binding;
mod code;
mod dynamic;
mod elf;
mod first;
mod foreign;
mod machine;
mod macho;
mod member;
mod names;
mod pe;
mod pic;
mod private;
mod relocation;
mod symbol;
mod tls;
mod trie;
mod universal;
mod versions;
mod x86;

pub mod archive;
pub mod darwin;
pub mod image;
pub mod program;
pub mod shared;

pub use archive::Archive;
pub(crate) use archive::is_cxx_runtime;
pub use binding::{Answer, Bindings};
pub use code::reads_code;
pub use darwin::Darwin;
pub use first::ask_to_be_first;
pub(crate) use foreign::POINTER;
pub use image::{Image, ImageImport};
pub use machine::{Class, Endian, Machine};
pub use member::{Format, Lto, Member};
pub use pic::{PicFault, PicReason, TlsAccess};
pub use private::{make_private, slice_for};
pub use program::Program;
pub use relocation::{RelocationKind, SymbolRelocation};
pub use shared::{Flags, SharedObject, Stack};
pub use symbol::{Bind, Symbol, SymbolKind, SymbolVersion, VersionNeed, Visibility};
pub use tls::{Tls, TlsModel};
pub use universal::join_slices;

use std::fmt;

/// Why a file could not be read as what it was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactError {
    /// The file is of another kind; the text says which, where it can be told.
    NotElf(&'static str),
    /// Neither Mach-O nor PE; the text says what, where it can be told.
    NotImage(&'static str),
    /// Of the right format, but not one that a loader takes: a relocatable object, a core file.
    NotLoadable(&'static str),
    /// A library or program where an object is wanted.
    Linked,
    /// The bytes contradict themselves or end too early; the text says where.
    Malformed(&'static str),
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf(what) => write!(f, "not an ELF file but {what}"),
            Self::NotImage(what) => write!(f, "not a Mach-O or PE file but {what}"),
            Self::NotLoadable(what) => write!(f, "not a library or program but {what}"),
            Self::Linked => f.write_str("not an object but a shared library or a program"),
            Self::Malformed(what) => write!(f, "malformed: {what}"),
        }
    }
}

impl std::error::Error for ArtifactError {}

/// What a file looks like from its first bytes, for messages about files of the wrong kind.
pub(crate) fn describe(data: &[u8]) -> &'static str {
    match data {
        [] => "an empty file",
        [0x7f, b'E', b'L', b'F', ..] => "an ELF file",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => "an archive of objects",
        [b'!', b'<', b't', b'h', b'i', b'n', b'>', b'\n', ..] => "a thin archive",
        [b'B', b'C', 0xc0, 0xde, ..] | [0xde, 0xc0, 0x17, 0x0b, ..] => "LLVM bitcode",
        [b'#', b'!', ..] => "a script",
        [b'M', b'Z', ..] => "a Windows executable or library",
        _ if macho::is_thin(data) => "a Mach-O file",
        _ if macho::is_fat(data) => "a universal Mach-O file",
        [b'/', b'*', ..] => "a text file (a linker script?)",
        _ => "something else",
    }
}

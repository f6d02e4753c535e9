//! A symbol as every table has it, with the version that the dynamic one adds (gABI chapter 4).
//!
//! Separate because libraries, programs and archive members share it.

use super::elf::RawSymbol;
use object::elf as raw;
use serde::Serialize;

/// What a symbol stands for (`STT_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolKind {
    /// No type: a linker's or an assembler's label.
    Untyped,
    /// A function.
    Function,
    /// A function whose address a resolver chooses at load time.
    IndirectFunction,
    /// A variable.
    Object,
    /// A variable of each thread.
    ThreadLocal,
    /// A variable that the linker still has to place.
    Common,
    /// Anything else, by its number.
    Other(u8),
}

impl SymbolKind {
    pub(super) fn from_raw(kind: u8, section: u16) -> Self {
        match raw::SymbolType(kind) {
            _ if section == raw::SHN_COMMON.0 => Self::Common,
            raw::STT_NOTYPE => Self::Untyped,
            raw::STT_FUNC => Self::Function,
            raw::STT_GNU_IFUNC => Self::IndirectFunction,
            raw::STT_OBJECT => Self::Object,
            raw::STT_TLS => Self::ThreadLocal,
            raw::STT_COMMON => Self::Common,
            other => Self::Other(other.0),
        }
    }
}

/// How a symbol binds (`STB_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// Seen by its own object only.
    Local,
    /// Seen by all.
    Global,
    /// Seen by all, gives way to a global one at link time.
    Weak,
    /// One in the whole process (GNU).
    Unique,
    /// Anything else, by its number.
    Other(u8),
}

impl Bind {
    pub(super) fn from_raw(bind: u8) -> Self {
        match raw::SymbolBind(bind) {
            raw::STB_LOCAL => Self::Local,
            raw::STB_GLOBAL => Self::Global,
            raw::STB_WEAK => Self::Weak,
            raw::STB_GNU_UNIQUE => Self::Unique,
            other => Self::Other(other.0),
        }
    }
}

/// How far a symbol is seen (`STV_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// By its binding.
    Default,
    /// Not outside its object, and its address never leaves it.
    Internal,
    /// Not outside its object.
    Hidden,
    /// Outside too, but its own object always means its own.
    Protected,
}

impl Visibility {
    pub(super) fn from_raw(visibility: u8) -> Self {
        match raw::SymbolVisibility(visibility & 3) {
            raw::STV_INTERNAL => Self::Internal,
            raw::STV_HIDDEN => Self::Hidden,
            raw::STV_PROTECTED => Self::Protected,
            _ => Self::Default,
        }
    }
}

/// The version of a dynamic symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolVersion {
    /// None: a reference to any version binds to it.
    Unversioned,
    /// Made local by a version script though still in the table: nothing binds to it.
    Local,
    /// Defined under a node: only references to that node bind, and plain ones if `default`.
    Defined {
        /// The node's name.
        node: String,
        /// `name@@node` (true) or `name@node`.
        default: bool,
        /// The first node of its object: what a reference without a version means.
        first: bool,
    },
    /// Wanted from another library.
    Wanted {
        /// The node's name.
        node: String,
        /// The soname of the library that had it at link time.
        library: String,
    },
    /// The index names no version that the file defines or needs.
    Unknown(u16),
}

/// A version wanted from a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionNeed {
    /// The library's soname.
    pub library: String,
    /// The node's name.
    pub node: String,
}

/// An entry of a symbol table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Symbol {
    /// Its name, without the version.
    pub name: String,
    /// Its value: the address, or the offset into the thread-local block.
    pub address: u64,
    /// Its size in bytes; linkers' aliases may have 0.
    pub size: u64,
    /// What it stands for.
    pub kind: SymbolKind,
    /// How it binds.
    pub bind: Bind,
    /// How far it is seen.
    pub visibility: Visibility,
    /// Defined in this file.
    pub defined: bool,
    /// Its version.
    pub version: SymbolVersion,
}

impl Symbol {
    pub(super) fn from_raw(s: &RawSymbol, name: String, version: SymbolVersion) -> Self {
        Self {
            name,
            address: s.value,
            size: s.size,
            kind: SymbolKind::from_raw(s.kind, s.section),
            bind: Bind::from_raw(s.bind),
            visibility: Visibility::from_raw(s.visibility),
            defined: s.section != raw::SHN_UNDEF.0,
            version,
        }
    }

    /// Whether the loader offers it to other objects at all.
    #[must_use]
    pub fn is_exported(&self) -> bool {
        self.defined
            && self.version != SymbolVersion::Local
            && matches!(self.bind, Bind::Global | Bind::Weak | Bind::Unique)
            && matches!(self.visibility, Visibility::Default | Visibility::Protected)
    }

    /// A function, or what a linker's alias of one may look like.
    #[must_use]
    pub fn is_code(&self) -> bool {
        use SymbolKind::{Function, IndirectFunction, Untyped};
        matches!(self.kind, Function | IndirectFunction | Untyped)
    }

    /// Whether a reference to this name binds here: one that wants `node`, or a plain one.
    ///
    /// glibc's rules (`check_match` in elf/dl-lookup.c): no version answers everyone, a node only
    /// those who name it, and a plain reference takes the first node or the default one.
    #[must_use]
    pub fn answers(&self, wanted: Option<&str>) -> bool {
        self.is_exported()
            && match (&self.version, wanted) {
                (SymbolVersion::Unversioned, _) => true,
                (SymbolVersion::Defined { node, .. }, Some(wanted)) => node == wanted,
                (SymbolVersion::Defined { default, first, .. }, None) => *default || *first,
                _ => false,
            }
    }
}

//! The dynamic segment: symbols, versions and relocations as the loader sees them (gABI chapter 5,
//! the GNU symbol versioning of "How To Write Shared Libraries", the psABIs' relocation tables).
//!
//! Separate because it follows addresses, never section headers: a file may lie in the latter (or
//! have none) and still be loaded.

use super::ArtifactError;
use super::elf::{Elf, Machine, RawSymbol};
use super::names::Names;
use super::versions::Versions;
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

/// What the loader does at a place (`R_*`), told in one vocabulary for all machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelocationKind {
    /// A GOT slot gets a symbol's address.
    GlobDat,
    /// A PLT's slot gets a symbol's address, perhaps at the first call.
    JumpSlot,
    /// Any word gets a symbol's address.
    Absolute,
    /// A word gets an address of this object.
    Relative,
    /// A word gets what a resolver in this object answers.
    IndirectRelative,
    /// A variable of a library is copied into the program.
    Copy,
    /// Offset from the thread pointer: needs the static TLS block.
    ThreadOffset,
    /// The module's number, for `__tls_get_addr`.
    ThreadModule,
    /// Offset within the module's block.
    ThreadModuleOffset,
    /// A TLS descriptor.
    ThreadDescriptor,
    /// Anything else, by its number.
    Other(u32),
}

impl RelocationKind {
    fn from_raw(machine: Machine, kind: u32) -> Self {
        use RelocationKind as K;
        /// One machine's numbers, in the order of the columns below.
        type Row = [(u32, K); 10];
        const fn row(n: [u32; 10]) -> Row {
            [
                (n[0], K::Absolute),
                (n[1], K::Copy),
                (n[2], K::GlobDat),
                (n[3], K::JumpSlot),
                (n[4], K::Relative),
                (n[5], K::IndirectRelative),
                (n[6], K::ThreadOffset),
                (n[7], K::ThreadModule),
                (n[8], K::ThreadModuleOffset),
                (n[9], K::ThreadDescriptor),
            ]
        }
        // Absolute, copy, glob_dat, jump_slot, relative, irelative, tpoff, dtpmod, dtpoff, tlsdesc.
        const X86_64: Row = row([1, 5, 6, 7, 8, 37, 18, 16, 17, 36]);
        const X86: Row = row([1, 5, 6, 7, 8, 42, 14, 35, 36, 41]);
        const AARCH64: Row = row([257, 1024, 1025, 1026, 1027, 1032, 1030, 1028, 1029, 1031]);
        const ARM: Row = row([2, 20, 21, 22, 23, 160, 19, 17, 18, 13]);
        // RISC-V has no GLOB_DAT: its GOT is filled by absolute relocations of the word's size.
        const RISCV: Row = row([2, 4, 2, 5, 3, 58, 11, 7, 9, 12]);
        let row = match machine {
            Machine::X86_64 => X86_64,
            Machine::X86 => X86,
            Machine::Aarch64 => AARCH64,
            Machine::Arm => ARM,
            Machine::Riscv => RISCV,
            Machine::Other(_) => return K::Other(kind),
        };
        row.iter().find(|(n, _)| *n == kind).map_or(K::Other(kind), |(_, kind)| *kind)
    }
}

/// A place that the loader fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SymbolRelocation {
    /// The address of the place.
    pub slot: u64,
    /// What it gets.
    pub kind: RelocationKind,
    /// The symbol that it means, as an index into [`super::SharedObject::symbols`].
    pub symbol: Option<usize>,
    /// Added to the symbol's value; 0 where the format keeps it in the place itself.
    pub addend: i64,
}

/// The dynamic segment, read.
pub(super) struct Dynamic<'a> {
    entries: Vec<(i64, u64)>,
    pub(super) strings: &'a [u8],
    pub(super) symbols: Vec<Symbol>,
    pub(super) relocations: Vec<SymbolRelocation>,
    pub(super) versions: Versions,
}

impl<'a> Dynamic<'a> {
    pub(super) fn read(elf: &Elf<'a>, names: &mut Names) -> Result<Self, ArtifactError> {
        let mut dynamic = Self {
            entries: elf.dynamic(),
            strings: &[],
            symbols: Vec::new(),
            relocations: Vec::new(),
            versions: Versions::default(),
        };
        if let Some(strings) = dynamic.value(raw::DT_STRTAB) {
            let size = dynamic.value(raw::DT_STRSZ).unwrap_or(0);
            dynamic.strings = elf.at_most(strings, size);
        }
        dynamic.relocations = dynamic.read_relocations(elf);
        if let Some(table) = dynamic.value(raw::DT_SYMTAB) {
            let count = dynamic.symbol_count(elf, table);
            dynamic.versions = Versions::read(elf, &dynamic, count, names)?;
            let bytes = elf.at_most(table, count.saturating_mul(elf.symbol_size()));
            dynamic.symbols = dynamic.read_symbols(&elf.symbols(bytes), names)?;
        }
        let count = dynamic.symbols.len();
        for relocation in &mut dynamic.relocations {
            relocation.symbol = relocation.symbol.filter(|&index| index < count);
        }
        Ok(dynamic)
    }

    /// The value of the first entry with this tag.
    pub(super) fn value(&self, tag: raw::DynamicTag) -> Option<u64> {
        self.values(tag).next()
    }

    /// The values of all entries with this tag.
    pub(super) fn values(&self, tag: raw::DynamicTag) -> impl Iterator<Item = u64> {
        self.entries.iter().filter(move |(t, _)| *t == tag.0).map(|(_, value)| *value)
    }

    fn read_symbols(
        &self,
        table: &[RawSymbol],
        names: &mut Names,
    ) -> Result<Vec<Symbol>, ArtifactError> {
        let read = |(index, s): (usize, &RawSymbol)| {
            let version = self.versions.of(index, s.section == raw::SHN_UNDEF.0, names)?;
            let name = names.at(self.strings, s.name.into())?;
            Ok(Symbol::from_raw(s, name, version))
        };
        table.iter().enumerate().map(read).collect()
    }

    /// The dynamic segment does not say how many symbols there are: the hash tables do, the
    /// relocations give a lower bound, and section headers may know.
    fn symbol_count(&self, elf: &Elf<'_>, table: u64) -> u64 {
        let hash = self.value(raw::DT_HASH).map(|at| u64::from(elf.word(at.saturating_add(4))));
        let section = elf
            .sections
            .iter()
            .find(|s| s.kind == raw::SHT_DYNSYM.0 && s.address == table)
            .map(|s| s.size / elf.symbol_size());
        let used = self.relocations.iter().filter_map(|r| r.symbol).max().map_or(0, |n| n as u64 + 1);
        let gnu = || self.value(raw::DT_GNU_HASH).and_then(|at| gnu_hash_count(elf, at));
        hash.or(section).or_else(gnu).unwrap_or(0).max(used)
    }

    fn read_relocations(&self, elf: &Elf<'_>) -> Vec<SymbolRelocation> {
        let plt_is_rela = self.value(raw::DT_PLTREL) == Some(raw::DT_RELA.0.unsigned_abs());
        let tables = [
            (raw::DT_RELA, raw::DT_RELASZ, true),
            (raw::DT_REL, raw::DT_RELSZ, false),
            (raw::DT_JMPREL, raw::DT_PLTRELSZ, plt_is_rela),
        ];
        let mut all = Vec::new();
        for (start, size, rela) in tables {
            let range = self.value(start).zip(self.value(size));
            let bytes = range.map(|(start, size)| elf.at_most(start, size)).unwrap_or_default();
            all.extend(elf.relocations(bytes, rela).iter().map(|r| SymbolRelocation {
                slot: r.offset,
                kind: RelocationKind::from_raw(elf.machine, r.kind),
                symbol: (r.symbol != 0).then_some(r.symbol as usize),
                addend: r.addend,
            }));
        }
        all
    }
}

/// The highest symbol of a DT_GNU_HASH table: its chains end at an odd hash.
fn gnu_hash_count(elf: &Elf<'_>, at: u64) -> Option<u64> {
    let word = |index: u64| u64::from(elf.word(at.saturating_add(index.saturating_mul(4))));
    let (buckets, first, bloom) = (word(0), word(1), word(2));
    let bloom_words = bloom.checked_mul(elf.class.pointer_size() / 4)?;
    let bucket_start = bloom_words.checked_add(4)?;
    let in_file = (elf.data.len() as u64) / 4;
    let last = (0..buckets.min(in_file)).map(|b| word(bucket_start + b)).max()?;
    if last < first {
        return Some(first);
    }
    let chain = bucket_start.checked_add(buckets)?;
    let mut index = last;
    while word(chain.checked_add(index - first)?) & 1 == 0 {
        index += 1;
        if index - last > in_file {
            return None;
        }
    }
    Some(index + 1)
}

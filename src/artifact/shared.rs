//! A shared object or an executable, as a dynamic loader will take it.
//!
//! Separate from the questions asked of it: it only states what is in the file. Sources: gABI
//! chapter 5, the System V psABI of each machine, "ELF Handling For Thread-Local Storage",
//! the glibc manual on the dynamic linker.

use super::dynamic::Dynamic;
use super::elf::Elf;
use super::machine::{Class, Endian, Machine};
use super::names::{Names, c_string};
use super::relocation::SymbolRelocation;
use super::symbol::{Bind, Symbol, SymbolVersion, VersionNeed};
use super::tls::Tls;
use super::{ArtifactError, describe};
use object::elf as raw;
use serde::Serialize;

/// What the file says about the stack (`PT_GNU_STACK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stack {
    /// It may stay without execute permission.
    NotExecutable,
    /// Loading the file makes the stacks of all threads executable, or fails.
    Executable,
    /// Not said: on most machines the loader then assumes that it must be executable.
    Unstated,
}

/// What the linker asked of the loader (`DT_FLAGS`, `DT_FLAGS_1` and the older tags).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Flags {
    /// All references are bound at load time (`-z now`).
    pub bind_now: bool,
    /// Its constructors run before all others' (`-z initfirst`).
    pub init_first: bool,
    /// Never unloaded (`-z nodelete`).
    pub no_delete: bool,
    /// Looked up before other libraries (`-z interpose`).
    pub interpose: bool,
    /// Its own definitions answer its own references (`-Bsymbolic`).
    pub symbolic: bool,
    /// A position-independent program.
    pub pie: bool,
    /// It cannot be opened with `dlopen`.
    pub no_open: bool,
    /// Some relocations are in pages that are not writable.
    pub text_relocations: bool,
}

/// A shared object or an executable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharedObject {
    /// 32 or 64 bits.
    pub class: Class,
    /// The byte order.
    pub endian: Endian,
    /// The processor.
    pub machine: Machine,
    /// `EI_OSABI`: 0 and 3 are what Linux uses, 9 is FreeBSD.
    pub os_abi: u8,
    /// `ET_EXEC`: linked for a fixed address.
    pub fixed_address: bool,
    /// It has a dynamic segment: a loader has work to do.
    pub dynamic: bool,
    /// The program's loader (`PT_INTERP`).
    pub interpreter: Option<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_RPATH`.
    pub rpath: Option<String>,
    /// `DT_RUNPATH`.
    pub runpath: Option<String>,
    /// What the linker asked of the loader.
    pub flags: Flags,
    /// The stack's permission.
    pub stack: Stack,
    /// Relocations that fall into segments without write permission.
    pub text_relocations: usize,
    /// Functions that run when it is loaded.
    pub constructors: u64,
    /// Thread-local storage.
    pub tls: Tls,
    /// The version nodes that it defines, in order.
    pub version_nodes: Vec<String>,
    /// The versions that it wants of others.
    pub version_needs: Vec<VersionNeed>,
    /// The dynamic symbol table; index 0 is the null symbol.
    pub symbols: Vec<Symbol>,
    /// The dynamic relocations, but for `DT_RELR`, which names no symbol.
    pub relocations: Vec<SymbolRelocation>,
    /// The linker's symbol table (`.symtab`): local names too. `None` if the file is stripped.
    pub link_symbols: Option<Vec<Symbol>>,
}

impl SharedObject {
    /// Reads a shared object or an executable.
    pub fn read(data: &[u8]) -> Result<Self, ArtifactError> {
        Self::from_elf(&Elf::parse(data)?)
    }

    pub(super) fn from_elf(elf: &Elf<'_>) -> Result<Self, ArtifactError> {
        match raw::FileType(elf.kind) {
            raw::ET_DYN | raw::ET_EXEC => {}
            raw::ET_REL => return Err(ArtifactError::NotLoadable("a relocatable object")),
            raw::ET_CORE => return Err(ArtifactError::NotLoadable("a core file")),
            _ => return Err(ArtifactError::NotLoadable(describe(elf.data))),
        }
        if elf.loads().next().is_none() {
            return Err(ArtifactError::Malformed("nothing in it is loaded"));
        }
        let mut names = Names::new(elf.data);
        let dynamic = Dynamic::read(elf, &mut names)?;
        let text = |tag| {
            let offset = dynamic.value(tag)?;
            names_or_none(dynamic.strings, offset)
        };
        let needed = dynamic.values(raw::DT_NEEDED);
        let needed = needed.map(|offset| names.at(dynamic.strings, offset));
        let needed = needed.collect::<Result<_, _>>()?;
        let link_symbols = link_symbols(elf, &mut names)?;
        let pointer = elf.class.pointer_size();
        let constructors = dynamic.value(raw::DT_INIT_ARRAYSZ).unwrap_or(0) / pointer;
        Ok(Self {
            class: elf.class,
            endian: match elf.endian {
                object::Endianness::Little => Endian::Little,
                object::Endianness::Big => Endian::Big,
            },
            machine: elf.machine,
            os_abi: elf.os_abi,
            fixed_address: elf.kind == raw::ET_EXEC.0,
            dynamic: elf.segments.iter().any(|s| s.kind == raw::PT_DYNAMIC.0),
            interpreter: interpreter(elf),
            soname: text(raw::DT_SONAME),
            needed,
            rpath: text(raw::DT_RPATH),
            runpath: text(raw::DT_RUNPATH),
            flags: flags(&dynamic),
            stack: stack(elf),
            text_relocations: text_relocations(elf, &dynamic.relocations),
            constructors,
            tls: Tls::read(elf, &dynamic, link_symbols.as_deref().unwrap_or_default()),
            version_nodes: dynamic.versions.nodes(),
            version_needs: dynamic.versions.needs(),
            link_symbols,
            symbols: dynamic.symbols,
            relocations: dynamic.relocations,
        })
    }

    /// All dynamic symbols of this name: defined and imported, one for each version.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Symbol> {
        self.symbols.iter().filter(move |s| s.name == name)
    }

    /// The definition of this name that other objects can bind to.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<&Symbol> {
        self.exports().find(|s| s.name == name)
    }

    /// What other objects can bind to.
    pub fn exports(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().filter(|s| s.is_exported())
    }

    /// What it wants of other objects.
    pub fn imports(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().filter(|s| !s.defined && !s.name.is_empty())
    }

    /// Defined here, in the dynamic or in the linker's table, but not for others.
    pub fn hidden<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Symbol> {
        let local = self.link_symbols.iter().flatten().chain(&self.symbols);
        let exported = self.export(name).is_some();
        local.filter(move |s| !exported && s.defined && s.name == name)
    }

    /// Whether it is a program: linked with all that it refers to, and nothing takes the place of what it
    /// defines.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.interpreter.is_some() || self.fixed_address || self.flags.pie
    }

    /// Functions of this name that the objects in this file call, as the linker's table has them. A name
    /// that some object means to be hidden may have become local: so may one that is nobody else's.
    #[must_use]
    pub fn linked(&self, name: &str) -> Vec<&Symbol> {
        let symbols = self.link_symbols.iter().flatten();
        let all: Vec<_> = symbols.filter(|s| s.defined && s.name == name && s.is_code()).collect();
        let public: Vec<_> = all.iter().copied().filter(|s| s.bind != Bind::Local).collect();
        if public.is_empty() { all } else { public }
    }

    /// The symbol that a relocation names.
    #[must_use]
    pub fn symbol_of(&self, relocation: &SymbolRelocation) -> Option<&Symbol> {
        self.symbols.get(relocation.symbol?)
    }

    /// Whether loading it needs writable code pages.
    #[must_use]
    pub fn has_text_relocations(&self) -> bool {
        self.flags.text_relocations || self.text_relocations > 0
    }
}

fn names_or_none(strings: &[u8], offset: u64) -> Option<String> {
    c_string(strings, offset).map(|text| String::from_utf8_lossy(text).into_owned())
}

fn interpreter(elf: &Elf<'_>) -> Option<String> {
    let segment = elf.segments.iter().find(|s| s.kind == raw::PT_INTERP.0)?;
    names_or_none(elf.bytes(segment.offset, segment.file_size), 0)
}

fn flags(dynamic: &Dynamic<'_>) -> Flags {
    let has = |tag| dynamic.value(tag).is_some();
    let flags = dynamic.value(raw::DT_FLAGS).unwrap_or(0);
    let flag = |bit: raw::DynamicFlags| flags & bit.0 != 0;
    let flags_1 = dynamic.value(raw::DT_FLAGS_1).unwrap_or(0);
    let flag_1 = |bit: raw::DynamicFlags1| flags_1 & bit.0 != 0;
    Flags {
        bind_now: has(raw::DT_BIND_NOW) || flag(raw::DF_BIND_NOW) || flag_1(raw::DF_1_NOW),
        init_first: flag_1(raw::DF_1_INITFIRST),
        no_delete: flag_1(raw::DF_1_NODELETE),
        interpose: flag_1(raw::DF_1_INTERPOSE),
        symbolic: has(raw::DT_SYMBOLIC) || flag(raw::DF_SYMBOLIC),
        pie: flag_1(raw::DF_1_PIE),
        no_open: flag_1(raw::DF_1_NOOPEN),
        text_relocations: has(raw::DT_TEXTREL) || flag(raw::DF_TEXTREL),
    }
}

fn stack(elf: &Elf<'_>) -> Stack {
    match elf.segments.iter().find(|s| s.kind == raw::PT_GNU_STACK.0) {
        Some(s) if s.flags & raw::PF_X.0 != 0 => Stack::Executable,
        Some(_) => Stack::NotExecutable,
        None => Stack::Unstated,
    }
}

fn text_relocations(elf: &Elf<'_>, relocations: &[SymbolRelocation]) -> usize {
    let read_only: Vec<_> = elf
        .loads()
        .filter(|s| s.flags & raw::PF_W.0 == 0)
        .map(|s| s.address..s.address.saturating_add(s.memory_size))
        .collect();
    let inside = |r: &&SymbolRelocation| read_only.iter().any(|range| range.contains(&r.slot));
    relocations.iter().filter(inside).count()
}

fn link_symbols(elf: &Elf<'_>, names: &mut Names) -> Result<Option<Vec<Symbol>>, ArtifactError> {
    let Some(table) = elf.sections.iter().find(|s| s.kind == raw::SHT_SYMTAB.0) else {
        return Ok(None);
    };
    let strings = elf.sections.get(table.link as usize);
    let strings = strings.map(|s| elf.section_data(s)).unwrap_or_default();
    let symbols = elf.symbols(elf.section_data(table));
    let unnamed = [raw::STT_SECTION.0, raw::STT_FILE.0];
    let named = symbols.iter().filter(|s| !unnamed.contains(&s.kind));
    let read = |s: &super::elf::RawSymbol| {
        let name = names.at(strings, s.name.into())?;
        Ok(Symbol::from_raw(s, name, SymbolVersion::Unversioned))
    };
    named.map(read).collect::<Result<Vec<_>, _>>().map(Some)
}

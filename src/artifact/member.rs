//! One object file, as an archive's member or by itself: what it defines, wants and demands of
//! the link that takes it.
//!
//! Separate because a member is read alone; what only the whole archive tells is in `archive`.

use super::ArtifactError;
use super::elf::{Elf, RawRelocation, RawSymbol, Section};
use super::foreign;
use super::machine::{Class, Machine};
use super::names::Names;
use super::pic::{self, Demand, PicFault, PicReason, TlsAccess};
use super::symbol::{Bind, Symbol, SymbolVersion, Visibility};
use object::elf as raw;
use serde::Serialize;
use std::collections::BTreeSet;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A relocatable ELF object.
    Elf,
    /// A relocatable Mach-O object: its names only.
    MachO,
    /// A relocatable COFF object: its names only.
    Coff,
    /// A member of an import library that stands for one export of a DLL.
    Import,
    /// LLVM bitcode, without machine code.
    Bitcode,
    /// A member of a thin archive whose file was not given.
    Elsewhere,
    /// Something else; the text says what it looks like.
    Other(&'static str),
}

/// Code for the link-time optimizer: what may still change names and calls after us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lto {
    /// GCC's bytecode without machine code.
    GccSlim,
    /// GCC's bytecode beside machine code.
    GccFat,
    /// LLVM's bitcode without machine code.
    Llvm,
    /// LLVM's bitcode beside machine code (`-ffat-lto-objects`).
    LlvmFat,
}

impl Lto {
    /// Whether there is machine code too.
    #[must_use]
    pub fn has_machine_code(self) -> bool {
        matches!(self, Self::GccFat | Self::LlvmFat)
    }
}

/// An object file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    /// Its name in the archive, or empty.
    pub name: String,
    /// What it is.
    pub format: Format,
    /// Why it could not be read further, though its format is known.
    pub problem: Option<String>,
    /// 32 or 64 bits.
    pub class: Option<Class>,
    /// The processor.
    pub machine: Option<Machine>,
    /// Code for the link-time optimizer.
    pub lto: Option<Lto>,
    /// The DLL whose exports it stands for, or whose name it holds for the members that do.
    pub dll: Option<String>,
    /// The DLL's name for the export that it stands for; `#5` for one without a name.
    pub import: Option<String>,
    /// Its symbols that have names: defined and wanted, local ones too. As C spells them: without
    /// the underscore that Mach-O and 32-bit Windows put before each.
    pub symbols: Vec<Symbol>,
    /// What keeps it out of shared objects; `None` if the machine's relocations are not known.
    pub pic_faults: Option<Vec<PicFault>>,
    /// How it reaches thread-local variables.
    pub tls: BTreeSet<TlsAccess>,
    /// Bytes of thread-local variables.
    pub tls_size: u64,
    /// Functions that run when it is loaded.
    pub constructors: u64,
}

impl Member {
    /// Reads an object file; what is no object is a member too, with its format.
    #[must_use]
    pub fn read(name: &str, data: &[u8]) -> Self {
        let mut member = Self::unread(name, Format::Elf);
        if data.starts_with(b"BC\xc0\xde") || data.starts_with(&[0xde, 0xc0, 0x17, 0x0b]) {
            member.format = Format::Bitcode;
            member.lto = Some(Lto::Llvm);
            return member;
        }
        let read = match member.read_elf(data) {
            Err(ArtifactError::NotElf(what)) => match foreign::read(&mut member, data) {
                Ok(true) => Ok(()),
                Ok(false) => {
                    member.format = Format::Other(what);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            read => read,
        };
        member.problem = read.err().map(|error| error.to_string());
        member
    }

    pub(super) fn unread(name: &str, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            format,
            problem: None,
            class: None,
            machine: None,
            lto: None,
            dll: None,
            import: None,
            symbols: Vec::new(),
            pic_faults: None,
            tls: BTreeSet::new(),
            tls_size: 0,
            constructors: 0,
        }
    }

    /// What other objects can link with.
    pub fn defined(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().filter(|s| s.defined && s.bind != Bind::Local)
    }

    /// What it wants of other objects.
    pub fn wanted(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().filter(|s| !s.defined)
    }

    fn read_elf(&mut self, data: &[u8]) -> Result<(), ArtifactError> {
        let elf = Elf::parse(data)?;
        self.class = Some(elf.class);
        self.machine = Some(elf.machine);
        if elf.kind != raw::ET_REL.0 {
            return Err(ArtifactError::Linked);
        }
        if elf.sections.is_empty() {
            return Err(ArtifactError::Malformed("an object without sections"));
        }
        let mut names = Names::new(data);
        let table = elf.sections.iter().position(|s| s.kind == raw::SHT_SYMTAB.0);
        let raw_symbols = table.and_then(|i| elf.sections.get(i));
        let raw_symbols = raw_symbols.map(|s| elf.symbols(elf.section_data(s))).unwrap_or_default();
        let names_of = read_names(&elf, table, &raw_symbols, &mut names)?;
        self.pic_faults = pic::is_known(elf.machine, elf.class).then(Vec::new);
        let relocations = Relocations { elf: &elf, symbols: &raw_symbols, names_of: &names_of };
        self.read_relocations(&relocations, table, &mut names)?;
        self.lto = lto(&elf, &names_of);
        self.tls_size = elf
            .sections
            .iter()
            .filter(|s| has(s, raw::SHF_TLS))
            .map(|s| s.size)
            .fold(0, u64::saturating_add);
        self.constructors =
            elf.sections.iter().map(|s| constructors(s, elf.class)).fold(0, u64::saturating_add);
        let named = raw_symbols.iter().zip(names_of).filter(|(s, name)| {
            !name.is_empty() && ![raw::STT_SECTION.0, raw::STT_FILE.0].contains(&s.kind)
        });
        let read = |(s, name)| Symbol::from_raw(s, name, SymbolVersion::Unversioned);
        self.symbols = named.map(read).collect();
        if self.wanted().any(|s| s.name == "__emutls_get_address") {
            self.tls.insert(TlsAccess::Emulated);
        }
        Ok(())
    }

    fn read_relocations(
        &mut self,
        from: &Relocations<'_>,
        table: Option<usize>,
        names: &mut Names,
    ) -> Result<(), ArtifactError> {
        let elf = from.elf;
        let mut seen = BTreeSet::new();
        for section in &elf.sections {
            let rela = section.kind == raw::SHT_RELA.0;
            let of_symbols = table == Some(section.link as usize);
            if !of_symbols || !(rela || section.kind == raw::SHT_REL.0) {
                continue;
            }
            let target = elf.sections.get(section.info as usize);
            let Some(target) = target.filter(|s| has(s, raw::SHF_ALLOC)) else { continue };
            for relocation in elf.relocations(elf.section_data(section), rela) {
                self.tls.extend(pic::tls_access(elf.machine, relocation.kind));
                if !seen.insert((section.info, relocation.kind, relocation.symbol)) {
                    continue;
                }
                let fault = from.fault(&relocation, target, names)?;
                if let (Some(faults), Some(fault)) = (&mut self.pic_faults, fault) {
                    faults.push(fault);
                }
            }
        }
        Ok(())
    }
}

/// What is needed to judge a relocation.
struct Relocations<'a> {
    elf: &'a Elf<'a>,
    symbols: &'a [RawSymbol],
    names_of: &'a [String],
}

impl Relocations<'_> {
    fn fault(
        &self,
        relocation: &RawRelocation,
        target: &Section,
        names: &mut Names,
    ) -> Result<Option<PicFault>, ArtifactError> {
        let demand = pic::demand(self.elf.machine, relocation.kind);
        let Some((name, demand)) = demand else { return Ok(None) };
        let index = relocation.symbol as usize;
        let Some(symbol) = self.symbols.get(index) else { return Ok(None) };
        let own_name = self.names_of.get(index).map(String::as_str).unwrap_or_default();
        let reason = match demand {
            _ if symbol.section == raw::SHN_ABS.0 => return Ok(None),
            Demand::Absolute => PicReason::Absolute,
            Demand::LocalExec => PicReason::LocalExec,
            Demand::Word if !has(target, raw::SHF_WRITE) => PicReason::TextRelocation,
            Demand::Relative if is_preemptible(symbol, own_name) => PicReason::Preemptible,
            Demand::Word | Demand::Relative => return Ok(None),
        };
        let section_name = || self.elf.sections.get(symbol.section as usize).map(|s| &s.name);
        let shown = match own_name {
            "" => section_name().map(String::as_str).unwrap_or_default(),
            name => name,
        };
        Ok(Some(PicFault {
            reason,
            relocation: name,
            symbol: names.at(shown.as_bytes(), 0)?,
            section: names.at(target.name.as_bytes(), 0)?,
        }))
    }
}

/// Whether, for all that this object says, another object's definition may take its place.
fn is_preemptible(symbol: &RawSymbol, name: &str) -> bool {
    let by_linker = name == "_GLOBAL_OFFSET_TABLE_"
        || name.starts_with("__start_")
        || name.starts_with("__stop_");
    Bind::from_raw(symbol.bind) != Bind::Local
        && Visibility::from_raw(symbol.visibility) == Visibility::Default
        && !by_linker
}

fn read_names(
    elf: &Elf<'_>,
    table: Option<usize>,
    symbols: &[RawSymbol],
    names: &mut Names,
) -> Result<Vec<String>, ArtifactError> {
    let strings = table.and_then(|i| elf.sections.get(i)).map(|s| s.link as usize);
    let strings = strings.and_then(|i| elf.sections.get(i));
    let strings = strings.map(|s| elf.section_data(s)).unwrap_or_default();
    symbols.iter().map(|s| names.at(strings, s.name.into())).collect()
}

fn has(section: &Section, flag: raw::SectionFlags) -> bool {
    section.flags & flag.0 != 0
}

/// Entries of the arrays of functions to run, old and new (gABI; GCC's `.ctors`).
fn constructors(section: &Section, class: Class) -> u64 {
    let named = |prefix: &str| {
        section
            .name
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let arrays = [raw::SHT_INIT_ARRAY.0, raw::SHT_PREINIT_ARRAY.0];
    if arrays.contains(&section.kind) || named(".init_array") || named(".ctors") {
        section.size / class.pointer_size()
    } else {
        0
    }
}

/// GCC says in `.gnu.lto_.lto.*` (fifth byte) whether machine code is missing; releases before 10
/// leave a symbol for it.
fn lto(elf: &Elf<'_>, names_of: &[String]) -> Option<Lto> {
    let mut gcc = elf.sections.iter().filter(|s| s.name.starts_with(".gnu.lto_")).peekable();
    if gcc.peek().is_some() {
        let mut headers = gcc.filter(|s| s.name.starts_with(".gnu.lto_.lto."));
        let by_header = headers.any(|s| elf.section_data(s).get(4).is_some_and(|&slim| slim != 0));
        let slim = by_header || names_of.iter().any(|name| name == "__gnu_lto_slim");
        return Some(if slim { Lto::GccSlim } else { Lto::GccFat });
    }
    elf.sections.iter().any(|s| s.name == ".llvm.lto").then_some(Lto::LlvmFat)
}

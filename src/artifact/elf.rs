//! The ELF container: headers, segments, sections, tables (gABI chapters 4 and 5).
//!
//! Separate because it is the only place that is generic over the class (32 or 64 bits) and the
//! byte order: it widens everything to plain 64-bit values, and the rest of the reader is written
//! once. Lenient as the loader is: broken section headers mean no sections.

use super::machine::{Class, Machine};
use super::{ArtifactError, describe};
use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::pod::{self, Pod};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, Rel, Rela, SectionHeader, Sym};

/// A program header.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file_size: u64,
    pub(super) memory_size: u64,
    pub(super) align: u64,
}

/// A section header.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) kind: u32,
    pub(super) flags: u64,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) link: u32,
    pub(super) info: u32,
}

/// A symbol table entry, its name still an offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawSymbol {
    pub(super) name: u32,
    pub(super) kind: u8,
    pub(super) bind: u8,
    pub(super) visibility: u8,
    pub(super) section: u16,
    pub(super) value: u64,
    pub(super) size: u64,
}

/// A relocation of either format; REL has no addend of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRelocation {
    pub(super) offset: u64,
    pub(super) kind: u32,
    pub(super) symbol: u32,
    pub(super) addend: i64,
}

/// An ELF file whose headers have been read.
pub(super) struct Elf<'a> {
    pub(super) data: &'a [u8],
    pub(super) class: Class,
    pub(super) endian: Endianness,
    pub(super) kind: u16,
    pub(super) machine: Machine,
    pub(super) os_abi: u8,
    pub(super) segments: Vec<Segment>,
    pub(super) sections: Vec<Section>,
}

impl<'a> Elf<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Self, ArtifactError> {
        if !data.starts_with(b"\x7fELF") {
            return Err(ArtifactError::NotElf(describe(data)));
        }
        match data.get(4) {
            Some(1) => Self::parse_class::<FileHeader32<Endianness>>(data, Class::Elf32),
            Some(2) => Self::parse_class::<FileHeader64<Endianness>>(data, Class::Elf64),
            _ => Err(ArtifactError::Malformed("the ELF class is neither 32 nor 64 bits")),
        }
    }

    fn parse_class<H>(data: &'a [u8], class: Class) -> Result<Self, ArtifactError>
    where
        H: FileHeader<Endian = Endianness>,
    {
        let malformed = |_| ArtifactError::Malformed("the ELF header");
        let header = H::parse(data).map_err(malformed)?;
        let endian = header.endian().map_err(malformed)?;
        let segments = header
            .program_headers(endian, data)
            .map_err(|_| ArtifactError::Malformed("the program headers"))?
            .iter()
            .map(|p| Segment {
                kind: p.p_type(endian).0,
                flags: p.p_flags(endian).0,
                offset: p.p_offset(endian).into(),
                address: p.p_vaddr(endian).into(),
                file_size: p.p_filesz(endian).into(),
                memory_size: p.p_memsz(endian).into(),
                align: p.p_align(endian).into(),
            })
            .collect();
        let mut elf = Self {
            data,
            class,
            endian,
            kind: header.e_type(endian).0,
            machine: Machine::from_raw(header.e_machine(endian)),
            os_abi: header.e_ident().os_abi.0,
            segments,
            sections: Vec::new(),
        };
        elf.sections = elf.read_sections(header)?;
        Ok(elf)
    }

    fn read_sections<H>(&self, header: &H) -> Result<Vec<Section>, ArtifactError>
    where
        H: FileHeader<Endian = Endianness>,
    {
        let Ok(table) = header.sections(self.endian, self.data) else { return Ok(Vec::new()) };
        let mut names = super::names::Names::new(self.data);
        let strings = header
            .shstrndx(self.endian, self.data)
            .ok()
            .and_then(|index| table.iter().nth(index as usize))
            .and_then(|s| s.data(self.endian, self.data).ok())
            .unwrap_or_default();
        table
            .iter()
            .map(|s| {
                Ok(Section {
                    name: names.at(strings, s.sh_name(self.endian).into())?,
                    kind: s.sh_type(self.endian).0,
                    flags: s.sh_flags(self.endian).0,
                    address: s.sh_addr(self.endian).into(),
                    offset: s.sh_offset(self.endian).into(),
                    size: s.sh_size(self.endian).into(),
                    link: s.sh_link(self.endian),
                    info: s.sh_info(self.endian),
                })
            })
            .collect()
    }

    /// The bytes of a range of the file, or nothing if it does not lie inside.
    pub(super) fn bytes(&self, offset: u64, size: u64) -> &'a [u8] {
        let range = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
        range
            .and_then(|(start, size)| self.data.get(start..start.checked_add(size)?))
            .unwrap_or_default()
    }

    /// The contents of a section; nothing for SHT_NOBITS.
    pub(super) fn section_data(&self, section: &Section) -> &'a [u8] {
        if section.kind == object::elf::SHT_NOBITS.0 {
            return &[];
        }
        self.bytes(section.offset, section.size)
    }

    /// The file's bytes from a virtual address to the end of its loaded segment.
    pub(super) fn at(&self, address: u64) -> &'a [u8] {
        self.loads()
            .find_map(|s| {
                let skip = address.checked_sub(s.address).filter(|&skip| skip < s.file_size)?;
                Some(self.bytes(s.offset.checked_add(skip)?, s.file_size - skip))
            })
            .unwrap_or_default()
    }

    /// `size` bytes at a virtual address; fewer if the segment ends before.
    pub(super) fn at_most(&self, address: u64, size: u64) -> &'a [u8] {
        let bytes = self.at(address);
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len());
        bytes.get(..size).unwrap_or_default()
    }

    /// The 32-bit word at a virtual address; 0 outside of the file.
    pub(super) fn word(&self, address: u64) -> u32 {
        let bytes = self.at(address).first_chunk().copied().unwrap_or_default();
        match self.endian {
            Endianness::Little => u32::from_le_bytes(bytes),
            Endianness::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The address-sized word at a virtual address.
    pub(super) fn pointer(&self, address: u64) -> Option<u64> {
        let bytes = self.at(address);
        Some(match (self.class, self.endian) {
            (Class::Elf32, _) => self.word(address).into(),
            (Class::Elf64, Endianness::Little) => u64::from_le_bytes(*bytes.first_chunk()?),
            (Class::Elf64, Endianness::Big) => u64::from_be_bytes(*bytes.first_chunk()?),
        })
    }

    /// The segments that are mapped.
    pub(super) fn loads(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|s| s.kind == object::elf::PT_LOAD.0)
    }

    /// The entries of the dynamic segment, up to DT_NULL.
    pub(super) fn dynamic(&self) -> Vec<(i64, u64)> {
        let segment = self.segments.iter().find(|s| s.kind == object::elf::PT_DYNAMIC.0);
        let Some(bytes) = segment.map(|s| self.bytes(s.offset, s.file_size)) else {
            return Vec::new();
        };
        fn entries<D: Dyn<Endian = Endianness>>(endian: Endianness, b: &[u8]) -> Vec<(i64, u64)> {
            let entries: &[D] = table(b);
            let all = entries.iter().map(|d| (d.tag(endian).0, d.val(endian)));
            all.take_while(|&(tag, _)| tag != 0).collect()
        }
        match self.class {
            Class::Elf32 => entries::<object::elf::Dyn32<Endianness>>(self.endian, bytes),
            Class::Elf64 => entries::<object::elf::Dyn64<Endianness>>(self.endian, bytes),
        }
    }

    /// The entries of a symbol table, the null symbol included, so that indices hold.
    pub(super) fn symbols(&self, bytes: &[u8]) -> Vec<RawSymbol> {
        fn entries<S: Sym<Endian = Endianness>>(
            endian: Endianness,
            bytes: &[u8],
        ) -> Vec<RawSymbol> {
            let symbols: &[S] = table(bytes);
            let read = |s: &S| RawSymbol {
                name: s.st_name(endian),
                kind: s.st_type().0,
                bind: s.st_bind().0,
                visibility: s.st_visibility().0,
                section: s.st_shndx(endian).0,
                value: s.st_value(endian).into(),
                size: s.st_size(endian).into(),
            };
            symbols.iter().map(read).collect()
        }
        match self.class {
            Class::Elf32 => entries::<object::elf::Sym32<Endianness>>(self.endian, bytes),
            Class::Elf64 => entries::<object::elf::Sym64<Endianness>>(self.endian, bytes),
        }
    }

    /// The size of a symbol table entry.
    pub(super) fn symbol_size(&self) -> u64 {
        match self.class {
            Class::Elf32 => 16,
            Class::Elf64 => 24,
        }
    }

    /// The entries of a relocation table of the REL or the RELA format.
    pub(super) fn relocations(&self, bytes: &[u8], rela: bool) -> Vec<RawRelocation> {
        fn rels<R: Rel<Endian = Endianness>>(e: Endianness, bytes: &[u8]) -> Vec<RawRelocation> {
            let relocations: &[R] = table(bytes);
            let read = |r: &R| RawRelocation {
                offset: r.r_offset(e).into(),
                kind: r.r_type(e).0,
                symbol: r.r_sym(e),
                addend: 0,
            };
            relocations.iter().map(read).collect()
        }
        fn relas<R: Rela<Endian = Endianness>>(e: Endianness, bytes: &[u8]) -> Vec<RawRelocation> {
            let relocations: &[R] = table(bytes);
            let read = |r: &R| RawRelocation {
                offset: r.r_offset(e).into(),
                kind: r.r_type(e, false).0,
                symbol: r.r_sym(e, false),
                addend: r.r_addend(e).into(),
            };
            relocations.iter().map(read).collect()
        }
        match (self.class, rela) {
            (Class::Elf32, false) => rels::<object::elf::Rel32<Endianness>>(self.endian, bytes),
            (Class::Elf32, true) => relas::<object::elf::Rela32<Endianness>>(self.endian, bytes),
            (Class::Elf64, false) => rels::<object::elf::Rel64<Endianness>>(self.endian, bytes),
            (Class::Elf64, true) => relas::<object::elf::Rela64<Endianness>>(self.endian, bytes),
        }
    }
}

/// As many whole entries as there are.
pub(super) fn table<T: Pod>(bytes: &[u8]) -> &[T] {
    let count = bytes.len().checked_div(size_of::<T>()).unwrap_or(0);
    pod::slice_from_bytes(bytes, count).map(|(entries, _)| entries).unwrap_or_default()
}

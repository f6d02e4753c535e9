//! What dyld and libmalloc find in a Mach-O image beside its names: what it fills in where, what is
//! signed, and from which system on it runs.
//!
//! Separate from `macho` because that reader tells what every linked file has; here are the words
//! of its data, without which neither an interpose tuple nor a zone can be judged.

use std::collections::BTreeMap;

use object::{
    Endianness, macho as raw,
    read::{
        Object, ObjectSection, ObjectSegment, ObjectSymbol,
        macho::{LoadCommandVariant, MachHeader, MachOFile64, Nlist},
    },
};

use super::{ArtifactError, Image, Machine, macho, names::Names};

mod code;
mod fixups;
mod signature;

pub use code::Reach;
pub use fixups::{Fixup, From};
pub use signature::Signature;

/// The tuples' section, in whatever segment: dyld goes by the name too.
const TUPLES: &str = "__interpose";

/// One 64-bit image with all that dyld does to it.
#[derive(Debug, Clone)]
pub struct Darwin<'a> {
    /// Names, libraries, machine.
    pub image: Image,
    /// The least system that it asks for: `(11, 0)`. `None` if it does not say.
    pub minimum_os: Option<(u16, u8)>,
    /// It is for macOS, as far as it says.
    pub for_macos: bool,
    /// Imports name their libraries (`MH_TWOLEVEL`).
    pub two_level: bool,
    /// dyld keeps `DYLD_` variables from it (`__RESTRICT,__restrict`).
    pub restricted: bool,
    /// How it is signed; `None` if it is not.
    pub signature: Option<Signature>,
    sections: Vec<Section<'a>>,
    /// Places in `sections` of what has room, by address.
    by_address: Vec<usize>,
    fixups: BTreeMap<u64, Vec<Fixup>>,
    /// Functions and variables by address, from the symbol table, with whether they are weak.
    symbols: BTreeMap<u64, (String, bool)>,
    /// Where functions begin, in order.
    starts: Vec<u64>,
}

#[derive(Debug, Clone)]
struct Section<'a> {
    segment: String,
    name: String,
    address: u64,
    size: u64,
    data: &'a [u8],
    code: bool,
    interposing: bool,
    thread_local: bool,
}

/// A section of interpose tuples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuples {
    /// `__DATA,__interpose`.
    pub section: String,
    /// dyld reads it: by its type, or by its name in a segment of data.
    pub read: bool,
    /// In bytes: two words for each tuple.
    pub size: u64,
    /// In order.
    pub tuples: Vec<Tuple>,
}

/// A tuple: what stands for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuple {
    /// How dyld fills the first word.
    pub replacement: Vec<Fixup>,
    /// How dyld fills the second word.
    pub replacee: Vec<Fixup>,
}

impl<'a> Darwin<'a> {
    /// Reads all slices that have 64 bits; the others are no longer run by any macOS that shims are for.
    ///
    /// # Errors
    /// If it is no Mach-O file, not linked, or contradicts itself.
    pub fn read(data: &'a [u8]) -> Result<Vec<Darwin<'a>>, ArtifactError> {
        if !macho::is_thin(data) && !macho::is_fat(data) {
            return Err(ArtifactError::NotImage(super::describe(data)));
        }
        let wide = |slice: &&[u8]| matches!(slice, [0xcf, 0xfa, 0xed, 0xfe, ..]);
        macho::slices(data)?.into_iter().filter(wide).map(Darwin::slice).collect()
    }

    fn slice(data: &'a [u8]) -> Result<Darwin<'a>, ArtifactError> {
        let image = Image::read(data)?.remove(0);
        let file = MachOFile64::<Endianness>::parse(data).map_err(malformed)?;
        let mut names = Names::new(data);
        let flags = file.macho_header().flags(Endianness::Little);
        let mut darwin = Darwin {
            minimum_os: None,
            for_macos: true,
            two_level: flags.contains(raw::MH_TWOLEVEL),
            restricted: false,
            signature: None,
            sections: sections(&file, &mut names)?,
            by_address: Vec::new(),
            fixups: fixups::read(&file, &image.libraries, &mut names)?,
            symbols: symbols(&file, &mut names)?,
            starts: Vec::new(),
            image,
        };
        darwin.by_address = by_address(&darwin.sections);
        darwin.restricted =
            darwin.sections.iter().any(|s| s.segment == "__RESTRICT" && s.name == "__restrict");
        darwin.commands(&file)?;
        // Not every linker lists where functions begin: names tell it too.
        let named = darwin.symbols.keys().filter(|at| darwin.is_code(**at)).copied();
        let named: Vec<u64> = named.collect();
        darwin.starts.extend(named);
        darwin.starts.sort_unstable();
        darwin.starts.dedup();
        Ok(darwin)
    }

    fn commands(&mut self, file: &MachOFile64<'a, Endianness>) -> Result<(), ArtifactError> {
        let base = file.segments().find(|s| s.name().is_ok_and(|n| n == Some("__TEXT")));
        let base = base.map_or(0, |segment| segment.address());
        let endian = file.endian();
        for command in file.macho_load_commands().map_err(malformed)? {
            match command.and_then(|c| c.variant()).map_err(malformed)? {
                LoadCommandVariant::BuildVersion(build, _) => {
                    self.for_macos = build.platform.get(endian) == raw::PLATFORM_MACOS;
                    self.minimum_os = Some(system(build.minos.get(endian).0));
                }
                LoadCommandVariant::VersionMin(version) => {
                    self.for_macos = version.cmd.get(endian) == raw::LC_VERSION_MIN_MACOSX;
                    self.minimum_os = Some(system(version.version.get(endian).0));
                }
                LoadCommandVariant::LinkeditData(data) => match data.cmd.get(endian) {
                    raw::LC_CODE_SIGNATURE => {
                        self.signature = Some(Signature::read(data, file.data())?);
                    }
                    raw::LC_FUNCTION_STARTS => {
                        let starts = data.function_starts(endian, file.data(), base);
                        let starts = starts.map_err(malformed)?;
                        self.starts = starts.collect::<Result<_, _>>().map_err(malformed)?;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// The processor.
    #[must_use]
    pub fn machine(&self) -> Option<Machine> {
        self.image.machine
    }

    /// The processor as Apple names it: `x86_64`, `arm64`, `arm64e`.
    #[must_use]
    pub fn cpu(&self) -> &'static str {
        match (self.image.variant, self.image.machine) {
            (Some(variant), _) => variant,
            (None, Some(Machine::X86_64)) => "x86_64",
            (None, Some(Machine::Aarch64)) => "arm64",
            _ => "another processor",
        }
    }

    /// The sections of tuples.
    #[must_use]
    pub fn tuples(&self) -> Vec<Tuples> {
        let named = |s: &&Section<'_>| s.interposing || s.name == TUPLES;
        self.sections
            .iter()
            .filter(named)
            .map(|section| Tuples {
                section: format!("{},{}", section.segment, section.name),
                // dyld: S_INTERPOSING, or the name in a segment that begins so.
                read: section.interposing
                    || ["__DATA", "__AUTH"].iter().any(|s| section.segment.starts_with(s)),
                size: section.size,
                tuples: (0..section.data.len() as u64 / 16)
                    .map(|index| section.address.wrapping_add(16 * index))
                    .map(|at| Tuple {
                        replacement: self.fixups_at(at).to_vec(),
                        replacee: self.fixups_at(at.wrapping_add(8)).to_vec(),
                    })
                    .collect(),
            })
            .collect()
    }

    /// How dyld fills the word at an address.
    #[must_use]
    pub fn fixups_at(&self, address: u64) -> &[Fixup] {
        self.fixups.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Where the word at an address points to inside this image.
    #[must_use]
    pub fn pointer(&self, address: u64) -> Option<u64> {
        match self.fixups_at(address) {
            [Fixup::Rebase(target)] => Some(*target),
            _ => None,
        }
    }

    /// The four bytes at an address, as the file has them.
    #[must_use]
    pub fn number(&self, address: u64) -> Option<u32> {
        let bytes = self.bytes(address)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    /// The text that begins at an address.
    #[must_use]
    pub fn text(&self, address: u64) -> Option<String> {
        let text = self.bytes(address)?.split(|&byte| byte == 0).next()?;
        // Names of zones are short; what is not text is no name.
        let text = std::str::from_utf8(text.get(..text.len().min(80))?).ok()?;
        (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
    }

    /// Whether the eight bytes at an address are zero, and stay so.
    #[must_use]
    pub fn is_null(&self, address: u64) -> bool {
        let zero = |bytes: &[u8]| bytes.get(..8).is_some_and(|b| b.iter().all(|&b| b == 0));
        self.fixups_at(address).is_empty() && self.bytes(address).is_some_and(zero)
    }

    /// Words that point into code: the first of a run may be a structure's.
    pub fn pointers_to_code(&self) -> impl Iterator<Item = u64> {
        self.fixups.iter().filter_map(|(at, fixups)| match fixups.as_slice() {
            [Fixup::Rebase(to)] if self.is_code(*to) => Some(*at),
            _ => None,
        })
    }

    /// Whether there is code at an address.
    #[must_use]
    pub fn is_code(&self, address: u64) -> bool {
        self.section(address).is_some_and(|section| section.code)
    }

    /// The function at an address, by its name in C or by its address; and whether it is weak.
    #[must_use]
    pub fn function(&self, address: u64) -> (String, bool) {
        let unnamed = || (format!("{address:#x}"), false);
        self.symbols.get(&address).cloned().unwrap_or_else(unnamed)
    }

    /// Bytes of thread-local variables' descriptors: each is three words.
    #[must_use]
    pub fn thread_locals(&self) -> u64 {
        self.sections.iter().filter(|s| s.thread_local).map(|s| s.size / 24).sum()
    }

    fn section(&self, address: u64) -> Option<&Section<'a>> {
        let after = self.by_address.partition_point(|&at| self.sections[at].address <= address);
        let section = &self.sections[*self.by_address.get(after.checked_sub(1)?)?];
        (address - section.address < section.size).then_some(section)
    }

    /// From an address to the end of its section; nothing where the file has no bytes for it.
    fn bytes(&self, address: u64) -> Option<&'a [u8]> {
        let section = self.section(address)?;
        section.data.get(usize::try_from(address - section.address).ok()?..)
    }
}

fn malformed(_: object::read::Error) -> ArtifactError {
    ArtifactError::Malformed("the Mach-O tables for dyld")
}

/// `xxxx.yy.zz`, of which the last matters to nobody.
fn system(version: u32) -> (u16, u8) {
    ((version >> 16) as u16, (version >> 8) as u8)
}

fn sections<'a>(
    file: &MachOFile64<'a, Endianness>,
    names: &mut Names,
) -> Result<Vec<Section<'a>>, ArtifactError> {
    let mut all = Vec::new();
    for section in file.sections() {
        let object::SectionFlags::MachO { flags, .. } = section.flags() else { continue };
        let kind = raw::SectionType((flags.0 & raw::SECTION_TYPE) as u8);
        let segment = section.segment_name_bytes().map_err(malformed)?.unwrap_or_default();
        all.push(Section {
            segment: names.take(segment)?,
            name: names.take(section.name_bytes().map_err(malformed)?)?,
            address: section.address(),
            size: section.size(),
            data: section.data().map_err(malformed)?,
            code: flags.intersects(raw::S_ATTR_PURE_INSTRUCTIONS | raw::S_ATTR_SOME_INSTRUCTIONS),
            interposing: kind == raw::S_INTERPOSING,
            thread_local: kind == raw::S_THREAD_LOCAL_VARIABLES,
        });
    }
    Ok(all)
}

/// The sections that have room, in the order of their addresses. Those of a linked file do not overlap.
fn by_address(sections: &[Section<'_>]) -> Vec<usize> {
    let mut order: Vec<_> = (0..sections.len()).filter(|&at| sections[at].size > 0).collect();
    order.sort_by_key(|&at| sections[at].address);
    order
}

fn symbols(
    file: &MachOFile64<'_, Endianness>,
    names: &mut Names,
) -> Result<BTreeMap<u64, (String, bool)>, ArtifactError> {
    let mut all = BTreeMap::new();
    for symbol in file.symbols().filter(|s| s.is_definition()) {
        let name = macho::c_name(symbol.name_bytes().map_err(malformed)?);
        names.charge(name.len())?;
        // A linker's own marks come before the function's name, at the same place.
        if name.is_empty() || (symbol.is_local() && name.starts_with(b"tmp")) {
            continue;
        }
        let weak = symbol.macho_symbol().n_desc(Endianness::Little).contains(raw::N_WEAK_DEF);
        all.insert(symbol.address(), (names.take(name)?, weak));
    }
    Ok(all)
}

//! Every word that dyld fills in: from opcodes (`LC_DYLD_INFO`) and from chains
//! (`LC_DYLD_CHAINED_FIXUPS`), in one form.
//!
//! Lazy binds are left out: they fill slots of stubs alone.

use std::collections::BTreeMap;

use object::{
    Endianness, macho as raw,
    read::macho::{Fixup as Chained, MachOFile64, Segment},
};

use super::{
    super::{ArtifactError, image::NeededLibrary, macho, names::Names},
    malformed,
};

/// How dyld fills a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fixup {
    /// With an address of this image.
    Rebase(u64),
    /// With what a name means.
    Bind {
        /// The name as C spells it.
        symbol: String,
        /// Who has it.
        from: From,
        /// Added to the address.
        addend: i64,
        /// It may be missing: the word is zero then.
        weak: bool,
    },
}

/// Where dyld looks for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// In this library.
    Library(String),
    /// In this image.
    Own,
    /// In the program.
    Program,
    /// In all images, in their order (`-flat_namespace`, `-undefined dynamic_lookup`).
    Flat,
    /// In all images that have a weak definition of it: the program's own is found first.
    Weak,
}

/// Address, content, and whether it is `__TEXT`.
type Segment64<'a> = (u64, &'a [u8], bool);

type Fixups = BTreeMap<u64, Vec<Fixup>>;

pub(super) fn read(
    file: &MachOFile64<'_, Endianness>,
    libraries: &[NeededLibrary],
    names: &mut Names,
) -> Result<Fixups, ArtifactError> {
    let segments = segments(file)?;
    // Each fills a word of the file, at most once from each of three tables.
    let room = file.data().len() / 2;
    let mut reader = Reader { file, libraries, names, segments, all: Fixups::new(), room };
    for command in file.macho_load_commands().map_err(malformed)? {
        let command = command.map_err(malformed)?;
        if let Some(info) = command.dyld_info().map_err(malformed)? {
            reader.opcodes(info)?;
        }
        if let Some(data) = command.dyld_chained_fixups().map_err(malformed)? {
            reader.chains(data)?;
        }
    }
    Ok(reader.all)
}

/// Address and content of each segment, in the order of the load commands.
fn segments<'a>(file: &MachOFile64<'a, Endianness>) -> Result<Vec<Segment64<'a>>, ArtifactError> {
    let mut all = Vec::new();
    for command in file.macho_load_commands().map_err(malformed)? {
        let command = command.map_err(malformed)?;
        let Some((segment, _)) = command.segment_64().map_err(malformed)? else { continue };
        let data = segment.data(file.endian(), file.data());
        let data =
            data.map_err(|()| ArtifactError::Malformed("a segment lies outside of the file"))?;
        all.push((segment.vmaddr(file.endian()), data, segment.name() == b"__TEXT"));
    }
    Ok(all)
}

struct Reader<'a, 'b> {
    file: &'b MachOFile64<'a, Endianness>,
    libraries: &'b [NeededLibrary],
    names: &'b mut Names,
    segments: Vec<Segment64<'a>>,
    all: Fixups,
    room: usize,
}

impl Reader<'_, '_> {
    fn add(&mut self, address: u64, fixup: Fixup) -> Result<(), ArtifactError> {
        self.room = self
            .room
            .checked_sub(1)
            .ok_or(ArtifactError::Malformed("dyld is to fill in more words than it has"))?;
        self.all.entry(address).or_default().push(fixup);
        Ok(())
    }

    fn opcodes(&mut self, info: &raw::DyldInfoCommand<Endianness>) -> Result<(), ArtifactError> {
        let (endian, data) = (self.file.endian(), self.file.data());
        for rebase in info.rebases(endian, data, 8).map_err(malformed)? {
            let rebase = rebase.map_err(malformed)?;
            let (address, content) = self.word(rebase.segment_index, rebase.segment_offset)?;
            self.add(address, Fixup::Rebase(content))?;
        }
        let weak = info.weak_binds(endian, data, 8).map_err(malformed)?;
        for (bind, everywhere) in info
            .binds(endian, data, 8)
            .map_err(malformed)?
            .map(|bind| (bind, false))
            .chain(weak.map(|bind| (bind, true)))
        {
            let bind = bind.map_err(malformed)?;
            let (address, _) = self.word(bind.segment_index, bind.segment_offset)?;
            let from = if everywhere { From::Weak } else { self.from(bind.dylib)? };
            let symbol = self.names.take(macho::c_name(bind.symbol))?;
            let weak = bind.flags.contains(raw::BIND_SYMBOL_FLAGS_WEAK_IMPORT);
            self.add(address, Fixup::Bind { symbol, from, addend: bind.addend, weak })?;
        }
        Ok(())
    }

    fn chains(&mut self, data: &raw::LinkeditDataCommand<Endianness>) -> Result<(), ArtifactError> {
        let endian = self.file.endian();
        let fixups = data.chained_fixups(endian, self.file.data()).map_err(malformed)?;
        let imports = fixups.imports(endian).map_err(malformed)?;
        let imports: Vec<_> = imports.collect::<Result<_, _>>().map_err(malformed)?;
        let base = self.segments.iter().find(|(.., text)| *text).map_or(0, |(at, ..)| *at);
        for segment in fixups.segments(endian).map_err(malformed)? {
            let segment = segment.map_err(malformed)?;
            let found = self.segments.get(segment.index() as usize).copied();
            let (start, content, _) =
                found.ok_or(ArtifactError::Malformed("a chain of fixups in no segment"))?;
            for fixup in segment.fixups(endian, base, content) {
                let (offset, fixup) = fixup.map_err(malformed)?;
                let address = start.wrapping_add(offset);
                match fixup {
                    Chained::Rebase(rebase) => {
                        let target = base.wrapping_add(rebase.target_offset);
                        self.add(address, Fixup::Rebase(target))?;
                    }
                    Chained::Bind(bind) => {
                        let import = imports.get(bind.ordinal as usize);
                        let import =
                            import.ok_or(ArtifactError::Malformed("a fixup without an import"))?;
                        let symbol = self.names.take(macho::c_name(import.name))?;
                        let from = self.from(import.dylib)?;
                        let addend = import.addend.wrapping_add(i64::from(bind.addend));
                        let weak = import.weak_import;
                        self.add(address, Fixup::Bind { symbol, from, addend, weak })?;
                    }
                    _ => return Err(ArtifactError::Malformed("fixups of a kernel or a cache")),
                }
            }
        }
        Ok(())
    }

    /// The address and the content of a word in a segment.
    fn word(&self, segment: u8, offset: u64) -> Result<(u64, u64), ArtifactError> {
        let outside = ArtifactError::Malformed("dyld is to fill in a word outside of a segment");
        let (start, content, _) = self.segments.get(usize::from(segment)).ok_or(outside.clone())?;
        let from = usize::try_from(offset).map_err(|_| outside.clone())?;
        let bytes = content.get(from..).and_then(<[u8]>::first_chunk).ok_or(outside)?;
        Ok((start.wrapping_add(offset), u64::from_le_bytes(*bytes)))
    }

    fn from(&mut self, library: raw::BindDylib) -> Result<From, ArtifactError> {
        Ok(match library {
            raw::BIND_SPECIAL_DYLIB_SELF => From::Own,
            raw::BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE => From::Program,
            raw::BIND_SPECIAL_DYLIB_FLAT_LOOKUP => From::Flat,
            raw::BIND_SPECIAL_DYLIB_WEAK_LOOKUP => From::Weak,
            raw::BindDylib(number) => {
                let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
                let library = index.and_then(|index| self.libraries.get(index));
                let library = library.ok_or(ArtifactError::Malformed("a bind to no library"))?;
                From::Library(self.names.take(library.name.as_bytes())?)
            }
        })
    }
}

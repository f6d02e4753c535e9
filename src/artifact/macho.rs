//! Mach-O files, thin and universal (`mach-o/loader.h`, `mach-o/fat.h`, dyld's export trie).
//!
//! Separate because install names, library ordinals and slices are Darwin's alone.

use super::ArtifactError;
use super::image::{self, Image, ImageExport, ImageFormat, ImageImport, ImageKind};
use super::image::{LibraryUse, NeededLibrary};
use super::names::Names;
use super::trie;
use object::macho as raw;
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile, MachOFile};
use object::read::{ImportLibraryFlags, NameOrOrdinal, Object, ObjectSection};
use object::{Endianness, read};
use std::collections::HashSet;

/// No universal file has more slices; a Java class, which begins with the same four bytes, has its
/// version where the number of slices would be, and that is larger.
const MOST_SLICES: usize = 30;

fn malformed(_: read::Error) -> ArtifactError {
    ArtifactError::Malformed("the Mach-O headers or tables")
}

/// A file for one processor.
pub(super) fn is_thin(data: &[u8]) -> bool {
    matches!(data, [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..])
}

/// A universal file: of programs and libraries, or of archives and objects.
pub(super) fn is_fat(data: &[u8]) -> bool {
    matches!(data, [0xca, 0xfe, 0xba, 0xbe | 0xbf, _, _, 0, count, ..]
        if usize::from(*count) <= MOST_SLICES)
}

/// The parts of a universal file, or the file itself.
pub(super) fn slices(data: &[u8]) -> Result<Vec<&[u8]>, ArtifactError> {
    fn parts<F: FatArch>(data: &[u8]) -> Result<Vec<&[u8]>, ArtifactError> {
        let file = MachOFatFile::<F>::parse(data).map_err(malformed)?;
        let parts = file.arches().iter().take(MOST_SLICES);
        let parts: Vec<&[u8]> =
            parts.map(|arch| arch.data(data).map_err(malformed)).collect::<Result<_, _>>()?;
        // The same bytes again and again would be read as often.
        if parts.iter().map(|part| part.len()).sum::<usize>() > data.len() {
            return Err(ArtifactError::Malformed("its slices overlap"));
        }
        Ok(parts)
    }
    match data.get(3) {
        _ if !is_fat(data) => Ok(vec![data]),
        Some(0xbe) => parts::<raw::FatArch32>(data),
        _ => parts::<raw::FatArch64>(data),
    }
}

/// Reads all slices.
pub(super) fn read(data: &[u8], names: &mut Names) -> Result<Vec<Image>, ArtifactError> {
    let slices = slices(data)?;
    let images = slices.into_iter().map(|slice| match slice {
        [0xce, ..] | [0xfe, _, _, 0xce, ..] => {
            read_slice::<raw::MachHeader32<Endianness>>(slice, names)
        }
        _ if is_thin(slice) => read_slice::<raw::MachHeader64<Endianness>>(slice, names),
        _ => Err(ArtifactError::NotLoadable("a universal file of archives or objects")),
    });
    images.collect()
}

fn read_slice<H>(data: &[u8], names: &mut Names) -> Result<Image, ArtifactError>
where
    H: MachHeader<Endian = Endianness>,
{
    let file = MachOFile::<H>::parse(data).map_err(malformed)?;
    let kind = match file.macho_header().filetype(file.endian()) {
        raw::MH_OBJECT => return Err(ArtifactError::NotLoadable("a relocatable object")),
        raw::MH_CORE => return Err(ArtifactError::NotLoadable("a core file")),
        raw::MH_DYLIB => ImageKind::Library,
        raw::MH_EXECUTE => ImageKind::Program,
        raw::MH_BUNDLE => ImageKind::Bundle,
        _ => ImageKind::Other,
    };
    let (machine, variant) = image::machine(file.architecture(), file.sub_architecture());
    let class = image::class(file.is_64());
    let pair = 2 * class.pointer_size();
    let pairs = file.sections().filter(|s| s.name_bytes().is_ok_and(|n| n == b"__interpose"));
    let libraries = libraries(&file, names)?;
    Ok(Image {
        format: ImageFormat::MachO,
        kind,
        machine,
        variant,
        class,
        name: install_name(&file, names)?,
        exports: exports(&file, &libraries, names)?,
        libraries,
        imports: imports(&file, names)?,
        tls_directory: false,
        interpose_pairs: pairs.map(|s| s.size() / pair).fold(0, u64::saturating_add),
    })
}

/// C's name of a symbol.
pub(super) fn c_name(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"_").unwrap_or(name)
}

fn install_name<H>(
    file: &MachOFile<'_, H>,
    names: &mut Names,
) -> Result<Option<String>, ArtifactError>
where
    H: MachHeader<Endian = Endianness>,
{
    for command in file.macho_load_commands().map_err(malformed)? {
        let command = command.map_err(malformed)?;
        if command.cmd() != raw::LC_ID_DYLIB {
            continue;
        }
        if let LoadCommandVariant::IdDylib(id) = command.variant().map_err(malformed)? {
            let name = command.string(file.endian(), id.dylib.name).map_err(malformed)?;
            return names.take(name).map(Some);
        }
    }
    Ok(None)
}

fn libraries<H>(
    file: &MachOFile<'_, H>,
    names: &mut Names,
) -> Result<Vec<NeededLibrary>, ArtifactError>
where
    H: MachHeader<Endian = Endianness>,
{
    let mut all = Vec::new();
    for library in file.import_libraries().map_err(malformed)? {
        let library = library.map_err(malformed)?;
        let wanted = match library.flags() {
            ImportLibraryFlags::MachO { cmd: raw::LC_LOAD_WEAK_DYLIB, .. } => LibraryUse::Weak,
            ImportLibraryFlags::MachO { cmd: raw::LC_REEXPORT_DYLIB, .. } => LibraryUse::Reexported,
            ImportLibraryFlags::MachO { cmd: raw::LC_LAZY_LOAD_DYLIB, .. } => LibraryUse::Delayed,
            ImportLibraryFlags::MachO { cmd: raw::LC_LOAD_UPWARD_DYLIB, .. } => LibraryUse::Upward,
            _ => LibraryUse::Required,
        };
        all.push(NeededLibrary { name: names.take(library.name())?, wanted });
    }
    Ok(all)
}

fn imports<H>(file: &MachOFile<'_, H>, names: &mut Names) -> Result<Vec<ImageImport>, ArtifactError>
where
    H: MachHeader<Endian = Endianness>,
{
    let mut all = Vec::new();
    // A weak definition of another library is bound twice: from that library, and then from
    // whoever has it first. The first entry names the library.
    let mut seen = HashSet::new();
    for import in file.imports().map_err(malformed)? {
        let import = import.map_err(malformed)?;
        let NameOrOrdinal::Name(name) = import.name() else { continue };
        // What is passed over costs time too.
        names.charge(name.len())?;
        if !seen.insert(name) {
            continue;
        }
        let library = Some(import.library()).filter(|l| !l.is_empty());
        all.push(ImageImport {
            name: names.take(c_name(name))?,
            library: library.map(|l| names.take(l)).transpose()?,
            weak: import.is_weak(),
        });
    }
    Ok(all)
}

fn exports<H>(
    file: &MachOFile<'_, H>,
    libraries: &[NeededLibrary],
    names: &mut Names,
) -> Result<Vec<ImageExport>, ArtifactError>
where
    H: MachHeader<Endian = Endianness>,
{
    if let Some(bytes) = trie_of(file)? {
        return trie::exports(bytes, libraries, names);
    }
    let endian = file.endian();
    let table = file.macho_symbol_table();
    let mut all = Vec::new();
    for symbol in table.iter() {
        use object::read::macho::Nlist;
        let kind = symbol.n_type();
        let offered = kind.is_ext() && !kind.is_pext() && !kind.is_stab();
        if !offered || kind.typ() == raw::N_UNDF {
            continue;
        }
        let name = symbol.name(endian, table.strings()).map_err(malformed)?;
        all.push(ImageExport { name: names.take(c_name(name))?, forward: None });
    }
    Ok(all)
}

/// dyld's table of exports; old files have only the symbol table.
fn trie_of<'a, H>(file: &MachOFile<'a, H>) -> Result<Option<&'a [u8]>, ArtifactError>
where
    H: MachHeader<Endian = Endianness>,
{
    let endian = file.endian();
    let range = |offset: u32, size: u32| {
        let start = offset as usize;
        let end = start.checked_add(size as usize);
        let bytes = end.and_then(|end| file.data().get(start..end));
        bytes.ok_or(ArtifactError::Malformed("the table of exports lies outside of the file"))
    };
    for command in file.macho_load_commands().map_err(malformed)? {
        let command = command.map_err(malformed)?;
        if let Some(trie) = command.dyld_exports_trie().map_err(malformed)? {
            return range(trie.dataoff.get(endian), trie.datasize.get(endian)).map(Some);
        }
        if let Some(info) = command.dyld_info().map_err(malformed)? {
            return range(info.export_off.get(endian), info.export_size.get(endian)).map(Some);
        }
    }
    Ok(None)
}

//! PE files: Windows' libraries and programs ("PE Format", learn.microsoft.com).
//!
//! Separate because ordinals, forwarders and delayed imports are Windows' alone.

use super::ArtifactError;
use super::image::{self, Image, ImageExport, ImageFormat, ImageImport, ImageKind};
use super::image::{LibraryUse, NeededLibrary};
use super::names::Names;
use object::pe as raw;
use object::read::pe as raw_export;
use object::read::pe::{ImageNtHeaders, PeFile, optional_header_magic};
use object::read::{self, ExportTarget, ImportLibraryFlags, NameOrOrdinal, Object};

fn malformed(_: read::Error) -> ArtifactError {
    ArtifactError::Malformed("the PE headers or tables")
}

/// Reads a library or a program.
pub(super) fn read(data: &[u8], names: &mut Names) -> Result<Image, ArtifactError> {
    match optional_header_magic(data).map_err(malformed)? {
        raw::IMAGE_NT_OPTIONAL_HDR64_MAGIC => read_as::<raw::ImageNtHeaders64>(data, names),
        raw::IMAGE_NT_OPTIONAL_HDR32_MAGIC => read_as::<raw::ImageNtHeaders32>(data, names),
        _ => Err(ArtifactError::Malformed("neither a 32- nor a 64-bit PE header")),
    }
}

fn read_as<H: ImageNtHeaders>(data: &[u8], names: &mut Names) -> Result<Image, ArtifactError> {
    let file = PeFile::<H>::parse(data).map_err(malformed)?;
    let flags = file.nt_headers().file_header().characteristics.get(object::LittleEndian);
    let is_library = flags.contains(raw::IMAGE_FILE_DLL);
    let (machine, variant) = image::machine(file.architecture(), file.sub_architecture());
    Ok(Image {
        format: ImageFormat::Pe,
        kind: if is_library { ImageKind::Library } else { ImageKind::Program },
        machine,
        variant,
        class: image::class(file.is_64()),
        name: own_name(&file, names)?,
        libraries: libraries(&file, names)?,
        exports: exports(&file, names)?,
        imports: imports(&file, names)?,
        tls_directory: file
            .data_directory(raw::IMAGE_DIRECTORY_ENTRY_TLS)
            .is_some_and(|directory| directory.virtual_address.get(object::LittleEndian) != 0),
        interpose_pairs: 0,
    })
}

/// What [`Image::strings`] gives.
pub(super) fn strings(data: &[u8], export: &str, names: &mut Names) -> Option<Vec<String>> {
    match optional_header_magic(data).ok()? {
        raw::IMAGE_NT_OPTIONAL_HDR64_MAGIC => {
            strings_of::<raw::ImageNtHeaders64>(data, export, names)
        }
        raw::IMAGE_NT_OPTIONAL_HDR32_MAGIC => {
            strings_of::<raw::ImageNtHeaders32>(data, export, names)
        }
        _ => None,
    }
}

fn strings_of<H: ImageNtHeaders>(
    data: &[u8],
    export: &str,
    names: &mut Names,
) -> Option<Vec<String>> {
    let file = PeFile::<H>::parse(data).ok()?;
    let exports = file.export_table().ok()??.exports().ok()?;
    let named = exports.iter().find(|e| e.name == Some(export.as_bytes()))?;
    let raw_export::ExportTarget::Address(address) = named.target else { return None };
    let mut rest = file.section_table().pe_data_at(data, address)?;
    let mut all = Vec::new();
    loop {
        let end = rest.iter().position(|&byte| byte == 0)?;
        if end == 0 {
            return Some(all);
        }
        all.push(names.take(&rest[..end]).ok()?);
        rest = &rest[end + 1..];
    }
}

fn own_name<H: ImageNtHeaders>(
    file: &PeFile<'_, H>,
    names: &mut Names,
) -> Result<Option<String>, ArtifactError> {
    let Some(table) = file.export_table().map_err(malformed)? else { return Ok(None) };
    let pointer = table.directory().name.get(object::LittleEndian);
    // A name is a courtesy: no loader reads it.
    let name = table.name_from_pointer(pointer).ok().filter(|n| !n.is_empty());
    name.map(|name| names.take(name)).transpose()
}

fn libraries<H: ImageNtHeaders>(
    file: &PeFile<'_, H>,
    names: &mut Names,
) -> Result<Vec<NeededLibrary>, ArtifactError> {
    let mut all = Vec::new();
    for library in file.import_libraries().map_err(malformed)? {
        let library = library.map_err(malformed)?;
        let wanted = match library.flags() {
            ImportLibraryFlags::Pe { delay: true } => LibraryUse::Delayed,
            _ => LibraryUse::Required,
        };
        all.push(NeededLibrary { name: names.take(library.name())?, wanted });
    }
    Ok(all)
}

fn exports<H: ImageNtHeaders>(
    file: &PeFile<'_, H>,
    names: &mut Names,
) -> Result<Vec<ImageExport>, ArtifactError> {
    let mut all = Vec::new();
    for export in file.exports().map_err(malformed)? {
        let export = export.map_err(malformed)?;
        let forward = match export.target() {
            ExportTarget::Reexport { library, name } => {
                Some(format!("{}.{}", names.take(library)?, shown(name, names)?))
            }
            _ => None,
        };
        all.push(ImageExport { name: shown(export.name(), names)?, forward });
    }
    Ok(all)
}

fn imports<H: ImageNtHeaders>(
    file: &PeFile<'_, H>,
    names: &mut Names,
) -> Result<Vec<ImageImport>, ArtifactError> {
    let mut all = Vec::new();
    for import in file.imports().map_err(malformed)? {
        let import = import.map_err(malformed)?;
        all.push(ImageImport {
            name: shown(import.name(), names)?,
            library: Some(names.take(import.library())?),
            weak: import.is_weak(),
        });
    }
    Ok(all)
}

fn shown(name: NameOrOrdinal<&[u8]>, names: &mut Names) -> Result<String, ArtifactError> {
    match name {
        NameOrOrdinal::Name(name) => names.take(name),
        NameOrOrdinal::Ordinal(ordinal) => names.take(format!("#{ordinal}").as_bytes()),
    }
}

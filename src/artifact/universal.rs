//! Universal Mach-O files, written (`mach-o/fat.h`): several slices behind one table.

use object::{
    endian::{BigEndian, U32},
    macho as raw, pod,
    read::{archive::ArchiveFile, macho::MachHeader},
};

use super::{ArtifactError, macho::is_thin};

/// Slices begin at pages: Apple silicon's have 16 KiB.
const PAGE: u32 = 14;

/// One file of these slices, in their order.
///
/// An archive counts as its first object does.
///
/// # Errors
/// If one is no 64-bit Mach-O file, or all are too large together for the table's 32 bits.
pub fn join_slices(slices: &[Vec<u8>]) -> Result<Vec<u8>, ArtifactError> {
    const TOO_LARGE: ArtifactError = ArtifactError::Malformed("more than 4 GiB in one file");
    let number = |n: usize| u32::try_from(n).map_err(|_| TOO_LARGE);
    let mut next = 1_usize << PAGE;
    let mut table = Vec::new();
    for slice in slices {
        let header = raw::MachHeader64::<object::Endianness>::parse(first_object(slice), 0)
            .map_err(|_| ArtifactError::NotImage(super::describe(slice)))?;
        let endian = header.endian().map_err(|_| ArtifactError::Malformed("the Mach-O header"))?;
        table.push(raw::FatArch32 {
            cputype: U32::new(BigEndian, header.cputype(endian)),
            cpusubtype: U32::new(BigEndian, header.cpusubtype(endian)),
            offset: U32::new(BigEndian, number(next)?),
            size: U32::new(BigEndian, number(slice.len())?),
            align: U32::new(BigEndian, PAGE),
        });
        next = (next + slice.len()).next_multiple_of(1 << PAGE);
    }
    let header = raw::FatHeader {
        magic: U32::new(BigEndian, raw::FAT_MAGIC),
        nfat_arch: U32::new(BigEndian, number(slices.len())?),
    };
    let mut file = [pod::bytes_of(&header), pod::bytes_of_slice(&table)].concat();
    for slice in slices {
        file.resize(file.len().next_multiple_of(1 << PAGE), 0);
        file.extend(slice);
    }
    Ok(file)
}

/// The first object of an archive; what is no archive, as it is.
fn first_object(data: &[u8]) -> &[u8] {
    let Ok(archive) = ArchiveFile::parse(data) else { return data };
    let contents = archive.members().filter_map(|member| member.ok()?.data(data).ok());
    contents.into_iter().find(|content| is_thin(content)).unwrap_or(data)
}

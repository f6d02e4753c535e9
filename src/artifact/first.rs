//! DF_1_INITFIRST, set in a library whose linker has no option for it.
//!
//! The one place where bytes are changed and not only read.

use std::ops::Range;

use object::elf::{DF_1_INITFIRST, DT_FLAGS_1, PT_DYNAMIC};

use super::{Class, elf::Elf};

/// Makes the dynamic linker run this library's constructors before all others; false, and nothing is
/// changed, if it is no ELF file with flags to change.
pub fn ask_to_be_first(data: &mut [u8]) -> bool {
    let Some((place, little)) = flags(data) else { return false };
    let Some(bytes) = data.get_mut(place) else { return false };
    let lowest = if little { 0 } else { bytes.len() - 1 };
    bytes[lowest] |= DF_1_INITFIRST.0 as u8;
    true
}

/// Where the flags are in the file, and whether their lowest byte comes first.
fn flags(data: &[u8]) -> Option<(Range<usize>, bool)> {
    let elf = Elf::parse(data).ok()?;
    let index = elf.dynamic().iter().position(|(tag, _)| *tag == DT_FLAGS_1.0)?;
    let segment = elf.segments.iter().find(|segment| segment.kind == PT_DYNAMIC.0)?;
    let word = if elf.class == Class::Elf64 { 8 } else { 4 };
    // An entry is a tag and a value.
    let start = usize::try_from(segment.offset).ok()?.checked_add(index * 2 * word + word)?;
    Some((start..start.checked_add(word)?, elf.endian == object::Endianness::Little))
}

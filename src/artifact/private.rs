//! A relocatable Mach-O object with other names, and with names that no other image sees
//! (`mach-o/nlist.h`).
//!
//! Separate because it writes, where all else here reads: a symbol's entry is changed in its place,
//! and the table of names comes once more at the end, with the new ones.

use std::collections::BTreeMap;

use object::{Endianness, endian::U32, from_bytes_mut, macho as raw, slice_from_bytes_mut};

use super::{ArtifactError, Machine, macho};

const MALFORMED: ArtifactError = ArtifactError::Malformed("the object's table of symbols");

/// Gives definitions and references other names, and keeps all definitions but the visible ones inside
/// the image that the object is linked into. Names are C's. `None` if it is no 64-bit Mach-O object.
///
/// # Errors
/// If the object contradicts itself.
pub fn make_private(
    data: &[u8],
    renamed: &BTreeMap<String, String>,
    visible: impl Fn(&str) -> bool,
) -> Result<Option<Vec<u8>>, ArtifactError> {
    if !matches!(data, [0xcf, 0xfa, 0xed, 0xfe, ..]) {
        return Ok(None);
    }
    let mut out = data.to_vec();
    let Some(at) = symtab(&out)? else { return Ok(Some(out)) };
    let (command, _) =
        from_bytes_mut::<raw::SymtabCommand<Endianness>>(&mut out[at..]).map_err(|()| MALFORMED)?;
    let get = |field: U32<Endianness>| field.get(Endianness::Little) as usize;
    let (first, count) = (get(command.symoff), get(command.nsyms));
    let (strings, size) = (get(command.stroff), get(command.strsize));
    let mut names =
        strings.checked_add(size).and_then(|end| data.get(strings..end)).ok_or(MALFORMED)?.to_vec();
    let entries = out.get_mut(first..).ok_or(MALFORMED)?;
    let (entries, _) =
        slice_from_bytes_mut::<raw::Nlist64<Endianness>>(entries, count).map_err(|()| MALFORMED)?;
    for entry in entries {
        let kind = entry.n_type;
        if kind.is_stab() || !kind.is_ext() {
            continue;
        }
        let at = entry.n_strx.get(Endianness::Little) as usize;
        let name = names.get(at..).and_then(|rest| rest.split(|&b| b == 0).next());
        let name = String::from_utf8_lossy(macho::c_name(name.ok_or(MALFORMED)?)).into_owned();
        if let Some(new) = renamed.get(&name) {
            let at = u32::try_from(names.len()).map_err(|_| MALFORMED)?;
            entry.n_strx = U32::new(Endianness::Little, at);
            names.extend(format!("_{new}\0").bytes());
        }
        if kind.typ() != raw::N_UNDF && !visible(&name) {
            entry.n_type = kind.with(raw::N_PEXT);
        }
    }
    out.resize(out.len().next_multiple_of(8), 0);
    let number = |n: usize| u32::try_from(n).map_err(|_| MALFORMED);
    let (stroff, strsize) = (number(out.len())?, number(names.len())?);
    let (command, _) =
        from_bytes_mut::<raw::SymtabCommand<Endianness>>(&mut out[at..]).map_err(|()| MALFORMED)?;
    command.stroff = U32::new(Endianness::Little, stroff);
    command.strsize = U32::new(Endianness::Little, strsize);
    out.extend(names);
    out.resize(out.len().next_multiple_of(8), 0);
    Ok(Some(out))
}

/// Where the command for the table of symbols stands.
fn symtab(data: &[u8]) -> Result<Option<usize>, ArtifactError> {
    use object::read::macho::MachHeader;
    let header = raw::MachHeader64::<Endianness>::parse(data, 0).map_err(|_| MALFORMED)?;
    let mut commands = header.load_commands(Endianness::Little, data, 0).map_err(|_| MALFORMED)?;
    while let Some(command) = commands.next().map_err(|_| MALFORMED)? {
        if command.cmd() == raw::LC_SYMTAB {
            return usize::try_from(command.offset()).map(Some).map_err(|_| MALFORMED);
        }
    }
    Ok(None)
}

/// The part of a universal archive or object that is for a machine; all of a file that is not universal,
/// and nothing of one that has no such part.
///
/// # Errors
/// If the file contradicts itself.
pub fn slice_for(data: &[u8], machine: Machine) -> Result<Option<&[u8]>, ArtifactError> {
    if !macho::is_fat(data) {
        return Ok(Some(data));
    }
    for slice in macho::slices(data)? {
        let archive = super::Archive::read(slice)?;
        if archive.members.iter().any(|member| member.machine == Some(machine)) {
            return Ok(Some(slice));
        }
    }
    Ok(None)
}

//! The new object's bytes: its header, the sections with their relocations, the symbols, and long names.

use object::pe;

use super::object::Section;

/// Bytes of an entry of the table of symbols.
pub(super) const ENTRY: usize = 18;

/// In place of a section's number: the value is no address.
pub(super) const ABSOLUTE: u16 = 0xFFFF;

/// A section of the new object.
pub(super) struct Part {
    pub(super) section: Section,
    /// Whose it was.
    pub(super) object: usize,
    /// For each relocation, the symbol's place in the new table.
    pub(super) symbols: Vec<u32>,
}

/// A symbol of the new object.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) value: u32,
    pub(super) section: u16,
    pub(super) kind: u16,
    pub(super) class: u8,
    /// The place after it, which is about it.
    pub(super) more: Option<[u8; ENTRY]>,
}

const HEADER: usize = 20;
const SECTION: usize = 40;

/// All of it; no time, so that the same inputs give the same bytes.
///
/// # Errors
/// In words, if it is too large for the format.
pub(super) fn bytes(machine: u16, parts: &[Part], entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut strings = Strings(vec![0; 4]);
    let mut headers = Vec::new();
    let mut bodies = Vec::new();
    let start = HEADER + SECTION * parts.len();
    for part in parts {
        part.write(start, &mut strings, &mut headers, &mut bodies);
    }
    // A section's header has seven digits for where its name is.
    if strings.0.len() > 9_999_999 {
        return Err("the names of its sections would fill 10 MB".to_owned());
    }
    let mut table = Vec::new();
    for entry in entries {
        table.extend(strings.symbol(&entry.name));
        table.extend(entry.value.to_le_bytes());
        table.extend(entry.section.to_le_bytes());
        table.extend(entry.kind.to_le_bytes());
        table.extend([entry.class, entry.more.is_some().into()]);
        table.extend(entry.more.iter().flatten());
    }
    let mut all = Vec::new();
    all.extend(machine.to_le_bytes());
    all.extend((parts.len() as u16).to_le_bytes());
    all.extend(0_u32.to_le_bytes());
    let table_at =
        u32::try_from(start + bodies.len()).map_err(|_| "it would fill 4 GiB".to_owned())?;
    all.extend(table_at.to_le_bytes());
    all.extend(((table.len() / ENTRY) as u32).to_le_bytes());
    all.extend(0_u32.to_le_bytes());
    let length = (strings.0.len() as u32).to_le_bytes();
    strings.0[..4].copy_from_slice(&length);
    Ok([all, headers, bodies, table, strings.0].concat())
}

impl Part {
    /// Adds the section's header, and to the bodies, which begin at `start` in the file, its own.
    fn write(
        &self,
        start: usize,
        strings: &mut Strings,
        headers: &mut Vec<u8>,
        bodies: &mut Vec<u8>,
    ) {
        let Section { name, flags, size, data, relocations, .. } = &self.section;
        let at = |bodies: &Vec<u8>, some: bool| if some { start + bodies.len() } else { 0 } as u32;
        let at_data = at(bodies, !data.is_empty());
        bodies.extend(data);
        let at_relocations = at(bodies, !relocations.is_empty());
        // Where there is no room for the number of them, the first one has it.
        let many = relocations.len() >= usize::from(u16::MAX);
        let mut flags = flags & !pe::IMAGE_SCN_LNK_NRELOC_OVFL.0;
        if many {
            flags |= pe::IMAGE_SCN_LNK_NRELOC_OVFL.0;
            bodies.extend((relocations.len() as u32 + 1).to_le_bytes());
            bodies.extend([0; 6]);
        }
        for (relocation, symbol) in relocations.iter().zip(&self.symbols) {
            bodies.extend(relocation.offset.to_le_bytes());
            bodies.extend(symbol.to_le_bytes());
            bodies.extend(relocation.kind.to_le_bytes());
        }
        headers.extend(strings.section(name));
        headers.extend([0; 8]);
        for number in [*size, at_data, at_relocations, 0] {
            headers.extend(number.to_le_bytes());
        }
        let count = u16::try_from(relocations.len()).unwrap_or(u16::MAX);
        headers.extend(count.to_le_bytes());
        headers.extend([0; 2]);
        headers.extend(flags.to_le_bytes());
    }
}

/// The table of long names, which begins with its own length.
struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, name: &[u8]) -> u32 {
        let offset = self.0.len() as u32;
        self.0.extend(name);
        self.0.push(0);
        offset
    }

    fn symbol(&mut self, name: &[u8]) -> [u8; 8] {
        let mut field = [0; 8];
        match field.get_mut(..name.len()) {
            Some(room) => room.copy_from_slice(name),
            None => field[4..].copy_from_slice(&self.add(name).to_le_bytes()),
        }
        field
    }

    /// As digits: there is room for seven.
    fn section(&mut self, name: &[u8]) -> [u8; 8] {
        let mut field = [0; 8];
        match field.get_mut(..name.len()) {
            Some(room) => room.copy_from_slice(name),
            None => {
                let digits = format!("/{}", self.add(name));
                let room = field.iter_mut().zip(digits.bytes());
                room.for_each(|(place, digit)| *place = digit);
            }
        }
        field
    }
}

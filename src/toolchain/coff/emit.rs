//! The new object: which sections and symbols it has.

use std::collections::{BTreeSet, HashMap};

use object::pe;

use super::{
    directives,
    merge::{At, Meaning, Merged},
    object::{Object, Section},
    write::{ABSOLUTE, ENTRY, Entry, Part},
};

/// Sections that are lists of symbols, by their places in the table: what is called by pointers, and what
/// handles exceptions.
const LISTS: [&[u8]; 5] = [b".gfids", b".giats", b".gljmp", b".gehcont", b".sxdata"];

/// What an entry of the new table stands for.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Name(Vec<u8>),
    Own(At),
}

/// Objects that are being put together.
pub(super) struct Emit<'a> {
    objects: &'a [Object],
    merged: &'a Merged,
    public: &'a BTreeSet<Vec<u8>>,
    /// The new number of each object's section, from 1.
    numbers: HashMap<At, u16>,
    /// Where tentative definitions are in a section of their own, which has this number.
    commons: HashMap<At, u32>,
    of_commons: u16,
    /// The new object's sections, and its symbols: first those that stand for a section each.
    pub(super) parts: Vec<Part>,
    pub(super) entries: Vec<Entry>,
    /// How many places of the table the entries take.
    places: u32,
    known: HashMap<Key, u32>,
}

impl<'a> Emit<'a> {
    /// Puts objects together; only `public` names stay visible.
    ///
    /// # Errors
    /// In words, what does not fit.
    pub(super) fn new(
        objects: &'a [Object],
        merged: &'a Merged,
        public: &'a BTreeSet<Vec<u8>>,
    ) -> Result<Emit<'a>, String> {
        let mut emit = Emit {
            objects,
            merged,
            public,
            numbers: HashMap::new(),
            commons: HashMap::new(),
            of_commons: 0,
            parts: Vec::new(),
            entries: Vec::new(),
            places: 0,
            known: HashMap::new(),
        };
        emit.lay_out()?;
        emit.stand_for_sections();
        emit.refer()?;
        for at in public.iter().filter_map(|name| merged.definition(name)) {
            emit.symbol(at)?;
        }
        Ok(emit)
    }

    fn lay_out(&mut self) -> Result<(), String> {
        for (object, file) in self.objects.iter().enumerate() {
            for (number, section) in file.sections.iter().enumerate() {
                if self.merged.drops(object, number) {
                    continue;
                }
                // Of the copies of a section, this one is chosen.
                let flags = section.flags & !pe::IMAGE_SCN_LNK_COMDAT.0;
                let place = self.add(Section { flags, ..section.clone() }, object)?;
                self.numbers.insert((object, number), place);
            }
        }
        self.lay_out_commons()?;
        let data = directives::joined(self.objects, self.merged, self.public).into_bytes();
        let flags =
            pe::IMAGE_SCN_LNK_INFO.0 | pe::IMAGE_SCN_LNK_REMOVE.0 | pe::IMAGE_SCN_ALIGN_1BYTES.0;
        let name = directives::SECTION.to_vec();
        let section = Section { name, flags, size: data.len() as u32, data, ..Section::default() };
        self.add(section, 0).map(|_| ())
    }

    /// Tentative definitions have the alignment of their size, at most 32 bytes, or what their objects say.
    fn lay_out_commons(&mut self) -> Result<(), String> {
        let mut end = 0_u32;
        let mut most = 32;
        let said = directives::alignments(self.objects)?;
        for (at, size) in self.merged.commons(self.objects) {
            let symbol = self.objects[at.0].symbols[at.1].as_ref();
            let said = symbol.and_then(|symbol| said.get(&symbol.name)).copied();
            let alignment = size.min(32).next_power_of_two().max(said.unwrap_or(1));
            most = most.max(alignment);
            let offset = end.checked_next_multiple_of(alignment);
            let after = offset.and_then(|offset| Some((offset, offset.checked_add(size)?)));
            let (offset, next) = after.ok_or("variables without a value fill 4 GiB")?;
            end = next;
            self.commons.insert(at, offset);
        }
        if end == 0 {
            return Ok(());
        }
        let flags = pe::IMAGE_SCN_CNT_UNINITIALIZED_DATA.0
            | pe::IMAGE_SCN_MEM_READ.0
            | pe::IMAGE_SCN_MEM_WRITE.0
            // One more than the power of two, after 20 bits.
            | (most.trailing_zeros() + 1) << 20;
        let section = Section { name: b".bss".to_vec(), flags, size: end, ..Section::default() };
        self.of_commons = self.add(section, 0)?;
        Ok(())
    }

    /// Adds a section; the answer is its number.
    fn add(&mut self, section: Section, object: usize) -> Result<u16, String> {
        self.parts.push(Part { section, object, symbols: Vec::new() });
        // Numbers above mean no section.
        let number = u16::try_from(self.parts.len()).ok().filter(|number| *number < 0xFF00);
        number.ok_or_else(|| "they have more sections together than one object may have".to_owned())
    }

    fn stand_for_sections(&mut self) {
        let features = self.objects.iter().map(|object| object.features);
        let all = features.reduce(|all, one| all & one).unwrap_or_default();
        for number in 0..self.parts.len() {
            let Section { name, size, relocations, .. } = &self.parts[number].section;
            let count = u16::try_from(relocations.len()).unwrap_or(u16::MAX);
            let mut more = [0; ENTRY];
            more[..4].copy_from_slice(&size.to_le_bytes());
            more[4..6].copy_from_slice(&count.to_le_bytes());
            self.push(Entry {
                name: name.clone(),
                section: number as u16 + 1,
                class: pe::IMAGE_SYM_CLASS_STATIC.0,
                more: Some(more),
                ..Entry::default()
            });
        }
        self.push(Entry {
            name: super::object::FEATURES.to_vec(),
            value: all,
            section: ABSOLUTE,
            class: pe::IMAGE_SYM_CLASS_STATIC.0,
            ..Entry::default()
        });
    }

    fn push(&mut self, entry: Entry) -> u32 {
        let place = self.places;
        self.places += if entry.more.is_some() { 2 } else { 1 };
        self.entries.push(entry);
        place
    }

    /// Has each reference mean a symbol of the new table.
    fn refer(&mut self) -> Result<(), String> {
        for part in 0..self.parts.len() {
            let Part { section, object, .. } = &self.parts[part];
            let object = *object;
            let wanted: Vec<usize> = section.relocations.iter().map(|r| r.symbol).collect();
            let is_list = LISTS.iter().any(|list| section.name.starts_with(list));
            let listed: Vec<usize> =
                section.data.chunks_exact(4).filter(|_| is_list).map(number).collect();
            let symbols = wanted.into_iter().map(|index| self.symbol((object, index)));
            self.parts[part].symbols = symbols.collect::<Result<_, _>>()?;
            for (place, index) in listed.into_iter().enumerate() {
                let symbol = self.symbol((object, index))?;
                self.parts[part].section.data[4 * place..][..4]
                    .copy_from_slice(&symbol.to_le_bytes());
            }
        }
        Ok(())
    }

    /// The place of a symbol in the new table.
    fn symbol(&mut self, at: At) -> Result<u32, String> {
        let object = &self.objects[at.0];
        let Some(symbol) = object.symbols.get(at.1).and_then(Option::as_ref) else {
            return Err(format!("`{}` is malformed: a reference to no symbol", object.name));
        };
        let meaning = self.merged.meaning(self.objects, at);
        if let (true, Meaning::In { object, section, .. }) = (symbol.is_section, meaning) {
            return Ok(2 * u32::from(self.numbers[&(object, section)] - 1));
        }
        if let Meaning::Elsewhere(other) = meaning
            && other != at
        {
            return self.symbol(other);
        }
        let key = if symbol.external { Key::Name(symbol.name.clone()) } else { Key::Own(at) };
        if let Some(place) = self.known.get(&key) {
            return Ok(*place);
        }
        let public = symbol.external && self.public.contains(&symbol.name);
        let class = if public { pe::IMAGE_SYM_CLASS_EXTERNAL } else { pe::IMAGE_SYM_CLASS_STATIC };
        let (name, kind) = (symbol.name.clone(), symbol.kind);
        let entry = Entry { name, kind, class: class.0, ..Entry::default() };
        let entry = match meaning {
            Meaning::In { object, section, offset } => {
                let section = self.numbers[&(object, section)];
                Entry { value: offset, section, ..entry }
            }
            Meaning::Common(at) => {
                Entry { value: self.commons[&at], section: self.of_commons, ..entry }
            }
            Meaning::Absolute(value) => Entry { value, section: ABSOLUTE, ..entry },
            Meaning::Elsewhere(_) => Entry { class: pe::IMAGE_SYM_CLASS_EXTERNAL.0, ..entry },
        };
        let place = self.push(entry);
        self.known.insert(key, place);
        Ok(place)
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

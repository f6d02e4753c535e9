//! The dynamic segment: symbols, versions and relocations as the loader sees them (gABI chapter 5,
//! the GNU symbol versioning of "How To Write Shared Libraries", the psABIs' relocation tables).
//!
//! Separate because it follows addresses, never section headers: a file may lie in the latter (or
//! have none) and still be loaded.

use super::ArtifactError;
use super::elf::{Elf, RawSymbol};
use super::names::Names;
use super::relocation::{RelocationKind, SymbolRelocation};
use super::symbol::Symbol;
use super::versions::Versions;
use object::elf as raw;

/// The dynamic segment, read.
pub(super) struct Dynamic<'a> {
    entries: Vec<(i64, u64)>,
    pub(super) strings: &'a [u8],
    pub(super) symbols: Vec<Symbol>,
    pub(super) relocations: Vec<SymbolRelocation>,
    pub(super) versions: Versions,
}

impl<'a> Dynamic<'a> {
    pub(super) fn read(elf: &Elf<'a>, names: &mut Names) -> Result<Self, ArtifactError> {
        let mut dynamic = Self {
            entries: elf.dynamic(),
            strings: &[],
            symbols: Vec::new(),
            relocations: Vec::new(),
            versions: Versions::default(),
        };
        if let Some(strings) = dynamic.value(raw::DT_STRTAB) {
            let size = dynamic.value(raw::DT_STRSZ).unwrap_or(0);
            dynamic.strings = elf.at_most(strings, size);
        }
        dynamic.relocations = dynamic.read_relocations(elf);
        if let Some(table) = dynamic.value(raw::DT_SYMTAB) {
            let count = dynamic.symbol_count(elf, table);
            dynamic.versions = Versions::read(elf, &dynamic, count, names)?;
            let bytes = elf.at_most(table, count.saturating_mul(elf.symbol_size()));
            dynamic.symbols = dynamic.read_symbols(&elf.symbols(bytes), names)?;
        }
        let count = dynamic.symbols.len();
        for relocation in &mut dynamic.relocations {
            relocation.symbol = relocation.symbol.filter(|&index| index < count);
        }
        Ok(dynamic)
    }

    /// The value of the first entry with this tag.
    pub(super) fn value(&self, tag: raw::DynamicTag) -> Option<u64> {
        self.values(tag).next()
    }

    /// The values of all entries with this tag.
    pub(super) fn values(&self, tag: raw::DynamicTag) -> impl Iterator<Item = u64> {
        self.entries.iter().filter(move |(t, _)| *t == tag.0).map(|(_, value)| *value)
    }

    fn read_symbols(
        &self,
        table: &[RawSymbol],
        names: &mut Names,
    ) -> Result<Vec<Symbol>, ArtifactError> {
        let read = |(index, s): (usize, &RawSymbol)| {
            let version = self.versions.of(index, s.section == raw::SHN_UNDEF.0, names)?;
            let name = names.at(self.strings, s.name.into())?;
            Ok(Symbol::from_raw(s, name, version))
        };
        table.iter().enumerate().map(read).collect()
    }

    /// The dynamic segment does not say how many symbols there are: the hash tables do, the
    /// relocations give a lower bound, and section headers may know.
    fn symbol_count(&self, elf: &Elf<'_>, table: u64) -> u64 {
        let hash = self.value(raw::DT_HASH).map(|at| u64::from(elf.word(at.saturating_add(4))));
        let section = elf
            .sections
            .iter()
            .find(|s| s.kind == raw::SHT_DYNSYM.0 && s.address == table)
            .map(|s| s.size / elf.symbol_size());
        let used =
            self.relocations.iter().filter_map(|r| r.symbol).max().map_or(0, |n| n as u64 + 1);
        let gnu = || self.value(raw::DT_GNU_HASH).and_then(|at| gnu_hash_count(elf, at));
        hash.or(section).or_else(gnu).unwrap_or(0).max(used)
    }

    fn read_relocations(&self, elf: &Elf<'_>) -> Vec<SymbolRelocation> {
        let plt_is_rela = self.value(raw::DT_PLTREL) == Some(raw::DT_RELA.0.unsigned_abs());
        let tables = [
            (raw::DT_RELA, raw::DT_RELASZ, true),
            (raw::DT_REL, raw::DT_RELSZ, false),
            (raw::DT_JMPREL, raw::DT_PLTRELSZ, plt_is_rela),
        ];
        let mut all = Vec::new();
        for (start, size, rela) in tables {
            let range = self.value(start).zip(self.value(size));
            let bytes = range.map(|(start, size)| elf.at_most(start, size)).unwrap_or_default();
            all.extend(elf.relocations(bytes, rela).iter().map(|r| SymbolRelocation {
                slot: r.offset,
                kind: RelocationKind::from_raw(elf.machine, r.kind),
                symbol: (r.symbol != 0).then_some(r.symbol as usize),
                addend: r.addend,
            }));
        }
        all
    }
}

/// The highest symbol of a DT_GNU_HASH table: its chains end at an odd hash.
fn gnu_hash_count(elf: &Elf<'_>, at: u64) -> Option<u64> {
    let word = |index: u64| u64::from(elf.word(at.saturating_add(index.saturating_mul(4))));
    let (buckets, first, bloom) = (word(0), word(1), word(2));
    let bloom_words = bloom.checked_mul(elf.class.pointer_size() / 4)?;
    let bucket_start = bloom_words.checked_add(4)?;
    let in_file = (elf.data.len() as u64) / 4;
    let last = (0..buckets.min(in_file)).map(|b| word(bucket_start + b)).max()?;
    if last < first {
        return Some(first);
    }
    let chain = bucket_start.checked_add(buckets)?;
    let mut index = last;
    while word(chain.checked_add(index - first)?) & 1 == 0 {
        index += 1;
        if index - last > in_file {
            return None;
        }
    }
    Some(index + 1)
}

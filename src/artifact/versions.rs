//! Symbol versions: the nodes that a file defines and those that it wants of others (GNU
//! extension to the gABI: DT_VERSYM, DT_VERDEF, DT_VERNEED).
//!
//! Separate because a version decides whether a definition answers anybody at all.

use super::ArtifactError;
use super::dynamic::Dynamic;
use super::elf::{Elf, table};
use super::names::Names;
use super::symbol::{SymbolVersion, VersionNeed};
use object::Endianness;
use object::elf as raw;
use object::pod;
use object::pod::Pod;
use std::collections::BTreeMap;

/// A version index has fifteen bits; more entries than that repeat themselves.
const MOST: usize = 1 << 15;

#[derive(Debug, Default)]
pub(super) struct Versions {
    /// One index per symbol; empty where the file has no versions.
    table: Vec<u16>,
    defined: BTreeMap<u16, String>,
    wanted: BTreeMap<u16, VersionNeed>,
    /// The index of the base definition, which names the file itself.
    base: Option<u16>,
}

impl Versions {
    pub(super) fn read(
        elf: &Elf<'_>,
        dynamic: &Dynamic<'_>,
        symbols: u64,
        names: &mut Names,
    ) -> Result<Self, ArtifactError> {
        let mut versions = Self::default();
        if let Some(at) = dynamic.value(raw::DT_VERSYM) {
            let bytes = elf.at_most(at, symbols.saturating_mul(2));
            let entries: &[raw::Versym<Endianness>] = table(bytes);
            versions.table = entries.iter().map(|v| v.0.get(elf.endian).0).collect();
        }
        if let Some(at) = dynamic.value(raw::DT_VERDEF) {
            let count = dynamic.value(raw::DT_VERDEFNUM).unwrap_or(0);
            versions.read_definitions(elf, at, count, dynamic.strings, names)?;
        }
        if let Some(at) = dynamic.value(raw::DT_VERNEED) {
            let count = dynamic.value(raw::DT_VERNEEDNUM).unwrap_or(0);
            versions.read_needs(elf, at, count, dynamic.strings, names)?;
        }
        Ok(versions)
    }

    fn read_definitions(
        &mut self,
        elf: &Elf<'_>,
        mut at: u64,
        count: u64,
        strings: &[u8],
        names: &mut Names,
    ) -> Result<(), ArtifactError> {
        for _ in 0..count.min(MOST as u64) {
            let Some(def) = read_at::<raw::Verdef<Endianness>>(elf, at) else { break };
            let aux = at.saturating_add(def.vd_aux.get(elf.endian).into());
            // Only the first name is the node's own; the others are its parents'.
            let Some(aux) = read_at::<raw::Verdaux<Endianness>>(elf, aux) else { break };
            let name = names.at(strings, aux.vda_name.get(elf.endian).into())?;
            let index = def.vd_ndx.get(elf.endian).0;
            if def.vd_flags.get(elf.endian).0 & raw::VER_FLG_BASE.0 != 0 {
                self.base = Some(index);
            } else {
                self.defined.insert(index, name);
            }
            match def.vd_next.get(elf.endian) {
                0 => break,
                next => at = at.saturating_add(next.into()),
            }
        }
        Ok(())
    }

    fn read_needs(
        &mut self,
        elf: &Elf<'_>,
        mut at: u64,
        count: u64,
        strings: &[u8],
        names: &mut Names,
    ) -> Result<(), ArtifactError> {
        let mut left = MOST;
        for _ in 0..count.min(MOST as u64) {
            let Some(need) = read_at::<raw::Verneed<Endianness>>(elf, at) else { break };
            let library = names.at(strings, need.vn_file.get(elf.endian).into())?;
            let mut next_aux = at.saturating_add(need.vn_aux.get(elf.endian).into());
            for _ in 0..need.vn_cnt.get(elf.endian) {
                let Some(aux) = read_at::<raw::Vernaux<Endianness>>(elf, next_aux) else { break };
                let Some(rest) = left.checked_sub(1) else { return Ok(()) };
                left = rest;
                let node = names.at(strings, aux.vna_name.get(elf.endian).into())?;
                let index = aux.vna_other.get(elf.endian).0 & raw::VERSYM_VERSION;
                // The library's name is repeated for each of its versions: within the budget too.
                let library = names.at(library.as_bytes(), 0)?;
                self.wanted.insert(index, VersionNeed { library, node });
                match aux.vna_next.get(elf.endian) {
                    0 => break,
                    next => next_aux = next_aux.saturating_add(next.into()),
                }
            }
            match need.vn_next.get(elf.endian) {
                0 => break,
                next => at = at.saturating_add(next.into()),
            }
        }
        Ok(())
    }

    /// The version of the symbol with this index in the dynamic symbol table.
    pub(super) fn of(
        &self,
        index: usize,
        undefined: bool,
        names: &mut Names,
    ) -> Result<SymbolVersion, ArtifactError> {
        let Some(&entry) = self.table.get(index) else { return Ok(SymbolVersion::Unversioned) };
        let version = entry & raw::VERSYM_VERSION;
        // Every symbol repeats its node's name: within the budget too.
        let mut copy = |name: &str| names.at(name.as_bytes(), 0);
        if let (true, Some(need)) = (undefined, self.wanted.get(&version)) {
            let (node, library) = (copy(&need.node)?, copy(&need.library)?);
            return Ok(SymbolVersion::Wanted { node, library });
        }
        Ok(match (version, self.defined.get(&version)) {
            (0, _) if !undefined => SymbolVersion::Local,
            (0 | 1, _) => SymbolVersion::Unversioned,
            _ if Some(version) == self.base => SymbolVersion::Unversioned,
            (_, Some(node)) => SymbolVersion::Defined {
                node: copy(node)?,
                default: entry & raw::VERSYM_HIDDEN.0 == 0,
                first: version == 2,
            },
            (_, None) => SymbolVersion::Unknown(version),
        })
    }

    /// The nodes that the file defines, in their order.
    pub(super) fn nodes(&self) -> Vec<String> {
        self.defined.values().cloned().collect()
    }

    /// What the file wants of others.
    pub(super) fn needs(&self) -> Vec<VersionNeed> {
        self.wanted.values().cloned().collect()
    }
}

fn read_at<'a, T: Pod>(elf: &Elf<'a>, address: u64) -> Option<&'a T> {
    pod::from_bytes(elf.at(address)).ok().map(|(value, _)| value)
}

//! dyld's table of exports: names as paths of a tree, one node after the other.
//!
//! Walked here rather than by the `object` crate, which follows every path: a table whose nodes
//! share children has exponentially many, and most need not even end in a name.

use super::ArtifactError;
use super::image::{ImageExport, NeededLibrary};
use super::macho::c_name;
use super::names::{Names, c_string};
use object::macho as raw;
use std::collections::HashSet;

const BROKEN: ArtifactError = ArtifactError::Malformed("the table of exports");

/// All exports of a table.
pub(super) fn exports(
    table: &[u8],
    libraries: &[NeededLibrary],
    names: &mut Names,
) -> Result<Vec<ImageExport>, ArtifactError> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    // Nodes still to be read: where, and the name up to there.
    let mut todo: Vec<(u64, Vec<u8>)> = Vec::new();
    if !table.is_empty() {
        todo.push((0, Vec::new()));
    }
    while let Some((offset, path)) = todo.pop() {
        if !seen.insert(offset) {
            return Err(ArtifactError::Malformed("the table of exports is no tree"));
        }
        let mut node = Cursor::at(table, offset)?;
        let size = node.number()?;
        let here = node.bytes(size)?;
        if !here.is_empty() {
            let forward = forward(here, &path, libraries, names)?;
            all.push(ImageExport { name: names.take(c_name(&path))?, forward });
        }
        let first = todo.len();
        for _ in 0..node.byte()? {
            let edge = node.string()?;
            let child = node.number()?;
            names.charge(path.len() + edge.len())?;
            todo.push((child, [&path, edge].concat()));
        }
        // The first child comes first, as in the file.
        todo[first..].reverse();
    }
    Ok(all)
}

/// The library and name behind a re-export.
fn forward(
    entry: &[u8],
    own: &[u8],
    libraries: &[NeededLibrary],
    names: &mut Names,
) -> Result<Option<String>, ArtifactError> {
    let mut entry = Cursor { rest: entry };
    if entry.number()? & raw::EXPORT_SYMBOL_FLAGS_REEXPORT.0 == 0 {
        return Ok(None);
    }
    let ordinal = entry.number()?;
    let name = match entry.string()? {
        [] => own,
        name => name,
    };
    let index = usize::try_from(ordinal).ok().and_then(|o| o.checked_sub(1));
    let library = index.and_then(|i| libraries.get(i)).ok_or(BROKEN)?;
    let text = [library.name.as_bytes(), b".", c_name(name)].concat();
    names.take(&text).map(Some)
}

/// What is left of the table.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn at(table: &'a [u8], offset: u64) -> Result<Self, ArtifactError> {
        let rest = usize::try_from(offset).ok().and_then(|o| table.get(o..));
        rest.map(|rest| Self { rest }).ok_or(BROKEN)
    }

    fn bytes(&mut self, size: u64) -> Result<&'a [u8], ArtifactError> {
        let size = usize::try_from(size).map_err(|_| BROKEN)?;
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(BROKEN)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ArtifactError> {
        self.bytes(1).map(|b| b[0])
    }

    /// ULEB128.
    fn number(&mut self) -> Result<u64, ArtifactError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BROKEN)
    }

    fn string(&mut self) -> Result<&'a [u8], ArtifactError> {
        let text = c_string(self.rest, 0).ok_or(BROKEN)?;
        self.bytes(text.len() as u64 + 1)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &[u8]) -> Result<Vec<String>, ArtifactError> {
        let all = exports(table, &[], &mut Names::new(table))?;
        Ok(all.into_iter().map(|e| e.name).collect())
    }

    #[test]
    fn names_are_the_paths_to_nodes_with_an_entry() {
        // root: "_a" -> 9, "_b" -> 9 + 4
        let table = [0, 2, b'_', b'a', 0, 10, b'b', 0, 14, 0, 2, 0, 1, 0, 2, 0, 2, 0];
        assert_eq!(read(&table).unwrap(), ["a", "b"]);
        assert_eq!(read(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn shared_children_and_circles_are_refused() {
        let shared = [0, 2, b'a', 0, 8, b'b', 0, 8, 2, 0, 1, 0];
        assert!(read(&shared).is_err());
        assert!(read(&[0, 1, b'a', 0, 0]).is_err());
    }

    /// Sixty nodes of two children each are 2^60 paths.
    #[test]
    fn paths_are_not_multiplied() {
        let mut table = Vec::new();
        for node in 1u16..60 {
            let next = [((node * 10) & 0x7f) as u8 | 0x80, ((node * 10) >> 7) as u8];
            table.extend([0, 2, b'a', 0, next[0], next[1], b'b', 0, next[0], next[1]]);
        }
        table.extend([0, 0]);
        assert!(read(&table).is_err());
    }
}

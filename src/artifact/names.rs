//! Symbol names out of a file's tables.
//!
//! Separate because a hostile table can make few bytes into many: every symbol may name the same
//! long run without a terminator, every import list may be the same one. A budget over all names
//! of a file keeps the reader linear.

use super::ArtifactError;

/// The bytes of names that a file may have beside sixteen times its size: no real file comes near.
const FLOOR: usize = 1 << 20;

/// What an entry costs beside its name, where the file's own size does not bound the number.
const ENTRY: usize = 48;

/// Reads names until the file's budget is spent.
pub(super) struct Names {
    budget: usize,
}

impl Names {
    pub(super) fn new(file: &[u8]) -> Self {
        Self { budget: file.len().saturating_mul(16).saturating_add(FLOOR) }
    }

    /// The name at `offset`; out of range is an empty name, as for an unnamed symbol.
    pub(super) fn at(&mut self, strings: &[u8], offset: u64) -> Result<String, ArtifactError> {
        let text = c_string(strings, offset).unwrap_or_default();
        self.charge(text.len())?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// A name from a table that may list the same bytes many times.
    pub(super) fn take(&mut self, text: &[u8]) -> Result<String, ArtifactError> {
        self.charge(text.len().saturating_add(ENTRY))?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// Spends some of the budget.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), ArtifactError> {
        self.budget = self
            .budget
            .checked_sub(bytes)
            .ok_or(ArtifactError::Malformed("its names are far larger than the file"))?;
        Ok(())
    }
}

/// The bytes from `offset` to the next NUL (or to the end of the table).
pub(super) fn c_string(strings: &[u8], offset: u64) -> Option<&[u8]> {
    let tail = strings.get(usize::try_from(offset).ok()?..)?;
    let end = tail.iter().position(|&b| b == 0).unwrap_or(tail.len());
    tail.get(..end)
}

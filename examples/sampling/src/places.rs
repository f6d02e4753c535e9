//! What each line allocated and freed, in a table that needs no heap.

use core::{cell::UnsafeCell, ffi::c_int};

/// Lines that are told apart.
const PLACES: usize = 8192;
/// Bytes of all files' names.
const TEXT: usize = 256 << 10;
/// Files that are told apart.
const FILES: usize = 2048;

/// A line, or what is not told apart.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// One more than the number of its file; 0 for code that is not Python's.
    file: usize,
    pub(crate) line: c_int,
    pub(crate) allocated: isize,
    pub(crate) freed: isize,
}

const NOWHERE: Place = Place { file: 0, line: 0, allocated: 0, freed: 0 };

#[derive(Clone, Copy)]
struct Name {
    start: usize,
    length: usize,
}

pub(crate) struct Places {
    /// The first for code that is not Python's, the second for what found no room; then as they came.
    places: [Place; PLACES],
    used: usize,
    names: [Name; FILES],
    files: usize,
    text: [u8; TEXT],
    end: usize,
}

const NATIVE: usize = 0;
const ELSEWHERE: usize = 1;

struct Shared(UnsafeCell<Places>);

// SAFETY: only whoever holds the sampler's lock looks at it.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared(UnsafeCell::new(Places {
    places: [NOWHERE; PLACES],
    used: 0,
    names: [Name { start: 0, length: 0 }; FILES],
    files: 0,
    text: [0; TEXT],
    end: 0,
}));

/// All of them. The caller holds the sampler's lock.
pub(crate) fn all() -> &'static mut Places {
    // SAFETY: the lock is held, and nobody keeps what this returns.
    unsafe { &mut *SHARED.0.get() }
}

/// Adds bytes to a line, negative ones to those that it freed. The caller holds the sampler's lock.
pub(crate) fn add(file: &[u8], line: c_int, bytes: isize) {
    let all = all();
    let number = all.number_of(file, line);
    if let Some(place) = all.places.get_mut(number) {
        place.allocated += bytes.max(0);
        place.freed -= bytes.min(0);
    }
}

/// As if nothing had been seen. The caller holds the sampler's lock.
pub(crate) fn forget() {
    let all = all();
    (all.used, all.files, all.end) = (0, 0, 0);
    for place in &mut all.places {
        *place = NOWHERE;
    }
}

impl Places {
    /// Each with the name of its file, or what stands for one.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (&[u8], &Place)> {
        let named = |(number, place): (usize, &'_ Place)| match number {
            NATIVE => &b"(native)"[..],
            ELSEWHERE => b"(elsewhere)",
            _ => self.name(place.file.wrapping_sub(1)),
        };
        let places = self.places.iter().enumerate().take(self.used + 2);
        places.map(move |(n, p)| (named((n, p)), p)).filter(|(_, p)| p.allocated + p.freed != 0)
    }

    fn name(&self, file: usize) -> &[u8] {
        let name = self.names.get(file).copied().unwrap_or(Name { start: 0, length: 0 });
        self.text.get(name.start..name.start.wrapping_add(name.length)).unwrap_or_default()
    }

    fn number_of(&mut self, file: &[u8], line: c_int) -> usize {
        if file.is_empty() {
            return NATIVE;
        }
        let Some(file) = self.file_of(file) else { return ELSEWHERE };
        let same = |p: &Place| p.file == file && p.line == line;
        let known = self.places.iter().skip(2).take(self.used).position(same);
        let number = known.unwrap_or(self.used) + 2;
        if known.is_none() {
            let Some(place) = self.places.get_mut(number) else { return ELSEWHERE };
            *place = Place { file, line, ..NOWHERE };
            self.used += 1;
        }
        number
    }

    /// One more than its number, if there is room for its name.
    fn file_of(&mut self, file: &[u8]) -> Option<usize> {
        if let Some(known) = (0..self.files).position(|number| self.name(number) == file) {
            return Some(known + 1);
        }
        let room = self.text.get_mut(self.end..)?.get_mut(..file.len())?;
        for (to, from) in room.iter_mut().zip(file) {
            *to = *from;
        }
        *self.names.get_mut(self.files)? = Name { start: self.end, length: file.len() };
        self.end += file.len();
        self.files += 1;
        Some(self.files)
    }
}

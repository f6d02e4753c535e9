//! What is done to a seed: flips, numbers at their limits, truncations, splices, known words.

use super::rng::Rng;

/// The longest input: what is larger is slow, and no more telling.
const LONGEST: usize = 3 << 20;

/// Pieces that mean something to the format.
pub(crate) type Words = &'static [&'static [u8]];

/// Makes an input of a seed; `other` lends bytes for splices.
pub(crate) fn mutate(rng: &mut Rng, seed: &[u8], other: &[u8], words: Words) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=rng.below(6) {
        once(rng, &mut data, other, words);
    }
    data.truncate(LONGEST);
    data
}

fn once(rng: &mut Rng, data: &mut Vec<u8>, other: &[u8], words: Words) {
    match rng.below(10) {
        0 | 1 => flip(rng, data),
        2..=4 => number(rng, data),
        5 => {
            let end = rng.below(data.len() + 1);
            data.truncate(end);
        }
        6 => splice(rng, data, other),
        7 => repeat(rng, data),
        8 => {
            let (start, end) = range(rng, data.len());
            data.drain(start..end);
        }
        _ => word(rng, data, words),
    }
}

/// Headers and tables are dense at the start, and section headers at the end.
fn place(rng: &mut Rng, len: usize) -> usize {
    match rng.below(4) {
        0 => rng.below(len.min(512)),
        1 => rng.below(len.min(64)),
        2 => len - rng.below(len.min(2048)).min(len),
        _ => rng.below(len),
    }
    .min(len.saturating_sub(1))
}

fn range(rng: &mut Rng, len: usize) -> (usize, usize) {
    let start = place(rng, len);
    let longest = *rng.pick(&[8, 64, 4096, len]);
    let end = start + rng.below(longest.min(len - start) + 1);
    (start.min(len), end.min(len))
}

fn flip(rng: &mut Rng, data: &mut [u8]) {
    if let Some(byte) = data.get_mut(place(rng, data.len())) {
        *byte ^= 1 << rng.below(8);
    }
}

/// A number of one, two, four or eight bytes at the edge of something.
fn number(rng: &mut Rng, data: &mut [u8]) {
    let len = data.len() as u64;
    let values = [
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fffe,
        u64::from(u32::MAX),
        i64::MAX as u64,
        u64::MAX - 7,
        u64::MAX,
        len,
        len.wrapping_sub(1),
        len / 2,
        rng.below(data.len()) as u64,
        rng.next(),
    ];
    let value = *rng.pick(&values);
    let bytes = if rng.one_in(8) { value.to_be_bytes() } else { value.to_le_bytes() };
    let size = *rng.pick(&[1, 2, 4, 4, 8, 8]);
    let bytes = if bytes == value.to_be_bytes() { &bytes[8 - size..] } else { &bytes[..size] };
    // Fields are aligned to their size, mostly.
    let mut at = place(rng, data.len());
    if !rng.one_in(4) {
        at -= at % size;
    }
    if let Some(field) = data.get_mut(at..at + size) {
        field.copy_from_slice(bytes);
    }
}

/// Bytes of another seed in place of these or between them; or its end after this one's start.
fn splice(rng: &mut Rng, data: &mut Vec<u8>, other: &[u8]) {
    let (from, to) = range(rng, other.len());
    let piece = &other[from..to];
    let at = place(rng, data.len()).min(data.len());
    match rng.below(3) {
        0 => {
            let end = (at + piece.len()).min(data.len());
            data[at..end].copy_from_slice(&piece[..end - at]);
        }
        1 => drop(data.splice(at..at, piece.iter().copied())),
        _ => {
            data.truncate(at);
            data.extend_from_slice(&other[rng.below(other.len() + 1)..]);
        }
    }
}

/// The same bytes again, once or often.
fn repeat(rng: &mut Rng, data: &mut Vec<u8>) {
    let (start, end) = range(rng, data.len());
    let times = *rng.pick(&[1, 1, 2, 50, 2000]);
    let room = (1 << 16) / (end - start).max(1);
    let piece = data[start..end].repeat(times.min(room.max(1)));
    drop(data.splice(end..end, piece));
}

fn word(rng: &mut Rng, data: &mut Vec<u8>, words: Words) {
    let Some(word) = words.get(rng.below(words.len())) else { return flip(rng, data) };
    let at = place(rng, data.len()).min(data.len());
    let end = if rng.one_in(2) { at } else { (at + word.len()).min(data.len()) };
    drop(data.splice(at..end, word.iter().copied()));
}

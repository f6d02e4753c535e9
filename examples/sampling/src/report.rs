//! Begins and ends with the process: what is wanted comes from its environment, what was seen goes to
//! a file, a line for each line of Python.

use core::ffi::{CStr, c_char, c_int};

use crate::{
    places::{self, Place},
    python, sampler,
};

#[link(name = "c")]
unsafe extern "C" {
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn write(file: c_int, text: *const u8, size: usize) -> isize;
    fn close(file: c_int) -> c_int;
    safe fn getpid() -> c_int;
}

/// A constructor, or a destructor.
type Hook = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

// The library's constructors come before all others: the C library's own, too, without which getenv
// knows nothing. So the environment is taken from what a constructor is given.
#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: Hook = begin;

#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;

/// Where to; copied, for a program may write over its environment.
static mut FILE: [u8; 4096] = [0; 4096];

extern "C" fn begin(_: c_int, _: *const *const c_char, environment: *const *const c_char) {
    let Some(path) = variable(environment, b"SAMPLING_FILE=") else { return };
    let every = variable(environment, b"SAMPLING_BYTES=").and_then(number).unwrap_or(10_007);
    let seed = variable(environment, b"SAMPLING_SEED=").and_then(number);
    let file = &raw mut FILE;
    // SAFETY: nobody else is there yet.
    let file = unsafe { &mut *file };
    if path.len() < file.len() {
        for (to, from) in file.iter_mut().zip(path) {
            *to = *from;
        }
        python::find();
        sampler::start(every, seed.map(|seed| seed as u64));
    }
}

/// What follows `name=` in the environment.
fn variable(mut environment: *const *const c_char, name: &[u8]) -> Option<&'static [u8]> {
    // SAFETY: it ends with a NULL.
    unsafe {
        while !(*environment).is_null() {
            if let Some(value) = CStr::from_ptr(*environment).to_bytes().strip_prefix(name) {
                return Some(value);
            }
            environment = environment.add(1);
        }
    }
    None
}

/// More than none.
fn number(text: &[u8]) -> Option<usize> {
    let digit = |sum: usize, byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(sum.checked_mul(10)?.checked_add(digit.into())?)
    };
    text.iter().try_fold(0, digit).filter(|number| *number != 0)
}

extern "C" fn end() {
    const APPEND: c_int = 0o2001; // O_WRONLY, O_APPEND
    const CREATE: c_int = 0o2000100; // O_CREAT, O_CLOEXEC
    if !sampler::is_on() {
        return;
    }
    sampler::lock();
    let file = unsafe { open((&raw const FILE).cast(), APPEND | CREATE, 0o666) };
    if file >= 0 {
        let mut page = Page { text: [0; 8192], used: 0 };
        for (name, place) in places::all().seen() {
            page.line(name, place);
            // Whole lines in one piece, so that those of several processes do not mix.
            unsafe { write(file, page.text.as_ptr(), page.used) };
            page.used = 0;
        }
        unsafe { close(file) };
    }
    sampler::unlock();
}

struct Page {
    text: [u8; 8192],
    used: usize,
}

impl Page {
    /// `process allocated freed line file`, with tabs between.
    fn line(&mut self, name: &[u8], place: &Place) {
        let line = place.line.max(0).cast_unsigned() as usize;
        let (allocated, freed) = (place.allocated.cast_unsigned(), place.freed.cast_unsigned());
        for number in [getpid().cast_unsigned() as usize, allocated, freed, line] {
            self.number(number);
            self.byte(b'\t');
        }
        // A file may have any name.
        for byte in name {
            self.byte(if byte.is_ascii_control() { b'?' } else { *byte });
        }
        self.byte(b'\n');
    }

    fn number(&mut self, number: usize) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.used) {
            *place = byte;
            self.used += 1;
        }
    }
}

//! A program in Rust whose own collections and whose C library share the heap: counts the words of
//! standard input, and checks that a block of either side can be given back to the other.
use std::{
    collections::BTreeMap,
    ffi::{CString, c_char, c_void},
    io::Read,
};

use rust_cdylib::{Global, Pages, alloc8::Heap};

#[global_allocator]
static GLOBAL: Global = Global;

unsafe extern "C" {
    fn strdup(text: *const c_char) -> *mut c_char;
    fn free(block: *mut c_void);
    fn malloc_usable_size(block: *mut c_void) -> usize;
}

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("text");
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for word in text.split_whitespace() {
        *words.entry(word).or_default() += 1;
    }
    for (word, count) in &words {
        println!("{count:6} {word}");
    }
    // SAFETY: all of these are blocks of the one heap.
    unsafe {
        let ours = Box::into_raw(Box::new([0_u8; 100])).cast::<c_void>();
        assert_eq!(malloc_usable_size(ours), Pages::usable_size(ours));
        free(ours);
        let theirs = strdup(CString::from(c"from the C library").as_ptr());
        assert_eq!(malloc_usable_size(theirs.cast()), Pages::usable_size(theirs.cast()));
        drop(Vec::from_raw_parts(theirs.cast::<u8>(), 0, 19));
    }
}

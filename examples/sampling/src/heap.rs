//! The heap is the one that the program would have anyway, and is asked through the next library's
//! functions. Blocks that pass us by are no strangers, then.

use core::{
    cell::UnsafeCell,
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicU8, Ordering},
};

use crate::{
    alloc8::Heap,
    names::{Scope::Next, function},
    places,
    sampler::{self, ALLOCATED, FREED},
};

/// The heap.
pub struct Sampling;

// SAFETY: the blocks are the next heap's, and nothing here touches them.
unsafe impl Heap for Sampling {
    unsafe fn malloc(size: usize) -> *mut c_void {
        next().map_or(ptr::null_mut(), |heap| counted(heap, unsafe { (heap.malloc)(size) }))
    }

    unsafe fn free(ptr: *mut c_void) {
        let Some(heap) = next() else { return };
        if sampler::is_on() {
            FREED.count(unsafe { (heap.usable_size)(ptr) });
        }
        unsafe { (heap.free)(ptr) };
    }

    unsafe fn calloc(nmemb: usize, size: usize) -> *mut c_void {
        next().map_or(ptr::null_mut(), |heap| counted(heap, unsafe { (heap.calloc)(nmemb, size) }))
    }

    unsafe fn realloc(ptr: *mut c_void, size: usize) -> *mut c_void {
        let Some(heap) = next() else { return ptr::null_mut() };
        if !sampler::is_on() {
            return unsafe { (heap.realloc)(ptr, size) };
        }
        let before = unsafe { (heap.usable_size)(ptr) };
        let block = unsafe { (heap.realloc)(ptr, size) };
        if block.is_null() && size != 0 {
            return block; // refused: the old one is as it was
        }
        let after = unsafe { (heap.usable_size)(block) };
        // By how much it grew or shrank, wherever it lies now.
        ALLOCATED.count(after.saturating_sub(before));
        FREED.count(before.saturating_sub(after));
        block
    }

    unsafe fn memalign(alignment: usize, size: usize) -> *mut c_void {
        let block = |heap: &Functions| unsafe { (heap.memalign)(alignment, size) };
        next().map_or(ptr::null_mut(), |heap| counted(heap, block(heap)))
    }

    unsafe fn usable_size(ptr: *mut c_void) -> usize {
        next().map_or(0, |heap| unsafe { (heap.usable_size)(ptr) })
    }

    unsafe fn lock() {
        sampler::lock();
    }

    unsafe fn unlock() {
        sampler::unlock();
    }

    unsafe fn reinit() {
        // What was seen so far, the parent tells.
        places::forget();
        sampler::unlock();
    }
}

fn counted(heap: &Functions, block: *mut c_void) -> *mut c_void {
    if sampler::is_on() {
        ALLOCATED.count(unsafe { (heap.usable_size)(block) });
    }
    block
}

/// The next heap's.
struct Functions {
    malloc: unsafe extern "C" fn(usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    calloc: unsafe extern "C" fn(usize, usize) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    memalign: unsafe extern "C" fn(usize, usize) -> *mut c_void,
    usable_size: unsafe extern "C" fn(*mut c_void) -> usize,
}

impl Functions {
    fn find() -> Option<Functions> {
        // SAFETY: the names have these types in <malloc.h>.
        unsafe {
            Some(Functions {
                malloc: function(Next, c"malloc")?,
                free: function(Next, c"free")?,
                calloc: function(Next, c"calloc")?,
                realloc: function(Next, c"realloc")?,
                memalign: function(Next, c"memalign")?,
                usable_size: function(Next, c"malloc_usable_size")?,
            })
        }
    }
}

struct Found(UnsafeCell<Option<Functions>>);

// SAFETY: written once: the dynamic linker takes the first block, before there is a second thread.
unsafe impl Sync for Found {}

static FOUND: Found = Found(UnsafeCell::new(None));
static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const SEARCHED: u8 = 1;
const KNOWN: u8 = 2;

/// `None` for what the search itself may want: the C library does without that.
#[inline]
fn next() -> Option<&'static Functions> {
    if STATE.load(Ordering::Acquire) != KNOWN {
        search();
    }
    // SAFETY: while it is written, only what the search wants comes here, and reads nothing.
    if STATE.load(Ordering::Relaxed) == KNOWN { unsafe { (*FOUND.0.get()).as_ref() } } else { None }
}

#[cold]
fn search() {
    if STATE.swap(SEARCHED, Ordering::Relaxed) == UNKNOWN {
        let found = Functions::find();
        // SAFETY: nobody reads it before it is known.
        unsafe { *FOUND.0.get() = found };
        STATE.store(KNOWN, Ordering::Release);
    }
}

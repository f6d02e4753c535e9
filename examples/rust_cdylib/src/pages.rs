//! Size classes in spans of 64 KiB, with a list of free blocks each; what is larger is mapped by
//! itself. One lock for all: the heap is here to be read.
//!
//! The head of a span or mapping is found from the block alone: it is at the last multiple of
//! 64 KiB below it.

use core::{
    cell::UnsafeCell,
    ffi::{c_int, c_void},
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::alloc8::Heap;

/// No page is larger, so that everything mapped is a multiple of it.
const SPAN: usize = 64 << 10;
/// Spans are mapped many at a time.
const CHUNK: usize = 64 * SPAN;
/// The largest block of a span; a span has seven.
const LARGEST: usize = 8 << 10;
/// 16, 32 … 128, then four steps for each doubling.
const CLASSES: usize = 32;

unsafe extern "C" {
    fn mmap(at: *mut u8, size: usize, access: c_int, flags: c_int, file: c_int, from: isize)
    -> *mut u8;
    fn munmap(at: *mut u8, size: usize) -> c_int;
    safe fn sched_yield() -> c_int;
}

/// The heap.
pub struct Pages;

// SAFETY: the state is behind one lock, and mappings do not overlap.
unsafe impl Heap for Pages {
    unsafe fn malloc(size: usize) -> *mut c_void {
        match size {
            0..=LARGEST => locked(|state| unsafe { state.allocate(size.max(1)) }),
            _ => map_block(32, size),
        }
        .cast()
    }

    unsafe fn memalign(alignment: usize, size: usize) -> *mut c_void {
        if alignment <= 16 {
            return unsafe { Self::malloc(size) };
        }
        // Blocks of 2^k bytes are aligned at 2^k.
        match size.max(alignment).checked_next_power_of_two() {
            Some(block) if block <= LARGEST => locked(|state| unsafe { state.allocate(block) }),
            _ => map_block(alignment, size),
        }
        .cast()
    }

    unsafe fn free(ptr: *mut c_void) {
        if ptr.is_null() {
            return;
        }
        let block: *mut u8 = ptr.cast();
        let head = head_of(block);
        // SAFETY: a live block has a head, and nobody changes it while the block lives.
        match unsafe { &*head } {
            Head::Span { class, .. } => locked(|state| unsafe { state.release(block, *class) }),
            Head::Mapping { size } => {
                let size = *size;
                unsafe { munmap(head.cast(), size) };
            }
        }
    }

    unsafe fn usable_size(ptr: *mut c_void) -> usize {
        if ptr.is_null() {
            return 0;
        }
        let head = head_of(ptr.cast());
        match unsafe { &*head } {
            Head::Span { size, .. } => *size,
            Head::Mapping { size } => size.wrapping_sub(ptr.addr().wrapping_sub(head.addr())),
        }
    }

    unsafe fn lock() {
        lock();
    }

    unsafe fn unlock() {
        unlock();
    }
}

/// What stands before the first block.
enum Head {
    /// Blocks of one size.
    Span { class: usize, size: usize },
    /// One block: the size of all.
    Mapping { size: usize },
}

fn head_of(block: *mut u8) -> *mut Head {
    // Below the block, also where that is itself at a multiple.
    block.map_addr(|address| address.wrapping_sub(1) & !(SPAN - 1)).cast()
}

/// The number of the class that holds a size from 1 to `LARGEST`, and its blocks' size.
fn class_of(size: usize) -> (usize, usize) {
    if size <= 128 {
        let class = (size - 1) / 16;
        return (class, (class + 1) * 16);
    }
    // 2^power < size <= 2^(power + 1), in four steps.
    let power = (size - 1).ilog2();
    let quarter = 1_usize << (power - 2);
    let step = (size - 1 - (1 << power)) / quarter;
    (8 + (power as usize - 7) * 4 + step, (1 << power) + (step + 1) * quarter)
}

/// A free block, or the rest of a span.
struct Class {
    /// Each holds the address of the next.
    free: *mut u8,
    /// Never handed out yet.
    fresh: *mut u8,
    left: usize,
}

struct State {
    classes: [Class; CLASSES],
    /// Spans of the last chunk that nobody uses yet.
    spans: *mut u8,
    left: usize,
}

impl State {
    unsafe fn allocate(&mut self, size: usize) -> *mut u8 {
        let (number, size) = class_of(size);
        let Some(class) = self.classes.get_mut(number) else { return ptr::null_mut() };
        if !class.free.is_null() {
            let block = class.free;
            // SAFETY: it is free, so it holds the next one's address.
            class.free = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        if class.left < size {
            let span = take_span(&mut self.spans, &mut self.left);
            if span.is_null() {
                return span;
            }
            // SAFETY: the span is nobody's. Blocks lie at multiples of their size.
            unsafe { span.cast::<Head>().write(Head::Span { class: number, size }) };
            let first = size.max(32);
            class.fresh = span.wrapping_add(first);
            class.left = SPAN - first;
        }
        let block = class.fresh;
        class.fresh = block.wrapping_add(size);
        class.left -= size;
        block
    }

    unsafe fn release(&mut self, block: *mut u8, number: usize) {
        if let Some(class) = self.classes.get_mut(number) {
            // SAFETY: the block is its owner's no more, and 16 bytes at the least.
            unsafe { block.cast::<*mut u8>().write(class.free) };
            class.free = block;
        }
    }
}

fn take_span(spans: &mut *mut u8, left: &mut usize) -> *mut u8 {
    if *left == 0 {
        let chunk = map(CHUNK, SPAN, 0);
        if chunk.is_null() {
            return chunk;
        }
        (*spans, *left) = (chunk, CHUNK);
    }
    let span = *spans;
    *spans = span.wrapping_add(SPAN);
    *left -= SPAN;
    span
}

/// A block in a mapping of its own; the alignment is 32 or more, and a power of two.
fn map_block(alignment: usize, size: usize) -> *mut u8 {
    let before = alignment.clamp(32, SPAN);
    let Some(size) = size.checked_add(before).and_then(|s| s.checked_next_multiple_of(SPAN)) else {
        return ptr::null_mut();
    };
    let mapping = map(size, alignment.max(SPAN), if before == SPAN { SPAN } else { 0 });
    if mapping.is_null() {
        return mapping;
    }
    // SAFETY: it was just mapped.
    unsafe { mapping.cast::<Head>().write(Head::Mapping { size }) };
    mapping.wrapping_add(before)
}

/// `size` bytes from the system, such that what lies `before` after their start is aligned.
fn map(size: usize, alignment: usize, before: usize) -> *mut u8 {
    const READ_AND_WRITE: c_int = 3;
    const PRIVATE_AND_ANONYMOUS: c_int = 0x22;
    let Some(room) = size.checked_add(alignment) else { return ptr::null_mut() };
    let start =
        unsafe { mmap(ptr::null_mut(), room, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0) };
    if start.addr() == usize::MAX {
        return ptr::null_mut();
    }
    let within = alignment.wrapping_sub(1);
    let skipped = start.addr().wrapping_add(before).wrapping_neg() & within;
    let mapping = start.wrapping_add(skipped);
    // SAFETY: both ends are ours, and nobody knows of them.
    unsafe {
        if skipped != 0 {
            munmap(start, skipped);
        }
        munmap(mapping.wrapping_add(size), alignment.wrapping_sub(skipped));
    }
    mapping
}

struct Shared(UnsafeCell<State>);

// SAFETY: whoever looks at it holds the lock.
unsafe impl Sync for Shared {}

static LOCKED: AtomicBool = AtomicBool::new(false);
static STATE: Shared = Shared(UnsafeCell::new(State {
    classes: [const { Class { free: ptr::null_mut(), fresh: ptr::null_mut(), left: 0 } }; CLASSES],
    spans: ptr::null_mut(),
    left: 0,
}));

fn locked<R>(act: impl FnOnce(&mut State) -> R) -> R {
    lock();
    // SAFETY: the lock is held, and nothing that is called here takes it again.
    let result = act(unsafe { &mut *STATE.0.get() });
    unlock();
    result
}

fn lock() {
    while LOCKED.swap(true, Ordering::Acquire) {
        sched_yield();
    }
}

fn unlock() {
    LOCKED.store(false, Ordering::Release);
}

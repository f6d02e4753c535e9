//! The heap of the tool itself, where the system's is glibc.
//!
//! A run makes a hundred thousand blocks of some bytes and ends. glibc keeps few freed blocks of a size at hand,
//! searches for the others, and grows the heap of each thread page by page: that was a third of a run's time.
//! Here each thread keeps all of its freed blocks by size, and takes new ones off a chunk. A chunk is
//! never given back: what one run keeps in small blocks is some MiB.

#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ptr,
};

/// Sizes are rounded up to a multiple of this, which is what every block is aligned to.
const STEP: usize = 16;
/// Larger blocks are the system's.
const LARGEST: usize = 1024;
/// As much is asked of the system at once; of so much, glibc makes a mapping of its own.
const CHUNK: usize = 256 * 1024;

/// Blocks of this thread by size, of the system where they are large.
pub(crate) struct Heap;

/// What a thread has; a block that another thread made is kept by the one that frees it.
struct Thread {
    /// The last freed block of each size; each holds the address of the one before.
    freed: [Cell<*mut u8>; LARGEST / STEP],
    /// What is left of the chunk.
    chunk: Cell<*mut u8>,
    bytes: Cell<usize>,
}

thread_local! {
    // Constant and without a destructor: nothing is allocated for it, and it outlives all of the thread's code.
    static THREAD: Thread = const {
        Thread {
            freed: [const { Cell::new(ptr::null_mut()) }; LARGEST / STEP],
            chunk: Cell::new(ptr::null_mut()),
            bytes: Cell::new(0),
        }
    };
}

/// Which of a thread's sizes a block has; `None` if it is the system's.
fn place(layout: Layout) -> Option<usize> {
    let small = layout.size() <= LARGEST && layout.align() <= STEP;
    small.then(|| layout.size().saturating_sub(1) / STEP)
}

impl Thread {
    fn take(&self, place: usize) -> *mut u8 {
        let freed = self.freed[place].get();
        if !freed.is_null() {
            // SAFETY: it was put there by `keep`, which wrote the address of the one before into it.
            self.freed[place].set(unsafe { freed.cast::<*mut u8>().read() });
            return freed;
        }
        let size = (place + 1) * STEP;
        if self.bytes.get() < size && !self.refill() {
            return ptr::null_mut();
        }
        let block = self.chunk.get();
        // SAFETY: so many bytes are left.
        self.chunk.set(unsafe { block.add(size) });
        self.bytes.set(self.bytes.get() - size);
        block
    }

    fn refill(&self) -> bool {
        let Ok(layout) = Layout::from_size_align(CHUNK, STEP) else { return false };
        // SAFETY: the size is not zero.
        let chunk = unsafe { System.alloc(layout) };
        if !chunk.is_null() {
            self.chunk.set(chunk);
            self.bytes.set(CHUNK);
        }
        !chunk.is_null()
    }

    /// # Safety
    /// The block is of [`Thread::take`] of this place, on any thread, and nobody has it any more.
    unsafe fn keep(&self, block: *mut u8, place: usize) {
        // SAFETY: it has at least `STEP` bytes and is aligned to as many.
        unsafe { block.cast::<*mut u8>().write(self.freed[place].get()) };
        self.freed[place].set(block);
    }
}

// SAFETY: a block is in one list or with one owner; small ones are aligned to `STEP` and have the
// size of their place, which their layout gives again when they come back.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match place(layout) {
            Some(place) => THREAD.with(|thread| thread.take(place)),
            // SAFETY: as the caller's.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if place(layout).is_none() {
            // SAFETY: as the caller's.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as the caller's; the block has the size of the layout.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match place(layout) {
            // SAFETY: the layout is that of `alloc`, so it was taken of this place.
            Some(place) => THREAD.with(|thread| unsafe { thread.keep(block, place) }),
            // SAFETY: as the caller's.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller sees to it that the size is none that overflows.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (place(layout), place(wanted)) {
            (Some(old), Some(new)) if old == new => block,
            // SAFETY: as the caller's.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            // SAFETY: both blocks have as many bytes as are copied, and the new one is nobody else's.
            _ => unsafe {
                let new = self.alloc(wanted);
                if !new.is_null() {
                    ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                new
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Grows and shrinks blocks of all sizes, small and the system's, and looks at every byte.
    fn blocks_keep_what_is_in_them(seed: u8) -> Vec<Vec<u8>> {
        let mut blocks: Vec<Vec<u8>> = Vec::new();
        for size in (0..3 * LARGEST).step_by(7).chain((0..3 * LARGEST).rev().step_by(11)) {
            let mut block = vec![0; size / 2];
            assert!(block.iter().all(|byte| *byte == 0));
            block.resize(size, seed.wrapping_add(size as u8));
            block[..size / 2].fill(seed.wrapping_add(size as u8));
            block.shrink_to_fit();
            if blocks.len() == 30 {
                blocks.swap_remove(blocks.len() / 2);
            }
            blocks.push(block);
        }
        for block in &blocks {
            assert!(block.iter().all(|byte| *byte == seed.wrapping_add(block.len() as u8)));
        }
        blocks
    }

    #[test]
    fn blocks_of_several_threads_do_not_overlap() {
        let made: Vec<_> = thread::scope(|scope| {
            let start = |seed| scope.spawn(move || blocks_keep_what_is_in_them(seed));
            let threads: Vec<_> = (0..4).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("no byte differs")).collect()
        });
        // Freed here, made there: they serve this thread next.
        drop(made);
        blocks_keep_what_is_in_them(9);
    }

    #[test]
    fn a_freed_block_serves_the_next_of_its_size() {
        let layout = Layout::from_size_align(40, 8).expect("a layout");
        let larger = Layout::from_size_align(48, 16).expect("a layout");
        // SAFETY: each is freed once, with its layout.
        unsafe {
            let first = Heap.alloc(layout);
            Heap.dealloc(first, layout);
            let second = Heap.alloc(larger);
            assert_eq!(first, second);
            assert_eq!(Heap.realloc(second, larger, 33), second);
            Heap.dealloc(second, Layout::from_size_align(33, 16).expect("a layout"));
        }
    }

    #[test]
    fn blocks_are_aligned_as_they_are_asked_for() {
        for align in [1, 8, 16, 64, 4096] {
            for size in [1, 16, 17, LARGEST, LARGEST + 1] {
                let layout = Layout::from_size_align(size, align).expect("a layout");
                // SAFETY: freed once, with its layout.
                unsafe {
                    let block = Heap.alloc(layout);
                    assert_eq!(block.addr() % align, 0, "{size} bytes, aligned to {align}");
                    Heap.dealloc(block, layout);
                }
            }
        }
    }
}

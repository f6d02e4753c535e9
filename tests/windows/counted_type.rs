//! simple_heap with counters, as a type: a call is seen here, or it went to another heap.
#![cfg_attr(not(program), no_std)]
#![deny(warnings)]

use core::{
    ffi::c_void,
    sync::atomic::{AtomicI32, Ordering::Relaxed},
};

pub mod alloc8 {
    include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs"));
}

unsafe extern "C" {
    fn simple_heap_malloc(size: usize) -> *mut c_void;
    fn simple_heap_free(ptr: *mut c_void);
    fn simple_heap_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn simple_heap_malloc_usable_size(ptr: *mut c_void) -> usize;
    fn simple_heap_owns(ptr: *const c_void) -> bool;
}

#[repr(C)]
pub struct Counters {
    allocated: AtomicI32,
    resized: AtomicI32,
    freed: AtomicI32,
    foreign: AtomicI32,
}

#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "as C has it")]
pub static counted_heap_counters: Counters = Counters {
    allocated: AtomicI32::new(0),
    resized: AtomicI32::new(0),
    freed: AtomicI32::new(0),
    foreign: AtomicI32::new(0),
};

#[unsafe(no_mangle)]
pub extern "C" fn counted_heap_has(ptr: *const c_void) -> bool {
    unsafe { simple_heap_owns(ptr) }
}

pub struct Counted;

// SAFETY: simple_heap's own.
unsafe impl alloc8::Heap for Counted {
    unsafe fn malloc(size: usize) -> *mut c_void {
        counted_heap_counters.allocated.fetch_add(1, Relaxed);
        unsafe { simple_heap_malloc(size) }
    }

    unsafe fn free(ptr: *mut c_void) {
        counted_heap_counters.freed.fetch_add(1, Relaxed);
        unsafe { simple_heap_free(ptr) }
    }

    unsafe fn memalign(alignment: usize, size: usize) -> *mut c_void {
        counted_heap_counters.allocated.fetch_add(1, Relaxed);
        unsafe { simple_heap_memalign(alignment, size) }
    }

    unsafe fn usable_size(ptr: *mut c_void) -> usize {
        unsafe { simple_heap_malloc_usable_size(ptr) }
    }

    unsafe fn owns(ptr: *const c_void) -> bool {
        let ours = unsafe { simple_heap_owns(ptr) };
        if !ptr.is_null() && !ours {
            counted_heap_counters.foreign.fetch_add(1, Relaxed);
        }
        ours
    }
}

#[cfg(program)]
include!("global.rs");

#[cfg(not(program))]
#[panic_handler]
fn never(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

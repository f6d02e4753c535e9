//! aware_heap.c behind a crate: as functions of an archive, or as a type.
#![no_std]
#![deny(warnings)]

pub mod alloc8 {
    include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs"));
}

#[cfg(typed)]
mod typed {
    use core::ffi::{c_int, c_uint, c_void};

    unsafe extern "C" {
        fn inner_count(what: c_int) -> c_uint;
        fn aware_thread_init();
        fn aware_thread_cleanup();
        fn aware_malloc(size: usize) -> *mut c_void;
        fn aware_free(ptr: *mut c_void);
        fn aware_calloc(nmemb: usize, size: usize) -> *mut c_void;
        fn aware_realloc(ptr: *mut c_void, size: usize) -> *mut c_void;
        fn aware_memalign(alignment: usize, size: usize) -> *mut c_void;
        fn aware_malloc_usable_size(ptr: *mut c_void) -> usize;
        fn aware_owns(ptr: *const c_void) -> bool;
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn aware_count(what: c_int) -> c_uint {
        const AWARE_CREATED: c_int = 6;
        // No type is told of the second thread: there are several from the start.
        if what == AWARE_CREATED { 1 } else { unsafe { inner_count(what) } }
    }

    pub struct Aware;

    // SAFETY: simple_heap's own.
    unsafe impl super::alloc8::Heap for Aware {
        unsafe fn malloc(size: usize) -> *mut c_void {
            unsafe { aware_malloc(size) }
        }

        unsafe fn free(ptr: *mut c_void) {
            unsafe { aware_free(ptr) }
        }

        unsafe fn calloc(nmemb: usize, size: usize) -> *mut c_void {
            unsafe { aware_calloc(nmemb, size) }
        }

        unsafe fn realloc(ptr: *mut c_void, size: usize) -> *mut c_void {
            unsafe { aware_realloc(ptr, size) }
        }

        unsafe fn memalign(alignment: usize, size: usize) -> *mut c_void {
            unsafe { aware_memalign(alignment, size) }
        }

        unsafe fn malloc_usable_size(ptr: *mut c_void) -> usize {
            unsafe { aware_malloc_usable_size(ptr) }
        }

        unsafe fn owns(ptr: *const c_void) -> bool {
            unsafe { aware_owns(ptr) }
        }

        unsafe fn thread_init() {
            unsafe { aware_thread_init() }
        }

        unsafe fn thread_cleanup() {
            unsafe { aware_thread_cleanup() }
        }
    }
}

#[cfg(typed)]
pub use typed::Aware;

#[panic_handler]
fn never(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

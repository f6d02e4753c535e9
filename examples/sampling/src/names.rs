//! Functions of the program and its libraries, by name.

use core::{
    ffi::{CStr, c_char, c_void},
    mem, ptr,
};

#[link(name = "c")]
unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Whom to ask.
#[derive(Clone, Copy)]
pub(crate) enum Scope {
    /// The program, and what it was linked with: RTLD_DEFAULT.
    All = 0,
    /// Who comes after this library: RTLD_NEXT.
    Next = -1,
}

/// A function, if somebody has it. Only a look-up that fails allocates.
///
/// # Safety
/// `F` is a function's type, and that of this name.
pub(crate) unsafe fn function<F>(scope: Scope, name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    let handle = ptr::without_provenance_mut((scope as isize).cast_unsigned());
    let found = unsafe { dlsym(handle, name.as_ptr()) };
    (!found.is_null()).then(|| unsafe { mem::transmute_copy(&found) })
}

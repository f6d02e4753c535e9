//! Which line of Python this thread is at, by the interpreter's documented functions alone.
//!
//! They are called from inside `malloc` and `free`, where the interpreter may be in the middle of
//! anything. So nothing here may run code of the program's, and each call says why it does not:
//! the collector is off meanwhile, a pending exception is put aside, and no count of references
//! falls to zero.

use core::{
    cell::UnsafeCell,
    ffi::{c_char, c_int, c_void},
    ptr, slice,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

use crate::names::{Scope::All, function};

type Object = *mut c_void;

/// The interpreter's functions.
struct Python {
    is_initialized: unsafe extern "C" fn() -> c_int,
    /// The state of the thread that has the interpreter's lock.
    running: unsafe extern "C" fn() -> Object,
    /// The state of this thread.
    mine: unsafe extern "C" fn() -> Object,
    disable_gc: unsafe extern "C" fn() -> c_int,
    enable_gc: unsafe extern "C" fn() -> c_int,
    fetch_error: unsafe extern "C" fn(*mut Object, *mut Object, *mut Object),
    restore_error: unsafe extern "C" fn(Object, Object, Object),
    frame: unsafe extern "C" fn(Object) -> Object,
    code: unsafe extern "C" fn(Object) -> Object,
    line: unsafe extern "C" fn(Object) -> c_int,
    string: unsafe extern "C" fn(*const c_char) -> Object,
    attribute: unsafe extern "C" fn(Object, Object) -> Object,
    text: unsafe extern "C" fn(Object, *mut isize) -> *const u8,
    release: unsafe extern "C" fn(Object),
}

struct Found(UnsafeCell<Option<Python>>);

// SAFETY: written once, by the constructor, before `READY`.
unsafe impl Sync for Found {}

static FOUND: Found = Found(UnsafeCell::new(None));
static READY: AtomicBool = AtomicBool::new(false);

/// Looks for an interpreter, in the program or a library that it was linked with. Not on the way to a
/// first block: a look-up that fails allocates.
pub(crate) fn find() {
    // SAFETY: only the constructor calls this.
    unsafe { *FOUND.0.get() = Python::find() };
    READY.store(true, Ordering::Release);
}

fn found() -> Option<&'static Python> {
    // SAFETY: nobody writes any more.
    if READY.load(Ordering::Acquire) { unsafe { (*FOUND.0.get()).as_ref() } } else { None }
}

impl Python {
    /// From Python 3.10 on.
    fn find() -> Option<Python> {
        // SAFETY: the names have these types in <Python.h>.
        unsafe {
            Some(Python {
                is_initialized: function(All, c"Py_IsInitialized")?,
                running: function(All, c"PyThreadState_GetUnchecked")
                    .or_else(|| function(All, c"_PyThreadState_UncheckedGet"))?,
                mine: function(All, c"PyGILState_GetThisThreadState")?,
                disable_gc: function(All, c"PyGC_Disable")?,
                enable_gc: function(All, c"PyGC_Enable")?,
                fetch_error: function(All, c"PyErr_Fetch")?,
                restore_error: function(All, c"PyErr_Restore")?,
                frame: function(All, c"PyThreadState_GetFrame")?,
                code: function(All, c"PyFrame_GetCode")?,
                line: function(All, c"PyFrame_GetLineNumber")?,
                string: function(All, c"PyUnicode_FromString")?,
                attribute: function(All, c"PyObject_GetAttr")?,
                text: function(All, c"PyUnicode_AsUTF8AndSize")?,
                release: function(All, c"Py_DecRef")?,
            })
        }
    }

    /// This thread's state, if it has the interpreter's lock. `PyGILState_Check` says yes before
    /// there is an interpreter, and always once there are two; this says no.
    fn state(&self) -> Option<Object> {
        // SAFETY: these only read, at any time and in any thread.
        unsafe {
            if (self.is_initialized)() == 0 {
                return None;
            }
            let mine = (self.mine)();
            (!mine.is_null() && mine == (self.running)()).then_some(mine)
        }
    }

    /// The caller has the lock.
    unsafe fn file_of(&self, code: Object) -> Object {
        static NAME: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
        let mut name = NAME.load(Ordering::Relaxed);
        if name.is_null() {
            // Not interned: this may be a block for the dictionary of interned strings.
            name = unsafe { (self.string)(c"co_filename".as_ptr()) };
            NAME.store(name, Ordering::Relaxed);
        }
        if name.is_null() || code.is_null() {
            return ptr::null_mut();
        }
        // A member of a type that is written in C: no code of the program's runs.
        unsafe { (self.attribute)(code, name) }
    }
}

/// A line that runs, held until this is dropped.
pub(crate) struct Line {
    pub(crate) file: &'static [u8],
    pub(crate) number: c_int,
    /// What `file` is part of.
    held: [Object; 3],
    python: &'static Python,
}

/// `None` without Python, in a thread without the interpreter's lock, and before and after its life.
pub(crate) fn current_line() -> Option<Line> {
    let python = found()?;
    let state = python.state()?;
    let mut error = [ptr::null_mut(); 3];
    let [kind, value, trace] = &mut error;
    // SAFETY: this thread has the lock until it is back in the interpreter. A frame's object is made when
    // first asked for: a block like any other, and no reason to collect garbage in the middle of `malloc`.
    unsafe {
        (python.fetch_error)(kind, value, trace);
        let collects = (python.disable_gc)() != 0;
        let line = line_of(python, state);
        if collects {
            (python.enable_gc)();
        }
        let [kind, value, trace] = error;
        // Instead of any error of ours, too.
        (python.restore_error)(kind, value, trace);
        line
    }
}

unsafe fn line_of(python: &'static Python, state: Object) -> Option<Line> {
    unsafe {
        let frame = (python.frame)(state);
        if frame.is_null() {
            return None;
        }
        let number = (python.line)(frame);
        let code = (python.code)(frame);
        let name = python.file_of(code);
        let mut line = Line { file: &[], number, held: [name, code, frame], python };
        if !name.is_null() {
            let mut length = 0;
            let text = (python.text)(name, &mut length);
            if !text.is_null() {
                // As long as `name` is held.
                line.file = slice::from_raw_parts(text, length.cast_unsigned());
            }
        }
        Some(line)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        for object in self.held {
            if !object.is_null() {
                // SAFETY: ours; the code has the name, the frame the code, and the thread the frame, so
                // that nothing ends here.
                unsafe { (self.python.release)(object) };
            }
        }
    }
}

// A program of the crate that carries the heap: what Rust allocates is the heap's, and what C does.
use std::{collections::BTreeMap, ffi::CStr, thread};

#[global_allocator]
static GLOBAL: alloc8::Global = alloc8::Global;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(ptr: *mut c_void);
    fn _strdup(string: *const core::ffi::c_char) -> *mut core::ffi::c_char;
    fn _getcwd(buffer: *mut core::ffi::c_char, size: i32) -> *mut core::ffi::c_char;
}

#[repr(align(4096))]
struct Wide([u8; 4096]);

fn has<T>(block: *const T) -> bool {
    counted_heap_has(block.cast())
}

fn main() {
    let mut failed = 0;
    let mut checks = 0;
    let mut check = |holds: bool, law: &str| {
        checks += 1;
        if !holds {
            failed += 1;
            println!("FAIL {law}");
        }
    };
    let mut text = String::from("a string");
    check(has(text.as_ptr()), "a string");
    for _ in 0..1000 {
        text.push_str(" and more");
    }
    check(has(text.as_ptr()) && text.ends_with("more"), "a string that grew");
    let wide = Box::new(Wide([1; 4096]));
    let at = (&raw const *wide).addr();
    check(has(&raw const *wide) && at % 4096 == 0 && wide.0[4095] == 1, "an aligned box");
    let zeroed = vec![0_u8; 100_000];
    check(has(zeroed.as_ptr()) && zeroed.iter().all(|byte| *byte == 0), "zeroes");
    let tree: BTreeMap<_, _> = (0..1000).map(|key| (key, key.to_string())).collect();
    check(tree.values().all(|text| has(text.as_ptr())), "a tree");
    let threads: Vec<_> = (0..4)
        .map(|number| thread::spawn(move || (0..1000).map(|i| vec![i; number + 1]).collect::<Vec<_>>()))
        .collect();
    for thread in threads {
        let made = thread.join().unwrap();
        check(made.iter().all(|block| has(block.as_ptr())), "what threads made");
    }
    unsafe {
        let block = malloc(100);
        check(has(block), "malloc");
        free(block);
        let copy = _strdup(c"a string".as_ptr());
        check(has(copy) && CStr::from_ptr(copy) == c"a string", "_strdup");
        free(copy.cast());
        let folder = _getcwd(core::ptr::null_mut(), 0);
        check(!has(folder), "_getcwd");
        free(folder.cast());
    }
    let count = |counter: &AtomicI32| counter.load(Relaxed);
    let counters = &counted_heap_counters;
    let (allocated, foreign) = (count(&counters.allocated), count(&counters.foreign));
    println!("client: {checks} checks, {failed} failed, allocated {allocated}, foreign {foreign}");
}

//! Shims in Rust: over an archive, and inside a type.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::place::{GLIBC, MUSL, POLICIES, Place, cli, description, hold};
use crate::heaps;

/// Nothing in it panics.
pub(super) const CRATE: &str = include_str!("../fixtures/shim_crate.rs");

/// A heap in Rust that hands everything on to the heap that counts; what programs ask is exported.
const TYPE: &str = r#"
use core::{ffi::{c_int, c_uint, c_void}, sync::atomic::AtomicU32};
unsafe extern "C" {
    static mut aware_thread_created: c_int;
    fn inner_count(what: c_int) -> c_uint;
    fn aware_thread_init();
    fn aware_thread_cleanup();
    fn aware_malloc(size: usize) -> *mut c_void;
    fn aware_free(block: *mut c_void);
    fn aware_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn aware_malloc_usable_size(block: *mut c_void) -> usize;
}
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static aware_nest: AtomicU32 = AtomicU32::new(0);
#[unsafe(no_mangle)]
pub extern "C" fn aware_count(what: c_int) -> c_uint { unsafe { inner_count(what) } }

pub struct Typed;
unsafe impl alloc8::Heap for Typed {
    unsafe fn malloc(size: usize) -> *mut c_void { unsafe { aware_malloc(size) } }
    unsafe fn free(ptr: *mut c_void) { unsafe { aware_free(ptr) } }
    unsafe fn memalign(alignment: usize, size: usize) -> *mut c_void {
        unsafe { aware_memalign(alignment, size) }
    }
    unsafe fn malloc_usable_size(ptr: *mut c_void) -> usize { unsafe { aware_malloc_usable_size(ptr) } }
    unsafe fn thread_init() { unsafe { aware_thread_init() } }
    unsafe fn thread_cleanup() { unsafe { aware_thread_cleanup() } }
    unsafe fn thread_created() { unsafe { aware_thread_created = 1 } }
}
"#;

/// Renders the shim in Rust beside a crate that has it; rustc's command for that crate.
pub(super) fn crate_of(platform: &str, description: &Path, text: &str, work: &Path) -> Command {
    let mut generate = cli();
    generate.args(["generate", "-p", platform, "--lang", "rust", "-a"]).arg(description);
    heaps::run(generate.arg("-o").arg(work));
    let folder = work.join(format!("{platform}-rust"));
    fs::write(folder.join("lib.rs"), text).unwrap();
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".to_owned()));
    rustc.args(["--edition=2024", "-Cpanic=abort"]).arg(folder.join("lib.rs"));
    rustc
}

/// The crate's archive and the heap's, linked by the C library's own compiler: the text in Rust needs
/// nothing of the target but its CPU.
fn threads_are_told_in_rust_at(place: &Place) {
    let work = TempDir::new().unwrap();
    if !place.is_there(work.path()) {
        return;
    }
    let programs = place.programs(work.path());
    for policy in POLICIES {
        let library = library(place, policy, work.path());
        hold(&programs, &library, policy, &[false, true]);
    }
}

fn library(place: &Place, policy: &str, work: &Path) -> PathBuf {
    let shim = work.join("libshim.a");
    let mut rustc = crate_of(place.platform, &description(policy), CRATE, work);
    heaps::run(rustc.args(["-O", "-Ccodegen-units=1", "--crate-type=staticlib", "-o"]).arg(&shim));
    let library = work.join("library.so");
    // What a crate exports of an archive is up to who links it (A8241): here, what the programs ask for.
    let map = work.join(format!("{}-rust/exports.lp64.map", place.platform));
    let exports = fs::read_to_string(&map).unwrap();
    let more = exports.replacen("global:", "global: aware_count; aware_nest;", 1);
    assert_ne!(more, exports);
    fs::write(&map, more).unwrap();
    let mut link = place.compiler();
    link.args(["-shared", "-Wl,-z,now,-z,nodelete,--no-undefined,-u,malloc"]).arg(shim);
    link.arg(place.archive(policy, work));
    let mut script = OsString::from("-Wl,--version-script=");
    script.push(map);
    heaps::run(link.arg(script).arg("-o").arg(&library));
    library
}

#[test]
fn threads_are_introduced_and_seen_off_by_a_shim_in_rust() {
    threads_are_told_in_rust_at(&GLIBC);
}

#[test]
fn threads_are_introduced_and_seen_off_by_a_shim_in_rust_under_musl() {
    threads_are_told_in_rust_at(&MUSL);
}

/// A library that rustc links.
#[test]
fn threads_are_told_to_a_heap_that_is_a_type_in_rust() {
    let work = TempDir::new().unwrap();
    let programs = GLIBC.programs(work.path());
    for policy in POLICIES {
        for level in ["-Copt-level=1", "-Copt-level=3"] {
            let library = library_of_type(policy, level, work.path());
            hold(&programs, &library, policy, &[true]);
        }
    }
}

fn library_of_type(policy: &str, level: &str, work: &Path) -> PathBuf {
    let text = fs::read_to_string(description(policy)).unwrap();
    let text = text
        .replace("\"aware_", "\"")
        .replace("archive = \"libaware.a\"", "rust = \"crate::Typed\"");
    let text: Vec<_> = text.lines().filter(|line| !line.starts_with("export")).collect();
    let toml = work.join("typed.toml");
    fs::write(&toml, text.join("\n").replace("\"aware\"", "\"typed\"")).unwrap();
    GLIBC.archive_with(policy, work, &["-Daware_count=inner_count", "-DAWARE_NEST_ELSEWHERE"]);
    let library = work.join("libtyped.so");
    let mut rustc = crate_of("linux", &toml, &format!("{CRATE}{TYPE}"), work);
    rustc.args(["--crate-type=cdylib", level]).arg(format!("-l{policy}")).arg("-L").arg(work);
    heaps::run(rustc.arg("-o").arg(&library));
    library
}

//! Hooks for threads: who is introduced, who is seen off, and what comes after.
//!
//! Each program of tests/threads is named after what it checks. It runs under tests/fixtures/heaps/
//! thread_aware.c, which counts what it is told, with both policies: told of threads, and with each
//! call looking whether its thread was introduced.
#![cfg(target_os = "linux")]

mod common;
mod heaps;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{laws, spec};
use tempfile::TempDir;

/// A C library on a CPU, and the compiler for it.
struct Place {
    platform: &'static str,
    target: &'static str,
    cc: &'static str,
    how: &'static str,
}

const GLIBC: Place =
    Place { platform: "linux", target: "x86_64-linux-gnu", cc: "gcc", how: "apt-get install gcc" };
const I686: Place = Place {
    platform: "linux",
    target: "i686-linux-gnu",
    cc: "gcc -m32 -I/usr/include/x86_64-linux-gnu",
    how: "apt-get install gcc-12-multilib",
};
const MUSL: Place = Place {
    platform: "linux-musl",
    target: "x86_64-linux-musl",
    cc: "musl-gcc",
    how: "apt-get install musl-tools",
};

const POLICIES: [&str; 2] = ["advisory", "required"];

fn description(policy: &str) -> PathBuf {
    heaps::heap(if policy == "required" { "aware_strict.toml" } else { "aware.toml" })
}

fn cli() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command
}

impl Place {
    fn compiler(&self) -> Command {
        let mut words = self.cc.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        command
    }

    fn is_there(&self, work: &Path) -> bool {
        let empty = work.join("empty.c");
        fs::write(&empty, "#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n")
            .unwrap();
        let output = self.compiler().arg(&empty).arg("-o").arg(work.join("empty")).output();
        let there = output.is_ok_and(|output| output.status.success());
        if !there {
            common::skip(self.cc.split(" -I").next().unwrap(), self.how);
        }
        there
    }

    fn archive(&self, policy: &str, work: &Path) -> PathBuf {
        self.archive_with(policy, work, &[])
    }

    fn archive_with(&self, policy: &str, work: &Path, more: &[&str]) -> PathBuf {
        let object = work.join("heap.o");
        let mut compile = self.compiler();
        compile.args(["-std=gnu11", "-O2", "-fPIC", "-c"]).arg(heaps::heap("thread_aware.c"));
        compile.args(more);
        if policy == "required" {
            compile.arg("-DAWARE_STRICT");
        }
        heaps::run(compile.arg("-o").arg(&object));
        let archive = work.join(format!("lib{policy}.a"));
        heaps::run(Command::new("ar").arg("rcs").arg(&archive).arg(&object));
        archive
    }

    /// What `build` makes, with all that it measures and verifies.
    fn library(&self, policy: &str, work: &Path) -> PathBuf {
        let library = work.join(format!("lib{policy}.so"));
        let mut build = cli();
        build.args(["build", "-p", self.platform, "--target", self.target, "--cc", self.cc]);
        build.arg("-a").arg(description(policy)).arg("--lib").arg(self.archive(policy, work));
        heaps::run(build.arg("-o").arg(&library));
        library
    }

    fn programs(&self, work: &Path) -> Vec<(String, PathBuf)> {
        // What law.h asks of the platform.
        let laws = laws::laws(&spec::platform(self.platform).unwrap()).unwrap();
        fs::write(work.join("platform.h"), &laws[0].header).unwrap();
        let mut programs = Vec::new();
        for entry in fs::read_dir(heaps::root().join("tests/threads")).unwrap() {
            let source = entry.unwrap().path();
            if source.extension().is_none_or(|extension| extension != "c") {
                continue;
            }
            let name = source.file_stem().unwrap().to_string_lossy().into_owned();
            let program = work.join(&name);
            let mut compile = self.compiler();
            compile.args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]);
            compile.arg("-I").arg(heaps::root().join("templates/laws"));
            compile.arg("-I").arg(work).arg(&source);
            heaps::run(compile.arg("-o").arg(&program));
            programs.push((name, program));
        }
        assert!(programs.len() >= 14, "only {} programs", programs.len());
        programs.sort();
        programs
    }
}

fn run(program: &Path, library: &Path, policy: &str, now: bool) -> Output {
    // `timeout` is of another C library than the program, perhaps: the preload is not for it.
    let mut command = Command::new("timeout");
    command.args(["300", "env"]).arg(format!("LD_PRELOAD={}", library.display()));
    if now {
        command.arg("LD_BIND_NOW=1");
    }
    command.arg(program).env("AWARE_POLICY", policy).output().unwrap()
}

/// All of them, but those that say that they do not apply.
fn hold(programs: &[(String, PathBuf)], library: &Path, policy: &str, binding: &[bool]) {
    let mut broken = Vec::new();
    let mut held = 0;
    for (name, program) in programs {
        for now in binding {
            let output = run(program, library, policy, *now);
            match output.status.code() {
                Some(0) => held += 1,
                Some(77) => {}
                _ => broken.push(format!(
                    "{name}, {policy}: {}\n{}",
                    output.status,
                    String::from_utf8_lossy(&output.stderr)
                )),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(held >= binding.len() * (programs.len() - 1), "{policy}: only {held} runs applied");
}

fn hold_at(place: &Place, binding: &[bool]) {
    let work = TempDir::new().unwrap();
    if !place.is_there(work.path()) {
        return;
    }
    let programs = place.programs(work.path());
    for policy in POLICIES {
        hold(&programs, &place.library(policy, work.path()), policy, binding);
    }
}

#[test]
fn threads_are_introduced_and_seen_off_under_glibc() {
    hold_at(&GLIBC, &[false, true]);
}

#[test]
fn threads_are_introduced_and_seen_off_on_32_bits() {
    hold_at(&I686, &[true]);
}

#[test]
fn threads_are_introduced_and_seen_off_under_musl() {
    hold_at(&MUSL, &[true]);
}

#[test]
fn threads_are_introduced_and_seen_off_by_the_header_for_cxx() {
    let work = TempDir::new().unwrap();
    let programs = GLIBC.programs(work.path());
    let all = std::env::var_os("ALLOC8_ALL").is_some();
    for (cxx, standard, usual) in
        [("g++", "-std=c++17", "required"), ("clang++", "-std=c++20", "advisory")]
    {
        if Command::new(cxx).arg("--version").output().is_err() {
            common::skip(cxx, &format!("apt-get install {}", cxx.replace("clang++", "clang")));
            continue;
        }
        for policy in POLICIES.into_iter().filter(|policy| all || *policy == usual) {
            let folder = work.path().join(format!("{cxx}-{policy}"));
            let mut generate = cli();
            generate.args(["generate", "-p", "linux", "--lang", "cpp", "-a"]);
            heaps::run(generate.arg(description(policy)).arg("-o").arg(&folder));
            let source = folder.join("library.cpp");
            fs::write(&source, "#include \"linux-cpp/shim.hpp\"\n").unwrap();
            let library = folder.join("library.so");
            let map = folder.join("linux-cpp/exports.lp64.map");
            let mut link = Command::new(cxx);
            link.args([standard, "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC"]);
            link.args(["-shared", "-Wl,-z,now,-z,nodelete,--no-undefined"]).arg(&source);
            link.arg(GLIBC.archive(policy, &folder));
            let mut script = OsString::from("-Wl,--version-script=");
            script.push(map);
            heaps::run(link.arg(script).arg("-o").arg(&library));
            hold(&programs, &library, policy, &[true]);
        }
    }
}

/// Without the hooks in its description the same heap is told of nobody: the programs can fail.
#[test]
fn a_heap_that_does_not_ask_is_not_told() {
    let work = TempDir::new().unwrap();
    let text = fs::read_to_string(description("advisory")).unwrap();
    let silent: Vec<_> = text.lines().filter(|line| !line.starts_with("thread_")).collect();
    let silent_toml = work.path().join("aware.toml");
    fs::write(&silent_toml, silent.join("\n")).unwrap();
    let library = work.path().join("silent.so");
    let mut build = cli();
    build.arg("build").arg("-a").arg(&silent_toml).arg("--lib");
    heaps::run(build.arg(GLIBC.archive("advisory", work.path())).arg("-o").arg(&library));
    let data = fs::read(&library).unwrap();
    let object = alloc8_gen::artifact::SharedObject::read(&data).unwrap();
    assert!(object.export("pthread_create").is_none() && object.export("thrd_create").is_none());
    let programs = GLIBC.programs(work.path());
    for told in ["threads_that_return_are_seen_off", "threads_of_c11_are_seen_off"] {
        let (_, program) = programs.iter().find(|(name, _)| name == told).unwrap();
        assert_eq!(run(program, &library, "advisory", false).status.code(), Some(1), "{told}");
    }
}

/// A class in C++ that hands everything on to the heap that counts.
const CLASS: &str = r#"#include <cstddef>
extern "C" {
void aware_thread_init();
void aware_thread_cleanup();
void *aware_malloc(std::size_t size);
void aware_free(void *block);
void *aware_memalign(std::size_t alignment, std::size_t size);
std::size_t aware_malloc_usable_size(void *block);
}
struct Classy {
    void *malloc(std::size_t size) { return aware_malloc(size); }
    void free(void *ptr) { aware_free(ptr); }
    void *memalign(std::size_t alignment, std::size_t size) { return aware_memalign(alignment, size); }
    std::size_t getSize(void *ptr) { return aware_malloc_usable_size(ptr); }
    void lock() {}
    void unlock() {}
    void threadInit() { aware_thread_init(); }
    void threadCleanup() { aware_thread_cleanup(); }
};
#include "redirect.hpp"
#ifdef __cpp_concepts
static_assert(alloc8::ThreadAwareAllocator<Classy>);
#endif
ALLOC8_REDIRECT_WITH_THREADS(Classy);
"#;

/// By `build`, as its user makes it: the class is named in the description.
#[test]
fn threads_are_told_to_a_heap_that_is_a_class() {
    let work = TempDir::new().unwrap();
    let programs = GLIBC.programs(work.path());
    fs::write(work.path().join("classy.cpp"), CLASS).unwrap();
    for policy in POLICIES {
        let text = fs::read_to_string(description(policy)).unwrap();
        let text = text.replace("\"aware_", "\"classy_").replace("\"classy_count", "\"aware_count");
        let text = text.replace("\"classy_nest", "\"aware_nest");
        let flag = "\"classy_thread_created\"";
        let text = text.replace(flag, "\"aware_thread_created\"");
        let text = text.replace("archive = ", "cpp     = \"classy.cpp\"\narchive = ");
        let archive = GLIBC.archive_with(policy, work.path(), &["-DAWARE_FLAG_ELSEWHERE"]);
        fs::copy(archive, work.path().join("libaware.a")).unwrap();
        let toml = work.path().join("classy.toml");
        fs::write(&toml, text).unwrap();
        let library = work.path().join(format!("libclassy-{policy}.so"));
        heaps::run(cli().arg("build").arg("-a").arg(&toml).arg("-o").arg(&library));
        hold(&programs, &library, policy, &[true]);
    }
}

/// Nothing in it panics.
const CRATE: &str = "#![no_std]\n#![deny(warnings)]\npub mod alloc8 { include!(\"shim.rs\"); }\n\
                     #[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }\n";

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
fn crate_of(platform: &str, description: &Path, text: &str, work: &Path) -> Command {
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
    let shim = work.path().join("libshim.a");
    let mut rustc = crate_of(place.platform, &description("advisory"), CRATE, work.path());
    heaps::run(rustc.args(["-O", "-Ccodegen-units=1", "--crate-type=staticlib", "-o"]).arg(&shim));
    let library = work.path().join("library.so");
    // What a crate exports of an archive is up to who links it (A8241): here, what the programs ask for.
    let map = work.path().join(format!("{}-rust/exports.lp64.map", place.platform));
    let exports = fs::read_to_string(&map).unwrap();
    let more = exports.replacen("global:", "global: aware_count; aware_nest;", 1);
    assert_ne!(more, exports);
    fs::write(&map, more).unwrap();
    let mut link = place.compiler();
    link.args(["-shared", "-Wl,-z,now,-z,nodelete,--no-undefined,-u,malloc"]).arg(shim);
    link.arg(place.archive("advisory", work.path()));
    let mut script = OsString::from("-Wl,--version-script=");
    script.push(map);
    heaps::run(link.arg(script).arg("-o").arg(&library));
    hold(&programs, &library, "advisory", &[false, true]);
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
    let text = fs::read_to_string(description("advisory")).unwrap();
    let text = text
        .replace("\"aware_", "\"")
        .replace("archive = \"libaware.a\"", "rust = \"crate::Typed\"");
    let text: Vec<_> = text.lines().filter(|line| !line.starts_with("export")).collect();
    let toml = work.path().join("typed.toml");
    fs::write(&toml, text.join("\n").replace("\"aware\"", "\"typed\"")).unwrap();
    GLIBC.archive_with(
        "advisory",
        work.path(),
        &["-Daware_count=inner_count", "-DAWARE_NEST_ELSEWHERE"],
    );
    for level in ["-Copt-level=1", "-Copt-level=3"] {
        let library = work.path().join("libtyped.so");
        let mut rustc = crate_of("linux", &toml, &format!("{CRATE}{TYPE}"), work.path());
        rustc.args(["--crate-type=cdylib", level, "-ladvisory", "-L"]).arg(work.path());
        heaps::run(rustc.arg("-o").arg(&library));
        hold(&programs, &library, "advisory", &[true]);
    }
}

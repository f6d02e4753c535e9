//! Shims in C++: over an archive, and inside a class.

use std::{ffi::OsString, fs, process::Command};

use tempfile::TempDir;

use super::place::{GLIBC, POLICIES, cli, description, hold};
use crate::{common, heaps};

#[test]
fn threads_are_introduced_and_seen_off_by_the_header_for_cxx() {
    let work = TempDir::new().unwrap();
    let programs = GLIBC.programs(work.path());
    let all = common::everything();
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

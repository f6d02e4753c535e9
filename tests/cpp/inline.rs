//! A heap whose functions are in the header costs what its own text costs.

use std::{fs, path::Path, process::Command};

use alloc8_gen::allocator;

use super::headers::{compilers, library, render};

/// Never frees, which is all that is wanted here: its malloc is a few instructions.
const BUMP: &str = r#"
#include <atomic>
#include <cerrno>
#include <cstddef>

class Bump {
public:
    void *malloc(std::size_t size)
    {
        const std::size_t whole = (size + 31) & ~std::size_t{15};
        const std::size_t start = used.fetch_add(whole, std::memory_order_relaxed);
        if (__builtin_expect(size > sizeof room || start + whole > sizeof room, 0))
            return full();
        return room + start;
    }
    void free(void *ptr) { last.store(ptr, std::memory_order_relaxed); }
    void *memalign(std::size_t, std::size_t size) { return malloc(size); }
    std::size_t getSize(void *) { return 16; }
    void lock() {}
    void unlock() {}

private:
    __attribute__((cold, noinline)) static void *full()
    {
        errno = ENOMEM;
        return nullptr;
    }
    alignas(16) char room[1 << 20]{};
    std::atomic<std::size_t> used{0};
    std::atomic<void *> last{nullptr};
};

#include "redirect.hpp"
ALLOC8_REDIRECT(Bump);

/* The same without a shim. */
extern "C" __attribute__((visibility("default"))) void *malloc_by_hand(std::size_t size)
{
    return alloc8::OneHeap<Bump>::get().malloc(size);
}
extern "C" __attribute__((visibility("default"))) void free_by_hand(void *ptr)
{
    alloc8::OneHeap<Bump>::get().free(ptr);
}
"#;

const DESCRIPTION: &str = r#"
schema  = 1
name    = "bump"
title   = "Bump, a C++ class"
archive = "none.a"
export  = ["malloc_by_hand", "free_by_hand"]
malloc             = "bump_malloc"
free               = "bump_free"
memalign           = "bump_memalign"
malloc_usable_size = "bump_malloc_usable_size"
malloc_lock        = "bump_lock"
malloc_unlock      = "bump_unlock"
[promises]
errno      = true
free_null  = true
free_errno = true
zero_size  = true
max_size   = "any"
min_align  = 16
"#;

/// The mnemonics of a function, up to its end.
fn instructions(library: &Path, name: &str) -> Vec<String> {
    let mut objdump = Command::new("objdump");
    objdump.args(["-d", "--no-show-raw-insn"]).arg(format!("--disassemble={name}")).arg(library);
    let text = String::from_utf8(objdump.output().unwrap().stdout).unwrap();
    let start = text.find(&format!("<{name}>:")).unwrap_or_else(|| panic!("no {name}: {text}"));
    let body = text[start..].lines().skip(1).take_while(|line| line.starts_with("  "));
    let all: Vec<_> = body
        .filter_map(|line| line.split('\t').nth(1))
        .filter_map(|code| code.split_whitespace().next().map(str::to_owned))
        .collect();
    assert!(all.len() > 1, "{name}: {text}");
    all
}

#[test]
fn an_inline_heap_is_called_without_a_guard_or_a_call() {
    let work = tempfile::tempdir().unwrap();
    let description = work.path().join("bump.toml");
    fs::write(&description, DESCRIPTION).unwrap();
    render(&allocator::read_file(&description).unwrap(), work.path());
    for cxx in compilers() {
        let library = library(cxx, work.path(), BUMP, &["-O2"], None);
        for (name, by_hand) in [("malloc", "malloc_by_hand"), ("free", "free_by_hand")] {
            let (ours, theirs) = (instructions(&library, name), instructions(&library, by_hand));
            assert_eq!(ours, theirs, "{cxx}: {name} does more than the heap's own text");
            let calls = ours.iter().filter(|code| code.starts_with("call") || *code == "bl");
            assert_eq!(calls.count(), 0, "{cxx}: {name}: {ours:?}");
        }
    }
}

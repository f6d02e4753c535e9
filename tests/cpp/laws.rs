//! The platform's laws under libraries made of the headers.

use std::{path::Path, sync::Mutex};

use alloc8_gen::{
    allocator::{self, Allocator, Role},
    init::complete,
    laws::{self, Compilers, Law, Outcome, Workshop},
    spec,
};

use super::headers::{c_compiler, compilers, free_list, library, render};
use crate::heaps;

/// Every law of the platform, and what became of it.
fn judged(cxx: &str, library: &Path) -> Vec<(Law, Outcome)> {
    // Tests of one process take turns: laws have time limits.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let linux = spec::platform("linux").unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws");
    let workshop = Workshop::new(Compilers::beside(&c_compiler(cxx)), &[], &folder).unwrap();
    let all = laws::laws(&linux).unwrap();
    laws::check_with(&workshop, all, Some(library), 2).unwrap()
}

const REPLACING: [&str; 2] =
    ["replacing_aligned_new_replaces_its_forms", "replacing_operator_new_replaces_its_forms"];

fn hold(cell: &str, cxx: &str, library: &Path) {
    let judged = judged(cxx, library);
    assert!(
        judged.len() > 50 && REPLACING.iter().all(|n| judged.iter().any(|(l, _)| l.name == *n))
    );
    let broken: Vec<_> = judged
        .iter()
        .filter(|(_, outcome)| *outcome != Outcome::Holds)
        .map(|(law, outcome)| format!("{cell}: {}: {outcome:?}", law.name))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn described(allocator: &Allocator, source: &Path, cxx: &str, flags: &[&str]) {
    let work = tempfile::tempdir().unwrap();
    render(allocator, work.path());
    let archive = heaps::archive(&c_compiler(cxx), &[source], work.path(), &[]);
    let text = "#include \"shim.hpp\"\n";
    let library = library(cxx, work.path(), text, flags, Some(&archive));
    hold(&format!("{} by {cxx} {flags:?}", allocator.name), cxx, &library);
}

#[test]
fn the_laws_hold_where_described_functions_are_called() {
    let heap = allocator::built_in("simple_heap").unwrap().unwrap();
    let source = heaps::root().join("examples/simple_heap/simple_heap.c");
    for (cxx, flags) in compilers().into_iter().zip([["-O0"], ["-O2"]]) {
        described(&heap, &source, cxx, &flags);
    }
}

#[test]
fn the_laws_hold_where_nothing_is_promised() {
    let optional = ["calloc", "realloc", "malloc_lock", "malloc_unlock", "malloc_reinit"];
    let defined = optional.map(|name| format!("unpromising_{name}")).into();
    let heap = complete(&allocator::convention("unpromising").unwrap(), &defined).unwrap();
    assert!(heap.call(Role::Reinit).is_some());
    for cxx in compilers().into_iter().take(1) {
        described(&heap, &heaps::heap("unpromising.c"), cxx, &["-O2", "-std=c++20"]);
    }
}

#[test]
fn the_laws_hold_where_threads_must_introduce_themselves() {
    let heap = allocator::read_file(&heaps::heap("strict.toml")).unwrap();
    for cxx in compilers().into_iter().take(1) {
        described(&heap, &heaps::heap("needs_thread_init.c"), cxx, &["-O2"]);
    }
}

#[test]
fn the_laws_hold_where_a_class_is_inlined() {
    let text =
        "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
    for (cxx, flags) in compilers().into_iter().zip([["-O2"], ["-O0"]]) {
        let work = tempfile::tempdir().unwrap();
        render(&free_list(), work.path());
        let library = library(cxx, work.path(), text, &flags, None);
        hold(&format!("a class by {cxx} {flags:?}"), cxx, &library);
    }
}

/// A heap that has a constructor and a destructor, in storage that neither the compiler nor exit
/// touches.
#[test]
fn the_laws_hold_where_a_function_places_the_heap() {
    let text = r#"
#include "free_list.hpp"
#include "redirect.hpp"

class Placed : public FreeList {
public:
    Placed() { unlock(); }
    ~Placed() { unlock(); }
};

Placed &getCustomHeap() noexcept
{
    alignas(Placed) static unsigned char storage[sizeof(Placed)];
    static std::atomic<int> state; // 0: nobody came yet, 1: being made, 2: made
    if (__builtin_expect(state.load(std::memory_order_acquire) != 2, 0)) {
        int nobody = 0;
        if (state.compare_exchange_strong(nobody, 1)) {
            new (storage) Placed;
            state.store(2, std::memory_order_release);
        }
        while (state.load(std::memory_order_acquire) != 2) {
        }
    }
    return *reinterpret_cast<Placed *>(storage);
}

ALLOC8_REDIRECT_BY(getCustomHeap);
"#;
    for cxx in compilers().into_iter().take(1) {
        let work = tempfile::tempdir().unwrap();
        render(&free_list(), work.path());
        hold("a placed class", cxx, &library(cxx, work.path(), text, &["-O2", "-Wall"], None));
    }
}

/// A distribution's default breaks two laws, as the header says, and shows that they can break here.
#[test]
fn symbolic_functions_pass_over_replaced_operators_and_nothing_else() {
    let text =
        "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
    for cxx in compilers().into_iter().take(1) {
        let work = tempfile::tempdir().unwrap();
        render(&free_list(), work.path());
        let library = library(cxx, work.path(), text, &["-O2", "-Wl,-Bsymbolic-functions"], None);
        let judged = judged(cxx, &library);
        let broken = judged.iter().filter(|(_, outcome)| *outcome != Outcome::Holds);
        let names: Vec<_> = broken.map(|(law, _)| law.name.as_str()).collect();
        assert_eq!(names, REPLACING);
    }
}

/// What the header says against that, with all else that distributions build packages with.
#[test]
fn the_laws_hold_after_symbolic_functions_are_undone() {
    let text =
        "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
    for cxx in compilers() {
        let work = tempfile::tempdir().unwrap();
        render(&free_list(), work.path());
        let mut flags = vec![
            "-O2",
            "-U_FORTIFY_SOURCE",
            "-D_FORTIFY_SOURCE=3",
            "-fstack-protector-strong",
            "-fcf-protection",
            "-flto",
            "-Wl,-Bsymbolic-functions",
            "-Wl,-z,relro,-z,now",
            "-Wl,--as-needed",
            "-Wl,-Bno-symbolic",
        ];
        flags.extend((cxx == "clang++").then_some("-fuse-ld=lld"));
        let library = library(cxx, work.path(), text, &flags, None);
        hold(&format!("mended by {cxx}"), cxx, &library);
    }
}

//! The platform's laws under a library made of the headers in a way of its user's own; those of all other
//! ways are in the table of tests/laws.

use std::path::Path;

use alloc8_gen::{
    laws::{self, Compilers, Outcome, Workshop},
    spec,
};

use super::headers::{c_compiler, compilers, free_list, library, render};

fn hold(cell: &str, cxx: &str, library: &Path) {
    let linux = spec::platform("linux").unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws");
    let workshop = Workshop::new(Compilers::beside(&c_compiler(cxx)), &[], &folder).unwrap();
    let all = laws::laws(&linux).unwrap();
    let judged = laws::check_with(&workshop, all, Some(library), 2).unwrap();
    assert!(judged.len() > 60, "{}", judged.len());
    let broken: Vec<_> = judged
        .iter()
        .filter(|(_, outcome)| *outcome != Outcome::Holds)
        .map(|(law, outcome)| format!("{cell}: {}: {outcome:?}", law.name))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
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

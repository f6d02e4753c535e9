//! The policies `forward` and `abort`.

use std::{
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Output},
};

use alloc8_gen::{
    laws::{self, Outcome},
    plan::{Binding, Guard, Plan},
    spec,
    toolchain::Compiler,
};

use super::libraries::{By, Heap, Library, library, odd, program, simple_heap, strict, under};

const FORWARD: &str = "foreign = \"forward\"";
const ABORT: &str = "foreign = \"abort\"";
const SIGABRT: i32 = 6;

/// Opens the library late, and hands it a block from before.
fn late(library: &Library, what: &str) -> Output {
    let exe = program(library.work.path(), "late.c", "late", &[]);
    Command::new(exe).arg(&library.file).arg(what).output().unwrap()
}

fn everywhere(lines: &str, check: impl Fn(&Library, &str)) {
    let heaps: [Heap; 2] = [simple_heap(), odd()];
    for (place, by) in By::ALL.iter().enumerate() {
        let heap = &heaps[place % 2];
        if let Some(library) = library(heap, lines, *by) {
            check(&library, &format!("{by:?}"));
        }
    }
}

#[test]
fn blocks_from_before_go_back_to_the_heap_that_they_came_from() {
    everywhere(FORWARD, |library, cell| {
        let ran = late(library, "all");
        assert_eq!(ran.status.code(), Some(0), "{cell}: {ran:?}");
    });
}

#[test]
fn a_block_from_before_ends_the_program_and_is_named() {
    everywhere(ABORT, |library, cell| {
        for function in ["free", "realloc", "malloc_usable_size"] {
            let ran = late(library, function);
            let said = String::from_utf8_lossy(&ran.stderr);
            let address = String::from_utf8_lossy(&ran.stdout);
            let head = format!("{} is not a block of ", address.trim());
            assert_eq!(ran.status.signal(), Some(SIGABRT), "{cell} {function}: {ran:?}");
            assert!(said.starts_with(&head), "{cell} {function}: {said}");
            assert!(said.ends_with(&format!(": {function}\n")), "{cell}: {said}");
        }
    });
}

/// A program that is interposed from its beginning never shows the heap a block of another.
#[test]
fn the_laws_hold_where_a_foreign_block_would_end_the_program() {
    let Some(library) = library(&simple_heap(), ABORT, By::Gcc("-O2")) else { return };
    keeps_the_laws(&library.file);
}

/// With and without a cleanup, for each looks otherwise for the thread's state.
#[test]
fn nobody_is_asked_whose_a_block_is_before_the_thread_is_ready() {
    let lines = "owns = \"strict_owns\"\nforeign = \"abort\"";
    for heap in [strict(""), strict("thread_cleanup ")] {
        for by in [By::Gcc("-O2"), By::Gxx] {
            let Some(library) = library(&heap, lines, by) else { continue };
            let exe = program(library.work.path(), "first.c", "first", &["-pthread"]);
            for first in ["free", "realloc", "malloc_usable_size"] {
                let ran = under(&library.file, &exe, &[Path::new(first)]);
                assert!(ran.status.success(), "{by:?} {first}: {ran:?}");
            }
        }
    }
}

fn keeps_the_laws(library: &Path) {
    let linux = spec::platform("linux").unwrap();
    let gcc = Compiler::find(Some("gcc"), None).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws");
    let judged = laws::check(&linux, &gcc, library, &folder, 2).unwrap();
    assert!(judged.len() >= 60, "{}", judged.len());
    let broken: Vec<_> = judged.iter().filter(|(_, outcome)| *outcome != Outcome::Holds).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_deep_bound_plug_in_may_hand_its_blocks_to_a_program() {
    let Some(library) = library(&simple_heap(), FORWARD, By::Gcc("-O2")) else { return };
    let work = library.work.path();
    let exe = program(work, "opens.c", "opens", &[]);
    let plugin = program(work, "plugin.c", "plugin.so", &["-shared", "-fPIC"]);
    let ran = under(&library.file, &exe, &[&plugin, Path::new("give")]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    // The other way round no policy on pointers helps: the C library's free never asks us.
    let ran = under(&library.file, &exe, &[&plugin, Path::new("take")]);
    assert_eq!(ran.status.signal(), Some(SIGABRT), "{ran:?}");
}

/// Whoever takes a block looks, and pays; whoever hands one out does not.
#[test]
fn the_plan_prices_the_look() {
    let linux = spec::platform("linux").unwrap();
    let trusting = Plan::new(&linux, &simple_heap().with("")).unwrap().0;
    let plan = Plan::new(&linux, &simple_heap().with(FORWARD)).unwrap().0;
    let of = |plan: &Plan, name: &str| {
        plan.answers.iter().find(|a| a.symbol.spec_name() == name).unwrap().clone()
    };
    for name in ["free", "realloc", "malloc_usable_size", "cfree", "free_sized", "_ZdlPv"] {
        assert!(matches!(of(&trusting, name).binding, Binding::Direct(_)), "{name}");
        let answer = of(&plan, name);
        assert!(
            matches!(&answer.binding, Binding::Guarded(_, guards) if *guards == [Guard::Foreign]),
            "{name}: {answer:?}"
        );
        // What keeps a size besides keeps one register more.
        let price = if name == "realloc" { 14 } else { 8 };
        assert_eq!(answer.price, Some(price), "{name}");
    }
    for name in ["malloc", "calloc", "aligned_alloc"] {
        assert!(matches!(of(&plan, name).binding, Binding::Direct(_)), "{name}");
    }
}

//! The laws hold in programs that carry the heap.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use alloc8_gen::{
    allocator::{self, Allocator},
    carry,
    interposer::Order,
    laws::{self, Compilers, Outcome, Workshop},
    spec,
    toolchain::Compiler,
};
use tempfile::TempDir;

use crate::heaps;

const NO_LOOK_UP: &str = "dlsym finds nothing in a static program";

/// Laws that a program with a heap of its own cannot have, and why.
const WITHOUT: &[(&str, &str)] =
    &[("programs_may_bring_their_own_malloc", "the program brings ours")];

/// Those that a static program cannot have.
const STATIC_WITHOUT: &[(&str, &str)] = &[
    ("aligned_new_does_not_wrap", NO_LOOK_UP),
    ("free_aligned_sized_frees", NO_LOOK_UP),
    ("free_sized_frees", NO_LOOK_UP),
    ("libc_aliases_share_the_heap", NO_LOOK_UP),
    ("cxx_plugins_of_c_programs_get_bad_alloc", "a static program has a C library of its own"),
    ("plugins_share_the_heap", "a static program has a C library of its own"),
];

fn hold(allocator: &Allocator, libs: &[PathBuf], forms: &[&str]) {
    let gcc = Compiler::find(Some("gcc"), None).expect("gcc is required");
    let work = TempDir::new().unwrap();
    let linux = spec::platform("linux").unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("carried");
    let order = Order {
        platform: &linux,
        allocator,
        lang: "c",
        libs,
        compiler: &gcc,
        cache: &cache,
        soname: "heap.o",
        hook: None,
    };
    let built = carry::build(&order).unwrap_or_else(|report| panic!("{:#?}", report.diagnostics));
    let arguments = work.path().join("heap.args");
    let text = carry::arguments(&built.object, &built.options);
    std::fs::write(&arguments, text).unwrap();
    for form in forms {
        let options = [format!("@{}", arguments.display()), (*form).to_owned()];
        let workshop = Workshop::new(Compilers::beside(&gcc), &[], work.path()).unwrap();
        let workshop = workshop.carrying(&options).with_patience(Duration::from_secs(60));
        let mut some = laws::laws(&linux).unwrap();
        let excused = |name: &str| {
            let of_form = if *form == "-static" { STATIC_WITHOUT } else { &[] };
            WITHOUT.iter().chain(of_form).any(|(law, _)| *law == name)
        };
        some.retain(|law| !excused(&law.name));
        if *form != "-static" && !crate::common::everything() {
            // To their libraries such programs look like preloaded ones.
            let differs =
                |name: &str| ["fork", "plugin", "new", "operator"].iter().any(|w| name.contains(w));
            some.retain(|law| differs(&law.name));
        }
        let judged = laws::check_with(&workshop, some, None, 2).unwrap();
        let count = judged.len();
        let wrong: Vec<_> = judged
            .into_iter()
            .filter(|(_, outcome)| *outcome != Outcome::Holds)
            .map(|(law, outcome)| format!("{}: {outcome:?}", law.name))
            .collect();
        assert!(wrong.is_empty(), "{} {form}:\n{}", allocator.name, wrong.join("\n"));
        println!("{} {form}: {count} laws hold", allocator.name);
    }
}

#[test]
fn the_laws_hold_in_programs_that_carry_a_heap_that_promises_everything() {
    let allocator = allocator::built_in("simple_heap").unwrap().unwrap();
    hold(&allocator, &[], &["-static", "-pie"]);
}

#[test]
fn the_laws_hold_in_programs_that_carry_a_heap_that_promises_nothing() {
    let gcc = Compiler::find(Some("gcc"), None).expect("gcc is required");
    let work = TempDir::new().unwrap();
    let archive = heaps::archive(&gcc, &[&heaps::heap("unpromising.c")], work.path(), &[]);
    let allocator = allocator::convention("unpromising").unwrap();
    let forms: &[&str] =
        if crate::common::everything() { &["-static", "-pie"] } else { &["-static"] };
    hold(&allocator, &[archive], forms);
}

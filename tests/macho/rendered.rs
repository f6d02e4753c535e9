//! What the tool renders for macOS: built by zig with the heap, and run.

use std::{fs, path::PathBuf};

use alloc8_gen::{
    allocator::{self, Allocator, Origin, Role},
    diagnostic::{Result, Source},
    plan::Plan,
    render::{self, Files, Inputs},
    spec,
};

use super::{
    bench::{Bench, MACOS_11, NEW, NO_ZONE, OLD, benches, sources, stored, zig_cc},
    shim::layout,
};

/// The built-in heap, as its description says with these lines before it, and without those roles.
pub(super) fn heap(more: &str, without: &[Role]) -> Allocator {
    let built_in = allocator::built_in("simple_heap").unwrap().unwrap();
    let text = format!("{more}\n{}", built_in.source.text);
    let source = Source::new("simple_heap.toml", text);
    let mut heap = allocator::read(&source, "simple_heap", built_in.origin).unwrap();
    heap.functions.retain(|role, _| !without.contains(role));
    heap
}

/// A heap that promises nothing; its usable size is one of the keys here.
fn tolerant(keys: &str) -> Allocator {
    let text = format!(
        "{keys}\nmalloc = \"tolerant_malloc\"\nfree = \"tolerant_free\"\nmemalign = \"tolerant_memalign\"\nmalloc_good_size = \"tolerant_malloc_good_size\"\nmalloc_lock = \"tolerant_malloc_lock\"\nmalloc_unlock = \"tolerant_malloc_unlock\"\nmalloc_reinit = \"tolerant_malloc_reinit\"\n"
    );
    allocator::read(&Source::new("tolerant.toml", text), "tolerant", Origin::BuiltIn).unwrap()
}

fn shim(heap: &Allocator) -> String {
    shim_in("interpose", heap).unwrap()
}

fn shim_in(mode: &str, heap: &Allocator) -> Result<String> {
    Ok(files_in(mode, heap)?.remove("shim.c").unwrap())
}

fn files_in(mode: &str, heap: &Allocator) -> Result<Files> {
    let macos = spec::platform("macos").unwrap();
    let (plan, _) = Plan::new(&macos, heap).unwrap();
    let inputs = Inputs { mode: mode.to_owned(), ..Inputs::interposer("macos", &heap.name) };
    let prefix = (mode == "prefixed").then(|| "my".to_owned());
    render::render(&plan, &Inputs { prefix, ..inputs })
}

/// The dylib of a shim and a heap; no warning is let pass in the shim.
fn linked(bench: &Bench, heap: &Allocator, source: &str) -> PathBuf {
    let file = stored("shim.c", &shim(heap));
    let strict = ["-c", "-Wpedantic", "-std=c11"];
    let object = zig_cc(bench.cpu, &strict).args([file]).built(&bench.cpu.named("shim.o"));
    let text = fs::read_to_string(sources(source)).unwrap();
    let source = stored("heap.c", &text);
    let faults = format!("-I{}", sources("faults").display());
    let words =
        ["-dynamiclib", "-fvisibility=hidden", "-install_name", "@rpath/libheap.dylib", &faults];
    zig_cc(bench.cpu, &words).args([object, source]).built(&bench.cpu.named("libheap.dylib"))
}

pub(super) fn built(bench: &Bench, heap: &Allocator) -> PathBuf {
    linked(bench, heap, "../../examples/simple_heap/simple_heap.c")
}

#[test]
fn under_the_rendered_shim_every_law_holds() {
    for bench in benches() {
        let library = built(&bench, &heap("", &[]));
        let run = |options: &[&str], typed| bench.run(options, &[&library], "simple_heap", typed);
        let plain = run(&[], true);
        plain.is_good(NEW, bench.cpu.zig);
        plain.says("tuples 22 live 0 absent 0 dropped", bench.cpu.zig);
        plain.says("zones: simple_heap v16, DefaultMallocZone v16, Default", bench.cpu.zig);
        let nano = run(&["--nano"], true);
        nano.is_good(NEW, "nano");
        nano.says("zones: simple_heap v16, ", bench.cpu.zig);
        let old = run(MACOS_11, false);
        old.is_good(OLD, "macOS 11");
        old.says("tuples 21 live 1 absent 0 dropped", bench.cpu.zig);
    }
}

/// The typed functions are weak imports: an older system lacks them, and the rest holds.
#[test]
fn typed_calls_come_to_the_heap_by_themselves_too() {
    for bench in benches() {
        let library = built(&bench, &heap("typed = \"all\"", &[]));
        let run = |options: &[&str], typed| bench.run(options, &[&library], "simple_heap", typed);
        let new = run(&[], true);
        new.is_good(NEW, bench.cpu.zig);
        new.says("tuples 36 live 0 absent 0 dropped", bench.cpu.zig);
        let old = run(MACOS_11, false);
        old.is_good(OLD, "macOS 11");
        old.says("tuples 21 live 15 absent 0 dropped", bench.cpu.zig);
    }
}

/// What only a registered zone does.
const OF_THE_LIST: [&str; 2] =
    ["the_expected_zone_is_registered", "the_expected_zone_stands_first"];

#[test]
fn tuples_alone_are_enough_where_the_zone_is_not_wanted() {
    for bench in benches() {
        let library = built(&bench, &heap("zone = false", &[]));
        let run = bench.run(&[], &[&library], "simple_heap", true);
        run.fails(&OF_THE_LIST, bench.cpu.zig);
        assert_eq!(run.end, Some(format!("client: {NO_ZONE} checks, 2 failed")), "{}", run.said);
        run.says("tuples 25 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("loader: pre-init: 14 checks, 0 failed", bench.cpu.zig);
    }
}

/// Regions without a bit for each block: inner addresses and freed blocks have a size.
#[test]
fn owns_alone_tells_whose_a_block_is_and_no_more() {
    for bench in benches() {
        let library = built(&bench, &heap("", &[Role::MallocSize, Role::Enumerator]));
        let run = bench.run(&[], &[&library], "simple_heap", true);
        run.fails(&INEXACT, bench.cpu.zig);
        assert_eq!(run.end, Some(format!("client: {NEW} checks, 15 failed")), "{}", run.said);
    }
}

const INEXACT: [&str; 15] = [
    // By the size of a block that was freed, or of an address inside one.
    "a_failed_reallocf_frees",
    "reallocarrayf_that_overflows_frees",
    "malloc_size_of_an_inner_address_is_0",
    "malloc_zone_batch_free_frees",
    "the_slot_size_of_an_inner_address_is_0",
    "free_definite_size_frees",
    // By an enumerator, of which there is none.
    "the_zone_counts_its_blocks",
    "the_enumerator_tells_each_block_once",
    "the_enumerator_tells_no_freed_block",
    "the_enumerator_tells_what_a_child_has",
    "the_enumerator_tells_nothing_that_the_child_freed",
    "the_enumerator_tells_what_the_child_took",
    // By the size of a freed block again.
    "malloc_type_free_frees",
    "malloc_type_free_frees_what_malloc_gave",
    "malloc_type_zone_free_frees",
];

/// Whose a block is, the system tells: by a walk through its zones, of which the heap is none.
#[test]
fn a_heap_that_cannot_tell_its_blocks_asks_the_system() {
    let heap = tolerant("malloc_usable_size = \"tolerant_malloc_usable_size\"");
    for bench in benches() {
        let library = linked(&bench, &heap, "rendered/tolerant.c");
        let run = bench.run(&[], &[&library], "tolerant", true);
        run.fails(&OF_THE_LIST, bench.cpu.zig);
        assert_eq!(run.end, Some(format!("client: {NO_ZONE} checks, 2 failed")), "{}", run.said);
        run.says("tuples 25 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("loader: pre-init: 14 checks, 0 failed", bench.cpu.zig);
    }
}

/// What an allocator does not promise, the shim keeps here too.
#[test]
fn a_heap_that_promises_nothing_but_sizes_is_a_whole_zone() {
    let size = "tolerant_malloc_usable_size(ptr)";
    let heap = tolerant(&format!("malloc_usable_size = \"{size}\"\nmalloc_size = \"{size}\""));
    for bench in benches() {
        let library = linked(&bench, &heap, "rendered/tolerant.c");
        let run = bench.run(&[], &[&library], "tolerant", true);
        // By an enumerator, of which there is none.
        let walked = [
            "the_zone_counts_its_blocks",
            "the_enumerator_tells_each_block_once",
            "the_enumerator_tells_no_freed_block",
            "the_enumerator_tells_what_a_child_has",
            "the_enumerator_tells_nothing_that_the_child_freed",
            "the_enumerator_tells_what_the_child_took",
        ];
        run.fails(&walked, bench.cpu.zig);
    }
}

/// Our structures are those of the header, and so are the functions that the shim declares: with signed
/// pointers (arm64e) it takes the header's own.
#[test]
fn declarations_are_those_of_the_systems_header() {
    let text = shim(&heap("typed = \"all\"", &[]));
    let from = text.find("typedef struct alloc8_zone").unwrap();
    let own = &text[from..from + text[from..].find("#endif\n\n").unwrap()];
    let mut proof = String::from("#include <stddef.h>\n#include <stdint.h>\n");
    let names = own.lines().filter_map(|l| l.strip_prefix("typedef ").or(l.strip_prefix("} ")));
    let names: Vec<_> = names.filter_map(typedef_name).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in &names {
        proof += &format!("#define {name} own_{name}\n");
    }
    proof += own;
    for name in &names {
        proof += &format!("#undef {name}\n");
    }
    proof += "#include <malloc/malloc.h>\n";
    for name in names.iter().filter(|name| {
        !name.ends_with("reader_t") && !name.ends_with("recorder_t") && !name.ends_with("printer_t")
    }) {
        proof += &format!("_Static_assert(sizeof(own_{name}) == sizeof({name}), \"{name}\");\n");
    }
    for (field, at) in layout() {
        let (structure, name) = (&field.structure, &field.name);
        proof += &format!(
            "_Static_assert(offsetof(own_{structure}, {name}) == {at} && offsetof({structure}, {name}) == {at}, \"{name}\");\n"
        );
    }
    for bench in benches() {
        let object = |name: &str, text: &str, more: &[&str]| {
            let words = [&["-c", "-Wno-unused"], more].concat();
            zig_cc(bench.cpu, &words).args([stored(name, text)]).built(&bench.cpu.named("proof.o"))
        };
        object("layout.c", &proof, &[]);
        object("shim.c", &text, &["-DALLOC8_SIGNED_POINTERS="]);
    }
}

/// `X` of `typedef … X;`, `} X;` and `typedef … (*X)(…);`.
fn typedef_name(line: &str) -> Option<String> {
    let words = match line.split_once("(*") {
        Some((_, rest)) => rest.split(')').next()?,
        None => line.strip_suffix(';')?.rsplit([' ', '*']).next()?,
    };
    Some(words.to_owned())
}

#[test]
fn every_built_in_allocator_has_a_shim_without_warnings() {
    for bench in benches().iter().take(1) {
        for name in allocator::built_in_names() {
            let heap = allocator::built_in(&name).unwrap().unwrap();
            for typed in [false, true] {
                let heap = Allocator { typed, zone: typed, ..heap.clone() };
                let file = stored("shim.c", &shim(&heap));
                let strict = ["-c", "-Wpedantic", "-std=c11"];
                zig_cc(bench.cpu, &strict).args([file]).built(&bench.cpu.named("shim.o"));
            }
        }
    }
}

/// No tuple: the system's own functions take from the zone that stands first, typed or not.
#[test]
fn a_zone_in_the_program_is_enough_for_a_rendered_shim() {
    let heap = heap("", &[]);
    let text = shim_in("static", &heap).unwrap();
    assert!(!text.contains("__interpose"), "{text}");
    for bench in benches() {
        let object = |name: &str, text: &str, words: &[&str]| {
            let words = [&["-c"], words].concat();
            zig_cc(bench.cpu, &words)
                .args([stored(name, text)])
                .built(&bench.cpu.named("carried.o"))
        };
        let source =
            fs::read_to_string(sources("../../examples/simple_heap/simple_heap.c")).unwrap();
        let shim = object("shim.c", &text, &["-Wpedantic", "-std=c11"]);
        let program = bench.client_with(&[shim, object("heap.c", &source, &[])]);
        let run =
            |options: &[&str], typed| bench.run_carrier(options, &program, "simple_heap", typed);
        for options in [&[][..], &["--nano"]] {
            let plain = run(options, true);
            plain.is_good(NEW, bench.cpu.zig);
            plain.says("tuples 0 live", bench.cpu.zig);
            plain.says("zones: simple_heap v16, ", bench.cpu.zig);
        }
        run(MACOS_11, false).is_good(OLD, "macOS 11");
    }
}

#[test]
fn a_heap_that_is_no_zone_is_refused_in_a_program() {
    let without = [Role::MallocSize, Role::Owns, Role::Enumerator];
    for heap in [heap("zone = false", &[]), heap("", &without)] {
        let report = shim_in("static", &heap).unwrap_err();
        let codes: Vec<_> = report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, ["A8256"]);
    }
}

#[test]
fn functions_under_a_prefix_leave_the_systems_heap_alone() {
    let files = files_in("prefixed", &heap("", &[])).unwrap();
    let header = stored("my.h", &files["my.h"]);
    let source = fs::read_to_string(sources("../../examples/simple_heap/simple_heap.c")).unwrap();
    let folders =
        [header.parent().unwrap(), &sources("client")].map(|f| format!("-I{}", f.display()));
    for bench in benches() {
        let object = |name: &str, text: &str, words: &[&str]| {
            let words = [&["-c", &folders[0], &folders[1]], words].concat();
            zig_cc(bench.cpu, &words)
                .args([stored(name, text)])
                .built(&bench.cpu.named("prefixed.o"))
        };
        let text = fs::read_to_string(sources("rendered/prefixed.c")).unwrap();
        let objects = [
            object("shim.c", &files["shim.c"], &["-Wpedantic", "-std=c11"]),
            object("heap.c", &source, &[]),
            object("prefixed.c", &text, &[]),
        ];
        let program = zig_cc(bench.cpu, &[]).args(objects).built(&bench.cpu.named("prefixed"));
        let output = bench.alone(&program).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said, "whole\n", "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}", output.status);
    }
}

/// Each call of a thread would have to look whether it is ready, and there is no text for that yet.
#[test]
fn heaps_that_mind_threads_are_refused_under_a_prefix() {
    let heap = allocator::built_in("rpmalloc").unwrap().unwrap();
    let report = files_in("prefixed", &heap).unwrap_err();
    assert_eq!(report.diagnostics[0].code, "A8258");
}

//! What the tool renders for macOS: built by zig with the heap, and run.

use std::{fs, path::PathBuf};

use alloc8_gen::{
    allocator::{self, Allocator, Role},
    diagnostic::Source,
    plan::Plan,
    render::{self, Inputs},
    spec,
};

use super::bench::{Bench, MACOS_11, NEW, NO_ZONE, OLD, benches, sources, stored, zig_cc};

/// The built-in heap, as its description says with these lines before it, and without those roles.
fn heap(more: &str, without: &[Role]) -> Allocator {
    let built_in = allocator::built_in("simple_heap").unwrap().unwrap();
    let text = format!("{more}\n{}", built_in.source.text);
    let source = Source::new("simple_heap.toml", text);
    let mut heap = allocator::read(&source, "simple_heap", built_in.origin).unwrap();
    heap.functions.retain(|role, _| !without.contains(role));
    heap
}

fn shim(heap: &Allocator) -> String {
    let macos = spec::platform("macos").unwrap();
    let (plan, _) = Plan::new(&macos, heap).unwrap();
    let inputs = Inputs::interposer("macos", "simple_heap");
    render::render(&plan, &inputs).unwrap().remove("shim.c").unwrap()
}

/// The dylib: no warning is let pass in the shim.
fn built(bench: &Bench, heap: &Allocator) -> PathBuf {
    let text = shim(heap);
    let file = stored("shim.c", &text);
    let strict = ["-c", "-Wpedantic", "-std=c11"];
    let object = zig_cc(bench.cpu, &strict).args([file]).built(&bench.cpu.named("shim.o"));
    let source = sources("../../examples/simple_heap/simple_heap.c");
    let text = fs::read_to_string(source).unwrap();
    let source = stored("simple_heap.c", &text);
    let words =
        ["-dynamiclib", "-fvisibility=hidden", "-install_name", "@rpath/libsimple_heap.dylib"];
    zig_cc(bench.cpu, &words).args([object, source]).built(&bench.cpu.named("libsimple_heap.dylib"))
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

//! The same shim in other languages: every law holds under it, too.

use super::{
    bench::{MACOS_11, NEW, OLD, benches},
    shim::{Heap, has_rust},
};

#[test]
fn under_the_header_for_cxx_every_law_holds() {
    every_law_holds("cpp", 22);
}

#[test]
fn under_the_shim_in_rust_every_law_holds() {
    every_law_holds("rust", 22);
}

fn every_law_holds(lang: &str, tuples: u32) {
    for bench in benches().iter().filter(|bench| lang != "rust" || has_rust(bench.cpu)) {
        let library = Heap::simple().dylib(bench.cpu, lang);
        let run = |options: &[&str], typed| bench.run(options, &[&library], "simple_heap", typed);
        let plain = run(&[], true);
        plain.is_good(NEW, bench.cpu.zig);
        plain.says(&format!("tuples {tuples} live 0 absent 0 dropped"), bench.cpu.zig);
        plain.says("zones: simple_heap v16, DefaultMallocZone v16, Default", bench.cpu.zig);
        let nano = run(&["--nano"], true);
        nano.is_good(NEW, "nano");
        nano.says("zones: simple_heap v16, ", bench.cpu.zig);
        let old = run(MACOS_11, false);
        old.is_good(OLD, "macOS 11");
        old.says(&format!("tuples 21 live {} absent 0 dropped", tuples - 21), bench.cpu.zig);
    }
}

/// The typed functions are weak imports in Rust, too: an older system lacks them, and the rest holds.
#[test]
fn typed_calls_come_to_a_heap_behind_rust_by_themselves_too() {
    for bench in benches().iter().filter(|bench| has_rust(bench.cpu)) {
        let mut heap = Heap::simple();
        heap.allocator.typed = true;
        let library = heap.dylib(bench.cpu, "rust");
        let run = |options: &[&str], typed| bench.run(options, &[&library], "simple_heap", typed);
        let new = run(&[], true);
        new.is_good(NEW, bench.cpu.zig);
        new.says("tuples 36 live 0 absent 0 dropped", bench.cpu.zig);
        let old = run(MACOS_11, false);
        old.is_good(OLD, "macOS 11");
        old.says("tuples 21 live 15 absent 0 dropped", bench.cpu.zig);
    }
}

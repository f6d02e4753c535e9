//! The same shim in other languages: every law holds under it, too.

use super::{
    bench::{MACOS_11, NEW, OLD, benches},
    shim::{Heap, has_rust},
};

#[test]
fn under_the_header_for_cxx_every_law_holds() {
    every_law_holds("cpp", 22);
}

/// Without malloc_zone_malloc_with_options: a library in Rust has no weak imports.
#[test]
fn under_the_shim_in_rust_every_law_holds() {
    every_law_holds("rust", 21);
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

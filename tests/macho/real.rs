//! The dylibs of `examples/real`, each by its one command. Neither heap is asked for what it does not tell: exact
//! sizes, and blocks that were freed.

use super::{
    bench::benches,
    built::triple,
    examples::{OF_FREED_BLOCKS, WITHOUT},
};
use crate::made::made;

#[test]
fn mimalloc_from_its_crate_runs_on_macos() {
    for bench in benches().into_iter().take(if crate::common::everything() { 2 } else { 1 }) {
        let Some(library) = made("mimalloc", Some(triple(&bench))) else { return };
        let run = bench.run_without(WITHOUT, &library, "mimalloc");
        // It has a size for inner and for freed addresses, as its own dylib has.
        let [reallocf, reallocarrayf, .., zone_free] = OF_FREED_BLOCKS;
        let inner = "malloc_size_of_an_inner_address_is_0";
        let typed = ["malloc_type_free_frees", "malloc_type_free_frees_what_malloc_gave"];
        let known = [reallocf, reallocarrayf, inner, typed[0], typed[1], zone_free];
        run.fails(&known, bench.cpu.zig);
        assert_eq!(run.end.as_deref(), Some("client: 82 checks, 6 failed"), "{}", run.said);
        run.says("tuples 22 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("threads 5 started 5 ended", bench.cpu.zig);
    }
}

#[test]
fn rpmalloc_from_its_crate_runs_on_macos() {
    for bench in benches().into_iter().take(if crate::common::everything() { 2 } else { 1 }) {
        let Some(library) = made("rpmalloc", Some(triple(&bench))) else { return };
        let run = bench.run_without(&[WITHOUT, &["plain"]].concat(), &library, "rpmalloc");
        run.fails(&["malloc_type_zone_free_frees"], bench.cpu.zig);
        assert_eq!(run.end.as_deref(), Some("client: 34 checks, 1 failed"), "{}", run.said);
        run.says("threads 5 started 5 ended", bench.cpu.zig);
    }
}

/// Its thread-locals are those of `thread_locals.c`: the system's would come from malloc.
#[test]
fn snmalloc_from_its_crate_runs_on_macos() {
    for bench in benches().into_iter().take(if crate::common::everything() { 2 } else { 1 }) {
        let Some(library) = made("snmalloc", Some(triple(&bench))) else { return };
        let run = bench.run_without(WITHOUT, &library, "snmalloc");
        let [reallocf, reallocarrayf, .., zone_free] = OF_FREED_BLOCKS;
        let inner = "malloc_size_of_an_inner_address_is_0";
        run.fails(&[reallocf, reallocarrayf, inner, zone_free], bench.cpu.zig);
        assert_eq!(run.end.as_deref(), Some("client: 80 checks, 4 failed"), "{}", run.said);
        run.says("threads 5 started 5 ended", bench.cpu.zig);
    }
}

/// It asks for more of a Mac than the loader has: it is built, and read back. Its configure script and its many
/// files take minutes.
#[test]
#[ignore = "long; cargo xtask test --all"]
fn jemalloc_from_its_crate_is_built_for_macos() {
    for bench in benches() {
        made("jemalloc", Some(triple(&bench)));
    }
}

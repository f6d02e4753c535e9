//! What must not pass: shims with one fault each, and how the fault shows.

use super::{
    bench::{Bench, NEW, Run, benches},
    chained,
};

const SIGABRT: i32 = 6;

fn under(bench: &Bench, fault: &str) -> Run {
    bench.run(&[], &[&bench.control(fault)], "control", true)
}

#[test]
fn a_weak_replacement_loses_its_tuple() {
    for bench in benches() {
        // zig writes a rebase beside the weak bind: the tuple lives, by luck.
        under(&bench, "weak_replacement")
            .says("tuple 0: its replacement is a weak function", bench.cpu.zig);
        let Some(library) = chained::control(&bench, "weak_replacement") else { return };
        let run = bench.run(&[], &[&library], "control", true);
        run.says(
            "tuple 0 dropped: its replacement is no rebase, as of a weak function",
            bench.cpu.zig,
        );
        run.says("tuples 23 live 0 absent 1 dropped", bench.cpu.zig);
    }
}

/// On a Mac it ends with SIGBUS, which a shell tells as 138.
#[test]
fn a_thread_local_on_the_path_of_malloc_never_ends() {
    for bench in benches() {
        let run = under(&bench, "thread_local");
        assert_eq!(run.status, Some(138), "{}: {}", bench.cpu.zig, run.said);
        run.says("set-ups of thread-locals inside each other: malloc touches one", bench.cpu.zig);
        run.says("the stack is at its end", bench.cpu.zig);
        assert_eq!(run.end, None);
    }
}

#[test]
fn a_child_that_unlocks_is_ended() {
    for bench in benches() {
        let run = under(&bench, "unlock_in_child");
        run.fails(&["the_child_lives", "a_childs_heap_works"], bench.cpu.zig);
        run.says("Unlock of an os_unfair_lock not owned by current thread", bench.cpu.zig);
        let end = format!("client: {} checks, 2 failed", NEW - 3);
        assert_eq!(run.end, Some(end), "the three laws of the child's blocks could not be asked");
    }
}

#[test]
fn a_zone_without_reinit_lock_kills_the_child() {
    for bench in benches() {
        let run = under(&bench, "no_reinit");
        let laws = ["reinit_lock_is_filled", "the_child_lives", "a_childs_heap_works"];
        run.fails(&laws, bench.cpu.zig);
        run.says("died at 0, ", bench.cpu.zig);
    }
}

#[test]
fn a_zone_without_an_introspection_kills_fork() {
    for bench in benches() {
        let run = under(&bench, "null_introspection");
        run.fails(&["the_zone_has_an_introspection"], bench.cpu.zig);
        assert_eq!((run.status, run.end), (Some(139), None), "{}: {}", bench.cpu.zig, run.said);
    }
}

#[test]
fn an_enumerator_that_does_not_read_tells_of_the_wrong_process() {
    for bench in benches() {
        let laws = [
            "the_enumerator_tells_what_a_child_has",
            "the_enumerator_tells_nothing_that_the_child_freed",
            "the_enumerator_tells_what_the_child_took",
        ];
        under(&bench, "no_reader").fails(&laws, bench.cpu.zig);
    }
}

#[test]
fn two_paths_through_fork_lock_twice() {
    for bench in benches() {
        let run = under(&bench, "double_fork");
        run.says("Trying to recursively lock an os_unfair_lock", bench.cpu.zig);
        assert_eq!((run.signal, run.end), (Some(SIGABRT), None), "{}", bench.cpu.zig);
    }
}

/// The system's zone answers what has no tuple, and what it then gets from us is no block of its own.
#[test]
fn one_typed_tuple_of_all_makes_two_heaps() {
    for bench in benches() {
        let run = under(&bench, "partial_typed");
        let laws = [
            "the_expected_zone_is_registered",
            "the_expected_zone_stands_first",
            "malloc_type_calloc_takes_from_the_expected_zone",
            "malloc_type_realloc_takes_from_the_expected_zone",
        ];
        run.fails(&laws, bench.cpu.zig);
        run.says("pointer being realloc'd was not allocated", bench.cpu.zig);
        assert_eq!((run.signal, run.end), (Some(SIGABRT), None), "{}", bench.cpu.zig);
    }
}

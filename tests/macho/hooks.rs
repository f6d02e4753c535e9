//! Threads under the rendered shims: who is introduced, who is seen off, and what comes after, by
//! hooks/main.c under tests/fixtures/heaps/thread_aware.c with both policies.

use super::{
    bench::{benches, sources, zig_cc},
    shim::{Heap, has_rust},
};

const CHECKS: &str = "hooks: 32 checks, 0 failed";

#[test]
fn threads_are_introduced_and_seen_off_on_macos() {
    for bench in benches() {
        let program = zig_cc(bench.cpu, &[]).args([sources("hooks").join("main.c")]);
        let program = program.built(&bench.cpu.named("hooks"));
        for (policy, lang) in [
            ("advisory", "c"),
            ("required", "c"),
            ("advisory", "cpp"),
            ("required", "cpp"),
            ("advisory", "rust"),
            ("required", "rust"),
        ] {
            if lang == "rust" && !has_rust(bench.cpu) {
                continue;
            }
            let library = Heap::aware(policy).dylib(bench.cpu, lang);
            let run = bench.run_program(&[&library], &program, &[policy]);
            let what = format!("{policy} {lang} {}", bench.cpu.zig);
            assert_eq!(
                (run.status, run.end.as_deref()),
                (Some(0), Some(CHECKS)),
                "{what}: {:?}\n{}",
                run.failed,
                run.said
            );
            run.says(" live 0 absent 0 dropped", &what);
        }
    }
}

/// Each hands on what it is told: the first one's hook is called by the last one's.
#[test]
fn two_heaps_hooks_form_a_chain() {
    for bench in benches() {
        let program = zig_cc(bench.cpu, &[]).args([sources("hooks").join("main.c")]);
        let program = program.built(&bench.cpu.named("hooks"));
        let heap = Heap::aware("advisory");
        // The program asks the first image that has a counter; the blocks come from the last.
        let (first, last) = (heap.dylib(bench.cpu, "cpp"), heap.dylib(bench.cpu, "c"));
        let run = bench.run_program(&[&first, &last], &program, &["advisory"]);
        run.fails(&["something_comes_after_the_cleanup"], bench.cpu.zig);
        run.says("tuples 44 live", bench.cpu.zig);
    }
}

//! What `leaks` and `heap` do: a stopped process is read by another one, in which nothing lies where it
//! does in the first.

use std::path::Path;

use alloc8_gen::{
    allocator::{self, Origin},
    diagnostic::Source,
};

use super::{
    bench::{Bench, Run, benches, sources, zig_cc},
    rendered::{built, heap},
    shim::{Heap, has_rust},
};

/// How many checks there are; the control shim has no task_statistics.
const CHECKS: u32 = 8;

fn watched(bench: &Bench, library: &Path, zone: &str) -> Run {
    let program = zig_cc(bench.cpu, &[]).args([sources("watch/main.c")]);
    bench.two(library, &program.built(&bench.cpu.named("watch")), zone)
}

fn is_good(run: &Run, checks: u32, what: &str) {
    let said = format!("{what}: {:?}\n{}", run.failed, run.said);
    assert_eq!(run.end, Some(format!("client: {checks} checks, 0 failed")), "{said}");
    assert_eq!(run.status, Some(0), "{said}");
}

#[test]
fn another_process_is_walked_wherever_its_images_lie() {
    for bench in benches() {
        let mut libraries = vec![
            ("C", built(&bench, &heap("", &[]))),
            ("C++", Heap::simple().dylib(bench.cpu, "cpp")),
        ];
        if has_rust(bench.cpu) {
            libraries.push(("Rust", Heap::simple().dylib(bench.cpu, "rust")));
        }
        for (lang, library) in libraries {
            let run = watched(&bench, &library, "simple_heap");
            is_good(&run, CHECKS, &format!("{} in {lang}", bench.cpu.zig));
        }
    }
}

/// An enumerator that does not read across, and one that looks where the table lies in its own process.
#[test]
fn an_enumerator_that_looks_at_the_wrong_place_is_caught() {
    let built_in = allocator::built_in("simple_heap").unwrap().unwrap();
    let text = built_in.source.text.replace(", slide,", ", 0,");
    assert_ne!(text, built_in.source.text);
    let source = Source::new("simple_heap.toml", text);
    let unslid = allocator::read(&source, "simple_heap", Origin::BuiltIn).unwrap();
    for bench in benches() {
        is_good(&watched(&bench, &bench.control("none"), "control"), CHECKS - 1, bench.cpu.zig);
        let run = watched(&bench, &bench.control("no_reader"), "control");
        run.fails(&["each_live_block_is_told_once"], bench.cpu.zig);
        let run = watched(&bench, &built(&bench, &unslid), "simple_heap");
        let caught = run.failed.iter().any(|law| law == "each_live_block_is_told_once");
        assert!(caught, "{}: {:?}\n{}", bench.cpu.zig, run.failed, run.said);
    }
}

//! `examples/prefixed`: a heap beside the C library's, which goes on as ever.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::toolbox::Example;

const HEAP: &str =
    concat!("HEAP=", env!("CARGO_MANIFEST_DIR"), "/examples/simple_heap/simple_heap.c");

/// What `words` writes of two lines, and what its table's heap counted.
fn counted(example: &Example) -> (String, String) {
    let mut words = Command::new(example.path("words"));
    words.env("SIMPLE_HEAP_STATS", "1").stdin(Stdio::piped());
    let mut words = words.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    words.stdin.take().unwrap().write_all(b"to be or not\nto be\n").unwrap();
    let output = words.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_table_has_a_heap_of_its_own_and_lines_are_the_c_library_s() {
    let Some(prefixed) = Example::copied("prefixed") else { return };
    let strict = "CFLAGS=-O2 -Wall -Wextra -Wpedantic -Werror";
    let sanitized = "CFLAGS=-g -fsanitize=address,undefined -Werror";
    for flags in [strict, sanitized] {
        prefixed.make(&["clean"]);
        prefixed.make(&[HEAP, flags]);
        let (said, counted) = counted(&prefixed);
        assert!(said.starts_with("2 to\n2 be\n1 or\n1 not\n4 words in "), "{said}");
        // Four words and the table; none of getline's and stdio's.
        assert!(counted.contains("allocations 5, frees 5,"), "{flags}: {counted}");
        let names = prefixed.run("nm", &["--defined-only", "--extern-only", "words"]);
        let defines = |name: &str| names.lines().any(|line| line.ends_with(&format!(" {name}")));
        assert!(defines("table_malloc") && !defines("malloc"), "{names}");
        assert!(!defines("simple_heap_malloc"), "{names}");
        let again = prefixed.make(&[HEAP, flags]);
        assert!(again.contains("Nothing to be done"), "{again}");
    }
    prefixed.tool(&["check", "alloc8"]);
}

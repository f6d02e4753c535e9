//! The cage itself: what must not pass does not.

use super::cage::Target;
use std::time::Instant;

fn seeds() -> Vec<Vec<u8>> {
    vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]
}

fn caged(name: &'static str, read: fn(&[u8])) {
    Target { module: module_path!(), name, inputs: 3, words: &[], seeds, read }.run();
}

#[test]
fn a_quick_reader_passes() {
    caged("a_quick_reader_passes", |data| assert!(!data.is_empty()));
}

#[test]
#[should_panic(expected = "input 1 of a_panic_is_seen, 1 bytes")]
fn a_panic_is_seen() {
    caged("a_panic_is_seen", |data| assert_ne!(data, b"b"));
}

#[test]
#[should_panic(expected = "input 1 of too_much_memory_is_seen")]
fn too_much_memory_is_seen() {
    caged("too_much_memory_is_seen", |data| {
        let size = if data == b"b" { 513 << 20 } else { 64 << 20 };
        std::hint::black_box(vec![0u8; size]);
    });
}

#[test]
#[should_panic(expected = "input 2 of a_slow_reader_is_seen")]
fn a_slow_reader_is_seen() {
    caged("a_slow_reader_is_seen", |data| {
        let start = Instant::now();
        // On a busy machine a wall clock's seconds are not this thread's: three are plenty.
        while data == b"c" && start.elapsed().as_secs() < 3 {
            std::hint::black_box(data.to_vec());
        }
    });
}

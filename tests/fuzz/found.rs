//! Inputs that once made a reader panic or wait, at their smallest.

use alloc8_gen::prototype::Prototype;

#[test]
fn a_name_after_a_wide_character_is_an_error() {
    for text in ["void *f\u{fffd}n(size_t size)", "void *f(size_t \u{fffd}n)", "\u{e9}f()"] {
        assert!(Prototype::parse(text).is_err(), "{text}");
    }
}

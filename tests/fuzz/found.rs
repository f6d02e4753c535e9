//! Inputs that once made a reader panic or wait, at their smallest.

use alloc8_gen::{
    allocator::{self, Origin},
    diagnostic::Source,
    prototype::Prototype,
};

#[test]
fn a_name_after_a_wide_character_is_an_error() {
    for text in ["void *f\u{fffd}n(size_t size)", "void *f(size_t \u{fffd}n)", "\u{e9}f()"] {
        assert!(Prototype::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_comparison_with_a_wide_character_is_an_error() {
    for comparison in ["\u{fffd}= 0", "!\u{e9} 0", "\u{e9}"] {
        let text = format!("malloc = \"f\"\nfree = \"g\"\nowns = \"int h(ptr) {comparison}\"\n");
        let source = Source::new("my.toml", text);
        assert!(allocator::read(&source, "my", Origin::BuiltIn).is_err(), "{comparison}");
    }
}

fn main() {
    // Renders the exported functions from what `pages.toml` says of the heap.
    alloc8_gen::Generator::new("linux", "pages.toml")
        .and_then(|generator| generator.rust())
        .unwrap_or_else(|report| panic!("{report}"));
}

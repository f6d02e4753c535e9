fn main() {
    // Renders the exported functions from what `sampling.toml` says.
    alloc8_gen::Generator::new("linux", "sampling.toml")
        .and_then(|generator| generator.rust())
        .unwrap_or_else(|report| panic!("{report}"));
}

//! Tasks of the repository: `cargo xtask test` and its kin.
fn main() {}

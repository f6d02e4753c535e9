//! The command line of alloc8-gen.
fn main() {}

//! Generates malloc interposition shims from one spec and proves that they took effect.
pub mod allocator;
pub mod artifact;
pub mod diagnostic;
mod embedded;
pub mod hide;
pub mod init;
pub mod operation;
pub mod plan;
pub mod probe;
pub mod prototype;
pub mod render;
pub mod spec;
mod toml_text;
pub mod toolchain;

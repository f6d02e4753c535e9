//! Generates malloc interposition shims from one spec and proves that they took effect.
//!
//! The street goes one way: [`spec`] and [`allocator`] are facts, [`plan`] decides, [`render`] makes
//! text of it; up to there everything is pure. [`output`] writes and compares, [`toolchain`] compiles,
//! [`hide`] and [`probe`] look at an allocator's archive, [`artifact`] and [`verify`] at what came out,
//! and [`interposer`] and [`carry`] walk the whole way. Mistakes are [`diagnostic`]s: nothing here prints or exits,
//! but for what a build script must tell cargo.
//!
//! For build scripts: [`Generator`].
pub mod allocator;
pub mod artifact;
pub mod carry;
pub mod codes;
pub mod diagnostic;
mod embedded;
pub mod file;
pub mod generator;
pub mod hide;
pub mod init;
pub mod interposer;
pub mod laws;
pub mod operation;
pub mod output;
pub mod parallel;
pub mod plan;
pub mod preload;
pub mod probe;
pub mod proof;
pub mod prototype;
pub mod render;
#[cfg(test)]
mod schema;
pub mod spec;
pub mod system;
mod toml_text;
pub mod toolchain;
pub mod verify;

pub use generator::Generator;

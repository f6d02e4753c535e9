//! Generates malloc interposition shims from one spec and proves that they took effect.
pub mod artifact;

//! What systems do in ways of their own, for the library: groups of processes, links, how a process ended.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::link;
#[cfg(unix)]
pub(crate) use unix::{end_group, lead_group, signal};
#[cfg(windows)]
pub use windows::link;
#[cfg(windows)]
pub(crate) use windows::{end_group, lead_group, signal};

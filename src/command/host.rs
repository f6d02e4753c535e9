//! What systems do in ways of their own, for `run`: how a program is started, how it ends, and what its file's
//! permissions say.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    call_it, execute, exit_code, hold, hold_new, is_executable, is_own, mode, pass_on, user,
    wait_for,
};
#[cfg(windows)]
pub(crate) use windows::{
    call_it, execute, exit_code, hold, hold_new, is_executable, is_own, mode, pass_on, user,
    wait_for,
};

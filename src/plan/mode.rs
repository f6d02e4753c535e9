//! What a shim is for: to be preloaded, to be a part of the program itself, or to be called by name.

use super::Plan;
use crate::{
    diagnostic::{Diagnostic, Result},
    spec::First,
};

/// How the public names are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// A library that is preloaded or linked with.
    Interpose,
    /// An object inside the program.
    Static,
    /// Functions under a prefix, beside the system's malloc.
    Prefixed(String),
}

/// Neighbours of what throws std::bad_alloc, each in a member of the C++ runtime's archive with it. A
/// shim refers to that weakly, which brings no member in; and asked for by its own names (`-u`), it
/// would be missed in a program in C.
pub const CXX_NEIGHBOURS: &[&str] = &[
    "_ZSt15set_new_handlerPFvvE",
    "__cxa_free_exception",
    "__cxa_rethrow",
    "_ZNKSt9bad_alloc4whatEv",
];

impl Plan {
    /// The plan of an object that programs carry, statically or dynamically linked.
    ///
    /// The same names are answered in the same way; what differs is when the program runs, and where
    /// it finds the C++ runtime.
    ///
    /// # Errors
    /// `A8230` if nobody found out what a program of the platform runs first; `A8236` if it would have
    /// to stand before `dlopen`; `A8256` if the heap cannot be the platform's first zone.
    pub fn in_program(self) -> Result<Plan> {
        if self.zoned.is_some() {
            return self.zone_in_program();
        }
        if self.platform.hooks.is_some() {
            return Ok(self.in_module());
        }
        if self.platform.carried.is_none() {
            let name = &self.platform.name;
            let message = format!("no facts about programs that carry their heap on `{name}`");
            return Err(Diagnostic::error("A8230", message)
                .help("mode `static` is there for linux, linux-musl, macos and windows; elsewhere, link the library that `--mode interpose` makes before the C library")
                .into());
        }
        if self.drops_deepbind() {
            let message = "no text for `deepbind = \"drop\"` in programs that carry their heap";
            return Err(Diagnostic::error("A8236", message)
                .fact(format!("in `{}`", self.allocator.source.name))
                .help("leave `deepbind` out of the description for this mode")
                .into());
        }
        Ok(Plan { mode: Mode::Static, ..self.without_creators() })
    }

    /// Whether fork handlers are registered before the constructors of shared libraries run.
    pub(crate) fn precedes_constructors(&self) -> bool {
        let first = self.platform.carried.as_ref().map(|carried| carried.first);
        self.mode == Mode::Static && first == Some(First::PreinitArray)
    }

    /// What an object that programs carry asks other archives for: see [`CXX_NEIGHBOURS`].
    pub fn asks_for(&self) -> &'static [&'static str] {
        // A header's own text refers to it in earnest.
        let refers_weakly = self.platform.hooks.is_none();
        let operators = self.defined().any(|a| a.symbol.operation.is_operator());
        if operators && refers_weakly { CXX_NEIGHBOURS } else { &[] }
    }
}

//! Functions that are taken over in a running process: which of them, and what that asks of a heap.

use super::{Binding, Guard, Mode, Plan};
use crate::{
    allocator::{Promise, Role},
    diagnostic::{Diagnostic, Report, Result},
    operation::Operation,
    spec::Symbol,
};

/// Hooks that change tables of imports: what a library calls inside itself stays its own.
const BY_IMPORTS: &[&str] = &["iat", REDIRECT];

/// The kind of hook that leaves the heap in a library of its own.
pub(crate) const REDIRECT: &str = "redirect";

/// What hooks see to themselves, whatever a heap promises: no NULL and no size of nothing comes to it to be resized
/// or freed, failures are told to the library whose function was called, in its own errno, and no alignment is
/// asked of `memalign` but what it has. Nor is there a fork. What a heap without `memalign` aligns by itself is relied on.
pub(crate) const SEEN_TO: &[Promise] = &[
    Promise::Errno,
    Promise::FreeErrno,
    Promise::FreeNull,
    Promise::UsableSizeNull,
    Promise::ReallocNull,
    Promise::ReallocZero,
    Promise::AlignmentEinval,
    Promise::MaxAlign,
    Promise::Fork,
];

impl Plan {
    /// How a symbol is answered where functions are hooked; `None` where nothing differs.
    pub(super) fn bind_hook(&self, symbol: &Symbol) -> Option<(Binding, String)> {
        self.platform.hooks.as_ref()?;
        let exports = |library: &crate::spec::Library| {
            library.symbols.iter().any(|name| name == symbol.spec_name())
        };
        if !self.platform.libraries.iter().any(exports) {
            let why = "no library exports it: each module has its own, whose calls of malloc and free are hooked";
            return Some((Binding::Left, why.to_owned()));
        }
        match symbol.operation {
            Operation::New(_) => {
                let target = self.allocator.call(Role::Malloc)?.symbol.clone();
                let why = "NULL asks the library's own, which calls its new-handler and throws";
                Some((Binding::Guarded(target, vec![Guard::Throw]), why.to_owned()))
            }
            Operation::Delete(_) => self.allocator.call(Role::Free).map(|call| {
                let why = "blocks of other heaps go back to them".to_owned();
                (Binding::Guarded(call.symbol.clone(), vec![Guard::Foreign]), why)
            }),
            _ => None,
        }
    }

    /// NULL is told to the library whose function it was, in its own errno: nothing is called directly.
    pub(super) fn tell_library(&self, (binding, why): (Binding, String)) -> (Binding, String) {
        match binding {
            Binding::Direct(target) | Binding::Jump(target) if self.platform.hooks.is_some() => {
                let why = "NULL asks the library's new-handler, and sets its errno";
                (Binding::Guarded(target, vec![Guard::Library]), why.to_owned())
            }
            bound => (bound, why),
        }
    }

    /// Whether anybody can tell a block of this heap from another's.
    pub(super) fn tells_blocks(&self) -> bool {
        self.allocator.call(Role::Owns).is_some()
    }

    /// The plan of an object that a program or library of its own links before the C library.
    ///
    /// C++ operators are left to the C++ runtime inside the module, whose own call `malloc`.
    pub(super) fn in_module(mut self) -> Plan {
        let linked = self.platform.hooks.as_ref().map(|h| h.linked.clone()).unwrap_or_default();
        for answer in &mut self.answers {
            let why = if answer.symbol.operation.is_operator() {
                "the C++ runtime's own calls malloc and free, which are ours where it is linked into the same module"
            } else if linked.contains(&answer.symbol.family) {
                continue;
            } else {
                "libraries call it, which keep their own"
            };
            answer.binding = Binding::Left;
            answer.why = why.to_owned();
        }
        self.mode = Mode::Static;
        self
    }

    /// # Errors
    /// `A8253` for a hook where there are none; `A8250` if blocks of the libraries' own heaps would be freed in this one; `A8252` if nobody
    /// could say how large a block is.
    pub(crate) fn refuse_hook(&self, hook: Option<&str>) -> Result<()> {
        let mut report = Report::default();
        if self.platform.hooks.is_none() {
            report.diagnostics.extend(hook.map(|hook| self.refuse_any_hook(hook)));
            return report.finish(()).map(|_| ());
        }
        let name = &self.allocator.name;
        if let (Some(hook), true) = (hook, self.mode != Mode::Interpose) {
            let message = format!("`--hook {hook}` hooks nothing in this mode");
            report.push(Diagnostic::error("A8253", message).help("leave out `--hook` or `--mode`"));
        }
        let by_imports = match hook.filter(|_| self.mode == Mode::Interpose) {
            _ if self.mode == Mode::Static => Some("--mode static".to_owned()),
            hook => hook.filter(|h| BY_IMPORTS.contains(h)).map(|h| format!("--hook {h}")),
        };
        if let Some(option) = by_imports.filter(|_| !self.tells_blocks()) {
            let message = format!("`{option}` needs to know whose a block is");
            report.push(
                self.at_key("malloc", "whose blocks nothing tells from others", Diagnostic::error("A8250", message))
                    .fact("blocks that a C library makes inside itself, for the name of a folder or a file, come to free as well, and would be freed in this heap")
                    .help("name a function `owns` in the description, or take `--hook minhook` on x86 and link the library as the program's first import"),
            );
        }
        if self.allocator.call(Role::UsableSize).is_none() {
            let message = format!("`{name}` cannot tell the size of a block");
            report.push(
                self.at_key("malloc", "the heap", Diagnostic::error("A8252", message))
                    .fact("programs on Windows ask for it, and resize blocks in their place and with zeros, which must know it")
                    .help("name a function `malloc_usable_size` in the description"),
            );
        }
        report.finish(()).map(|_| ())
    }

    /// Where a C library is loaded before the hooks, by this name to the user, it has blocks already.
    ///
    /// # Errors
    /// `A8250` if nobody could tell them from this heap's.
    pub(crate) fn refuse_older_blocks(&self, whose: &str) -> Result<()> {
        if self.tells_blocks() {
            return Ok(());
        }
        let message =
            format!("nobody could tell the blocks of `{}` from older ones", self.allocator.name);
        Err(self
            .at_key("malloc", "whose blocks nothing tells from others", Diagnostic::error("A8250", message))
            .fact(format!("{whose} is loaded before the hooks: its blocks from before would be freed in this heap"))
            .help("name a function `owns` in the description")
            .into())
    }

    fn refuse_any_hook(&self, hook: &str) -> Diagnostic {
        let message =
            format!("`--hook {hook}` belongs to Windows, not to `{}`", self.platform.name);
        Diagnostic::error("A8253", message)
            .help("leave out `--hook`, or name that platform alone: `-p windows`")
    }
}

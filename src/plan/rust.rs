//! What a plan becomes when the shim is in Rust: fewer symbols are its own, and none is an alias.

use super::{Binding, Plan};
use crate::{
    allocator::Role,
    diagnostic::{Diagnostic, Report, Result},
    operation::Effect,
};

const OPERATORS: &str = "the C++ runtime's own calls the public malloc family, and a shim in Rust cannot throw std::bad_alloc";

impl Plan {
    /// The plan of a shim in Rust.
    ///
    /// C++ operators are left to the C++ runtime: no exception can pass through Rust. Nothing is
    /// bound directly, for rustc decides what a library exports and gives functions no second name.
    pub fn in_rust(mut self) -> Plan {
        for answer in &mut self.answers {
            if answer.symbol.operation.is_operator() {
                answer.binding = Binding::Left;
                answer.why = OPERATORS.to_owned();
                answer.price = None;
            } else if answer.symbol.operation.effect() == Effect::StartsThread {
                answer.binding = Binding::Left;
                answer.why = "no hooks for threads in Rust yet".to_owned();
                answer.price = None;
            } else {
                let why = "the contracts agree; rustc gives a function no second name";
                answer.jump_where_direct(why);
            }
        }
        self
    }

    /// What the user should know of a shim in Rust beside the plan's own remarks.
    pub fn remark_in_rust(&self) -> Option<Diagnostic> {
        let asked = self.threads.filter(|t| t.hooked || t.created || t.cleanup);
        asked.map(|_| {
            Diagnostic::warning("A8221", "no hooks for threads in Rust yet")
                .fact("nothing calls `thread_init` and `thread_cleanup`: what a thread cached stays cached")
                .help("render the shim in C or C++: leave out `--lang rust`")
        })
    }

    /// # Errors
    /// `A8208` if threads must introduce themselves: each would have to remember whether it did.
    /// `A8240` if `dlopen` is to drop RTLD_DEEPBIND.
    /// `A8209` if a function bears a name that the shim defines, and would call itself.
    pub(crate) fn refuse_in_rust(&self) -> Result<()> {
        let allocator = &self.allocator;
        let mut report = Report::default();
        if self.ready && allocator.call(Role::ThreadInit).is_some() {
            let name = &allocator.name;
            let message =
                format!("no text in Rust for `{name}`, whose threads must run `thread_init`");
            report.push(
                Diagnostic::error("A8208", message)
                    .fact("stable Rust has no thread-local storage that is there before the first allocation")
                    .help("render the shim in C: leave out `--lang rust`"),
            );
        }
        if self.drops_deepbind() {
            report.push(
                Diagnostic::error("A8240", "no text in Rust for `deepbind = \"drop\"`")
                    .fact("dlopen looks at its caller to find libraries: what stands in for it must jump, and Rust only calls")
                    .help("leave `deepbind` out, or render the shim in C: leave out `--lang rust`"),
            );
        }
        if allocator.rust.is_none() {
            report.diagnostics.extend(self.calls_itself());
        }
        report.finish(()).map(|_| ())
    }
}

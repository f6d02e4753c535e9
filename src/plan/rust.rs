//! What a plan becomes when the shim is in Rust: fewer symbols are its own, and none is an alias.

use super::{Answer, Binding, Plan, Threads};
use crate::{
    allocator::ThreadPolicy,
    diagnostic::{Diagnostic, Report, Result},
    operation::Effect,
};

/// The CPUs for which templates/elf/own_byte.rs.tera tells where a thread's byte is, as targets begin.
const CPUS: &[&str] = &[
    "x86_64",
    "amd64",
    "i386",
    "i486",
    "i586",
    "i686",
    "aarch64",
    "arm",
    "thumbv7",
    "riscv",
    "s390x",
    "loongarch64",
];

const OPERATORS: &str = "the C++ runtime's own calls the public malloc family, and a shim in Rust cannot throw std::bad_alloc";

impl Plan {
    /// The plan of a shim in Rust.
    ///
    /// C++ operators are left to the C++ runtime: no exception can pass through Rust. Nothing is
    /// bound directly, for rustc decides what a library exports and gives functions no second name.
    /// Hooks are in C, and as they are there.
    pub fn in_rust(mut self) -> Plan {
        if self.platform.hooks.is_some() {
            return self;
        }
        // For `init` alone no thread is asked whether it is ready: whoever creates one tells the heap.
        let looks = self.allocator.thread_policy == ThreadPolicy::Required;
        self.threads = Threads::of(&self.platform, &self.allocator, looks, true);
        if self.lost_in_rust().is_some() {
            self.allocator.export.clear();
        }
        let creators: Vec<_> = self.answers.iter().map(|a| self.creator(a)).collect();
        for (answer, creator) in self.answers.iter_mut().zip(creators) {
            if let Some((binding, why)) = creator {
                answer.binding = binding;
                answer.why = why;
            } else if answer.symbol.operation.is_operator() {
                answer.binding = Binding::Left;
                answer.why = OPERATORS.to_owned();
                answer.price = None;
            } else {
                let why = "the contracts agree; rustc gives a function no second name";
                answer.jump_where_direct(why);
            }
        }
        self
    }

    /// `A8241` if the description would keep names visible which a crate cannot export.
    pub fn lost_in_rust(&self) -> Option<Diagnostic> {
        let names = &self.allocator.export;
        // A type's crate exports functions of its own.
        if names.is_empty() || self.allocator.rust.is_some() {
            return None;
        }
        let listed: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("not exported by a shim in Rust: {}", listed.join(", "));
        let diagnostic = Diagnostic::warning("A8241", message)
            .fact("rustc decides what a `cdylib` exports: functions in Rust, and nothing of an archive")
            .help("render the shim in C, or write functions in the crate that call these");
        Some(self.at_key("export", "has no effect here", diagnostic))
    }

    fn creator(&self, answer: &Answer) -> Option<(Binding, String)> {
        let operation = answer.symbol.operation;
        (operation.effect() == Effect::StartsThread).then(|| self.bind_creator(operation))
    }

    /// # Errors
    /// `A8240` if `dlopen` is to drop RTLD_DEEPBIND.
    /// `A8209` if a function bears a name that the shim defines, and would call itself.
    pub(crate) fn refuse_in_rust(&self) -> Result<()> {
        let allocator = &self.allocator;
        let mut report = Report::default();
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

    /// Whether each thread has a byte of the library's own, which the text in Rust finds by instructions of the
    /// CPU's: elsewhere a key's value says what a thread is, or the text that asks is in C.
    fn has_own_byte(&self) -> bool {
        let platform = &self.platform;
        let by_key = platform.zone.is_some() || platform.runtime.emulated_tls;
        self.allocator.thread_policy == ThreadPolicy::Required
            && !by_key
            && platform.hooks.is_none()
    }

    /// Told before the compiler says it: the text itself refuses other CPUs, too.
    ///
    /// # Errors
    /// `A8208` if each call would look whether its thread is ready, and the text knows no way for the target's CPU.
    pub(crate) fn refuse_cpu_in_rust(&self, target: Option<&str>) -> Result<()> {
        let told = |target: &&str| CPUS.iter().any(|cpu| target.starts_with(cpu));
        let Some(target) = target.filter(|target| self.has_own_byte() && !told(target)) else {
            return Ok(());
        };
        let name = &self.allocator.name;
        let message = format!(
            "no text in Rust for `{target}` and `{name}`, whose threads must run `thread_init`"
        );
        Err(Diagnostic::error("A8208", message)
            .fact("each call looks at a byte of its thread's, by instructions of the CPU's; those of this one are not told")
            .help("render the shim in C: leave out `--lang rust`")
            .into())
    }

    /// # Errors
    /// `A8208` for a type that would be told of threads: on Windows a variable in C is set.
    pub(crate) fn refuse_created_in_rust(&self) -> Result<()> {
        if self.allocator.rust.is_none() || self.allocator.thread_created.is_none() {
            return Ok(());
        }
        let message = format!("no `thread_created` for `{}` on Windows", self.allocator.name);
        let diagnostic = Diagnostic::error("A8208", message)
            .fact("the hooks, which are in C, set a variable; the heap is a type in Rust, and has a method")
            .help("leave `thread_created` out of the description for Windows: there are threads from the start");
        Err(self.at_key("thread_created", "has no effect here", diagnostic).into())
    }
}

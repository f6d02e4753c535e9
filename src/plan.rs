//! Decides, for one platform and one allocator, how each symbol is answered, why, and at what price.
//!
//! Pure: the same facts give the same plan. Templates place what is decided here.

use std::collections::BTreeMap;

use crate::{
    allocator::{Allocator, Origin, Promise, Role, ThreadPolicy},
    diagnostic::{Diagnostic, Report, Result},
    operation::Effect,
    spec::{Constructors, Platform, Symbol},
    toml_text::key_span,
};

mod bind;
pub(crate) mod code;
mod cxx;
mod foreign;
mod guard;
pub(crate) mod hooks;
mod mode;
mod prefixed;
mod price;
mod rust;
mod threads;
mod zone;

pub use foreign::decided;
use guard::guards;
pub use guard::{Guard, max_align, max_size, refuses_alignments};
pub use mode::{CXX_NEIGHBOURS, Mode};
pub use prefixed::remarks_under_a_prefix;
pub(crate) use prefixed::taken;
pub use threads::Threads;
pub use zone::{Tells, Zoned};

/// How a symbol is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// The public name is the allocator's function.
    Direct(String),
    /// The shim jumps to the allocator's function, with other arguments.
    Jump(String),
    /// The shim calls the allocator's function behind guards.
    Guarded(String, Vec<Guard>),
    /// The shim makes it from other functions of the allocator.
    Synthesized(Vec<Guard>),
    /// The C library's or the C++ runtime's own stays, and reaches ours.
    Left,
    /// The shim answers without the allocator.
    Answered,
}

impl Binding {
    /// One word for tables.
    pub fn word(&self) -> &'static str {
        match self {
            Binding::Direct(_) => "direct",
            Binding::Jump(_) => "jump",
            Binding::Guarded(..) => "guarded",
            Binding::Synthesized(_) => "synthesized",
            Binding::Left => "left",
            Binding::Answered => "answered",
        }
    }
}

/// One symbol's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The symbol.
    pub symbol: Symbol,
    /// How.
    pub binding: Binding,
    /// Why so.
    pub why: String,
    /// Instructions per successful call beyond a call of the allocator's function itself
    /// (x86-64, gcc -O2); `None` where there is no such function.
    pub price: Option<u32>,
}

impl Answer {
    /// Jumps where no linker can bind the name to the allocator's function, and says why.
    fn jump_where_direct(&mut self, why: &str) {
        if let Binding::Direct(target) = &self.binding {
            self.binding = Binding::Jump(target.clone());
            self.why = why.to_owned();
            self.price = Some(1);
        }
    }
}

/// The functions that fork runs around itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Before.
    pub prepare: String,
    /// After, in the parent.
    pub parent: String,
    /// After, in the child.
    pub child: String,
}

/// The plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the shim is for.
    pub mode: Mode,
    /// Where.
    pub platform: Platform,
    /// Who.
    pub allocator: Allocator,
    /// In spec order.
    pub answers: Vec<Answer>,
    /// What each of the allocator's functions is wrapped in.
    pub guards: BTreeMap<Role, Vec<Guard>>,
    /// What fork runs, if the shim has a part in it.
    pub fork: Option<Fork>,
    /// Whether every call first looks whether this thread is ready.
    pub ready: bool,
    /// What the shim does about threads, if the allocator has something to do for them.
    pub threads: Option<Threads>,
    /// How the heap is made known, where there are zones.
    pub zoned: Option<Zoned>,
}

impl Plan {
    /// Makes the plan; the second part of the answer are remarks for the user.
    ///
    /// # Errors
    /// `A8201` if what allocates would be emitted without what frees it; `A8203` for a policy on
    /// foreign pointers that the platform does not allow; `A8254` for a zone that cannot tell sizes.
    pub fn new(platform: &Platform, allocator: &Allocator) -> Result<(Plan, Vec<Diagnostic>)> {
        let mut report = Report::default();
        let mut plan = Plan::draw(platform, allocator, true);
        plan.judge(&mut report);
        if allocator.rust.is_some() {
            plan = plan.in_rust();
        }
        report.finish(plan)
    }

    /// `told`: the shim may stand before the functions that create threads. Where it may not, each
    /// call looks whether its thread is ready if the allocator minds threads at all.
    fn draw(platform: &Platform, allocator: &Allocator, told: bool) -> Plan {
        // Where functions are hooked, the loader tells when the module comes, and `init` runs before its first call.
        let by_loader = platform.hooks.is_some();
        let required = allocator.thread_policy == ThreadPolicy::Required;
        let ready = required && (!by_loader || threads::starts_threads(platform))
            || !by_loader
                && (allocator.call(Role::Init).is_some() || !told && allocator.minds_threads());
        let mut plan = Plan {
            mode: Mode::Interpose,
            platform: platform.clone(),
            allocator: allocator.clone(),
            answers: Vec::new(),
            guards: BTreeMap::new(),
            fork: fork(allocator).filter(|_| platform.hooks.is_none()),
            ready,
            threads: Threads::of(platform, allocator, ready, told),
            zoned: Zoned::of(platform, allocator),
        };
        for role in Role::ALL {
            plan.guards.insert(*role, guards(platform, allocator, *role, ready));
        }
        plan.answers = platform.symbols.iter().map(|symbol| plan.answer(symbol)).collect();
        plan
    }

    /// The guards of a role's wrapper.
    pub fn guarded(&self, role: Role, promise: Promise) -> bool {
        self.guards[&role].contains(&Guard::Missing(promise))
    }

    /// Whether the library is to be linked so that its constructors, which register fork handlers,
    /// run before those of others.
    pub fn asks_to_be_first(&self) -> bool {
        self.mode == Mode::Interpose
            && self.fork.is_some()
            && self.platform.runtime.constructors == Constructors::AskToBeFirst
    }

    /// The symbols that the shim defines.
    pub fn defined(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|a| a.binding != Binding::Left)
    }

    /// Public name and target of everything that can be bound directly.
    pub fn direct(&self) -> impl Iterator<Item = (&Symbol, &str)> {
        self.answers.iter().filter_map(|a| match &a.binding {
            Binding::Direct(target) => Some((&a.symbol, target.as_str())),
            _ => None,
        })
    }

    fn answer(&self, symbol: &Symbol) -> Answer {
        let (binding, why) = self.respect_foreign(symbol, self.bind_symbol(symbol));
        let (binding, why) = self.tell_library((binding, why));
        let price = self.price(symbol, &binding);
        Answer { symbol: symbol.clone(), binding, why, price }
    }

    /// `A8209` if one of the allocator's functions bears a name that the shim defines: only `build`,
    /// which hides the names of archives, can tell the two apart.
    fn calls_itself(&self) -> Option<Diagnostic> {
        let public = |name: &str| self.defined().any(|a| a.symbol.spec_name() == name);
        let own = self.allocator.symbols().into_iter().find(|name| public(name))?;
        Some(Diagnostic::error("A8209", format!("`{own}` is the allocator's and the shim's"))
            .fact("the shim would call itself")
            .help("rename the archive's functions, or let `alloc8-gen build` make the library from the C shim: it hides their names in a copy"))
    }

    /// `A8210` if blocks are aligned by `malloc` alone, which ends somewhere. Hooks make larger blocks,
    /// and align inside of them.
    fn tell_alignments(&self) -> Option<Diagnostic> {
        let silent = self.platform.hooks.is_some()
            || self.allocator.call(Role::Memalign).is_some()
            || self.allocator.waived.contains(&Promise::NaturalAlign);
        let most = max_align(&self.allocator).filter(|_| !silent)?;
        let message = format!("alignments of more than {most} bytes are refused");
        Some(self.at_key("malloc", "no `memalign` beside it", Diagnostic::warning("A8210", message))
            .fact("`posix_memalign`, `aligned_alloc` and C++'s aligned `new` fail there as if memory were used up")
            .help("name a function `memalign`; or say that nobody asks for more: `waive = [\"natural_align\"]`"))
    }

    /// Shows a key of the description, where there is one that names it.
    fn at_key(&self, key: &str, label: &str, diagnostic: Diagnostic) -> Diagnostic {
        let (source, origin) = (&self.allocator.source, &self.allocator.origin);
        let span = key_span(&source.text, None, key).filter(|_| *origin != Origin::Convention);
        match span {
            Some(span) => diagnostic.at(source, span, label),
            None => diagnostic,
        }
    }

    /// Complete or refused, and what the user should know.
    fn judge(&self, report: &mut Report) {
        let emitted =
            |effect: Effect| self.defined().any(|a| a.symbol.operation.effect() == effect);
        if emitted(Effect::Allocates) && !emitted(Effect::Frees) {
            report.push(
                Diagnostic::error(
                    "A8201",
                    format!("platform `{}` would allocate and never free", self.platform.name),
                )
                .help("add the family that has `free` to the platform's `families`"),
            );
        }
        report.diagnostics.extend(self.refuse_foreign());
        self.judge_zone(report);
        if self.platform.hooks.is_some() && !self.tells_blocks() {
            let message = format!("`{}` cannot tell its blocks from others", self.allocator.name);
            report.push(
                self.at_key("malloc", "no `owns`", Diagnostic::warning("A8251", message))
                    .fact("loaded late, or into a program that was not linked with it, the library leaves everything as it was")
                    .help("name a function `owns`, or link the library as the program's first import"),
            );
        }
        if self.platform.hooks.is_none()
            && self.fork.is_none()
            && !self.allocator.promises.fork_own
            && !self.allocator.waived.contains(&Promise::Fork)
        {
            report.push(
                self.at_key("malloc", "a child may find it locked", Diagnostic::warning("A8204", format!("fork: `{}` promises nothing", self.allocator.name)))
                    .fact("a child forked while another thread allocates may hang")
                    .help("name `malloc_lock`, `malloc_unlock` and `malloc_reinit`, or promise `fork = \"own\"`"),
            );
        }
        report.diagnostics.extend(self.tell_alignments());
        if self.allocator.minds_threads() && !threads::starts_threads(&self.platform) {
            report.push(
                Diagnostic::warning(
                    "A8205",
                    format!("no hooks for threads on platform `{}` yet", self.platform.name),
                )
                .fact("nothing calls `thread_init` and `thread_cleanup`: what a thread cached stays cached at its end"),
            );
        }
    }
}

fn fork(allocator: &Allocator) -> Option<Fork> {
    if allocator.promises.fork_own {
        return None;
    }
    let name = |role: Role| allocator.call(role).map(|c| c.with(&[]));
    let parent = name(Role::Unlock)?;
    Some(Fork {
        prepare: name(Role::Lock)?,
        child: name(Role::Reinit).unwrap_or(parent.clone()),
        parent,
    })
}

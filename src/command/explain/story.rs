//! A symbol's whole story on one platform.

use alloc8_gen::{
    allocator,
    diagnostic::Result,
    operation::{Effect, Operation},
    plan::{Answer, Binding, Plan},
    render,
    spec::{self, Abi, Library, Platform, Reason, Symbol},
    verify::{Finding, Grade},
};
use serde_json::{Value, json};

use super::absent;

/// Who answers in the example: it is built in and has every function.
const EXAMPLE: &str = "simple_heap";

/// What is told.
pub(super) struct Story<'a> {
    platform: &'a Platform,
    /// The first ABI in which the symbol has the name that was asked for.
    abi: &'a Abi,
    symbol: &'a Symbol,
    callers: Vec<String>,
    without: String,
    /// What takes back what it hands out.
    freed_by: Vec<String>,
    /// What hands out the blocks that it takes back.
    frees: Vec<String>,
    answer: std::result::Result<Answer, String>,
    /// What `verify` says of a library without it.
    absent: Option<Finding>,
}

impl<'a> Story<'a> {
    /// The story of a name, if the platform has it.
    pub(super) fn of(platform: &'a Platform, name: &str) -> Result<Option<Story<'a>>> {
        let Some(symbol) = platform.symbol(name) else { return Ok(None) };
        let has = |abi: &&Abi| symbol.is_in(abi) && symbol.name(abi) == name;
        let Some(abi) = platform.abis.iter().find(has) else { return Ok(None) };
        let spell = |names: Vec<&str>| names.into_iter().map(|n| abi.spell(n)).collect();
        let handed_out = platform
            .symbols_of(abi)
            .filter(|s| s.freed_by.iter().any(|by| by == symbol.spec_name()));
        let absent = absent::finding(platform, abi, symbol);
        Ok(Some(Story {
            platform,
            abi,
            symbol,
            callers: callers(platform, abi, symbol),
            without: without(platform, symbol, absent.as_ref()),
            freed_by: spell(symbol.freed_by.iter().map(String::as_str).collect()),
            frees: spell(handed_out.map(Symbol::spec_name).collect()),
            answer: answer(platform, symbol)?,
            absent,
        }))
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let Story { platform, symbol, .. } = self;
        let abis: Vec<_> = platform.abis.iter().filter(|a| self.is_so_named(a)).collect();
        let abis: Vec<_> = abis.iter().map(|a| a.name.as_str()).collect();
        let name = symbol.name(self.abi);
        let mut lines = vec![format!("{name} on {} ({})", platform.name, abis.join(", "))];
        let mut line = |key: &str, text: &str| lines.push(format!("  {key:<12} {text}"));
        let operation = symbol.operation;
        line("declaration", &symbol.declaration);
        line("operation", &format!("{}: {}", operation.name(), operation.meaning()));
        line("family", &symbol.family);
        if let Some(since) = self.since() {
            line("since", &since);
        }
        for (index, library) in self.libraries().enumerate() {
            let text = format!("{} ({})", library.file, library.since);
            line(if index == 0 { "exported by" } else { "" }, &text);
        }
        if let Some(why) = &symbol.why {
            line("why", why);
        }
        for (index, caller) in self.callers.iter().enumerate() {
            line(if index == 0 { "called by" } else { "" }, caller);
        }
        line("without it", &self.without);
        if !self.freed_by.is_empty() {
            line("freed by", &listed(&self.freed_by));
        }
        if !self.frees.is_empty() {
            line("frees", &format!("what {} hand out", listed(&self.frees)));
        }
        line("answered", &self.answered());
        match &self.absent {
            Some(absent) => {
                line("verify", "prints of a library without it:");
                line("", &absent::row(absent));
            }
            None => line(
                "verify",
                "lists it where a file exports or imports it; does not judge hooks yet",
            ),
        }
        line("source", &symbol.reference);
        lines.join("\n")
    }

    /// For machines.
    pub(super) fn json(&self) -> Value {
        let Story { platform, symbol, .. } = self;
        let answer = self.answer.as_ref().ok().map(|a| {
            json!({
                "allocator": EXAMPLE, "binding": a.binding.word(), "target": target(&a.binding),
                "why": a.why, "instructions": a.price,
            })
        });
        json!({
            "reason": "symbol", "platform": platform.name, "abi": self.abi.name,
            "name": symbol.name(self.abi), "operation": symbol.operation.name(),
            "meaning": symbol.operation.meaning(), "prototype": symbol.prototype.to_string(),
            "declaration": symbol.declaration, "since": self.since(), "why": symbol.why,
            "ref": symbol.reference, "family": symbol.family, "called_by": self.callers,
            "libraries": self.libraries().map(|library| json!({
                "file": library.file, "since": library.since, "debug": library.debug,
            })).collect::<Vec<_>>(),
            "without": self.without, "freed_by": self.freed_by, "frees": self.frees,
            "answer": answer, "refused": self.answer.as_ref().err(),
            "verify": self.absent.as_ref().map(|f| json!({ "finding": f, "row": absent::row(f) })),
        })
    }

    /// The libraries that export it, where the platform says which.
    fn libraries(&self) -> impl Iterator<Item = &Library> {
        let exports =
            |library: &&Library| library.symbols.iter().any(|name| name == self.symbol.spec_name());
        self.platform.libraries.iter().filter(exports)
    }

    fn is_so_named(&self, abi: &Abi) -> bool {
        self.symbol.is_in(abi) && self.symbol.name(abi) == self.symbol.name(self.abi)
    }

    fn since(&self) -> Option<String> {
        let since = self.symbol.since.clone()?;
        if since != spec::BASE {
            return Some(since);
        }
        // As old as each machine's port of the C library.
        let mut versions: Vec<(&String, Vec<&str>)> = Vec::new();
        let abis = self.platform.abis.iter().filter(|a| self.is_so_named(a));
        for machine in abis.flat_map(|abi| &abi.machines) {
            let Some(base) = self.platform.base.get(machine) else { continue };
            match versions.iter_mut().find(|(version, _)| *version == base) {
                Some((_, machines)) => machines.push(machine),
                None => versions.push((base, vec![machine])),
            }
        }
        let on = |(version, machines): &(&String, Vec<&str>)| {
            format!("{version} on {}", machines.join(", "))
        };
        let parts: Vec<_> = versions.iter().map(on).collect();
        let first = "the platform's first version".to_owned();
        Some(if parts.is_empty() { first } else { parts.join("; ") })
    }

    fn answered(&self) -> String {
        let answer = match &self.answer {
            Ok(answer) => answer,
            Err(why) => return format!("not yet: {why}"),
        };
        let how = match (target(&answer.binding), &answer.binding) {
            (Some(target), binding) => format!("{} ({target})", binding.word()),
            (None, Binding::Answered) => "by the shim alone".to_owned(),
            (None, binding) => binding.word().to_owned(),
        };
        let price = match answer.price {
            Some(1) => ", 1 instruction more".to_owned(),
            Some(price) => format!(", {price} instructions more"),
            None => String::new(),
        };
        let planned = match render::has_templates(&self.platform.mechanism) {
            true => "",
            false => "; planned, not rendered yet",
        };
        format!("{how}{price}: {} (for {EXAMPLE}{planned})", answer.why)
    }
}

fn target(binding: &Binding) -> Option<&str> {
    match binding {
        Binding::Direct(target) | Binding::Jump(target) | Binding::Guarded(target, _) => {
            Some(target)
        }
        _ => None,
    }
}

/// How the example's plan answers it, or why there is none.
fn answer(platform: &Platform, symbol: &Symbol) -> Result<std::result::Result<Answer, String>> {
    let example = allocator::built_in(EXAMPLE).unwrap_or_else(|| allocator::convention(EXAMPLE))?;
    let plan = match Plan::new(platform, &example) {
        Ok((plan, _)) => plan,
        Err(report) => {
            let messages: Vec<_> = report.diagnostics.into_iter().map(|d| d.message).collect();
            return Ok(Err(messages.join("; ")));
        }
    };
    let found = plan.answers.into_iter().find(|a| a.symbol.spec_name() == symbol.spec_name());
    Ok(found.ok_or_else(|| "the plan leaves it out".to_owned()))
}

/// What breaks if it is missed.
fn without(platform: &Platform, symbol: &Symbol, absent: Option<&Finding>) -> String {
    let operation = symbol.operation;
    let wrapper = platform.is_wrapper(symbol);
    if wrapper && absent.is_none() {
        return "no heaps are mixed up: its own definition calls public names that are ours"
            .to_owned();
    }
    if let Some(absent) = absent.filter(|f| f.grade == Grade::Good)
        && (wrapper || operation.is_operator() || operation.base().is_some())
    {
        return format!("no heaps are mixed up: {}", absent.remark);
    }
    match operation.effect() {
        Effect::Allocates => {
            "its blocks come from another heap, and corrupt ours (or end the program) when they are freed"
        }
        Effect::Frees => {
            "our blocks reach another heap through it, which corrupts them or ends the program"
        }
        Effect::Reallocates => "another heap resizes our blocks, which it does not know",
        Effect::Inspects => "another heap reads a header that our blocks do not have",
        Effect::Tunes => "it speaks of a heap that nobody uses",
        Effect::Opens => "what is opened with RTLD_DEEPBIND finds the C library's heap before ours",
        Effect::StartsThread => {
            "no heaps are mixed up: one that wants to know of threads is not told of them"
        }
    }
    .to_owned()
}

/// Who calls it: what the spec says, else by its name; and those that are made of it.
fn callers(platform: &Platform, abi: &Abi, symbol: &Symbol) -> Vec<String> {
    let operation = symbol.operation;
    let mut callers = vec![match (&symbol.called_by, operation) {
        (Some(text), _) => text.clone(),
        (None, Operation::New(_)) => "what C++ compilers make of `new` expressions".to_owned(),
        (None, Operation::Delete(_)) => {
            "what C++ compilers make of `delete` expressions".to_owned()
        }
        (None, _) => "programs and libraries, by its name".to_owned(),
    }];
    if platform.bearing(operation).is_none_or(|s| s.spec_name() != symbol.spec_name()) {
        return callers;
    }
    let derived = platform.symbols_of(abi).filter(|s| s.operation.base() == Some(operation));
    let derived: Vec<_> = derived.map(|s| s.name(abi)).collect();
    if !derived.is_empty() {
        callers.push(format!("the platform's own {}, by the public name", listed(&derived)));
    }
    let reach = platform.omissions.iter().filter(|o| o.reason == Reason::ReachesPublicMalloc);
    let reach: Vec<_> = reach.map(|o| o.name.clone()).collect();
    if operation == Operation::Malloc && !reach.is_empty() {
        callers.push(format!("the C library in {}", listed(&reach)));
    }
    callers
}

/// Not more names than a reader wants to read.
fn listed(names: &[String]) -> String {
    const ENOUGH: usize = 6;
    let shown = names[..names.len().min(ENOUGH)].join(", ");
    match names.len().saturating_sub(ENOUGH) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

//! The facts: which symbols a platform has, what they mean, and what the platform promises callers.
//!
//! This module is the resolved form; `raw` is the TOML, `load` reads it, `join` resolves and `lint` judges it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{diagnostic::Source, operation::Operation, prototype::Prototype};

mod abi;
mod entry;
mod fit;
mod join;
mod lint;
mod load;
mod mangled;
mod raw;
mod runtime;
mod semantics;
mod zone;

pub use abi::Abi;
pub use load::{platform, platform_from, platform_names, platform_of, platforms};
pub use runtime::{Carried, Constructors, First, Hooks, Import, Runtime, Tells};
pub use semantics::{AlignedSize, Foreign, OddAlignment, ReallocZero, Semantics};
pub use zone::{Field, ForkFunctions, Growth, Null, Zone, ZoneList, ZoneNumbers};

/// A name that programs allocate or free through.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// As the spec writes it; `{size_t}` stands for the ABI's letter.
    name: String,
    /// Its declaration as the spec writes it, in C++ terms for operators.
    pub declaration: String,
    /// Its declaration, in C terms.
    pub prototype: Prototype,
    /// What it means.
    pub operation: Operation,
    /// Since which version of the platform's library.
    pub since: Option<String>,
    /// What takes back what it hands out, as the spec writes it; empty if it hands out nothing.
    pub freed_by: Arc<[String]>,
    /// The group that it stands and falls with.
    pub group: Option<String>,
    /// Who calls it, if that is more than programs by its name.
    pub called_by: Option<String>,
    /// Why it is here, if that is not plain: the platform's reason, or else the family's.
    pub why: Option<String>,
    /// The authority.
    pub reference: String,
    /// The family that defines it.
    pub family: String,
    /// The ABIs that have it, by name.
    pub abis: Vec<String>,
    /// The TOML text and the entry's place in it.
    pub origin: (Arc<Source>, Range<usize>),
}

impl Symbol {
    /// Its name in an ABI.
    pub fn name(&self, abi: &Abi) -> String {
        abi.spell(&self.name)
    }

    /// Its name as the spec writes it, the same in all ABIs.
    pub fn spec_name(&self) -> &str {
        &self.name
    }

    /// The same function under another name.
    pub(crate) fn renamed(&self, name: &str) -> Symbol {
        Symbol { name: name.to_owned(), ..self.clone() }
    }

    /// Whether its name differs between ABIs.
    pub fn varies(&self) -> bool {
        self.name.contains('{')
    }

    /// Whether its first parameters are its operation's, so that a function of the operation's
    /// prototype can stand in for it: what follows is not looked at.
    pub fn passes_through(&self) -> bool {
        let wanted = &self.operation.prototype().parameters;
        self.prototype.parameters.len() >= wanted.len()
            && wanted.iter().zip(&self.prototype.parameters).all(|(w, p)| w.name == p.name)
    }

    /// Whether an ABI has it.
    pub fn is_in(&self, abi: &Abi) -> bool {
        self.abis.contains(&abi.name)
    }
}

/// Why a symbol is left alone: the closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It allocates through public names that are taken over.
    ReachesPublicMalloc,
    /// No program may refer to it.
    Private,
    /// What it allocates never reaches the caller.
    DoesNotAllocateForCaller,
    /// Taking it over does harm.
    MustNotInterpose,
    /// This platform's library does not have it.
    Absent,
}

impl Reason {
    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::ReachesPublicMalloc => "reaches-public-malloc",
            Reason::Private => "private",
            Reason::DoesNotAllocateForCaller => "does-not-allocate-for-caller",
            Reason::MustNotInterpose => "must-not-interpose",
            Reason::Absent => "absent",
        }
    }
}

/// A symbol that is left alone.
#[derive(Debug, Clone)]
pub struct Omission {
    /// The symbol.
    pub name: String,
    /// Why.
    pub reason: Reason,
    /// In words.
    pub why: String,
    /// The authority.
    pub reference: String,
    /// The ABIs that it holds for, by name; all if empty.
    pub abis: Vec<String>,
}

/// A library of the platform that exports symbols, where it matters which.
#[derive(Debug, Clone, Serialize)]
pub struct Library {
    /// `ucrtbase.dll`.
    pub file: String,
    /// Which systems or compilers brought it.
    pub since: String,
    /// Whether it is for debugging alone.
    pub debug: bool,
    /// What it exports, as the spec writes it, in the order of the families.
    pub symbols: Vec<String>,
    /// In words.
    pub why: Option<String>,
    /// The authority.
    pub reference: String,
}

/// Symbols that are taken over together or not at all.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What symbols call it.
    pub name: String,
    /// Whether some versions of the platform lack it, so that references must be weak.
    #[serde(default)]
    pub weak: bool,
    /// Whether it is taken over only where the description asks for it (`typed = "all"`).
    #[serde(default)]
    pub optional: bool,
    /// In words.
    pub why: String,
    /// The authority.
    #[serde(rename = "ref")]
    pub reference: String,
}

/// Where programs run.
#[derive(Debug, Clone)]
pub struct Platform {
    /// `linux`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Where what is rendered for it has never run; `None` if it has run there.
    pub untried: Option<String>,
    /// How symbols are taken over; names a folder in `templates/`.
    pub mechanism: String,
    /// In the order of the families.
    pub symbols: Vec<Symbol>,
    /// At least one.
    pub abis: Vec<Abi>,
    /// What callers rely on.
    pub semantics: Semantics,
    /// What a shim may call.
    pub runtime: Runtime,
    /// What holds in programs that carry the heap; `None` where nobody found that out.
    pub carried: Option<Carried>,
    /// How functions are hooked in a running process; `None` where names are taken over instead.
    pub hooks: Option<Hooks>,
    /// The C library's base version, by machine: the oldest that it exports there.
    pub base: BTreeMap<String, String>,
    /// Symbols (as the spec writes them) whose own definition calls public names that are ours.
    pub wrappers: BTreeSet<String>,
    /// What is left alone.
    pub omissions: Vec<Omission>,
    /// The libraries that export the symbols; empty where it does not matter.
    pub libraries: Vec<Library>,
    /// The groups that symbols stand and fall with.
    pub groups: Vec<Group>,
    /// The zone that registers a heap, where there are zones.
    pub zone: Option<Zone>,
}

impl Platform {
    /// The ABI that a target triple belongs to.
    pub fn abi_of(&self, triple: &str) -> Option<&Abi> {
        self.abis.iter().find(|abi| abi.has(triple))
    }

    /// The symbol of that name in any ABI.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols
            .iter()
            .find(|s| self.abis.iter().any(|abi| s.is_in(abi) && s.name(abi) == name))
    }

    /// The symbols of an ABI.
    pub fn symbols_of(&self, abi: &Abi) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().filter(|s| s.is_in(abi))
    }

    /// All names of an ABI.
    pub fn names(&self, abi: &Abi) -> Vec<String> {
        self.symbols_of(abi).map(|s| s.name(abi)).collect()
    }

    /// Whether a symbol's own definition calls public names that are ours.
    pub fn is_wrapper(&self, symbol: &Symbol) -> bool {
        self.wrappers.contains(symbol.spec_name())
    }

    /// Keeps one ABI, and the symbols that it has.
    pub fn narrow(&mut self, abi: &str) {
        self.abis.retain(|a| a.name == abi);
        self.symbols.retain(|s| s.abis.iter().any(|a| a == abi));
    }

    /// Since which version of the C library a machine (`aarch64`) has a symbol: the later of the
    /// symbol's and the machine's own first version.
    pub fn since(&self, symbol: &Symbol, machine: &str) -> Option<String> {
        let since = symbol.since.as_ref()?;
        let Some(base) = self.base.get(machine) else { return Some(since.clone()) };
        let later = since == BASE || versions(since) < versions(base);
        Some(if later { base.clone() } else { since.clone() })
    }

    /// The symbol that bears an operation first.
    pub fn bearing(&self, operation: Operation) -> Option<&Symbol> {
        self.symbols.iter().find(|s| s.operation == operation)
    }
}

/// The JSON Schema of `specs/families/NAME.toml`, for editors.
#[cfg(test)]
pub(crate) fn family_schema() -> schemars::Schema {
    schemars::schema_for!(raw::Family)
}

/// The JSON Schema of `specs/platforms/NAME.toml`, for editors.
#[cfg(test)]
pub(crate) fn platform_schema() -> schemars::Schema {
    schemars::schema_for!(raw::Platform)
}

/// What `since` says of a symbol that is as old as the machine's port of the C library.
pub const BASE: &str = "base";

/// The numbers of `GLIBC_2.17`, to be compared.
fn versions(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

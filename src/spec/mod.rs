//! The facts: which symbols a platform has, what they mean, and what the platform promises callers.
//!
//! This module is the resolved form; `raw` is the TOML, `load` joins and judges it.

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{diagnostic::Source, operation::Operation, prototype::Prototype};

mod load;
mod raw;

pub use load::{platform, platform_names, platforms};

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
    /// Why it is here, if that is not plain.
    pub why: Option<String>,
    /// The authority.
    pub reference: String,
    /// The family that defines it.
    pub family: String,
    /// The TOML text and the entry's place in it.
    pub origin: (Arc<Source>, Range<usize>),
}

impl Symbol {
    /// Its name in an ABI.
    pub fn name(&self, abi: &Abi) -> String {
        self.name.replace("{size_t}", &abi.size_t)
    }

    /// Whether its name differs between ABIs.
    pub fn varies(&self) -> bool {
        self.name.contains("{size_t}")
    }
}

/// What changes names inside a platform.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Abi {
    /// `lp64`.
    pub name: String,
    /// How `size_t` is mangled: `m`, `j` or `y`.
    pub size_t: String,
    /// Width of a pointer, in bits.
    pub pointer_bits: u32,
    /// What the C preprocessor says when it compiles for it.
    pub condition: String,
    /// First parts of target triples.
    pub machines: Vec<String>,
    /// Last parts of target triples: `linux-gnu`.
    pub environments: Vec<String>,
}

impl Abi {
    /// Whether a target triple, such as `x86_64-unknown-linux-gnu`, is of this ABI.
    pub fn has(&self, triple: &str) -> bool {
        let Some((machine, rest)) = triple.split_once('-') else { return false };
        self.machines.iter().any(|m| m == machine)
            && self.environments.iter().any(|e| rest == e || rest.ends_with(&format!("-{e}")))
    }
}

/// What `realloc(p, 0)` does with a live block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReallocZero {
    /// Frees it and returns NULL.
    Free,
    /// Returns a live block of no bytes.
    Live,
}

/// What an alignment that is no power of two does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OddAlignment {
    /// NULL and EINVAL.
    Einval,
    /// Served with the next power of two.
    RoundUp,
}

/// What becomes of a pointer that this heap did not hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// There are none.
    Trust,
    /// It goes to the heap that it came from.
    Forward,
    /// The program ends with a message.
    Abort,
}

/// What callers of a platform may rely on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Semantics {
    /// `realloc(p, 0)`.
    pub realloc_zero: ReallocZero,
    /// `aligned_alloc` with an odd alignment.
    pub aligned_alloc: OddAlignment,
    /// `memalign` with an odd alignment.
    pub memalign: OddAlignment,
    /// The default policy for foreign pointers.
    pub foreign: Foreign,
}

/// What the platform's C library offers to a shim.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// The soname of the C library.
    pub libc: String,
    /// The function that returns the address of `errno`.
    pub errno_location: String,
    /// The value of ENOMEM.
    pub enomem: u32,
    /// The value of EINVAL.
    pub einval: u32,
    /// The value of ENOSYS.
    pub enosys: u32,
    /// The function that returns the page size as an `int`.
    pub page_size: String,
}

/// Why a symbol is left alone: the closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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
}

/// Where programs run.
#[derive(Debug, Clone)]
pub struct Platform {
    /// `linux`.
    pub name: String,
    /// For people.
    pub title: String,
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
    /// What is left alone.
    pub omissions: Vec<Omission>,
}

impl Platform {
    /// The ABI that a target triple belongs to.
    pub fn abi_of(&self, triple: &str) -> Option<&Abi> {
        self.abis.iter().find(|abi| abi.has(triple))
    }

    /// The symbol of that name in any ABI.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|s| self.abis.iter().any(|abi| s.name(abi) == name))
    }

    /// All names of an ABI.
    pub fn names(&self, abi: &Abi) -> Vec<String> {
        self.symbols.iter().map(|s| s.name(abi)).collect()
    }

    /// The symbol that bears an operation first.
    pub fn bearing(&self, operation: Operation) -> Option<&Symbol> {
        self.symbols.iter().find(|s| s.operation == operation)
    }
}

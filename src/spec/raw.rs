//! The TOML of `specs/families` and `specs/platforms`, as serde reads it.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Abi, Carried, ForkFunctions, Group, Hooks, Null, Reason, Runtime, Semantics, ZoneList,
    ZoneNumbers,
};
#[cfg(test)]
use crate::operation::Operation;

/// A family of symbols, by who defined them: `specs/families/NAME.toml`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    /// The version of the format: 1.
    #[cfg_attr(test, schemars(with = "u32"))]
    pub(super) schema: Spanned<u32>,
    /// The name that platforms call it by.
    pub(super) name: String,
    /// For people.
    #[allow(dead_code, reason = "for readers of the TOML")]
    pub(super) title: String,
    /// Its symbols, in the order in which shims define them.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<Symbol>"))]
    pub(super) symbol: Vec<Spanned<Symbol>>,
    /// Its fields of the structure that registers a heap (Darwin's zone), in the order of the header.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<Field>"))]
    pub(super) field: Vec<Spanned<Field>>,
}

/// A name that programs allocate or free through.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Symbol {
    /// What programs link against. In a mangled name, `{size_t}`, `{msvc_size_t}` and
    /// `{msvc_ptr64}` stand for what the ABI writes there.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) name: Spanned<String>,
    /// Its declaration, in C, or in C++ for an operator; parameters bear the names of its operation.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) proto: Spanned<String>,
    /// Its meaning.
    #[cfg_attr(test, schemars(with = "OperationName"))]
    pub(super) op: Spanned<String>,
    /// What takes back what it hands out; left out: every symbol of the operation's own deallocator.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) freed_by: Vec<Spanned<String>>,
    /// The group that it stands and falls with.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) group: Option<Spanned<String>>,
    /// Who calls it, if that is more than programs by its name.
    pub(super) called_by: Option<String>,
    /// Why it is here, if that is not plain; becomes a comment in the shim.
    pub(super) why: Option<String>,
    /// The authority: a standard, a man page, a source file.
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

/// A field of the zone or of its introspection.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    /// The structure that it is in.
    #[serde(rename = "struct")]
    pub(super) structure: String,
    /// Its name in the header.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) name: Spanned<String>,
    /// The declaration of the function that it points at.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) proto: Option<Spanned<String>>,
    /// Its type, if it points at no function.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) ty: Option<Spanned<String>>,
    /// What a call means, if it is about blocks.
    #[cfg_attr(test, schemars(with = "Option<OperationName>"))]
    pub(super) op: Option<Spanned<String>>,
    /// The least version of a zone that has it.
    #[cfg_attr(test, schemars(with = "u32"))]
    pub(super) version: Spanned<u32>,
    /// Whether it may be NULL.
    #[serde(default)]
    pub(super) null: Null,
    /// Why it is so, if that is not plain.
    pub(super) why: Option<String>,
    /// The authority.
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

/// Where programs run: `specs/platforms/NAME.toml`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Platform {
    /// The version of the format: 1.
    #[cfg_attr(test, schemars(with = "u32"))]
    pub(super) schema: Spanned<u32>,
    /// What `--platform` calls it.
    pub(super) name: String,
    /// For people.
    pub(super) title: String,
    /// Where what is rendered for it has never run.
    #[serde(default)]
    pub(super) untried: Option<String>,
    /// How symbols are taken over: a folder of `templates/`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) mechanism: Spanned<String>,
    /// The families that it has, in the order in which shims define them.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) families: Vec<Spanned<String>>,
    /// What changes names inside the platform; the first is the default.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<Abi>"))]
    pub(super) abi: Vec<Spanned<Abi>>,
    /// What callers rely on.
    pub(super) semantics: Semantics,
    /// What the C library lends to a shim.
    pub(super) runtime: Runtime,
    /// What holds in a program that carries the heap inside itself (`--mode static`).
    pub(super) carried: Option<Carried>,
    /// How functions are hooked in a running process, where that is how they are taken over.
    pub(super) hooks: Option<Hooks>,
    /// The oldest version that the C library has on a machine (the first part of a target triple).
    #[serde(default)]
    pub(super) base: BTreeMap<String, String>,
    /// Since which version the library has a symbol; `base` is the machine's oldest.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub(super) since: BTreeMap<Spanned<String>, String>,
    /// Why a symbol is taken over, where that holds on this platform alone.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub(super) why: BTreeMap<Spanned<String>, String>,
    /// Symbols whose own definition calls public names that are taken over: they are left alone.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) wrappers: Vec<Spanned<String>>,
    /// What is left alone, and why.
    #[serde(default)]
    pub(super) omit: Vec<Omit>,
    /// Which library exports what, where it matters.
    #[serde(default)]
    pub(super) library: Vec<Library>,
    /// What is taken over together or not at all.
    #[serde(default)]
    pub(super) group: Vec<Group>,
    /// The structure that registers a heap.
    pub(super) zone: Option<Zone>,
}

impl Platform {
    /// The families that it names, for all ABIs and for some.
    pub(super) fn named_families(&self) -> impl Iterator<Item = &str> {
        let of_abis = self.abi.iter().flat_map(|abi| &abi.get_ref().families);
        self.families.iter().map(Spanned::get_ref).chain(of_abis).map(String::as_str)
    }
}

/// Names that are left alone for one reason.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Omit {
    /// The reason.
    pub(super) reason: Reason,
    /// The ABIs that it holds for; left out: all.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) abis: Vec<Spanned<String>>,
    /// In words.
    pub(super) why: String,
    /// The authority.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// The names. A name that a family defines may be `absent` alone.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) names: Vec<Spanned<String>>,
}

/// A library that exports symbols.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    /// Its file, as programs name it.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) file: Spanned<String>,
    /// Which systems or compilers brought it.
    pub(super) since: String,
    /// Whether it is for debugging alone.
    #[serde(default)]
    pub(super) debug: bool,
    /// Families that it exports, as far as it does not lack them.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) families: Vec<Spanned<String>>,
    /// Symbols of other families that it exports.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) adds: Vec<Spanned<String>>,
    /// Symbols of these families that it does not export.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) lacks: Vec<Spanned<String>>,
    /// In words.
    pub(super) why: Option<String>,
    /// The authority.
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

/// The structure that registers a heap.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Zone {
    /// The version that shims claim.
    #[cfg_attr(test, schemars(with = "u32"))]
    pub(super) version: Spanned<u32>,
    /// What the platform's own zone is called, which stands first at the start.
    pub(super) first: String,
    /// The structure that is a zone.
    pub(super) zone: String,
    /// The one that tools and fork ask.
    pub(super) introspection: String,
    /// The platform's list of zones.
    pub(super) list: ZoneList,
    /// What its header has names for.
    pub(super) numbers: ZoneNumbers,
    /// What runs around fork, where no zone is registered.
    pub(super) fork: ForkFunctions,
    /// What each version brought.
    pub(super) growth: Vec<Growth>,
}

/// What a version of the zone brought.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Growth {
    /// The version.
    #[cfg_attr(test, schemars(with = "u32"))]
    pub(super) version: Spanned<u32>,
    /// The systems that know it.
    pub(super) since: String,
    /// Fields, as `struct::name`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) adds: Vec<Spanned<String>>,
    /// What it means.
    pub(super) why: String,
    /// The authority.
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

/// The name of an operation.
#[cfg(test)]
struct OperationName;

#[cfg(test)]
impl JsonSchema for OperationName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Operation".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = Operation::all().iter().map(|op| op.name()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

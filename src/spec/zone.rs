//! The structure by which a platform registers a heap, where it has one: Darwin's `malloc_zone_t`.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// Whether a field may be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Null {
    /// The platform calls it, or reads through it, without a look.
    #[default]
    Never,
    /// The platform looks first.
    Allowed,
    /// It belongs to the platform's own heap.
    Always,
}

/// A field of the zone or of its introspection.
#[derive(Debug, Clone)]
pub struct Field {
    /// `malloc_zone_t` or `malloc_introspection_t`.
    pub structure: String,
    /// Its name in the header.
    pub name: String,
    /// Its type, or the declaration of the function that it points at.
    pub declaration: String,
    /// Whether it points at a function.
    pub function: bool,
    /// What a call means, if it is about blocks.
    pub operation: Option<Operation>,
    /// The least `version` of a zone that has it.
    pub version: u32,
    /// Whether it may be NULL.
    pub null: Null,
    /// Why it is so, if that is not plain.
    pub why: Option<String>,
    /// The authority.
    pub reference: String,
}

impl Field {
    /// `malloc_zone_t::memalign`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.structure, self.name)
    }
}

/// What a `version` of the zone brought.
#[derive(Debug, Clone, Serialize)]
pub struct Growth {
    /// The version.
    pub version: u32,
    /// The systems that know it.
    pub since: String,
    /// Paths of fields.
    pub adds: Vec<String>,
    /// What it means.
    pub why: String,
    /// The authority.
    pub reference: String,
}

/// The platform's functions that lock every registered zone around fork, and release them.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ForkFunctions {
    /// Before.
    pub prepare: String,
    /// After, in the parent.
    pub parent: String,
    /// After, in the child.
    pub child: String,
}

/// The platform's functions about its list of zones.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ZoneList {
    /// Tells all of them.
    pub all: String,
    /// Takes a zone into it.
    pub register: String,
    /// Takes one out, and puts the last into the gap.
    pub unregister: String,
    /// Makes the purgeable zone exist.
    pub purgeable: String,
}

/// What the platform's header has names for.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ZoneNumbers {
    /// What says that a heap cannot be walked.
    pub failure: u32,
    /// The type of a range that is a live block.
    pub in_use: u32,
    /// The alignment that asks for none.
    pub default_alignment: u32,
    /// The option that asks for zeroed blocks.
    pub clear: u32,
}

/// The zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The version that shims claim.
    pub version: u32,
    /// What the platform's own zone is called, which stands first at the start.
    pub first: String,
    /// The structure that is a zone.
    pub structure: String,
    /// The one that tools and fork ask.
    pub introspection: String,
    /// The platform's list of zones.
    pub list: ZoneList,
    /// What its header has names for.
    pub numbers: ZoneNumbers,
    /// What a heap that is no registered zone stands before, and calls.
    pub fork: ForkFunctions,
    /// In the order of the header.
    pub fields: Vec<Field>,
    /// By version.
    pub growth: Vec<Growth>,
}

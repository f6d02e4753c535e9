//! The TOML of `specs/families` and `specs/platforms`, as serde reads it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Abi, Null, Reason, Runtime, Semantics};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    pub(super) schema: Spanned<u32>,
    pub(super) name: String,
    #[allow(dead_code, reason = "for readers of the TOML")]
    pub(super) title: String,
    #[serde(default)]
    pub(super) symbol: Vec<Spanned<Symbol>>,
    #[serde(default)]
    pub(super) field: Vec<Spanned<Field>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Symbol {
    pub(super) name: Spanned<String>,
    pub(super) proto: Spanned<String>,
    pub(super) op: Spanned<String>,
    #[serde(default)]
    pub(super) freed_by: Vec<Spanned<String>>,
    pub(super) group: Option<Spanned<String>>,
    pub(super) called_by: Option<String>,
    pub(super) why: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    #[serde(rename = "struct")]
    pub(super) structure: String,
    pub(super) name: Spanned<String>,
    pub(super) proto: Option<Spanned<String>>,
    #[serde(rename = "type")]
    pub(super) ty: Option<Spanned<String>>,
    pub(super) op: Option<Spanned<String>>,
    pub(super) version: Spanned<u32>,
    #[serde(default)]
    pub(super) null: Null,
    pub(super) why: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Platform {
    pub(super) schema: Spanned<u32>,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) mechanism: Spanned<String>,
    pub(super) families: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) abi: Vec<Spanned<Abi>>,
    pub(super) semantics: Semantics,
    pub(super) runtime: Runtime,
    #[serde(default)]
    pub(super) base: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) since: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    pub(super) wrappers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) omit: Vec<Omit>,
    #[serde(default)]
    pub(super) library: Vec<Library>,
    #[serde(default)]
    pub(super) group: Vec<Group>,
    pub(super) zone: Option<Zone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Omit {
    pub(super) reason: Reason,
    #[serde(default)]
    pub(super) abis: Vec<Spanned<String>>,
    pub(super) why: String,
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) names: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    pub(super) file: Spanned<String>,
    pub(super) since: String,
    #[serde(default)]
    pub(super) debug: bool,
    #[serde(default)]
    pub(super) families: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) adds: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) lacks: Vec<Spanned<String>>,
    pub(super) why: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) weak: bool,
    pub(super) why: String,
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zone {
    pub(super) version: Spanned<u32>,
    pub(super) growth: Vec<Growth>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Growth {
    pub(super) version: Spanned<u32>,
    pub(super) since: String,
    #[serde(default)]
    pub(super) adds: Vec<Spanned<String>>,
    pub(super) why: String,
    #[serde(rename = "ref")]
    pub(super) reference: String,
}

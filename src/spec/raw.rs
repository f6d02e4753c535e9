//! The TOML of `specs/families` and `specs/platforms`, as serde reads it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Abi, Reason, Runtime, Semantics};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    pub(super) schema: Spanned<u32>,
    pub(super) name: String,
    #[allow(dead_code, reason = "for readers of the TOML")]
    pub(super) title: String,
    #[serde(default)]
    pub(super) symbol: Vec<Spanned<Symbol>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Symbol {
    pub(super) name: Spanned<String>,
    pub(super) proto: Spanned<String>,
    pub(super) op: Spanned<String>,
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
    pub(super) abi: Vec<Abi>,
    pub(super) semantics: Semantics,
    pub(super) runtime: Runtime,
    #[serde(default)]
    pub(super) since: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    pub(super) omit: Vec<Omit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Omit {
    pub(super) reason: Reason,
    pub(super) why: String,
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) names: Vec<Spanned<String>>,
}

//! The naming convention, read from `specs/allocators/convention.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::{Allocator, Call, Origin, Role, call::Verdict};
use crate::{
    diagnostic::{Report, Result, Source},
    embedded, toml_text,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Convention {
    #[allow(dead_code, reason = "one schema so far")]
    schema: u32,
    required: BTreeMap<String, String>,
    optional: BTreeMap<String, String>,
    /// What `init` looks for beside these; it reads them by itself.
    #[allow(dead_code, reason = "read by init")]
    variants: IgnoredAny,
    evidence: Evidence,
}

#[derive(Deserialize)]
struct Evidence {
    fork: Vec<String>,
    #[allow(dead_code, reason = "read by init")]
    libs: IgnoredAny,
}

fn table() -> Result<Convention> {
    const PATH: &str = "specs/allocators/convention.toml";
    toml_text::read(&Source::new(PATH, embedded::text(PATH).unwrap_or_default()))
}

/// The functions of which a library that looks after fork by itself wants one.
pub(crate) fn fork_evidence() -> Vec<String> {
    // The table is our own, and a test reads it.
    table().map(|table| table.evidence.fork).unwrap_or_default()
}

/// An allocator that nobody has described: the required functions under the convention's names.
///
/// # Errors
/// A mistake in the convention's own table.
pub fn convention(name: &str) -> Result<Allocator> {
    let functions = named(&table()?.required, name).collect();
    Ok(Allocator {
        name: name.to_owned(),
        title: name.to_owned(),
        origin: Origin::Convention,
        source: Source::new("the naming convention", ""),
        rust: None,
        cpp: None,
        functions,
        archives: Vec::new(),
        libs: Vec::new(),
        embedded: None,
        installed: super::Installed::default(),
        keep: Vec::new(),
        export: Vec::new(),
        promises: super::Promises::default(),
        waived: Default::default(),
        foreign: None,
        drop_deepbind: false,
        zone: true,
        typed: false,
        forward_sized_delete: false,
        thread_policy: super::ThreadPolicy::Advisory,
        thread_created: None,
        indirect: Default::default(),
        counters: None,
        not_built: None,
    })
}

/// The optional functions of the convention, for an allocator of that name.
///
/// # Errors
/// A mistake in the convention's own table.
pub fn optional_names(name: &str) -> std::result::Result<BTreeMap<Role, Call>, Report> {
    Ok(named(&table()?.optional, name).collect())
}

/// The variable that says whether there are threads, for an allocator of that name.
///
/// # Errors
/// A mistake in the convention's own table.
pub fn optional_flag(name: &str) -> std::result::Result<Option<String>, Report> {
    Ok(table()?.optional.get("thread_created").map(|template| template.replace("{name}", name)))
}

fn named<'a>(
    table: &'a BTreeMap<String, String>,
    name: &'a str,
) -> impl Iterator<Item = (Role, Call)> + 'a {
    Role::ALL.iter().filter_map(move |role| {
        let symbol = table.get(role.key())?.replace("{name}", name);
        let mut call = Call::standard(&symbol, &role.prototype());
        if *role == Role::Owns {
            call.verdict = Some(Verdict { ty: "bool".to_owned(), comparison: None });
        }
        Some((*role, call))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undescribed_allocator_has_the_four_required_functions_and_no_promise() {
        let allocator = convention("mylib").unwrap();
        assert_eq!(allocator.functions.len(), 4);
        assert_eq!(allocator.standard_symbol(Role::Memalign), Some("mylib_memalign"));
        assert_eq!(allocator.promises, Default::default());
        assert!(optional_names("mylib").unwrap().contains_key(&Role::Owns));
    }
}

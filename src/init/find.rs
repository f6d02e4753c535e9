//! Which of a library's functions plays which role, by the names that people give them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    allocator::{Allocator, Call, Origin, Role, optional_flag, optional_names},
    diagnostic::{Report, Result, Source},
    embedded, toml_text,
};

/// The naming convention with its variants.
#[derive(Deserialize)]
pub(super) struct Names {
    required: BTreeMap<String, String>,
    optional: BTreeMap<String, String>,
    variants: BTreeMap<String, Vec<String>>,
    evidence: Evidence,
}

#[derive(Deserialize)]
struct Evidence {
    fork: Vec<String>,
    libs: Vec<String>,
}

/// A function for a role.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// As a description spells it.
    pub(super) text: String,
    pub(super) call: Call,
    /// Under the convention's own name: meant to be called.
    pub(super) own: bool,
}

/// What a library has under one prefix; best candidates first, never an empty list.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) roles: BTreeMap<Role, Vec<Candidate>>,
    /// The variable that says whether there are threads.
    pub(super) thread_created: Option<String>,
}

impl Found {
    /// Whether all hooks for threads that there are bear the convention's own names. They go together: a
    /// heap that is told of threads that begin, and of none that end, keeps what was theirs.
    pub(super) fn hooks_are_own(&self) -> bool {
        let hooks = [Role::ThreadInit, Role::ThreadCleanup];
        hooks.iter().filter_map(|role| self.roles.get(role)).all(|candidates| candidates[0].own)
    }
}

impl Names {
    pub(super) fn read() -> Result<Names> {
        const PATH: &str = "specs/allocators/convention.toml";
        toml_text::read(&Source::new(PATH, embedded::text(PATH).unwrap_or_default()))
    }

    pub(super) fn fork_evidence(&self) -> impl Iterator<Item = &str> {
        self.evidence.fork.iter().map(String::as_str)
    }

    pub(super) fn libraries(&self) -> &[String] {
        &self.evidence.libs
    }

    /// The functions under the prefix that has the most of them; `None` if no prefix has both what
    /// allocates and what frees.
    pub(super) fn find(&self, name: &str, defined: &BTreeSet<&str>) -> Option<Found> {
        let own = format!("{name}_");
        let mut prefixes = self.prefixes(defined);
        prefixes.insert(own.clone());
        prefixes
            .iter()
            .map(|prefix| (prefix, self.under(prefix, defined)))
            .filter(|(_, found)| {
                [Role::Malloc, Role::Free].iter().all(|role| found.roles.contains_key(role))
            })
            // Of equals, the allocator's own name, then the shortest.
            .max_by_key(|(prefix, found)| {
                let standard = usize::from(
                    found.roles[&Role::Malloc][0].call.symbol.ends_with(Role::Malloc.key()),
                );
                (found.roles.len() + standard, **prefix == own, std::cmp::Reverse(prefix.len()))
            })
            .map(|(_, found)| found)
    }

    /// What stands before the names of functions that may be the one that allocates.
    fn prefixes(&self, defined: &BTreeSet<&str>) -> BTreeSet<String> {
        let templates = self.templates(Role::Malloc.key());
        let ends: Vec<_> = templates.iter().filter_map(|t| t.strip_prefix("{prefix}")).collect();
        defined
            .iter()
            // Mangled names have types after them, and no C program calls them.
            .filter(|symbol| !symbol.starts_with("_Z") && !symbol.starts_with("_R"))
            .flat_map(|symbol| ends.iter().filter_map(|end| symbol.strip_suffix(end)))
            .map(str::to_owned)
            .collect()
    }

    /// All templates of a role, the convention's own first.
    fn templates(&self, key: &str) -> Vec<String> {
        let own = self.required.get(key).or(self.optional.get(key));
        let own = own.map(|template| template.replace("{name}_", "{prefix}"));
        own.into_iter().chain(self.variants.get(key).into_iter().flatten().cloned()).collect()
    }

    fn is_own(&self, key: &str, template: &str) -> bool {
        let variants = self.variants.get(key);
        !variants.is_some_and(|variants| variants.iter().any(|variant| variant == template))
    }

    fn under(&self, prefix: &str, defined: &BTreeSet<&str>) -> Found {
        let mut found = Found::default();
        // A name alone does not say that a size is 0 for what is no block, nor what a walk reads.
        let told = |role: &&Role| !matches!(role, Role::MallocSize | Role::Enumerator);
        for role in Role::ALL.iter().filter(told) {
            let candidates: Vec<_> = self
                .templates(role.key())
                .iter()
                .map(|template| (self.is_own(role.key(), template), template))
                .map(|(own, template)| (own, template.replace("{prefix}", prefix)))
                .filter_map(|(own, text)| {
                    let call = Call::parse(&text, &role.prototype(), *role == Role::Owns).ok()?;
                    let there = defined.contains(call.symbol.as_str());
                    there.then_some(Candidate { text, call, own })
                })
                .collect();
            if !candidates.is_empty() {
                found.roles.insert(*role, candidates);
            }
        }
        let flags = self.templates("thread_created");
        let mut flags = flags.iter().map(|template| template.replace("{prefix}", prefix));
        found.thread_created = flags.find(|flag| defined.contains(flag.as_str()));
        // One without the other would leave the heap locked.
        if !(found.roles.contains_key(&Role::Lock) && found.roles.contains_key(&Role::Unlock)) {
            for role in [Role::Lock, Role::Unlock, Role::Reinit] {
                found.roles.remove(&role);
            }
        }
        found
    }
}

/// An allocator that nobody has described, with the convention's optional functions that its
/// library defines.
///
/// # Errors
/// A mistake in the convention's own table.
pub fn complete(
    allocator: &Allocator,
    defined: &BTreeSet<String>,
) -> std::result::Result<Allocator, Report> {
    let mut allocator = allocator.clone();
    if allocator.origin == Origin::Convention {
        let optional = optional_names(&allocator.name)?;
        let present = |role: Role| optional.get(&role).is_some_and(|c| defined.contains(&c.symbol));
        let locks = present(Role::Lock) && present(Role::Unlock);
        for (role, call) in &optional {
            let of_fork = matches!(role, Role::Lock | Role::Unlock | Role::Reinit);
            if present(*role) && (locks || !of_fork) {
                allocator.functions.entry(*role).or_insert_with(|| call.clone());
            }
        }
        allocator.thread_created =
            optional_flag(&allocator.name)?.filter(|flag| defined.contains(flag));
    }
    Ok(allocator)
}

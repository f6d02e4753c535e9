//! What a description cannot do without: functions that no shim can make, and those that its own
//! policies want.

use std::{collections::BTreeMap, sync::Arc};

use toml::Spanned;

use super::{
    Allocator, Call, Promises, Role, ThreadPolicy,
    call::Argument,
    raw::{Raw, Text},
};
use crate::{
    diagnostic::{Diagnostic, Report, Source},
    spec::Foreign,
};

/// What a description says of each role.
pub(super) fn texts(raw: &Raw) -> [(Role, &Text); 20] {
    [
        (Role::Malloc, &raw.malloc),
        (Role::Free, &raw.free),
        (Role::Calloc, &raw.calloc),
        (Role::Realloc, &raw.realloc),
        (Role::Memalign, &raw.memalign),
        (Role::UsableSize, &raw.malloc_usable_size),
        (Role::FreeSized, &raw.free_sized),
        (Role::FreeAlignedSized, &raw.free_aligned_sized),
        (Role::GoodSize, &raw.malloc_good_size),
        (Role::Owns, &raw.owns),
        (Role::MallocSize, &raw.malloc_size),
        (Role::Enumerator, &raw.enumerator),
        (Role::MallocTrim, &raw.malloc_trim),
        (Role::MallocStats, &raw.malloc_stats),
        (Role::Init, &raw.init),
        (Role::ThreadInit, &raw.thread_init),
        (Role::ThreadCleanup, &raw.thread_cleanup),
        (Role::Lock, &raw.malloc_lock),
        (Role::Unlock, &raw.malloc_unlock),
        (Role::Reinit, &raw.malloc_reinit),
    ]
}

/// What no shim can do without (facts about twenty allocators: each lacked at most one way).
pub(super) fn require(
    source: &Arc<Source>,
    raw: &Raw,
    functions: &BTreeMap<Role, Call>,
    promises: &Promises,
    report: &mut Report,
) {
    let mut required = Required { source, raw, functions, report };
    for role in [Role::Malloc, Role::Free] {
        let key = role.key();
        if !required.has(role) {
            required.missing(
                None,
                &format!("no `{key}` beside it"),
                &format!("no `{key}`"),
                &format!("add `{key} = \"NAME_{key}\"`"),
            );
        }
    }
    if !required.has(Role::Memalign) && promises.natural_align == 0 {
        required.missing(
            Some(Role::Malloc),
            "no `memalign` beside it",
            "neither `memalign` nor a promised `natural_align`: `aligned_alloc(64, …)` and over-aligned C++ objects could not be served",
            "add `memalign = \"NAME_memalign\"`, or `natural_align = N` under [promises] if a block of 2^k bytes is aligned at 2^k up to N",
        );
    }
    required.size_of_a_block();
    required.both_locks();
}

/// What is looked for, and where what is missing is told.
struct Required<'a> {
    source: &'a Arc<Source>,
    raw: &'a Raw,
    functions: &'a BTreeMap<Role, Call>,
    report: &'a mut Report,
}

impl Required<'_> {
    fn has(&self, role: Role) -> bool {
        self.functions.contains_key(&role)
    }

    /// Told at the role's text; what is not there has no place: the first function that is there says
    /// which list is too short.
    fn missing(&mut self, at: Option<Role>, label: &str, what: &str, help: &str) {
        let named =
            texts(self.raw).into_iter().filter_map(|(role, text)| Some((role, text.as_ref()?)));
        let spans: Vec<_> = named.map(|(role, text)| (role, text.span())).collect();
        let place = at.and_then(|role| spans.iter().find(|(of, _)| *of == role));
        let first = spans.iter().min_by_key(|(_, span)| span.start);
        let line = 0..self.source.text.lines().next().map_or(0, str::len);
        let span = place.or(first).map_or(line, |(_, span)| span.clone());
        let diagnostic = Diagnostic::error("A8102", what).help(help);
        self.report.push(diagnostic.at(self.source, span, label));
    }

    fn size_of_a_block(&mut self) {
        if self.has(Role::UsableSize) {
            return;
        }
        if !self.has(Role::Realloc) {
            self.missing(
                Some(Role::Malloc),
                "neither of them beside it",
                "neither `realloc` nor `malloc_usable_size`: realloc could not know how much to copy",
                "add `malloc_usable_size = \"NAME_malloc_usable_size\"` or `realloc = \"NAME_realloc\"`",
            );
        }
        let uses_size = |call: &Call| call.arguments.contains(&Argument::Usable);
        if let Some((role, _)) = self.functions.iter().find(|(_, call)| uses_size(call)) {
            self.missing(
                Some(*role),
                "wants the block's size",
                "`usable` is used, but there is no `malloc_usable_size`",
                "add `malloc_usable_size = \"NAME_malloc_usable_size\"`",
            );
        }
    }

    fn both_locks(&mut self) {
        for (one, other) in [(Role::Lock, Role::Unlock), (Role::Unlock, Role::Lock)] {
            let (key, lacks) = (one.key(), other.key());
            if self.has(one) && !self.has(other) {
                self.missing(
                    Some(one),
                    &format!("no `{lacks}` beside it"),
                    &format!("`{key}` without `{lacks}`: fork would leave the heap locked"),
                    &format!("add `{lacks} = \"NAME_{lacks}\"`"),
                );
            }
        }
    }
}

/// Where policies are that need a function.
pub(super) struct Policies {
    pub(super) thread: Option<Spanned<String>>,
    pub(super) foreign: Option<Spanned<String>>,
}

pub(super) fn check_policies(
    source: &Arc<Source>,
    allocator: &Allocator,
    policies: &Policies,
    report: &mut Report,
) {
    let at = |diagnostic: Diagnostic, place: Option<&Spanned<String>>| match place {
        Some(place) => diagnostic.at(source, place.span(), "wants a function that is not named"),
        None => diagnostic,
    };
    if allocator.thread_policy == ThreadPolicy::Required
        && allocator.call(Role::ThreadInit).is_none()
    {
        let message = "`thread_policy = \"required\"` without `thread_init`";
        report.push(at(Diagnostic::error("A8107", message), policies.thread.as_ref()).help(
            "name the function that a thread must call first: `thread_init = \"NAME_thread_init\"`",
        ));
    }
    let needs_owner = matches!(allocator.foreign, Some(Foreign::Forward | Foreign::Abort));
    if needs_owner && allocator.call(Role::Owns).is_none() {
        let message = "a policy for foreign pointers without `owns`";
        report.push(
            at(Diagnostic::error("A8108", message), policies.foreign.as_ref())
                .help("name the function that tells whose a block is: `owns = \"NAME_owns\"`"),
        );
    }
}

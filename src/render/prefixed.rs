//! What is rendered for functions under a prefix: the shim, its header, the build fragments, and the
//! lists of names.

use serde_json::{Value, json};

use super::{Comment, Inputs, Part, view};
use crate::{
    operation::Operation,
    plan::{Answer, Plan},
};

/// The shim, its header, the fragments, and what a library of it exports.
pub(super) fn parts(plan: &Plan, inputs: &Inputs, prefix: &str) -> Vec<Part> {
    let part =
        |template, file: String, context| Part { template, file, comment: Comment::C, context };
    let mut parts = vec![
        part("shim.c.tera", "shim.c".to_owned(), view::shim(plan)),
        part("prefixed.h.tera", header(prefix), view::context(&declared(plan, prefix))),
    ];
    // The export list and what joins objects are for ELF's linkers.
    let lists = super::lists(plan).into_iter();
    if plan.platform.abis.iter().all(|abi| abi.symbol_prefix.is_empty()) {
        parts.extend(super::program::fragments(plan, inputs));
        parts.extend(lists);
    } else {
        parts.extend(super::macho::fragments(plan, inputs, "program"));
        parts.extend(lists.filter(|part| part.template == "symbols.txt.tera"));
    }
    parts
}

/// The header's name.
pub fn header(prefix: &str) -> String {
    format!("{prefix}.h")
}

/// A prefix as the marker has it: one underscore at its end is the one that is put there anyway.
pub fn given(prefix: Option<&str>) -> Option<String> {
    prefix.map(|prefix| prefix.strip_suffix('_').unwrap_or(prefix).to_owned())
}

pub(super) fn declared(plan: &Plan, prefix: &str) -> Value {
    let abi = &plan.platform.abis[0];
    let functions: Vec<_> = plan
        .defined()
        .map(|answer| {
            json!({
                "declaration": answer.symbol.prototype.named(&answer.symbol.name(abi)),
                "attributes": attributes(answer),
            })
        })
        .collect();
    json!({
        "prefix": prefix,
        "title": plan.allocator.title,
        "platform": plan.platform.title,
        "functions": functions,
    })
}

/// What compilers may know of a function.
fn attributes(answer: &Answer) -> String {
    let own = match answer.symbol.operation {
        Operation::Malloc | Operation::Valloc | Operation::Pvalloc => {
            "malloc, alloc_size(1), warn_unused_result, "
        }
        Operation::Calloc => "malloc, alloc_size(1, 2), warn_unused_result, ",
        Operation::AlignedAlloc => "malloc, alloc_align(1), alloc_size(2), warn_unused_result, ",
        // An alignment that is no power of two is rounded up on some platforms.
        Operation::Memalign => "malloc, alloc_size(2), warn_unused_result, ",
        Operation::Realloc => "alloc_size(2), warn_unused_result, ",
        Operation::Reallocarray => "alloc_size(2, 3), warn_unused_result, ",
        Operation::PosixMemalign => "warn_unused_result, ",
        _ => "",
    };
    format!("{own}nothrow")
}

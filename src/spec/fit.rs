//! Whether a symbol's prototype has what its operation means.
//!
//! Platforms add to a function what says where or for whom it works (a zone, a type, a source line),
//! and order parameters as they like. So a prototype fits its operation if it has the operation's
//! parameters, known by name and type, and beside them only such context.

use std::sync::Arc;

use super::raw;
use crate::{
    diagnostic::{Diagnostic, Report, Source},
    operation::Operation,
    prototype::{Parameter, Prototype},
};

/// Parameters that change nothing in what a call means to an allocator, and their types in C.
pub(crate) const CONTEXT: &[(&str, &str)] = &[
    ("zone", "malloc_zone_t *"),     // Darwin: where
    ("type_id", "malloc_type_id_t"), // Darwin: what the block is for
    ("block_use", "int"),            // Microsoft's debugging heap: kind, file, line
    ("file", "const char *"),
    ("line", "int"),
];

/// Whether a parameter is context to an operation.
pub(crate) fn is_context(parameter: &Parameter, operation: Operation) -> bool {
    !operation.prototype().has(&parameter.name)
        && CONTEXT.iter().any(|(name, ty)| *name == parameter.name && *ty == parameter.ty)
}

/// What a prototype must be named: a mangled name stands for an operator, and what follows a `$`
/// in a symbol's name is a variant of the function before it.
pub(super) fn declared_name(name: &str, operation: Operation) -> String {
    if operation.is_operator() {
        return operation.prototype().name.clone();
    }
    name.split('$').next().unwrap_or(name).to_owned()
}

/// Judges a symbol's prototype.
pub(super) fn check(
    source: &Arc<Source>,
    raw: &raw::Symbol,
    operation: Operation,
    prototype: &Prototype,
    report: &mut Report,
) {
    let name = raw.name.get_ref();
    let wanted = declared_name(name, operation);
    if prototype.name != wanted {
        report.push(
            Diagnostic::error("A8009", format!("`{name}` declares `{}`", prototype.name))
                .at(source, raw.proto.span(), format!("expected a declaration of `{wanted}`"))
                .help(format!("write `{}`", prototype.named(&wanted))),
        );
    }
    if let Err(why) = fits(prototype, operation) {
        let standard = operation.prototype();
        report.push(
            Diagnostic::error(
                "A8010",
                format!("`{name}` does not fit operation `{}`", operation.name()),
            )
            .at(source, raw.proto.span(), why)
            .fact(format!("`{}` is `{standard}`", operation.name()))
            .help("write the operation's types and parameter names, or choose another operation"),
        );
    }
}

/// # Errors
/// What does not fit, in words.
fn fits(prototype: &Prototype, operation: Operation) -> Result<(), String> {
    let standard = operation.prototype();
    if prototype.result != standard.result {
        return Err(format!("returns `{}`, not `{}`", prototype.result, standard.result));
    }
    for wanted in &standard.parameters {
        match prototype.parameters.iter().find(|p| p.name == wanted.name) {
            None => return Err(format!("has no parameter `{}`", wanted.name)),
            Some(found) if !same_type(&found.ty, &wanted.ty) => {
                return Err(format!("`{}` is `{}`, not `{}`", wanted.name, found.ty, wanted.ty));
            }
            Some(_) => {}
        }
    }
    let stranger = |p: &&Parameter| !standard.has(&p.name) && !is_context(p, operation);
    match prototype.parameters.iter().find(stranger) {
        Some(extra) => Err(format!("has `{}` beside the operation's parameters", extra.name)),
        None => Ok(()),
    }
}

/// Some headers promise to leave alone what a question points at, and some do not.
fn same_type(found: &str, wanted: &str) -> bool {
    found == wanted || found.strip_prefix("const ") == Some(wanted)
}

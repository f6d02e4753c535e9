//! One `[[symbol]]` or `[[field]]` of a family, resolved.

use std::{ops::Range, sync::Arc};

use toml::Spanned;

use super::{Field, Symbol, fit, raw};
use crate::{
    diagnostic::{Diagnostic, Report, Source, nearest},
    operation::Operation,
    prototype::Prototype,
};

/// A family's file.
pub(super) type Family = (Arc<Source>, raw::Family);

/// A symbol as its family defines it; what the platform adds is not there yet.
pub(super) fn symbol(
    (source, family): &Family,
    entry: &Spanned<raw::Symbol>,
    abis: &[String],
    report: &mut Report,
) -> Option<Symbol> {
    let raw = entry.get_ref();
    let operation = operation(source, &raw.op, report)?;
    let like = || format!("`{}`, its operation, is written", operation.prototype());
    let prototype = prototype(source, raw.name.get_ref(), &raw.proto, like, report)?;
    fit::check(source, raw, operation, &prototype, report);
    Some(Symbol {
        name: raw.name.get_ref().clone(),
        declaration: raw.proto.get_ref().clone(),
        prototype,
        operation,
        since: None,
        freed_by: raw.freed_by.iter().map(|name| name.get_ref().clone()).collect(),
        group: raw.group.as_ref().map(|group| group.get_ref().clone()),
        called_by: raw.called_by.clone(),
        why: raw.why.clone(),
        reference: raw.reference.clone(),
        family: family.name.clone(),
        abis: abis.to_vec(),
        origin: (Arc::clone(source), raw.name.span()),
    })
}

/// A field of the zone.
pub(super) fn field(
    (source, _): &Family,
    entry: &Spanned<raw::Field>,
    report: &mut Report,
) -> Option<Field> {
    let raw = entry.get_ref();
    let (declaration, function) = match (&raw.proto, &raw.ty) {
        (Some(proto), None) => {
            let like = || "C declares a function, each parameter with a name".to_owned();
            prototype(source, raw.name.get_ref(), proto, like, report)?;
            (proto.get_ref().clone(), true)
        }
        (None, Some(ty)) => (ty.get_ref().clone(), false),
        _ => {
            report.push(
                Diagnostic::error(
                    "A8018",
                    format!("`{}` is neither function nor datum", raw.name.get_ref()),
                )
                .at(source, raw.name.span(), "")
                .help("give a function's field `proto`, and another's `type`"),
            );
            return None;
        }
    };
    let operation = match &raw.op {
        Some(op) => Some(operation(source, op, report)?),
        None => None,
    };
    Some(Field {
        structure: raw.structure.clone(),
        name: raw.name.get_ref().clone(),
        declaration,
        function,
        operation,
        version: *raw.version.get_ref(),
        null: raw.null,
        why: raw.why.clone(),
        reference: raw.reference.clone(),
    })
}

fn operation(source: &Arc<Source>, op: &Spanned<String>, report: &mut Report) -> Option<Operation> {
    let found = Operation::named(op.get_ref());
    if found.is_none() {
        let names: Vec<_> = Operation::all().iter().map(|op| op.name()).collect();
        let near = nearest(op.get_ref(), names.iter().map(String::as_str));
        report.push(
            Diagnostic::error("A8007", format!("unknown operation `{}`", op.get_ref()))
                .at(source, op.span(), "not an operation")
                .help(near.map_or(format!("known operations: {}", names.join("; ")), |n| {
                    format!("did you mean `{n}`?")
                })),
        );
    }
    found
}

fn prototype(
    source: &Arc<Source>,
    name: &str,
    proto: &Spanned<String>,
    like: impl FnOnce() -> String,
    report: &mut Report,
) -> Option<Prototype> {
    match Prototype::parse(proto.get_ref()) {
        Ok(prototype) => Some(prototype),
        Err(error) => {
            let at = proto.span().start + 1 + error.offset;
            report.push(
                Diagnostic::error("A8008", format!("the prototype of `{name}` cannot be read"))
                    .at(source, within(proto.span(), at), error.message)
                    .help(format!("write it as {}", like())),
            );
            None
        }
    }
}

/// A place inside a value, even if escapes make the text longer than what it says.
fn within(span: Range<usize>, at: usize) -> Range<usize> {
    let at = at.min(span.end.saturating_sub(1)).max(span.start);
    at..at + 1
}

//! A shim's sections: a family of symbols each, in the order of the spec, whatever the language.

use serde_json::{Value, json};

use crate::{
    operation::Effect,
    plan::{Answer, Binding, Plan},
    spec::Symbol,
};

/// Answers in the order of the spec, cut where another family begins; no part is empty. What creates
/// threads is spoken of only where it is ours.
pub(super) fn by_family<'s, 'a>(
    answers: &'s [&'a Answer],
) -> impl Iterator<Item = &'s [&'a Answer]> {
    let creates = |a: &&Answer| a.symbol.operation.effect() == Effect::StartsThread;
    answers
        .chunk_by(|a, b| a.symbol.family == b.symbol.family)
        .filter(move |family| !family.iter().all(|a| creates(a) && is_left(a)))
}

fn is_left(answer: &Answer) -> bool {
    answer.binding == Binding::Left
}

/// What is not left alone.
pub(super) fn defined<'s, 'a>(answers: &'s [&'a Answer]) -> impl Iterator<Item = &'a Answer> + 's {
    answers.iter().copied().filter(|answer| !is_left(answer))
}

/// A family's section: what the shim's language says of its symbols, and those that are left alone.
pub(super) fn section(answers: &[&Answer], symbols: impl Iterator<Item = Value>) -> Value {
    // Moved in: `json!` would copy what is in them, and each level around it once more.
    let mut section = json!({ "title": answers[0].symbol.family });
    section["symbols"] = symbols.collect();
    section["left"] = left(answers).into();
    section
}

/// What is left alone, by reason.
pub(super) fn left(answers: &[&Answer]) -> Vec<Value> {
    let mut left: Vec<(&str, Vec<&str>)> = Vec::new();
    let of_heap = |a: &&&Answer| a.symbol.operation.effect() != Effect::StartsThread;
    for answer in answers.iter().filter(of_heap).filter(|a| is_left(a)) {
        let declaration = answer.symbol.declaration.as_str();
        match left.iter_mut().find(|(why, _)| *why == answer.why) {
            Some((_, declarations)) => declarations.push(declaration),
            None => left.push((&answer.why, vec![declaration])),
        }
    }
    let value = |(why, declarations)| json!({ "why": why, "declarations": declarations });
    left.into_iter().map(value).collect()
}

/// What the preprocessor says where an ABI has the symbol; empty if all have it.
pub(super) fn condition(plan: &Plan, symbol: &Symbol) -> String {
    let abis = &plan.platform.abis;
    if abis.iter().all(|abi| symbol.is_in(abi)) {
        return String::new();
    }
    let conditions: Vec<_> =
        abis.iter().filter(|abi| symbol.is_in(abi)).map(|abi| abi.condition.as_str()).collect();
    conditions.join(" || ")
}

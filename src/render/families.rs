//! The sections of a shim in C for ELF: in each, runs of symbols that are, or are not, bound directly.

use serde_json::{Value, json};

use super::{
    call,
    sections::{by_family, condition, defined, left},
    view::gives_way,
};
use crate::{
    operation::Operation,
    plan::{Answer, Binding, Plan},
    spec::Abi,
};

/// All of them, in the order of the spec.
pub(super) fn families(plan: &Plan, abi: &Abi) -> Vec<Value> {
    let answers: Vec<&Answer> = plan.answers.iter().collect();
    by_family(&answers).map(|answers| family(plan, abi, answers)).collect()
}

fn family(plan: &Plan, abi: &Abi, answers: &[&Answer]) -> Value {
    let mut runs: Vec<(bool, Vec<&Answer>)> = Vec::new();
    for answer in defined(answers) {
        let direct = matches!(answer.binding, Binding::Direct(_));
        match runs.last_mut() {
            Some((kind, run)) if *kind == direct => run.push(answer),
            _ => runs.push((direct, vec![answer])),
        }
    }
    let run = |(direct, run): &(bool, Vec<&Answer>)| {
        let mut value = json!({ "direct": direct });
        value["symbols"] = run.iter().map(|a| symbol(plan, abi, a)).collect();
        value
    };
    let mut family = json!({
        "title": answers[0].symbol.family,
        "weak": defined(answers).any(|a| gives_way(plan, a)),
    });
    family["runs"] = runs.iter().map(run).collect();
    family["left"] = left(answers).into();
    family
}

fn symbol(plan: &Plan, abi: &Abi, answer: &Answer) -> Value {
    let call = call::text(plan, answer.symbol.operation).expect(call::REFUSED);
    let jumps = answer.symbol.operation == Operation::Dlopen;
    json!({
        "jumps": jumps,
        "weak": gives_way(plan, answer),
        "why": answer.symbol.why.clone().unwrap_or_default(),
        "declaration": answer.symbol.prototype.named(&answer.symbol.name(abi)),
        "condition": condition(plan, &answer.symbol),
        "body": call::statement(&answer.symbol, &call),
    })
}

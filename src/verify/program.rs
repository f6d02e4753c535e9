//! A program that carries its heap: what it defines is bound by the linker, and its libraries see what
//! it exports.

use super::{Binding, Fact, Finding, Grade, Status, compare_with_plan, told};
use crate::{
    artifact::{Bindings, SharedObject, Stack},
    operation::Effect,
    plan::Plan,
    spec::{Abi, Platform, Symbol},
};

/// What is the case with one symbol.
pub(super) fn finding(
    symbol: &Symbol,
    program: &SharedObject,
    bindings: &Bindings<'_>,
    platform: &Platform,
    abi: &Abi,
    plan: Option<&Plan>,
) -> Finding {
    let name = symbol.name(abi);
    let planned = plan.and_then(|p| p.answers.iter().find(|a| a.symbol.name(abi) == name));
    let planned = planned.map(|a| &a.binding);
    let mut finding = Finding {
        operation: symbol.operation.name(),
        status: status(program, &name),
        grade: Grade::Good,
        how: String::new(),
        remark: String::new(),
        symbol: name.clone(),
    };
    match finding.status {
        Status::Bound => {
            finding.how = told(bindings, program, &name);
            let own = platform.carried.as_ref().map_or("", |carried| carried.own.as_str());
            if symbol.spec_name() == "malloc" && bindings.aliases(&name).contains(&own) {
                finding.remark = "the C library's own".to_owned();
                finding.grade = Grade::Fault;
            } else if planned == Some(&Binding::Left) {
                finding.remark = "the runtime's own, inside the program".to_owned();
            } else {
                compare_with_plan(&mut finding, bindings, planned);
            }
        }
        Status::Hidden => {
            finding.remark = "in the program, and its libraries do not see it".to_owned();
            finding.grade = splits(symbol, planned);
        }
        _ => absence(&mut finding, symbol, program, planned),
    }
    finding
}

/// In a static program all that matters is that it is there; a dynamic one must show it.
fn status(program: &SharedObject, name: &str) -> Status {
    let exported = program.named(name).any(|s| s.is_exported() && s.is_code());
    let linked = !program.linked(name).is_empty();
    match (exported, linked, program.interpreter.is_some()) {
        (true, ..) | (_, true, false) => Status::Bound,
        (false, true, true) => Status::Hidden,
        (false, false, _) => Status::Missing,
    }
}

/// Two heaps meet where libraries allocate from another one than the program does.
fn splits(symbol: &Symbol, planned: Option<&Binding>) -> Grade {
    let serious = match planned {
        Some(planned) => *planned != Binding::Left,
        None => !symbol.operation.is_operator() && symbol.operation.effect() != Effect::Tunes,
    };
    if serious { Grade::Fault } else { Grade::Note }
}

fn absence(
    finding: &mut Finding,
    symbol: &Symbol,
    program: &SharedObject,
    planned: Option<&Binding>,
) {
    let is_static = program.interpreter.is_none();
    // A linker may drop from a static program what nothing refers to.
    let wanted = planned.is_some_and(|binding| *binding != Binding::Left) && !is_static;
    if wanted || symbol.spec_name() == "malloc" {
        finding.grade = Grade::Fault;
        finding.remark = "not in the program: it carries no heap, or not all of it".to_owned();
        return;
    }
    finding.status = Status::Left;
    finding.remark = match is_static {
        true => "nothing in the program refers to it".to_owned(),
        false => "that of its libraries".to_owned(),
    };
}

/// What is the case with the file as a whole.
pub(super) fn facts(program: &SharedObject) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |subject: &str, grade: Grade, text: &str| {
        facts.push(Fact { code: None, subject: subject.to_owned(), grade, text: text.to_owned() });
    };
    let kind = match program.interpreter {
        Some(_) => "dynamically linked",
        None => "statically linked",
    };
    add("program", Grade::Good, kind);
    match program.needed.as_slice() {
        [] => add("needs", Grade::Good, "nothing"),
        needed => add("needs", Grade::Good, &needed.join(", ")),
    }
    if program.stack == Stack::Executable {
        add("stack", Grade::Fault, "executable");
    }
    if program.link_symbols.is_none() && program.interpreter.is_none() {
        add("names", Grade::Fault, "stripped: nobody can tell which heap is in it");
    }
    facts
}

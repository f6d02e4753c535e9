//! What templates place where blocks of other heaps are told apart.

use serde_json::{Value, json};

use super::rust::spell_verdict;
use crate::{
    allocator::Role,
    operation::Operation,
    plan::Plan,
    spec::{Foreign, Runtime},
};

/// Whether the shim calls `owns`.
pub(super) fn asks_owns(plan: &Plan) -> bool {
    plan.foreign() != Foreign::Trust
}

/// Whether `owns` needs a declaration of its own: another role may have the same function.
pub(super) fn declares_owns(plan: &Plan) -> bool {
    let functions = &plan.allocator.functions;
    let own = functions.get(&Role::Owns).map(|call| &call.symbol);
    let shared = functions.iter().any(|(r, call)| *r != Role::Owns && Some(&call.symbol) == own);
    asks_owns(plan) && !shared
}

/// The policy, who tells, and where blocks go; `None` where nobody looks.
pub(super) fn view(plan: &Plan) -> Option<Value> {
    // Where heaps are zones, each public function looks for itself.
    if plan.zoned.is_some() {
        return None;
    }
    let policy = match plan.foreign() {
        Foreign::Trust => return None,
        Foreign::Forward => "forward",
        Foreign::Abort => "abort",
    };
    let owns = plan.allocator.call(Role::Owns)?.with(&[]);
    let name = |operation: Operation| {
        plan.platform.bearing(operation).map(|symbol| symbol.spec_name().to_owned())
    };
    Some(json!({
        "policy": policy,
        "owns": owns,
        "free": name(Operation::Free),
        "realloc": name(Operation::Realloc),
        "usable": name(Operation::MallocUsableSize),
        "next": next(&plan.platform.runtime),
    }))
}

/// What `dlopen` drops, and where it goes then; `None` where it is left alone.
pub(super) fn deepbind(plan: &Plan) -> Option<Value> {
    let runtime = &plan.platform.runtime;
    let symbol = plan.platform.bearing(Operation::Dlopen).filter(|_| plan.drops_deepbind())?;
    Some(json!({
        "flag": runtime.rtld_deepbind,
        "name": symbol.spec_name(),
        "next": next(runtime),
    }))
}

/// The policy as Rust says it.
pub(super) fn in_rust(plan: &Plan) -> Option<Value> {
    let mut values = view(plan)?;
    let call = plan.allocator.call(Role::Owns)?;
    let name = &plan.allocator.name;
    values["owns"] = spell_verdict(&plan.allocator, call).into();
    values["text"] = format!("{:?}", format!(" is not a block of {name}: ")).into();
    Some(values)
}

/// RTLD_NEXT in C.
pub(super) fn next(runtime: &Runtime) -> String {
    let wide = runtime.rtld_next.unwrap_or(-1);
    match runtime.rtld_next_32 {
        Some(narrow) => format!("sizeof(void *) == 8 ? (void *){wide} : (void *){narrow}"),
        None => format!("(void *){wide}"),
    }
}

/// RTLD_NEXT as a `usize`.
pub(super) fn next_in_rust(runtime: &Runtime) -> String {
    let wide = runtime.rtld_next.unwrap_or(-1);
    match runtime.rtld_next_32 {
        Some(narrow) => {
            format!("if usize::BITS == 64 {{ {wide}_isize }} else {{ {narrow} }} as usize")
        }
        None => format!("{wide}_isize as usize"),
    }
}

/// The names of a role's standard arguments.
pub(super) fn arguments(role: Role) -> String {
    let prototype = role.prototype();
    let names: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
    names.join(", ")
}

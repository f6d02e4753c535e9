//! Threads, in Rust: the heap is told by who creates them, and by a key when they end.

use serde_json::{Value, json};

use super::{
    super::threads::what,
    spell::{equal, signature, spell, spelled},
};
use crate::{
    allocator::Role,
    operation::{Effect, Operation},
    plan::{Answer, Plan, Threads},
};

/// The value `threads` of the templates; null if there is nothing to do.
pub(super) fn threads(plan: &Plan) -> Value {
    let tells = |t: &Threads| t.created && plan.platform.runtime.thread_hook.is_some();
    let does = |t: &Threads| t.hooked || looks(plan) || tells(t) || creates(plan);
    let Some(threads) = plan.threads.filter(does) else {
        return Value::Null;
    };
    let allocator = &plan.allocator;
    let call = |role: Role| allocator.call(role).map(|c| spell(allocator, c)).unwrap_or_default();
    let created = allocator.thread_created.as_ref().map(|name| match &allocator.rust {
        Some(_) => format!("<TheHeap as Heap>::{name}()"),
        None => format!("(&raw mut {name}).write_volatile(1)"),
    });
    json!({
        "what": what(allocator, threads),
        "lazy": looks(plan),
        "by_key": looks(plan) && plan.platform.runtime.emulated_tls,
        "late": comes_back(plan),
        "global": if looks(plan) { call(Role::Init) } else { String::new() },
        "hooked": threads.hooked,
        "flag": allocator.thread_created.as_ref().filter(|_| allocator.rust.is_none() && (creates(plan) || tells(&threads))),
        "created": created,
        "init": call(Role::ThreadInit),
        "cleanup": call(Role::ThreadCleanup),
        "creators": creators(plan).map(|a| creator(plan, a)).collect::<Vec<_>>(),
    })
}

fn creators(plan: &Plan) -> impl Iterator<Item = &Answer> {
    plan.defined().filter(|a| a.symbol.operation.effect() == Effect::StartsThread)
}

/// Whether each call looks whether its thread is ready.
pub(in crate::render) fn looks(plan: &Plan) -> bool {
    plan.threads.is_some_and(|threads| threads.lazy)
}

/// Whether a thread may come back after its cleanup, and each call looks out for that.
pub(super) fn comes_back(plan: &Plan) -> bool {
    looks(plan) && plan.threads.is_some_and(Threads::late)
}

/// Whether the shim defines what creates threads.
pub(super) fn creates(plan: &Plan) -> bool {
    creators(plan).next().is_some()
}

/// The method of a heap's trait that stands for the flag `thread_created`.
pub(super) fn announced(plan: &Plan) -> Option<Value> {
    let name = plan.allocator.thread_created.as_ref()?;
    let tells = creates(plan) || plan.platform.runtime.thread_hook.is_some();
    plan.allocator.rust.as_ref().filter(|_| tells)?;
    Some(json!({
        "signature": format!("    unsafe fn {name}()"),
        "meaning": "Runs before each thread is created: until then there is one.",
        "safety": "It is for the shim alone.",
    }))
}

fn creator(plan: &Plan, answer: &Answer) -> Value {
    let runtime = &plan.platform.runtime;
    let (function, result, failed) = match answer.symbol.operation {
        Operation::ThrdCreate => ("create_thrd", "c_int", (runtime.thrd_nomem, "thrd_nomem")),
        _ => ("create_pthread", "*mut c_void", (runtime.eagain, "EAGAIN")),
    };
    let prototype = &answer.symbol.prototype;
    let types: Vec<_> = prototype.parameters.iter().map(|p| spelled(&p.ty)).collect();
    let creator = format!("unsafe extern \"C\" fn({}) -> c_int", types.join(", "));
    // What stands before the function that the thread is to run.
    let before = prototype.parameters.iter().take_while(|p| p.name != "start");
    json!({
        "name": answer.symbol.operation.name(),
        "signature": signature("unsafe fn ", function, prototype, |_| true),
        "type": equal("    type Creator =", &creator),
        "before": before.map(|p| format!("{}, ", p.name)).collect::<String>(),
        "result": result,
        "failed": failed.0.map(|number| format!("{number}; // {}", failed.1)),
    })
}

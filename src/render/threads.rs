//! What the templates place where threads are created, begin and end.

use serde_json::{Value, json};

use super::foreign::{arguments, next};
use crate::{
    allocator::{Allocator, Role},
    operation::{Effect, Operation},
    plan::{Answer, Plan, Threads},
    prototype::declare,
};

/// The value `threads` of the templates; null if there is nothing to do.
pub(super) fn threads(plan: &Plan) -> Value {
    let Some(threads) = plan.threads else { return Value::Null };
    let allocator = &plan.allocator;
    let call = |role: Role| allocator.call(role).map(|c| c.with(&[])).unwrap_or_default();
    let creators: Vec<_> = plan
        .defined()
        .filter(|a| a.symbol.operation.effect() == Effect::StartsThread)
        .map(|a| creator(plan, a))
        .collect();
    let begins = threads.lazy || threads.hooked;
    json!({
        "what": what(allocator, threads),
        "lazy": threads.lazy,
        "by_key": threads.lazy && plan.platform.runtime.emulated_tls,
        "hooked": threads.hooked,
        "global": call(Role::Init),
        "init": if begins { call(Role::ThreadInit) } else { String::new() },
        "cleanup": if threads.cleanup { call(Role::ThreadCleanup) } else { String::new() },
        "created": allocator.thread_created.as_ref().filter(|_| threads.created),
        "shared": allocator.thread_created.as_ref().filter(|_| !threads.told),
        "by_need": threads.late() && !threads.told,
        "late": if threads.late() { late(plan) } else { Vec::new() },
        "creators": creators,
        "next": next(&plan.platform.runtime),
        "constructor": threads.told && (threads.hooked || threads.cleanup || threads.created),
    })
}

pub(super) fn what(allocator: &Allocator, threads: Threads) -> &'static str {
    let has = |role| allocator.call(role).is_some();
    match threads {
        Threads { lazy: true, .. } if !has(Role::ThreadInit) => {
            "the allocator must be initialized before the first call"
        }
        Threads { lazy: true, .. } => {
            "each must have run the allocator's thread_init before its first call"
        }
        Threads { hooked: true, .. } => "the allocator is told when they begin and end",
        _ => "the allocator is told before the first",
    }
}

/// What a call of a thread that is not ready does, for each function that looks.
fn late(plan: &Plan) -> Vec<Value> {
    let looks = |role: &&Role| plan.guards[role].contains(&crate::plan::Guard::Ready);
    let called = |role: &&Role| match role {
        Role::Malloc | Role::Free | Role::Memalign | Role::Realloc => true,
        Role::Calloc => crate::render::view::calls_calloc(plan),
        // Hooks free all blocks by free.
        Role::FreeSized | Role::FreeAlignedSized if plan.platform.hooks.is_some() => false,
        _ => plan.allocator.call(**role).is_some(),
    };
    let one = |role: &Role| {
        let prototype = role.prototype();
        let name = role.key();
        let result = match prototype.result.as_str() {
            "void" => String::new(),
            result => declare(result, ""),
        };
        json!({
            "name": name,
            "parameters": prototype.parameter_list(),
            "arguments": arguments(*role),
            "declaration": prototype.named(&format!("alloc8_unready_{name}")),
            "result": result,
            "call": format!("alloc8_{name}({})", arguments(*role)),
            "ignores_null": matches!(role, Role::Free | Role::FreeSized | Role::FreeAlignedSized),
        })
    };
    Role::ALL.iter().filter(looks).filter(called).map(one).collect()
}

fn creator(plan: &Plan, answer: &Answer) -> Value {
    let prototype = &answer.symbol.prototype;
    let runtime = &plan.platform.runtime;
    let (result, failed) = match answer.symbol.operation {
        Operation::ThrdCreate => {
            ("int ", runtime.thrd_nomem.map(|n| format!("{n} /* thrd_nomem */")))
        }
        _ => ("void *", runtime.eagain.map(|n| format!("{n} /* EAGAIN */"))),
    };
    // What stands before the function that the thread is to run.
    let before = prototype.parameters.iter().take_while(|p| p.name != "start");
    let before: String = before.map(|p| format!("{}, ", p.name)).collect();
    json!({
        "name": answer.symbol.operation.name(),
        "result": result,
        "parameters": prototype.parameter_list(),
        "arguments": before,
        "failed": failed,
    })
}

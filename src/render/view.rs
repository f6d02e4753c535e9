//! What the templates place: plain strings and flags, finished here.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Inputs, families::families, threads};
use crate::{
    allocator::{Limit, Promise, Role},
    operation::Operation,
    plan::{Answer, Binding, Guard, Mode, Plan, max_align, max_size, refuses_alignments},
    spec::{Abi, AlignedSize, Constructors, OddAlignment, ReallocZero},
};

/// The context of a list of names.
pub(super) fn names(plan: &Plan, abi: &Abi) -> tera::Context {
    let what = match plan.mode {
        Mode::Interpose if plan.platform.hooks.is_some() => {
            "library hooks wherever a C library exports it"
        }
        Mode::Interpose => "built library must export",
        Mode::Prefixed(_) => "library has",
        Mode::Static => "object must define",
    };
    context(&json!({ "names": listed(plan, abi), "abi": abi.name, "what": what }))
}

/// Every name that stays visible in an ABI, those of the allocator's own that it asks for too, sorted.
pub fn listed(plan: &Plan, abi: &Abi) -> Vec<String> {
    let mut names = exported(plan, abi);
    names.extend(plan.copies());
    names.extend(plan.allocator.export.iter().cloned());
    if plan.prefix().is_none() {
        names.extend(plan.allocator.keep.iter().cloned());
    }
    names.sort();
    names.dedup();
    names
}

/// Every name that the library must export in an ABI, sorted.
pub fn exported(plan: &Plan, abi: &Abi) -> Vec<String> {
    let of_abi = plan.defined().filter(|a| a.symbol.is_in(abi));
    let mut names: Vec<_> = of_abi.map(|a| a.symbol.name(abi)).collect();
    names.sort();
    names
}

/// The context of the build fragments.
pub(super) fn build(plan: &Plan, inputs: &Inputs) -> tera::Context {
    context(&build_values(plan, inputs))
}

pub(super) fn build_values(plan: &Plan, inputs: &Inputs) -> Value {
    let abis: Vec<_> = plan
        .platform
        .abis
        .iter()
        .map(|abi| {
            let direct = || plan.direct().filter(|(symbol, _)| symbol.is_in(abi));
            let mut targets: Vec<_> = direct().map(|(_, target)| target).collect();
            targets.sort_unstable();
            targets.dedup();
            let mut kept: Vec<_> =
                plan.allocator.export.iter().chain(&plan.allocator.keep).collect();
            kept.sort_unstable();
            json!({
                "name": abi.name,
                "pointer_bytes": abi.pointer_bits / 8,
                "targets": targets,
                "keep": kept,
                "aliases": direct().map(|(symbol, target)| json!({
                    "name": symbol.name(abi), "target": target,
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let form = match plan.mode {
        Mode::Interpose => "",
        Mode::Static => "static",
        Mode::Prefixed(_) => "prefixed",
    };
    json!({
        "abis": abis,
        "platform": inputs.platform,
        "allocator": plan.allocator.name,
        "description": bracket(&inputs.allocator),
        "quoted_description": inputs.allocator.replace('\\', "\\\\").replace('\'', "\\'"),
        "libs": plan.allocator.libs,
        "runtime_libs": plan.platform.runtime.libs,
        "link": plan.platform.runtime.link,
        "init_first": plan.asks_to_be_first(),
        "direct": plan.direct().next().is_some(),
        "cxx": inputs.lang == "cpp",
        "form": form,
        "function": match form {
            "static" => "alloc8_carry",
            "prefixed" => "alloc8_prefixed",
            _ => "alloc8_interpose",
        },
        "part_of": if form.is_empty() { "a shared library" } else { "every program" },
        "prefix": plan.prefix(),
        "tag": plan.tag(),
    })
}

/// An argument as CMake takes it literally, whatever is in it.
fn bracket(text: &str) -> String {
    match text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c)) {
        true => text.to_owned(),
        false => format!("[==[{text}]==]"),
    }
}

/// The context of the shim.
pub(super) fn shim(plan: &Plan) -> tera::Context {
    let mut values = shim_values(plan);
    values["prefix"] = json!(plan.prefix());
    values["tag"] = json!(plan.tag());
    context(&values)
}

/// What the shim's text says, whatever its language.
pub(super) fn shim_values(plan: &Plan) -> Value {
    let allocator = &plan.allocator;
    let abi = &plan.platform.abis[0];
    let aligned_alloc = plan.platform.semantics.aligned_alloc;
    let calloc = calls_calloc(plan);
    let foreign = super::foreign::view(plan);
    let carried = plan.mode == Mode::Static;
    // In a program, the constructors of the libraries that it loads have run before its own.
    let constructors = match plan.mode {
        Mode::Interpose => plan.platform.runtime.constructors,
        Mode::Static | Mode::Prefixed(_) => Constructors::Last,
    };
    let mut values = json!({
        "static": carried,
        // Whether Microsoft's compiler may be shown it.
        "microsofts": false,
        "weak": if carried { " __attribute__((weak))" } else { "" },
        "allocator": {
            "name": allocator.name, "title": allocator.title,
            "thread_created": allocator.thread_created,
        },
        "runtime": plan.platform.runtime,
        "renames": renames(plan),
        "declarations": declarations(plan),
        "direct": plan.direct().next().is_some(),
        "uses": uses(plan),
        "operators": has_operators(plan),
        "threads": threads::threads(plan),
        "max_size": max_size(allocator).filter(|_| any_guard(plan, Promise::MaxSize)),
        "max_align": max_align(allocator).map(|bytes| bytes.to_string()),
        "check_alignment": !allocator.keeps(Promise::MaxAlign) && allocator.promises.max_align == Limit::Unknown,
        "natural": allocator.call(Role::Memalign).is_none(),
        "usable": has_usable_size(plan),
        "g": guards(plan),
        "call": calls(plan, calloc),
        "calloc_total": !calloc
            || [Promise::CallocOverflow, Promise::MaxSize, Promise::ZeroSize].iter().any(|p| plan.guarded(Role::Calloc, *p)),
        "realloc_zero_frees": plan.platform.semantics.realloc_zero == ReallocZero::Free,
        "realloc_copies": realloc_copies(plan),
        "sized_free": sized_free(plan),
        "aligned_alloc_einval": aligned_alloc == OddAlignment::Einval && !refuses_alignments(allocator),
        "aligned_alloc_multiple": plan.platform.semantics.aligned_alloc_size == AlignedSize::Multiple,
        "memalign_rounds_up": plan.platform.semantics.memalign == OddAlignment::RoundUp,
        "foreign": foreign,
        "deepbind": super::foreign::deepbind(plan),
        "any": if foreign.is_some() { "_any" } else { "" },
        "op": operations(plan),
        "fork": plan.fork.as_ref().map(|f| json!({
            "prepare": f.prepare, "parent": f.parent, "child": f.child,
            "constructors": constructors, "preinit": plan.precedes_constructors(),
        })),
    });
    values["semantics"] = json!(plan.platform.semantics);
    // Those of others have a text of their own.
    if plan.platform.hooks.is_none() && plan.platform.zone.is_none() {
        values["families"] = families(plan, abi).into();
    }
    values
}

/// Whether the platform has a symbol of that meaning.
fn bears(plan: &Plan, operation: Operation) -> bool {
    plan.platform.bearing(operation).is_some()
}

fn is_defined(plan: &Plan, operation: Operation) -> bool {
    plan.defined().any(|a| a.symbol.operation == operation)
}

fn is_answered(plan: &Plan, operation: Operation) -> bool {
    let mut of_it = plan.answers.iter().filter(|a| a.symbol.operation == operation);
    of_it.any(|a| a.binding == Binding::Answered)
}

fn has_operators(plan: &Plan) -> bool {
    plan.defined().any(|a| matches!(a.symbol.operation, Operation::New(_)))
}

fn has_usable_size(plan: &Plan) -> bool {
    plan.allocator.call(Role::UsableSize).is_some()
}

/// What of the C library, and of what the shim says before it ends a program, its text calls.
fn uses(plan: &Plan) -> Value {
    let flagged = bears(plan, Operation::Mallocx);
    let speaks =
        super::foreign::view(plan).is_some() || !has_usable_size(plan) || has_operators(plan);
    json!({
        "page_size": bears(plan, Operation::Valloc) || bears(plan, Operation::Pvalloc),
        "memset": !calls_calloc(plan) || flagged || bears(plan, Operation::MallocZoneMallocWithOptions),
        "memcpy": plan.prefix().is_some() || realloc_copies(plan) || plan.guarded(Role::Realloc, Promise::MinAlign) || flagged,
        "message": speaks || is_answered(plan, Operation::MallocStats) || is_answered(plan, Operation::MallocStatsPrint),
        "abort": speaks || (plan.ready && (plan.platform.runtime.emulated_tls || plan.platform.zone.is_some())),
    })
}

/// The operations that have a function of their own in the text.
fn operations(plan: &Plan) -> Value {
    let aligned_alloc_is_bound = plan.answers.iter().any(|a| {
        a.symbol.operation == Operation::AlignedAlloc
            && matches!(a.binding, Binding::Direct(_) | Binding::Jump(_))
    });
    json!({
        "aligned_alloc": bears(plan, Operation::AlignedAlloc) && !aligned_alloc_is_bound,
        "memalign": bears(plan, Operation::Memalign) && plan.zoned.is_none(),
        "posix_memalign": bears(plan, Operation::PosixMemalign),
        "valloc": bears(plan, Operation::Valloc),
        "pvalloc": bears(plan, Operation::Pvalloc),
        "reallocarray": is_defined(plan, Operation::Reallocarray),
        "mallinfo": bears(plan, Operation::Mallinfo),
        "mallinfo2": bears(plan, Operation::Mallinfo2),
        "malloc_info": bears(plan, Operation::MallocInfo),
        "malloc_stats": is_answered(plan, Operation::MallocStats),
        "malloc_stats_print": is_answered(plan, Operation::MallocStatsPrint),
        "mallocx": bears(plan, Operation::Mallocx),
    })
}

pub(super) fn context<T: Serialize>(value: &T) -> tera::Context {
    tera::Context::from_serialize(value).expect("a view is a map")
}

/// The names that other ABIs spell differently from the first.
fn renames(plan: &Plan) -> Vec<Value> {
    let first = &plan.platform.abis[0];
    if plan.defined().all(|a| !a.symbol.varies()) {
        return Vec::new();
    }
    let rename = |abi: &Abi| {
        let names: Vec<_> = plan
            .defined()
            .filter(|a| a.symbol.varies() && a.symbol.is_in(abi))
            .map(|a| json!({ "from": a.symbol.name(first), "to": a.symbol.name(abi) }))
            .collect();
        json!({ "condition": abi.condition, "name": abi.name, "size_t": abi.size_t, "names": names })
    };
    plan.platform.abis[1..].iter().map(rename).collect()
}

/// Whether a shim has a use for what plays a role.
pub(crate) fn is_called(plan: &Plan, role: Role) -> bool {
    match role {
        Role::Owns => super::foreign::asks_owns(plan),
        Role::Lock | Role::Unlock | Role::Reinit => plan.fork.is_some(),
        Role::GoodSize | Role::MallocSize | Role::Enumerator => plan.platform.zone.is_some(),
        _ => true,
    }
}

fn declarations(plan: &Plan) -> Vec<String> {
    let mut declarations = Vec::new();
    let mut symbols = Vec::new();
    for (role, call) in &plan.allocator.functions {
        if !is_called(plan, *role) || (*role == Role::Owns && !super::foreign::declares_owns(plan))
        {
            continue;
        }
        // One function may play several roles, with blocks that are constant in one of them.
        if !symbols.contains(&&call.symbol) {
            symbols.push(&call.symbol);
            declarations.push(format!("extern {}", call.declaration(&role.prototype())));
        }
    }
    let flag = plan.allocator.thread_created.iter();
    declarations.extend(flag.map(|name| format!("extern volatile int {name}")));
    declarations
}

fn any_guard(plan: &Plan, promise: Promise) -> bool {
    Role::ALL.iter().any(|role| plan.guarded(*role, promise))
}

/// Whether the allocator's own calloc is called.
pub(super) fn calls_calloc(plan: &Plan) -> bool {
    plan.allocator.call(Role::Calloc).is_some() && !plan.guarded(Role::Calloc, Promise::MinAlign)
}

pub(super) fn realloc_copies(plan: &Plan) -> bool {
    plan.allocator.call(Role::Realloc).is_none()
        || (plan.guarded(Role::Realloc, Promise::MinAlign)
            && plan.allocator.call(Role::UsableSize).is_some())
}

/// `g.ROLE.GUARD`, every one of them, so that a template cannot ask for one that does not exist.
fn guards(plan: &Plan) -> Value {
    let mut roles = Map::new();
    for (key, role) in [
        ("malloc", Role::Malloc),
        ("calloc", Role::Calloc),
        ("realloc", Role::Realloc),
        ("free", Role::Free),
        ("memalign", Role::Memalign),
        ("usable", Role::UsableSize),
    ] {
        let mut set = Map::new();
        let mut all: Vec<Guard> = Promise::ALL.iter().map(|p| Guard::Missing(*p)).collect();
        all.push(Guard::Ready);
        for guard in all {
            let on = plan.guards[&role].contains(&guard)
                // Without a realloc of its own, the shim's must know these cases by itself.
                || (role == Role::Realloc
                    && realloc_copies(plan)
                    && matches!(guard, Guard::Missing(Promise::ReallocNull | Promise::ReallocZero)));
            set.insert(guard.name().to_owned(), Value::Bool(on));
        }
        roles.insert(key.to_owned(), Value::Object(set));
    }
    Value::Object(roles)
}

fn calls(plan: &Plan, has_calloc: bool) -> Value {
    let allocator = &plan.allocator;
    let text = |role: Role| allocator.call(role).map(|c| c.with(&[])).unwrap_or_default();
    json!({
        "malloc": text(Role::Malloc),
        "free": text(Role::Free),
        "calloc": if has_calloc { text(Role::Calloc) } else { String::new() },
        "realloc": text(Role::Realloc),
        "memalign": allocator.call(Role::Memalign).map_or_else(|| text(Role::Malloc), |c| c.with(&[])),
        "usable": text(Role::UsableSize),
    })
}

fn sized_free(plan: &Plan) -> Vec<Value> {
    [Role::FreeSized, Role::FreeAlignedSized]
        .into_iter()
        .filter_map(|role| {
            let call = plan.allocator.call(role)?;
            let has = |guard| plan.guards[&role].contains(&guard);
            Some(json!({
                "name": role.key(),
                "parameters": role.prototype().parameter_list(),
                "arguments": super::foreign::arguments(role),
                "call": call.with(&[]),
                "free_null": has(Guard::Missing(Promise::FreeNull)),
                "free_errno": has(Guard::Missing(Promise::FreeErrno)),
                "ready": has(Guard::Ready),
            }))
        })
        .collect()
}

/// Whether a definition in the program takes the place of the shim's: a preloaded one is passed over by
/// itself, one inside the program must give way.
pub(super) fn gives_way(plan: &Plan, answer: &Answer) -> bool {
    plan.mode == Mode::Static && answer.symbol.operation.is_operator()
}

/// Every name of an ABI that gives way, sorted.
pub fn weak(plan: &Plan, abi: &Abi) -> Vec<String> {
    let of_abi = plan.defined().filter(|a| a.symbol.is_in(abi) && gives_way(plan, a));
    let mut names: Vec<_> = of_abi.map(|a| a.symbol.name(abi)).collect();
    names.sort();
    names
}

//! What the templates place: plain strings and flags, finished here.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Inputs, call, threads};
use crate::{
    allocator::{Allocator, Limit, Promise, Role},
    operation::{Effect, Operation},
    plan::{Answer, Binding, Guard, Mode, Plan, max_size, refuses_alignments},
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
    let op = |operation: Operation| plan.platform.bearing(operation).is_some();
    let aligned_alloc = plan.platform.semantics.aligned_alloc;
    let bound_raw = |operation: Operation| {
        plan.answers.iter().any(|a| {
            a.symbol.operation == operation
                && matches!(a.binding, Binding::Direct(_) | Binding::Jump(_))
        })
    };
    let defined = |operation: Operation| plan.defined().any(|a| a.symbol.operation == operation);
    let page_size = op(Operation::Valloc) || op(Operation::Pvalloc);
    let flagged = op(Operation::Mallocx);
    let usable = allocator.call(Role::UsableSize).is_some();
    let copies = realloc_copies(plan);
    let operators = plan.defined().any(|a| matches!(a.symbol.operation, Operation::New(_)));
    let calloc = allocator.call(Role::Calloc).filter(|_| calls_calloc(plan));
    let answered = |operation: Operation| {
        plan.answers
            .iter()
            .any(|a| a.symbol.operation == operation && a.binding == Binding::Answered)
    };
    let foreign = super::foreign::view(plan);
    let carried = plan.mode == Mode::Static;
    // In a program, the constructors of the libraries that it loads have run before its own.
    let constructors = match plan.mode {
        Mode::Interpose => plan.platform.runtime.constructors,
        Mode::Static | Mode::Prefixed(_) => Constructors::Last,
    };
    let mut values = json!({
        "static": carried,
        "weak": if carried { " __attribute__((weak))" } else { "" },
        "allocator": {
            "name": allocator.name, "title": allocator.title,
            "thread_created": allocator.thread_created,
        },
        "runtime": plan.platform.runtime,
        "renames": renames(plan),
        "declarations": declarations(plan),
        "direct": plan.direct().next().is_some(),
        "uses": {
            "page_size": page_size,
            "memset": calloc.is_none() || flagged || op(Operation::MallocZoneMallocWithOptions),
            "memcpy": plan.prefix().is_some() || copies || plan.guarded(Role::Realloc, Promise::MinAlign) || flagged,
            "message": foreign.is_some() || !usable || operators || answered(Operation::MallocStats) || answered(Operation::MallocStatsPrint),
            "abort": foreign.is_some() || !usable || operators || (plan.ready && (plan.platform.runtime.emulated_tls || plan.platform.zone.is_some())),
        },
        "operators": operators,
        "threads": threads::threads(plan),
        "max_size": max_size(allocator).filter(|_| any_guard(plan, Promise::MaxSize)),
        "max_align": max_align(allocator),
        "check_alignment": !allocator.keeps(Promise::MaxAlign) && allocator.promises.max_align == Limit::Unknown,
        "natural": allocator.call(Role::Memalign).is_none(),
        "usable": usable,
        "g": guards(plan),
        "call": calls(plan, calloc.is_some()),
        "calloc_total": calloc.is_none()
            || [Promise::CallocOverflow, Promise::MaxSize, Promise::ZeroSize].iter().any(|p| plan.guarded(Role::Calloc, *p)),
        "realloc_zero_frees": plan.platform.semantics.realloc_zero == ReallocZero::Free,
        "realloc_copies": copies,
        "sized_free": sized_free(plan),
        "aligned_alloc_einval": aligned_alloc == OddAlignment::Einval && !refuses_alignments(allocator),
        "aligned_alloc_multiple": plan.platform.semantics.aligned_alloc_size == AlignedSize::Multiple,
        "memalign_rounds_up": plan.platform.semantics.memalign == OddAlignment::RoundUp,
        "foreign": foreign,
        "deepbind": super::foreign::deepbind(plan),
        "any": if foreign.is_some() { "_any" } else { "" },
        "op": {
            "aligned_alloc": op(Operation::AlignedAlloc) && !bound_raw(Operation::AlignedAlloc),
            "memalign": op(Operation::Memalign) && plan.zoned.is_none(),
            "posix_memalign": op(Operation::PosixMemalign),
            "valloc": op(Operation::Valloc),
            "pvalloc": op(Operation::Pvalloc),
            "reallocarray": defined(Operation::Reallocarray),
            "mallinfo": op(Operation::Mallinfo),
            "mallinfo2": op(Operation::Mallinfo2),
            "malloc_info": op(Operation::MallocInfo),
            "malloc_stats": answered(Operation::MallocStats),
            "malloc_stats_print": answered(Operation::MallocStatsPrint),
            "mallocx": flagged,
        },
        "fork": plan.fork.as_ref().map(|f| json!({
            "prepare": f.prepare, "parent": f.parent, "child": f.child,
            "constructors": constructors, "preinit": plan.precedes_constructors(),
        })),
        "families": if plan.platform.hooks.is_none() { families(plan, abi) } else { Vec::new() },
    });
    values["semantics"] = json!(plan.platform.semantics);
    values
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
pub(super) fn is_called(plan: &Plan, role: Role) -> bool {
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

fn max_align(allocator: &Allocator) -> Option<String> {
    match allocator.promises.max_align {
        _ if allocator.keeps(Promise::MaxAlign) => None,
        Limit::Bytes(bytes) => Some(bytes.to_string()),
        _ if allocator.call(Role::Memalign).is_none() => {
            Some(allocator.promises.natural_align.to_string())
        }
        _ => None,
    }
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

/// Families in spec order; inside each, runs of symbols that are, or are not, bound directly.
fn families(plan: &Plan, abi: &Abi) -> Vec<Value> {
    let answers: Vec<&Answer> = plan.answers.iter().collect();
    let families = by_family(&answers).filter(|answers| is_worth_a_section(answers));
    families.map(|answers| family(plan, abi, answers)).collect()
}

/// Answers in the order of the spec, cut where another family begins; no part is empty.
pub(super) fn by_family<'s, 'a>(
    answers: &'s [&'a Answer],
) -> impl Iterator<Item = &'s [&'a Answer]> {
    answers.chunk_by(|a, b| a.symbol.family == b.symbol.family)
}

/// Whether a family has something to say: what creates threads is spoken of only where it is ours.
pub(super) fn is_worth_a_section(answers: &[&Answer]) -> bool {
    let creates = |a: &&Answer| a.symbol.operation.effect() == Effect::StartsThread;
    !answers.iter().all(|a| creates(a) && a.binding == Binding::Left)
}

fn family(plan: &Plan, abi: &Abi, answers: &[&Answer]) -> Value {
    let mut runs: Vec<(bool, Vec<&Answer>)> = Vec::new();
    for answer in answers.iter().filter(|a| a.binding != Binding::Left) {
        let direct = matches!(answer.binding, Binding::Direct(_));
        match runs.last_mut() {
            Some((kind, run)) if *kind == direct => run.push(answer),
            _ => runs.push((direct, vec![answer])),
        }
    }
    json!({
        "title": answers[0].symbol.family,
        "weak": answers.iter().any(|a| a.binding != Binding::Left && gives_way(plan, a)),
        "runs": runs.iter().map(|(direct, run)| json!({
            "direct": direct,
            "symbols": run.iter().map(|a| symbol(plan, abi, a)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "left": left(answers),
    })
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

/// What is left alone, by reason.
pub(super) fn left(answers: &[&Answer]) -> Vec<Value> {
    let mut left: Vec<(&str, Vec<&str>)> = Vec::new();
    let of_heap = |a: &&&Answer| a.symbol.operation.effect() != Effect::StartsThread;
    for answer in answers.iter().filter(of_heap).filter(|a| a.binding == Binding::Left) {
        let declaration = answer.symbol.declaration.as_str();
        match left.iter_mut().find(|(why, _)| *why == answer.why) {
            Some((_, declarations)) => declarations.push(declaration),
            None => left.push((&answer.why, vec![declaration])),
        }
    }
    let value = |(why, declarations)| json!({ "why": why, "declarations": declarations });
    left.into_iter().map(value).collect()
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

/// What the preprocessor says where an ABI has the symbol; empty if all have it.
pub(super) fn condition(plan: &Plan, symbol: &crate::spec::Symbol) -> String {
    let abis = &plan.platform.abis;
    if abis.iter().all(|abi| symbol.is_in(abi)) {
        return String::new();
    }
    let conditions: Vec<_> =
        abis.iter().filter(|abi| symbol.is_in(abi)).map(|abi| abi.condition.as_str()).collect();
    conditions.join(" || ")
}

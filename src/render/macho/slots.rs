//! The functions that stand in the fields of the zone and of its introspection, in words for every
//! language.

use crate::{
    allocator::Role,
    operation::Operation,
    plan::Plan,
    prototype::Prototype,
    spec::{Field, Null},
};

/// A function in a field.
pub(super) struct Slot {
    /// The field's name.
    pub(super) name: String,
    /// With the field's parameters.
    pub(super) prototype: Prototype,
    /// What a reader should know.
    pub(super) why: String,
    /// What it does.
    pub(super) reply: Reply,
}

/// What a function in a field does.
pub(super) enum Reply {
    /// Nothing.
    Nothing,
    /// Says a number.
    Number(u32),
    /// Says that the heap cannot be walked.
    Fail,
    /// Tells the size of the block that begins at `ptr`.
    Size,
    /// Frees `ptr`.
    Free,
    /// What a symbol of that meaning does.
    Same(Operation),
    /// Calls what plays a role around fork.
    Fork(Role),
    /// Walks the heap, here or in another process.
    Walk,
    /// Walks it, and counts.
    Count,
    /// Counts nothing.
    NoCount,
}

/// Those of one structure, in its order.
pub(super) fn slots(plan: &Plan, structure: &str) -> Vec<Slot> {
    let zone = plan.platform.zone.as_ref();
    let fields = zone.iter().flat_map(|zone| &zone.fields).filter(|f| f.structure == structure);
    fields.filter(|f| is_filled(f)).filter_map(|field| slot(plan, field)).collect()
}

/// Whether a function of the shim stands in the field.
pub(super) fn is_filled(field: &Field) -> bool {
    let answered = field.operation.is_some() || field.null == Null::Never;
    field.function && answered && field.null != Null::Always
}

fn slot(plan: &Plan, field: &Field) -> Option<Slot> {
    Some(Slot {
        name: field.name.clone(),
        prototype: Prototype::parse(&field.declaration).ok()?,
        why: field.why.clone().unwrap_or_default(),
        reply: reply(plan, field),
    })
}

fn reply(plan: &Plan, field: &Field) -> Reply {
    let walks = plan.allocator.call(Role::Enumerator).is_some();
    let forks = |role| if plan.fork.is_some() { Reply::Fork(role) } else { Reply::Nothing };
    match (field.name.as_str(), field.operation) {
        ("size", _) => Reply::Size,
        // The usable size, which need not be the one that was asked for.
        ("free_definite_size", _) => Reply::Free,
        ("pressure_relief" | "zone_locked", _) => Reply::Number(0),
        // A wrong yes does no harm, a wrong no does.
        ("claimed_address" | "check", _) => Reply::Number(1),
        ("enumerator", _) if walks => Reply::Walk,
        ("enumerator", _) => Reply::Fail,
        ("statistics" | "task_statistics", _) if walks => Reply::Count,
        ("statistics" | "task_statistics", _) => Reply::NoCount,
        ("force_lock", _) => forks(Role::Lock),
        ("force_unlock", _) => forks(Role::Unlock),
        ("reinit_lock", _) => forks(Role::Reinit),
        (_, Some(operation)) => Reply::Same(operation),
        _ => Reply::Nothing,
    }
}

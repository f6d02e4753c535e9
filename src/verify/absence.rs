//! Symbols that a library lacks: rightly, or so that two heaps meet.

use super::{Finding, Grade, Status};
use crate::{
    operation::{Effect, Operation},
    plan::Binding,
    spec::{Abi, Platform, Symbol},
};

/// Of a symbol that is not there: whether it ought to be, and what comes of it.
pub(super) fn judge_absence(
    finding: &mut Finding,
    symbol: &Symbol,
    platform: &Platform,
    abi: &Abi,
    planned: Option<&Binding>,
) {
    if symbol.operation.effect() == Effect::Opens && !is_planned(planned) {
        finding.status = Status::Left;
        finding.remark =
            "the C library's own: what is opened with RTLD_DEEPBIND looks past this library"
                .to_owned();
        return;
    }
    if planned == Some(&Binding::Left) {
        finding.status = Status::Left;
        finding.remark = match symbol.operation.effect() {
            Effect::StartsThread => "the C library's own starts threads",
            _ => "the runtime's own calls the base by its public name",
        }
        .to_owned();
        return;
    }
    if absence_is_fault(symbol, platform, abi, planned) {
        finding.grade = Grade::Fault;
        finding.remark = match symbol.operation.effect() {
            Effect::Allocates => "its blocks come from another heap, and reach this library's free",
            Effect::Frees => "this library's blocks reach another heap's free",
            Effect::Reallocates | Effect::Inspects => {
                "another heap is asked about this library's blocks"
            }
            Effect::Tunes | Effect::Opens => "in the plan, and not there",
            Effect::StartsThread => "the heap is not told of threads",
        }
        .to_owned();
        return;
    }
    finding.status = Status::Left;
    finding.grade =
        if symbol.operation.effect() == Effect::Tunes { Grade::Note } else { Grade::Good };
    finding.remark = match symbol.operation {
        op if op.is_operator() => "the C++ runtime's own calls the base",
        Operation::Reallocarray => "the C library's own calls realloc",
        op if op.effect() == Effect::Tunes => {
            "the C library's own answers for a heap that nobody uses"
        }
        op if op.effect() == Effect::StartsThread => "the C library's own starts threads",
        _ => "another name that few programs use",
    }
    .to_owned();
}

fn is_planned(planned: Option<&Binding>) -> bool {
    planned.is_some_and(|planned| *planned != Binding::Left)
}

/// Whether a library that lacks the symbol splits the heap.
pub(super) fn absence_is_fault(
    symbol: &Symbol,
    platform: &Platform,
    abi: &Abi,
    planned: Option<&Binding>,
) -> bool {
    if planned.is_some() {
        return is_planned(planned);
    }
    let first = platform.bearing(symbol.operation).is_some_and(|s| s.name(abi) == symbol.name(abi));
    first
        && !platform.is_wrapper(symbol)
        && !symbol.operation.is_operator()
        && symbol.operation.base().is_none()
        && symbol.operation.effect().touches_blocks()
}

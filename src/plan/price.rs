//! What a call costs beyond a call of the allocator's own function, in instructions.
//!
//! On the path that succeeds, as gcc 12 -O2 compiles the shim in C for x86-64. tests/prices.rs counts
//! them in what was compiled.

use super::{Binding, Guard, Plan};
use crate::{
    allocator::{Limit, Promise, Role},
    operation::{Form, Operation},
    spec::Symbol,
};

/// The largest number that one instruction can compare with.
const IMMEDIATE: u64 = i32::MAX as u64;

impl Plan {
    /// `None` where there is no such function, or nobody has counted.
    pub(super) fn price(&self, symbol: &Symbol, binding: &Binding) -> Option<u32> {
        match binding {
            // Nobody has counted what stands in a hook.
            _ if self.platform.hooks.is_some() => None,
            Binding::Direct(_) => Some(0),
            Binding::Jump(_) => Some(1 + self.moves(symbol)?),
            // Around a call with other arguments, compilers order the moves as they like.
            Binding::Guarded(..) if self.moves(symbol) != Some(0) => None,
            // Nobody has counted where heaps are zones.
            Binding::Guarded(..) if self.zoned.is_some() => None,
            Binding::Guarded(_, guards) => self.guarded_price(symbol.operation, guards),
            Binding::Synthesized(_) | Binding::Left | Binding::Answered => None,
        }
    }

    /// How many instructions put the arguments into the order of the allocator's function.
    fn moves(&self, symbol: &Symbol) -> Option<u32> {
        let given: Vec<_> = symbol.prototype.parameters.iter().map(|p| p.name.as_str()).collect();
        let role = self.role(symbol.operation)?;
        let call = self.allocator.call(role)?;
        // `operator new(size, alignment)` has its own order, and is guarded: its price has the moves.
        if matches!(symbol.operation, Operation::New(_)) {
            let standard = call.is_standard(&role.prototype());
            return standard.then_some(0);
        }
        call.moves(&given)
    }

    /// The allocator's function behind an operation, where it has one.
    fn role(&self, operation: Operation) -> Option<Role> {
        let has = |role: Role| self.allocator.call(role).is_some();
        Some(match operation {
            Operation::Malloc => Role::Malloc,
            Operation::Calloc => Role::Calloc,
            Operation::Realloc => Role::Realloc,
            Operation::MallocUsableSize => Role::UsableSize,
            Operation::Memalign | Operation::AlignedAlloc => Role::Memalign,
            Operation::FreeSized if has(Role::FreeSized) => Role::FreeSized,
            Operation::FreeAlignedSized if has(Role::FreeAlignedSized) => Role::FreeAlignedSized,
            Operation::Delete(form) if form.sized => Role::FreeSized,
            Operation::Free
            | Operation::FreeSized
            | Operation::FreeAlignedSized
            | Operation::Delete(_) => Role::Free,
            Operation::New(form) if form.aligned => Role::Memalign,
            Operation::New(_) => Role::Malloc,
            Operation::MallocGoodSize => Role::GoodSize,
            Operation::MallocTrim => Role::MallocTrim,
            Operation::MallocStats => Role::MallocStats,
            _ => return None,
        })
    }

    fn guarded_price(&self, operation: Operation, guards: &[Guard]) -> Option<u32> {
        let lacks = |promise: Promise| guards.contains(&Guard::Missing(promise));
        // Such a block is allocated anew and copied, or the arguments go round twice.
        if lacks(Promise::MinAlign) && !matches!(operation, Operation::Malloc | Operation::New(_)) {
            return None;
        }
        // malloc goes by way of memalign, and looks whether that one kept the alignment.
        let by_memalign = lacks(Promise::MinAlign);
        let unknown = self.allocator.promises.max_align == Limit::Unknown
            && self.guarded(Role::Memalign, Promise::MaxAlign);
        let aligned = unknown && (by_memalign || lacks(Promise::MaxAlign));
        let looks = aligned || guards.contains(&Guard::Throw) || lacks(Promise::Errno);
        // Whoever looks at the result stays around the call: push, call, pop and ret for one jump.
        let mut price = if looks { 4 } else { 1 };
        if by_memalign && aligned {
            price += if lacks(Promise::Errno) { 3 } else { 2 };
        }
        let product = [Promise::CallocOverflow, Promise::MaxSize, Promise::ZeroSize];
        if operation == Operation::Calloc && product.into_iter().any(lacks) {
            price += 3;
        }
        for guard in guards {
            price += match guard {
                Guard::Missing(Promise::ZeroSize) if by_memalign => 0,
                Guard::Missing(Promise::MaxAlign) => self.alignment(operation, guards),
                Guard::Missing(promise) => self.missing(*promise, operation),
                Guard::Ready if self.platform.runtime.emulated_tls => {
                    self.key(operation, guards)?
                }
                // The address of the flag, a comparison and a branch.
                Guard::Ready if operation == Operation::New(Form::default()) => 4,
                Guard::Ready => 3,
                Guard::RoundUp => 5,
                // A look at the alignment, which another guard may have taken already.
                Guard::Multiple if lacks(Promise::AlignmentEinval) => 2,
                Guard::Multiple if lacks(Promise::MaxAlign) => 3,
                Guard::Multiple => 5,
                // A call of `owns`, whose own instructions are the allocator's, and registers that
                // keep the arguments meanwhile.
                Guard::Foreign => match self.role(operation) {
                    Some(Role::Realloc | Role::FreeSized) => 13,
                    Some(Role::FreeAlignedSized) => 15,
                    _ => 7,
                },
                // A comparison and a branch.
                Guard::Library => 2,
                // A comparison and a branch, and what it keeps for the new-handler.
                Guard::Throw => match operation {
                    Operation::New(form) if form.aligned => 10,
                    _ => 3,
                },
            };
        }
        Some(price)
    }

    /// A call that asks for a key's value, with glibc's own instructions, and the arguments kept around
    /// it; counted where no other guard keeps some of them.
    fn key(&self, operation: Operation, guards: &[Guard]) -> Option<u32> {
        let apart = |guard: &Guard| {
            matches!(guard, Guard::Ready | Guard::Throw | Guard::RoundUp | Guard::Library)
        };
        let arguments = self.role(operation)?.prototype().parameters.len();
        guards.iter().all(apart).then_some(match (operation, arguments) {
            (Operation::New(form), _) if form.aligned => 22,
            (Operation::New(_), _) => 23,
            (_, 1) => 26,
            (_, 2) => 32,
            _ => 34,
        })
    }

    fn missing(&self, promise: Promise, operation: Operation) -> u32 {
        match promise {
            // Its share of calloc is the product's.
            Promise::CallocOverflow => 0,
            Promise::MaxSize => match self.allocator.promises.max_size {
                Limit::Bytes(bytes) if bytes <= IMMEDIATE => 2,
                // The limit must be put into a register first.
                _ => 3,
            },
            Promise::ZeroSize if operation == Operation::Calloc => 4,
            Promise::MinAlign => 4,
            Promise::AlignmentEinval => match operation {
                // A power of two; and the least alignment, where memalign must be told that.
                Operation::AlignedAlloc if self.guarded(Role::Memalign, promise) => 8,
                Operation::New(Form { aligned: true, .. }) => 2,
                _ => 5,
            },
            // The address of errno, which stays in a register around the call, as all arguments do.
            Promise::FreeErrno if self.role(operation) == Some(Role::FreeAlignedSized) => 25,
            Promise::FreeErrno if self.role(operation) == Some(Role::FreeSized) => 23,
            Promise::FreeErrno => 17,
            // A comparison and a branch.
            _ => 2,
        }
    }

    /// A look at the alignment of a block; what was computed of the alignment before may serve again.
    fn alignment(&self, operation: Operation, guards: &[Guard]) -> u32 {
        if self.allocator.promises.max_align != Limit::Unknown {
            return 2;
        }
        let raised = self.guarded(Role::Memalign, Promise::AlignmentEinval);
        let limited = guards.contains(&Guard::Missing(Promise::MaxSize));
        let checked = guards.contains(&Guard::Missing(Promise::AlignmentEinval));
        match operation {
            Operation::New(_) if raised => 4,
            Operation::New(_) => 3,
            Operation::Memalign if raised => 3,
            Operation::Memalign if limited => 5,
            Operation::AlignedAlloc if raised => 5,
            Operation::AlignedAlloc if !checked => 4,
            _ => 2,
        }
    }
}

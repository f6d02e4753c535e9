//! How each symbol is answered: its binding, and why.

use super::{Binding, Guard, Plan, refuses_alignments};
use crate::{
    allocator::{Promise, Role},
    operation::{Form, Operation},
    spec::{AlignedSize, OddAlignment, Symbol},
};

impl Plan {
    pub(super) fn bind_symbol(&self, symbol: &Symbol) -> (Binding, String) {
        if self.platform.is_wrapper(symbol) {
            let why = match symbol.operation.is_operator() {
                true => "the C++ runtime's own calls the public malloc family",
                false => "the platform's own calls the public names that it is made of",
            };
            return (Binding::Left, why.to_owned());
        }
        if let Some(bound) = self.bind_hook(symbol) {
            return bound;
        }
        if let Some(left) = self.leave_group(symbol) {
            return left;
        }
        match self.bind(symbol.operation) {
            // What stands before the operation's parameters would be taken for them.
            (Binding::Direct(target), _) if !symbol.passes_through() => {
                (Binding::Jump(target), "the contracts agree, the arguments differ".to_owned())
            }
            bound => bound,
        }
    }

    fn bind(&self, operation: Operation) -> (Binding, String) {
        use Operation as Op;
        match operation {
            Op::Malloc => self.function(Role::Malloc, &[]),
            Op::Calloc => self.function(Role::Calloc, &[]),
            Op::Realloc => self.function(Role::Realloc, &[]),
            Op::Free => self.function(Role::Free, &[]),
            Op::MallocUsableSize => self.function(Role::UsableSize, &[]),
            Op::AlignedAlloc => {
                let semantics = &self.platform.semantics;
                let multiple = semantics.aligned_alloc_size == AlignedSize::Multiple;
                let mut more = vec![odd(semantics.aligned_alloc)];
                more.extend(multiple.then_some(Guard::Multiple));
                self.function(Role::Memalign, &more)
            }
            Op::Memalign => self.function(Role::Memalign, &[odd(self.platform.semantics.memalign)]),
            Op::FreeSized => self.sized_free(Role::FreeSized),
            Op::FreeAlignedSized => self.sized_free(Role::FreeAlignedSized),
            Op::MallocTrim if self.allocator.call(Role::MallocTrim).is_some() => {
                self.function(Role::MallocTrim, &[])
            }
            Op::MallocStats if self.allocator.call(Role::MallocStats).is_some() => {
                self.function(Role::MallocStats, &[])
            }
            Op::PosixMemalign | Op::Valloc | Op::Pvalloc => {
                let guards = self.guards[&Role::Memalign].clone();
                (Binding::Synthesized(guards), "made from memalign".to_owned())
            }
            Op::MallocGoodSize => match self.allocator.call(Role::GoodSize) {
                Some(_) => self.function(Role::GoodSize, &[]),
                None => answered("the size itself: no block has less"),
            },
            Op::Dlopen if self.drops_deepbind() => {
                made("drops RTLD_DEEPBIND, and jumps to the C library's own for its caller")
            }
            Op::New(form) => self.bind_new(form),
            Op::Delete(form) => self.bind_delete(form),
            Op::PthreadCreate | Op::ThrdCreate => self.bind_creator(operation),
            other => whatever_the_heap(other),
        }
    }

    /// Of a shim in C, which cannot catch an exception.
    fn bind_new(&self, form: Form) -> (Binding, String) {
        if form.nothrow {
            return left(CANNOT_CATCH);
        }
        match is_base(form) {
            true if form.aligned => self.throwing(Role::Memalign),
            true => self.throwing(Role::Malloc),
            false => left(CALLS_ITS_BASE),
        }
    }

    fn bind_delete(&self, form: Form) -> (Binding, String) {
        if is_base(form) {
            return self.function(Role::Free, &[]);
        }
        let forwards = form.sized && !form.aligned && self.allocator.forward_sized_delete;
        match forwards && self.allocator.call(Role::FreeSized).is_some() {
            true => self.function(Role::FreeSized, &[]),
            false => left(CALLS_ITS_BASE),
        }
    }

    fn function(&self, role: Role, more: &[Guard]) -> (Binding, String) {
        let Some(call) = self.allocator.call(role) else {
            let why = match role {
                Role::Calloc => "no calloc: malloc and memset",
                Role::Realloc => "no realloc: malloc, copy, free",
                Role::UsableSize => {
                    "no usable size: ends the program with a message, for the C library's own would read a foreign header"
                }
                _ => "no memalign: a block of 2^k bytes is aligned at 2^k",
            };
            return (Binding::Synthesized(self.guards[&role].clone()), why.to_owned());
        };
        // Only malloc's blocks are aligned by the shim.
        let unaligned = self.guarded(role, Promise::MinAlign);
        let copies = self.allocator.call(Role::UsableSize).is_some();
        if unaligned && (role == Role::Calloc || role == Role::Realloc && copies) {
            let instead =
                if role == Role::Calloc { "malloc and memset" } else { "malloc, copy, free" };
            let why = format!("not promised: min_align; {instead}");
            return (Binding::Synthesized(self.guards[&role].clone()), why);
        }
        let mut guards = self.guards[&role].clone();
        // A wrapper that already refuses odd alignments by itself serves aligned_alloc as it is.
        let kept = |g: Guard| {
            g == Guard::Missing(Promise::AlignmentEinval) && refuses_alignments(&self.allocator)
        };
        for guard in more.iter().filter(|g| !kept(**g)) {
            if !guards.contains(guard) {
                guards.push(*guard);
            }
        }
        if !guards.is_empty() {
            let names: Vec<_> = guards.iter().map(|g| g.name()).collect();
            let why = format!("not promised: {}", names.join(", "));
            return (Binding::Guarded(call.symbol.clone(), guards), why);
        }
        if self.allocator.indirect.contains(&call.symbol) {
            let why = "the archive hides the function from linkers".to_owned();
            return (Binding::Jump(call.symbol.clone()), why);
        }
        if self.allocator.standard_symbol(role).is_some() {
            let why = "the contracts agree".to_owned();
            return (Binding::Direct(call.symbol.clone()), why);
        }
        (Binding::Jump(call.symbol.clone()), "the contracts agree, the arguments differ".to_owned())
    }

    fn sized_free(&self, role: Role) -> (Binding, String) {
        if self.allocator.call(role).is_some() {
            return self.function(role, &[]);
        }
        match self.function(Role::Free, &[]) {
            (Binding::Direct(target), _) => (
                Binding::Direct(target),
                "free may ignore the size (C23), and the ABI lets it".to_owned(),
            ),
            (binding, why) => (binding, format!("free may ignore the size (C23); {why}")),
        }
    }

    fn throwing(&self, role: Role) -> (Binding, String) {
        let mut guards = self.guards[&role].clone();
        guards.retain(|g| *g != Guard::Missing(Promise::Errno));
        guards.push(Guard::Throw);
        let target = self.allocator.call(role).or(self.allocator.call(Role::Malloc));
        let target = target.map(|c| c.symbol.clone()).unwrap_or_default();
        (Binding::Guarded(target, guards), "NULL asks the new-handler, then throws".to_owned())
    }
}

const THEIR_OWN_MALLOC: &str = "the C library's own calls its malloc: hooks in its code see that, and where only imports are hooked free sends the block back";
const DEEPBIND_STAYS: &str = "what is opened with RTLD_DEEPBIND looks past this heap, unless the description says `deepbind = \"drop\"`";
const CANNOT_CATCH: &str = "C cannot catch what a new-handler throws, and the C++ runtime's own calls its base by the public name";
const CALLS_ITS_BASE: &str = "the C++ runtime's own calls its base by the public name";

/// What is answered alike for every allocator.
fn whatever_the_heap(operation: Operation) -> (Binding, String) {
    use Operation as Op;
    match operation {
        Op::Reallocarray
        | Op::Reallocarrayf
        | Op::Reallocf
        | Op::Reallocarr
        | Op::Recallocarray => made("made from realloc"),
        Op::Mallocx
        | Op::Rallocx
        | Op::Xallocx
        | Op::Sallocx
        | Op::Dallocx
        | Op::Sdallocx
        | Op::Nallocx => made("made from memalign, realloc and free: programs mix it with them"),
        Op::MallocDefaultZone
        | Op::MallocZoneFromPtr
        | Op::MallocZoneBatchMalloc
        | Op::MallocZoneBatchFree
        | Op::MallocZoneMallocWithOptions
        | Op::MallocZoneClaimedAddress
        | Op::MallocZonePressureRelief => {
            made("made from malloc and free for our zone; other zones answer for theirs")
        }
        Op::Msize | Op::Expand | Op::Recalloc => made("made from realloc and the usable size"),
        Op::WinAlignedMalloc
        | Op::WinAlignedRealloc
        | Op::WinAlignedRecalloc
        | Op::WinAlignedOffsetMalloc
        | Op::WinAlignedOffsetRealloc
        | Op::WinAlignedOffsetRecalloc
        | Op::WinAlignedMsize
        | Op::WinAlignedFree => {
            made("made from malloc, with a header before each block: a family of its own")
        }
        Op::Strdup | Op::Wcsdup | Op::Mbsdup => {
            made("copies into a block of ours: free takes it back")
        }
        Op::Dupenv
        | Op::Wdupenv
        | Op::Fullpath
        | Op::Wfullpath
        | Op::Getcwd
        | Op::Wgetcwd
        | Op::Getdcwd
        | Op::Wgetdcwd
        | Op::Tempnam
        | Op::Wtempnam => left(THEIR_OWN_MALLOC),
        Op::Dlopen => left(DEEPBIND_STAYS),
        other => answered(honest(other)),
    }
}

/// The forms that all others come down to.
fn is_base(form: Form) -> bool {
    form == Form::default() || form == Form { aligned: true, ..Form::default() }
}

fn made(why: &str) -> (Binding, String) {
    (Binding::Synthesized(Vec::new()), why.to_owned())
}

fn answered(why: &str) -> (Binding, String) {
    (Binding::Answered, why.to_owned())
}

fn left(why: &str) -> (Binding, String) {
    (Binding::Left, why.to_owned())
}

fn odd(rule: OddAlignment) -> Guard {
    match rule {
        OddAlignment::Einval => Guard::Missing(Promise::AlignmentEinval),
        OddAlignment::RoundUp => Guard::RoundUp,
    }
}

fn honest(operation: Operation) -> &'static str {
    match operation {
        Operation::Mallopt => "returns 0: no parameter of the C library's heap was set",
        Operation::MallocTrim => "returns 0: no memory was returned",
        Operation::MallocInfo => "fails with ENOSYS: there is no heap of that form to describe",
        Operation::MallocStats => "says that there is no heap of that form to describe",
        Operation::Mallctl | Operation::Mallctlnametomib | Operation::Mallctlbymib => {
            "returns ENOENT: this heap has none of jemalloc's values"
        }
        Operation::MallocStatsPrint => "says that there is no jemalloc heap to describe",
        _ => "all fields 0: the C library's heap is empty",
    }
}

//! Where a function's control goes, machine by machine, without names.
//!
//! Separate because two decoders answer the same question; names are `binding`'s business.

use super::elf::Elf;
use super::machine::Machine;
use std::collections::BTreeSet;

/// A place that control goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// Code at this address.
    Code(u64),
    /// Whatever the word at this address points to.
    Slot(u64),
}

/// What a function does, as far as its control flow tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flow {
    /// It is nothing but this jump.
    pub(super) jump: Option<Target>,
    /// Everything that it calls or jumps to outside of itself.
    pub(super) targets: BTreeSet<Target>,
    /// Words in memory that it reads or takes for addresses: a pointer to call may be among them.
    pub(super) loads: BTreeSet<Target>,
    /// It also calls or jumps through pointers that were not followed.
    pub(super) indirect: bool,
    /// Control may come back to its caller from it, not only from where it jumps.
    pub(super) returns: bool,
    /// It holds bytes that are no instruction.
    pub(super) broken: bool,
}

/// Whether code of this machine is read at all; of others, only names and tables are.
#[must_use]
pub fn reads_code(machine: Machine) -> bool {
    matches!(machine, Machine::X86_64 | Machine::X86 | Machine::Aarch64)
}

/// The function at `address`: of `size` bytes, or (0) up to where its control must end,
/// within `limit` bytes.
pub(super) fn flow(elf: &Elf<'_>, got: u64, address: u64, size: u64, limit: u64) -> Option<Flow> {
    let executable = |s: &&super::elf::Segment| {
        s.flags & object::elf::PF_X.0 != 0
            && address >= s.address
            && address - s.address < s.file_size
    };
    elf.loads().find(executable)?;
    let sized = size > 0;
    let code = elf.at_most(address, if sized { size } else { limit });
    match elf.machine {
        Machine::X86_64 => Some(super::x86::flow(code, address, 64, got, sized)),
        Machine::X86 => Some(super::x86::flow(code, address, 32, got, sized)),
        Machine::Aarch64 => Some(super::arm64::flow(code, address, sized)),
        _ => None,
    }
}

/// Collects a [`Flow`] while a decoder walks over the instructions in order.
pub(super) struct Walk {
    flow: Flow,
    start: u64,
    end: u64,
    sized: bool,
    /// The furthest forward jump so far: code before it is still reachable.
    reach: u64,
    /// So far only padding.
    bare: bool,
    /// So far only padding and the loading of a jump's target.
    loading: bool,
}

impl Walk {
    pub(super) fn new(start: u64, length: usize, sized: bool) -> Self {
        let end = start.saturating_add(length as u64);
        Self { flow: Flow::default(), start, end, sized, reach: start, bare: true, loading: true }
    }

    /// An instruction of no effect (`endbr64`, `bti`, `nop`) was passed.
    pub(super) fn padding(&mut self) {}

    /// An instruction was passed that may prepare a jump's target, and does nothing else.
    pub(super) fn load(&mut self, target: Option<Target>) {
        self.flow.loads.extend(target);
        self.bare = false;
    }

    /// Any other instruction was passed.
    pub(super) fn other(&mut self) {
        self.bare = false;
        self.loading = false;
    }

    /// A call returns here.
    pub(super) fn call(&mut self, target: Option<Target>) {
        self.leave(target);
        self.other();
    }

    /// A conditional jump.
    pub(super) fn branch(&mut self, to: u64) {
        self.jump_inside_or_leave(to);
        self.other();
    }

    /// A jump to an address; false if the function ends here.
    pub(super) fn jump(&mut self, to: u64, next: u64) -> bool {
        let leaves = self.jump_inside_or_leave(to);
        if self.bare && leaves {
            self.flow.jump = Some(Target::Code(to));
            return false;
        }
        self.other();
        self.goes_on(next)
    }

    /// A jump through a register or a word in memory; false if the function ends here.
    pub(super) fn jump_through(
        &mut self,
        target: Option<Target>,
        in_register: bool,
        next: u64,
    ) -> bool {
        self.leave(target);
        if target.is_some() && (self.bare || (in_register && self.loading)) {
            self.flow.jump = target;
            return false;
        }
        self.other();
        self.goes_on(next)
    }

    /// A return; false if the function ends here.
    pub(super) fn comes_back(&mut self, next: u64) -> bool {
        self.flow.returns = true;
        self.end(next)
    }

    /// A trap; false if the function ends here.
    pub(super) fn end(&mut self, next: u64) -> bool {
        self.other();
        self.goes_on(next)
    }

    /// Bytes that are no instruction.
    pub(super) fn undecodable(&mut self) {
        self.flow.broken = true;
    }

    pub(super) fn finish(self) -> Flow {
        self.flow
    }

    fn goes_on(&self, next: u64) -> bool {
        self.sized || next <= self.reach
    }

    fn leave(&mut self, target: Option<Target>) {
        match target {
            Some(target) => drop(self.flow.targets.insert(target)),
            None => self.flow.indirect = true,
        }
    }

    fn jump_inside_or_leave(&mut self, to: u64) -> bool {
        let inside = to >= self.start && to < self.end;
        if inside {
            self.reach = self.reach.max(to);
        } else {
            self.leave(Some(Target::Code(to)));
        }
        !inside
    }
}

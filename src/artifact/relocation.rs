//! What the loader does at a place in memory (`R_*`), told in one vocabulary for all machines.
//!
//! Separate because it is knowledge of the psABIs' dynamic relocation numbers and nothing else.

use super::machine::Machine;
use serde::Serialize;

/// What the loader does at a place (`R_*`), told in one vocabulary for all machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelocationKind {
    /// A GOT slot gets a symbol's address.
    GlobDat,
    /// A PLT's slot gets a symbol's address, perhaps at the first call.
    JumpSlot,
    /// Any word gets a symbol's address.
    Absolute,
    /// A word gets an address of this object.
    Relative,
    /// A word gets what a resolver in this object answers.
    IndirectRelative,
    /// A variable of a library is copied into the program.
    Copy,
    /// Offset from the thread pointer: needs the static TLS block.
    ThreadOffset,
    /// The module's number, for `__tls_get_addr`.
    ThreadModule,
    /// Offset within the module's block.
    ThreadModuleOffset,
    /// A TLS descriptor.
    ThreadDescriptor,
    /// Anything else, by its number.
    Other(u32),
}

impl RelocationKind {
    pub(super) fn from_raw(machine: Machine, kind: u32) -> Self {
        use RelocationKind as K;
        /// One machine's numbers, in the order of the columns below.
        type Row = [(u32, K); 10];
        const fn row(n: [u32; 10]) -> Row {
            [
                (n[0], K::Absolute),
                (n[1], K::Copy),
                (n[2], K::GlobDat),
                (n[3], K::JumpSlot),
                (n[4], K::Relative),
                (n[5], K::IndirectRelative),
                (n[6], K::ThreadOffset),
                (n[7], K::ThreadModule),
                (n[8], K::ThreadModuleOffset),
                (n[9], K::ThreadDescriptor),
            ]
        }
        // Absolute, copy, glob_dat, jump_slot, relative, irelative, tpoff, dtpmod, dtpoff, tlsdesc.
        const X86_64: Row = row([1, 5, 6, 7, 8, 37, 18, 16, 17, 36]);
        const X86: Row = row([1, 5, 6, 7, 8, 42, 14, 35, 36, 41]);
        const AARCH64: Row = row([257, 1024, 1025, 1026, 1027, 1032, 1030, 1028, 1029, 1031]);
        const ARM: Row = row([2, 20, 21, 22, 23, 160, 19, 17, 18, 13]);
        // RISC-V has no GLOB_DAT: its GOT is filled by absolute relocations of the word's size.
        const RISCV: Row = row([2, 4, 2, 5, 3, 58, 11, 7, 9, 12]);
        // No descriptors on these two: a number that they do not have.
        const POWERPC64: Row = row([38, 19, 20, 21, 22, 248, 73, 68, 78, u32::MAX]);
        const S390X: Row = row([22, 9, 10, 11, 12, 61, 56, 54, 55, u32::MAX]);
        let row = match machine {
            Machine::X86_64 => X86_64,
            Machine::X86 => X86,
            Machine::Aarch64 => AARCH64,
            Machine::Arm => ARM,
            Machine::Riscv => RISCV,
            Machine::PowerPc64 => POWERPC64,
            Machine::S390 => S390X,
            Machine::Other(_) => return K::Other(kind),
        };
        row.iter().find(|(n, _)| *n == kind).map_or(K::Other(kind), |(_, kind)| *kind)
    }
}

/// A place that the loader fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SymbolRelocation {
    /// The address of the place.
    pub slot: u64,
    /// What it gets.
    pub kind: RelocationKind,
    /// The symbol that it means, as an index into [`super::SharedObject::symbols`].
    pub symbol: Option<usize>,
    /// Added to the symbol's value; 0 where the format keeps it in the place itself.
    pub addend: i64,
}

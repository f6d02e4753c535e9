//! Which relocations of an object cannot go into a shared object, and how it reaches its
//! thread-locals (psABI of x86-64, i386 and AArch64; what GNU ld and lld refuse).
//!
//! Separate because it is knowledge of relocation numbers and nothing else.

use super::machine::{Class, Machine};
use serde::Serialize;

/// How code reaches a thread-local variable ("ELF Handling For Thread-Local Storage").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsAccess {
    /// `__tls_get_addr` with module and offset.
    GeneralDynamic,
    /// `__tls_get_addr` once for all variables of the module.
    LocalDynamic,
    /// A call through a descriptor.
    Descriptor,
    /// An offset from the thread pointer that the loader fills in.
    InitialExec,
    /// An offset that the linker knows: for programs only.
    LocalExec,
    /// `__emutls_get_address`.
    Emulated,
}

/// Why a relocation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PicReason {
    /// It puts an address where none fits: no linker makes a shared object of it.
    Absolute,
    /// It puts an address into read-only memory: a text relocation, refused by some linkers.
    TextRelocation,
    /// It is relative to a symbol that is defined outside of the archive.
    Outside,
    /// It is relative to a symbol that the process may replace: well as soon as the link makes
    /// the symbol local (a version script with `local: *`, hidden visibility).
    Preemptible,
    /// It takes the offset of a thread-local variable for known.
    LocalExec,
}

impl PicReason {
    /// Whether no way of linking helps: the object must be compiled anew.
    #[must_use]
    pub fn is_final(self) -> bool {
        self != Self::Preemptible
    }
}

/// A relocation that keeps an object out of shared objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PicFault {
    /// Why.
    pub reason: PicReason,
    /// The relocation's name (`R_X86_64_32S`).
    pub relocation: &'static str,
    /// The symbol, or the section for a local one.
    pub symbol: String,
    /// The section that it is in.
    pub section: String,
}

/// What a relocation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// An address in a field that is too small for the loader to fill.
    Absolute,
    /// An address in a whole word.
    Word,
    /// The distance to a symbol.
    Relative,
    /// A thread-local offset known at link time.
    LocalExec,
}

/// Whether the relocations of this machine are known here.
pub(super) fn is_known(machine: Machine, class: Class) -> bool {
    matches!(
        (machine, class),
        (Machine::X86_64 | Machine::Aarch64, Class::Elf64) | (Machine::X86, Class::Elf32)
    )
}

/// The relocation's name and demand; `None` for those that every link can serve.
pub(super) fn demand(machine: Machine, kind: u32) -> Option<(&'static str, Demand)> {
    use Demand::{Absolute, LocalExec, Relative, Word};
    type Row = (u32, &'static str, Demand);
    const X86_64: &[Row] = &[
        (1, "R_X86_64_64", Word),
        (2, "R_X86_64_PC32", Relative),
        (10, "R_X86_64_32", Absolute),
        (11, "R_X86_64_32S", Absolute),
        (12, "R_X86_64_16", Absolute),
        (13, "R_X86_64_PC16", Relative),
        (14, "R_X86_64_8", Absolute),
        (15, "R_X86_64_PC8", Relative),
        (18, "R_X86_64_TPOFF64", LocalExec),
        (23, "R_X86_64_TPOFF32", LocalExec),
        (24, "R_X86_64_PC64", Relative),
    ];
    const X86: &[Row] = &[
        (1, "R_386_32", Word),
        (2, "R_386_PC32", Relative),
        (15, "R_386_TLS_IE", Word),
        (17, "R_386_TLS_LE", LocalExec),
        (20, "R_386_16", Absolute),
        (22, "R_386_8", Absolute),
        (34, "R_386_TLS_LE_32", LocalExec),
    ];
    const AARCH64: &[Row] = &[
        (257, "R_AARCH64_ABS64", Word),
        (258, "R_AARCH64_ABS32", Absolute),
        (259, "R_AARCH64_ABS16", Absolute),
        (260, "R_AARCH64_PREL64", Relative),
        (261, "R_AARCH64_PREL32", Relative),
        (263, "R_AARCH64_MOVW_UABS_G0", Absolute),
        (264, "R_AARCH64_MOVW_UABS_G0_NC", Absolute),
        (265, "R_AARCH64_MOVW_UABS_G1", Absolute),
        (266, "R_AARCH64_MOVW_UABS_G1_NC", Absolute),
        (267, "R_AARCH64_MOVW_UABS_G2", Absolute),
        (268, "R_AARCH64_MOVW_UABS_G2_NC", Absolute),
        (269, "R_AARCH64_MOVW_UABS_G3", Absolute),
        (270, "R_AARCH64_MOVW_SABS_G0", Absolute),
        (271, "R_AARCH64_MOVW_SABS_G1", Absolute),
        (272, "R_AARCH64_MOVW_SABS_G2", Absolute),
        (273, "R_AARCH64_LD_PREL_LO19", Relative),
        (274, "R_AARCH64_ADR_PREL_LO21", Relative),
        (275, "R_AARCH64_ADR_PREL_PG_HI21", Relative),
        (276, "R_AARCH64_ADR_PREL_PG_HI21_NC", Relative),
    ];
    let rows = match machine {
        Machine::X86_64 => X86_64,
        Machine::X86 => X86,
        Machine::Aarch64 => AARCH64,
        _ => return None,
    };
    if machine == Machine::Aarch64 && tls_access(machine, kind) == Some(TlsAccess::LocalExec) {
        return Some(("R_AARCH64_TLSLE_*", LocalExec));
    }
    rows.iter().find(|row| row.0 == kind).map(|&(_, name, demand)| (name, demand))
}

/// How the relocation reaches a thread-local variable, if it does.
pub(super) fn tls_access(machine: Machine, kind: u32) -> Option<TlsAccess> {
    use TlsAccess::{Descriptor, GeneralDynamic, InitialExec, LocalDynamic, LocalExec};
    let access = match (machine, kind) {
        (Machine::X86_64, 19) => GeneralDynamic,
        (Machine::X86_64, 17 | 20 | 21) => LocalDynamic,
        (Machine::X86_64, 22 | 44) => InitialExec,
        (Machine::X86_64, 18 | 23) => LocalExec,
        (Machine::X86_64, 34 | 35 | 45) => Descriptor,
        (Machine::X86, 18 | 24..=27) => GeneralDynamic,
        (Machine::X86, 19 | 28..=32) => LocalDynamic,
        (Machine::X86, 15 | 16 | 33) => InitialExec,
        (Machine::X86, 17 | 34) => LocalExec,
        (Machine::X86, 39 | 40) => Descriptor,
        (Machine::Aarch64, 512..=516) => GeneralDynamic,
        (Machine::Aarch64, 517..=538 | 572 | 573) => LocalDynamic,
        (Machine::Aarch64, 539..=543) => InitialExec,
        (Machine::Aarch64, 544..=559 | 570 | 571) => LocalExec,
        (Machine::Aarch64, 560..=569) => Descriptor,
        _ => return None,
    };
    Some(access)
}

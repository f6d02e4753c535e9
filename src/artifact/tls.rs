//! How a linked file reaches its thread-local variables ("ELF Handling For Thread-Local Storage").
//!
//! Separate because an allocator lives and dies by it: a model that allocates at the first access
//! of a thread calls the allocator from within.

use super::dynamic::Dynamic;
use super::elf::Elf;
use super::relocation::RelocationKind;
use super::symbol::Symbol;
use object::elf as raw;
use serde::Serialize;

/// How a file reaches thread-local variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsModel {
    /// It has none and asks for none.
    None,
    /// By an offset from the thread pointer (initial-exec): ready before any code runs, but taken
    /// from the static block, which has little room for libraries that are opened later.
    Static,
    /// Through `__tls_get_addr` or descriptors: may allocate at the first access of a thread.
    Dynamic,
    /// Both.
    Mixed,
    /// Through `__emutls_get_address`, which allocates.
    Emulated,
    /// It has variables, but no relocation tells how they are reached: local-exec, which is well
    /// in a program and wrong code in a library (GNU ld for aarch64 lets it pass).
    Unknown,
}

/// Thread-local storage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// Bytes for each thread (`PT_TLS`).
    pub size: u64,
    /// Their alignment.
    pub align: u64,
    /// `DF_STATIC_TLS`: the file demands room in the static block.
    pub static_flag: bool,
    /// Places that get an offset from the thread pointer.
    pub thread_offsets: usize,
    /// Places that get a module's number.
    pub module_ids: usize,
    /// TLS descriptors.
    pub descriptors: usize,
    /// Imports `__tls_get_addr`.
    pub calls_get_addr: bool,
    /// Uses the compiler's emulation (`__emutls_get_address`).
    pub emulated: bool,
}

impl Tls {
    /// The model that the code uses.
    #[must_use]
    pub fn model(&self) -> TlsModel {
        let is_static = self.static_flag || self.thread_offsets > 0;
        let is_dynamic = self.module_ids > 0 || self.descriptors > 0 || self.calls_get_addr;
        match (is_static, is_dynamic) {
            _ if self.emulated => TlsModel::Emulated,
            (true, true) => TlsModel::Mixed,
            (true, false) => TlsModel::Static,
            (false, true) => TlsModel::Dynamic,
            (false, false) if self.size > 0 => TlsModel::Unknown,
            (false, false) => TlsModel::None,
        }
    }
}

impl Tls {
    pub(super) fn read(elf: &Elf<'_>, dynamic: &Dynamic<'_>, link_symbols: &[Symbol]) -> Self {
        let segment = elf.segments.iter().find(|s| s.kind == raw::PT_TLS.0);
        let count = |kind| dynamic.relocations.iter().filter(|r| r.kind == kind).count();
        let flags = dynamic.value(raw::DT_FLAGS).unwrap_or(0);
        let named =
            |names: &[&str]| dynamic.symbols.iter().any(|s| names.contains(&s.name.as_str()));
        let emulation = |s: &Symbol| s.name.starts_with("__emutls_");
        Self {
            size: segment.map_or(0, |s| s.memory_size),
            align: segment.map_or(0, |s| s.align),
            static_flag: flags & raw::DF_STATIC_TLS.0 != 0,
            thread_offsets: count(RelocationKind::ThreadOffset),
            module_ids: count(RelocationKind::ThreadModule),
            descriptors: count(RelocationKind::ThreadDescriptor),
            // i386 has a variant of its own, with three underscores.
            calls_get_addr: named(&["__tls_get_addr", "___tls_get_addr"]),
            emulated: dynamic.symbols.iter().chain(link_symbols).any(emulation),
        }
    }
}

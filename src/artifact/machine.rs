//! For which machine a file is: class, byte order, processor (gABI, the ELF header).
//!
//! Separate because callers speak of machines without reading files.

use serde::Serialize;

/// 32 or 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Class {
    /// ELFCLASS32
    Elf32,
    /// ELFCLASS64
    Elf64,
}

impl Class {
    /// The size of an address in bytes.
    #[must_use]
    pub fn pointer_size(self) -> u64 {
        match self {
            Self::Elf32 => 4,
            Self::Elf64 => 8,
        }
    }
}

/// The byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endian {
    /// ELFDATA2LSB
    Little,
    /// ELFDATA2MSB
    Big,
}

/// The processor (`e_machine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Machine {
    /// i386 and its successors in 32-bit mode.
    X86,
    /// AMD64; with [`Class::Elf32`] the x32 ABI.
    X86_64,
    /// 32-bit ARM.
    Arm,
    /// 64-bit ARM.
    Aarch64,
    /// RISC-V; the class tells its width.
    Riscv,
    /// 64-bit PowerPC, of either byte order.
    PowerPc64,
    /// IBM Z; with [`Class::Elf64`] s390x.
    S390,
    /// Any other, by its number.
    Other(u16),
}

impl Machine {
    pub(super) fn from_raw(machine: object::elf::Machine) -> Self {
        match machine {
            object::elf::EM_386 => Self::X86,
            object::elf::EM_X86_64 => Self::X86_64,
            object::elf::EM_ARM => Self::Arm,
            object::elf::EM_AARCH64 => Self::Aarch64,
            object::elf::EM_RISCV => Self::Riscv,
            object::elf::EM_PPC64 => Self::PowerPc64,
            object::elf::EM_S390 => Self::S390,
            other => Self::Other(other.0),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::X86 => f.write_str("i386"),
            Self::X86_64 => f.write_str("x86-64"),
            Self::Arm => f.write_str("arm"),
            Self::Aarch64 => f.write_str("aarch64"),
            Self::Riscv => f.write_str("riscv"),
            Self::PowerPc64 => f.write_str("powerpc64"),
            Self::S390 => f.write_str("s390"),
            Self::Other(number) => write!(f, "machine {number}"),
        }
    }
}

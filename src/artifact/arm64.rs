//! Control flow of AArch64 functions (Arm ARM C4, "ELF for the Arm 64-bit Architecture").
//!
//! Separate because it is a decoder of its own: the few instructions that matter are told apart
//! by hand, all others only by the register that they may write.

use super::code::{Flow, Target, Walk};

/// Walks over one function.
pub(super) fn flow(code: &[u8], address: u64, sized: bool) -> Flow {
    let mut walk = Walk::new(address, code.len(), sized);
    let mut registers = [None; 32];
    let mut at = address;
    for bytes in code.as_chunks::<4>().0 {
        // Instructions are little-endian whatever the data is.
        let word = u32::from_le_bytes(*bytes);
        let next = at.wrapping_add(4);
        let goes_on = match Instruction::decode(word, at) {
            Instruction::Hint => {
                walk.padding();
                true
            }
            Instruction::Jump(to) => walk.jump(to, next),
            Instruction::Branch(to) => {
                walk.branch(to);
                true
            }
            Instruction::Call(to) => {
                walk.call(Some(Target::Code(to)));
                forget_after_call(&mut registers);
                true
            }
            Instruction::JumpRegister(register) => {
                walk.jump_through(registers[register], true, next)
            }
            Instruction::CallRegister(register) => {
                walk.call(registers[register]);
                forget_after_call(&mut registers);
                true
            }
            Instruction::Return => walk.comes_back(next),
            Instruction::End => walk.end(next),
            Instruction::Address { to, value } => {
                registers[to] = Some(Target::Code(value));
                walk.load(registers[to]);
                true
            }
            Instruction::Add { to, from, offset } => {
                registers[to] = offset_from(registers[from], offset).map(Target::Code);
                walk.load(registers[to]);
                true
            }
            Instruction::Load { to, from, offset } => {
                registers[to] = offset_from(registers[from], offset).map(Target::Slot);
                walk.load(registers[to]);
                true
            }
            Instruction::Move { to, from } => {
                registers[to] = registers[from];
                walk.load(None);
                true
            }
            Instruction::Other { to } => {
                registers[to] = None;
                walk.other();
                true
            }
        };
        if !goes_on {
            break;
        }
        at = next;
    }
    walk.finish()
}

/// Whether no instruction reads the register of an argument (AAPCS64: the first eight).
pub(super) fn ignores_argument(code: &[u8], number: usize) -> Option<bool> {
    let register = u32::try_from(number).ok().filter(|n| *n < 8)?;
    let words = code.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    Some(!words.into_iter().any(|word| may_read(word, register)))
}

/// Whether an instruction may read a register, by its class ("A64 instruction set encoding").
fn may_read(word: u32, register: u32) -> bool {
    let at = |low: u32| (word >> low) & 31 == register;
    let is_load = word & 0x0040_0000 != 0;
    match (word >> 25) & 0xf {
        // Immediates: adr and movz have no source, movk and bitfields keep some of the target.
        8 | 9 => match (word >> 23) & 7 {
            0 | 1 => false,
            5 if (word >> 29) & 3 != 3 => false,
            5 => at(0),
            _ => at(5),
        },
        // Branches: cbz, tbz and those through a register have one.
        10 | 11 => match word >> 29 & 3 {
            1 => at(0),
            _ => word >> 25 & 0x7f == 0x6b && at(5),
        },
        // Loads and stores: the address, and what is stored.
        4 | 6 | 12 | 14 => {
            let pair = word & 0x3a00_0000 == 0x2800_0000;
            let by_register = word & 0x3b20_0c00 == 0x3820_0800;
            let literal = word & 0x3b00_0000 == 0x1800_0000;
            !literal
                && (at(5) || (by_register && at(16)) || (!is_load && (at(0) || (pair && at(10)))))
        }
        5 | 13 => at(5) || at(16) || at(10),
        // Floating point and vectors: a general register may be a source of a move.
        _ => at(5),
    }
}

/// An address plus an offset; a word in memory plus an offset is nothing known.
fn offset_from(value: Option<Target>, offset: u64) -> Option<u64> {
    match value {
        Some(Target::Code(address)) => Some(address.wrapping_add(offset)),
        _ => None,
    }
}

/// x19 to x28 keep their values over a call.
fn forget_after_call(registers: &mut [Option<Target>; 32]) {
    for (number, value) in registers.iter_mut().enumerate() {
        if !(19..=28).contains(&number) {
            *value = None;
        }
    }
}

enum Instruction {
    Hint,
    Jump(u64),
    Branch(u64),
    Call(u64),
    JumpRegister(usize),
    CallRegister(usize),
    Return,
    End,
    Address { to: usize, value: u64 },
    Add { to: usize, from: usize, offset: u64 },
    Load { to: usize, from: usize, offset: u64 },
    Move { to: usize, from: usize },
    Other { to: usize },
}

impl Instruction {
    fn decode(word: u32, at: u64) -> Self {
        let to = (word & 31) as usize;
        let from = ((word >> 5) & 31) as usize;
        let relative = |bits: u32, low: u32| {
            let field = i64::from((word >> low) & ((1 << bits) - 1));
            let signed = (field << (64 - bits)) >> (64 - bits);
            at.wrapping_add_signed(signed * 4)
        };
        let imm12 = u64::from((word >> 10) & 0xfff);
        match word {
            // HINT: nop, bti, paciasp, autia1716.
            _ if word & 0xffff_f01f == 0xd503_201f => Self::Hint,
            _ if word & 0xfc00_0000 == 0x1400_0000 => Self::Jump(relative(26, 0)),
            _ if word & 0xfc00_0000 == 0x9400_0000 => Self::Call(relative(26, 0)),
            // b.cond; cbz, cbnz; tbz, tbnz.
            _ if word & 0xff00_0000 == 0x5400_0000 => Self::Branch(relative(19, 5)),
            _ if word & 0x7e00_0000 == 0x3400_0000 => Self::Branch(relative(19, 5)),
            _ if word & 0x7e00_0000 == 0x3600_0000 => Self::Branch(relative(14, 5)),
            // br, blr, ret, and their authenticated forms, told apart by the opcode.
            _ if word & 0xfe00_0000 == 0xd600_0000 => match (word >> 21) & 0xf {
                0 | 8 => Self::JumpRegister(from),
                1 | 9 => Self::CallRegister(from),
                _ => Self::Return,
            },
            // udf, brk.
            _ if word & 0xffff_0000 == 0 || word & 0xffe0_001f == 0xd420_0000 => Self::End,
            // adrp, adr.
            _ if word & 0x1f00_0000 == 0x1000_0000 => {
                let field = i64::from(((word >> 5) & 0x7_ffff) << 2 | ((word >> 29) & 3));
                let signed = (field << 43) >> 43;
                let value = match word >> 31 {
                    1 => (at & !0xfff).wrapping_add_signed(signed << 12),
                    _ => at.wrapping_add_signed(signed),
                };
                Self::Address { to, value }
            }
            // add xd, xn, #imm; with a shift of 12 or without.
            _ if word & 0xffc0_0000 == 0x9100_0000 => Self::Add { to, from, offset: imm12 },
            _ if word & 0xffc0_0000 == 0x9140_0000 => Self::Add { to, from, offset: imm12 << 12 },
            // mov xd, xm.
            _ if word & 0xffe0_ffe0 == 0xaa00_03e0 => {
                Self::Move { to, from: ((word >> 16) & 31) as usize }
            }
            // ldr xt, [xn, #imm].
            _ if word & 0xffc0_0000 == 0xf940_0000 => Self::Load { to, from, offset: imm12 * 8 },
            // The low five bits are what most others write; for stores this only forgets more.
            _ => Self::Other { to },
        }
    }
}

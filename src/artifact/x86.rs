//! Control flow of x86 functions (System V psABI: PLT forms, `-fno-plt`, IBT's `.plt.sec`).
//!
//! Separate because decoding is `iced-x86`'s work and this file is all that touches it.

use super::code::{Flow, Target, Walk};
use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register,
};
use std::collections::HashMap;

/// Walks over one function. `got` is what `%ebx` holds in 32-bit position-independent code.
pub(super) fn flow(code: &[u8], address: u64, bits: u32, got: u64, sized: bool) -> Flow {
    let mut walk = Walk::new(address, code.len(), sized);
    let Ok(mut decoder) = Decoder::try_with_ip(bits, code, address, DecoderOptions::NONE) else {
        walk.undecodable();
        return walk.finish();
    };
    let (values, info) = (HashMap::new(), InstructionInfoFactory::new());
    let mut registers = Registers { bits, got, values, info };
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() {
            walk.undecodable();
            break;
        }
        if !step(&mut walk, &mut registers, &instruction) {
            break;
        }
    }
    walk.finish()
}

/// Whether no instruction reads the register of an argument (System V psABI: the first six).
pub(super) fn ignores_argument(code: &[u8], address: u64, number: usize) -> Option<bool> {
    use Register::{R8, R9, RCX, RDI, RDX, RSI};
    let register = *[RDI, RSI, RDX, RCX, R8, R9].get(number)?;
    let mut info = InstructionInfoFactory::new();
    let mut decoder = Decoder::try_with_ip(64, code, address, DecoderOptions::NONE).ok()?;
    while decoder.can_decode() {
        let instruction = decoder.decode();
        let used = info.info(&instruction).used_registers();
        let mut used = used.iter().filter(|used| used.register().full_register() == register);
        if instruction.is_invalid() || used.any(|used| used.access() != OpAccess::Write) {
            return Some(false);
        }
    }
    Some(true)
}

/// One instruction; false if the function ends with it.
fn step(walk: &mut Walk, registers: &mut Registers, instruction: &Instruction) -> bool {
    let next = instruction.next_ip();
    match instruction.flow_control() {
        FlowControl::Next => {
            match instruction.mnemonic() {
                Mnemonic::Endbr64 | Mnemonic::Endbr32 | Mnemonic::Nop => walk.padding(),
                // mold's PLT entries put their number there.
                Mnemonic::Mov
                    if instruction.code() == Code::Mov_r32_imm32
                        && instruction.op0_register() == Register::R11D =>
                {
                    walk.padding()
                }
                _ => match registers.assign(instruction) {
                    Some(target) => walk.load(Some(target)),
                    None => walk.other(),
                },
            }
            return true;
        }
        FlowControl::UnconditionalBranch if is_near(instruction) => {
            return walk.jump(instruction.near_branch_target(), next);
        }
        FlowControl::ConditionalBranch if is_near(instruction) => {
            walk.branch(instruction.near_branch_target());
        }
        FlowControl::IndirectBranch => {
            let target = registers.target(instruction);
            return walk.jump_through(target, instruction.op0_kind() == OpKind::Register, next);
        }
        // System calls are calls to the decoder, but they stay inside.
        FlowControl::Call if !is_near(instruction) => walk.other(),
        FlowControl::Call => {
            walk.call(Some(Target::Code(instruction.near_branch_target())));
            registers.forget_after_call();
        }
        FlowControl::IndirectCall => {
            walk.call(registers.target(instruction));
            registers.forget_after_call();
        }
        FlowControl::Return => return walk.comes_back(next),
        FlowControl::Exception => return walk.end(next),
        FlowControl::Interrupt if instruction.code() == Code::Int3 => return walk.end(next),
        _ => walk.other(),
    }
    true
}

fn is_near(instruction: &Instruction) -> bool {
    matches!(
        instruction.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    )
}

/// What registers are known to hold: an address, or the word at one.
struct Registers {
    bits: u32,
    got: u64,
    values: HashMap<Register, Target>,
    info: InstructionInfoFactory,
}

impl Registers {
    /// Where an indirect call or jump goes.
    fn target(&self, instruction: &Instruction) -> Option<Target> {
        match instruction.op0_kind() {
            OpKind::Register => {
                self.values.get(&instruction.op0_register().full_register()).copied()
            }
            OpKind::Memory => self.slot(instruction).map(Target::Slot),
            _ => None,
        }
    }

    /// The address of a memory operand, where the instruction alone tells it.
    fn slot(&self, instruction: &Instruction) -> Option<u64> {
        if instruction.is_ip_rel_memory_operand() {
            return Some(instruction.ip_rel_memory_address());
        }
        let displacement = instruction.memory_displacement64();
        match (instruction.memory_base(), instruction.memory_index()) {
            _ if !matches!(instruction.segment_prefix(), Register::None | Register::DS) => None,
            (Register::None, Register::None) => Some(displacement),
            (Register::EBX, Register::None) if self.bits == 32 => {
                Some(u64::from((self.got as u32).wrapping_add(displacement as u32)))
            }
            _ => None,
        }
    }

    /// Follows an instruction's writes; the place, if all it does is to load a known one.
    fn assign(&mut self, instruction: &Instruction) -> Option<Target> {
        let known = match instruction.mnemonic() {
            Mnemonic::Mov if instruction.op1_kind() == OpKind::Memory => {
                self.slot(instruction).map(Target::Slot)
            }
            Mnemonic::Lea => self.slot(instruction).map(Target::Code),
            Mnemonic::Mov if instruction.op1_kind() == OpKind::Register => {
                self.values.get(&instruction.op1_register().full_register()).copied()
            }
            _ => None,
        };
        for used in self.info.info(instruction).used_registers() {
            let reads = matches!(used.access(), OpAccess::Read | OpAccess::CondRead);
            if !reads {
                self.values.remove(&used.register().full_register());
            }
        }
        let is_register = instruction.op0_kind() == OpKind::Register;
        let target = known.filter(|_| is_register)?;
        self.values.insert(instruction.op0_register().full_register(), target);
        Some(target)
    }

    /// Only the registers that a function must preserve keep their values over a call.
    fn forget_after_call(&mut self) {
        use Register::{R12, R13, R14, R15, RBP, RBX, RDI, RSI};
        let kept = match self.bits {
            32 => [RBX, RBP, RSI, RDI].as_slice(),
            _ => [RBX, RBP, R12, R13, R14, R15].as_slice(),
        };
        self.values.retain(|register, _| kept.contains(register));
    }
}

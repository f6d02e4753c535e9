//! What a header for C++ does otherwise than a shim in C.

use super::{Binding, Mode, Plan};
use crate::{allocator::Role, diagnostic::Result, operation::Operation};

impl Plan {
    /// The plan of a header for C++.
    ///
    /// Every operator is its own, for C++ throws and catches: a derived form calls its base by the
    /// public name. Nothing is bound directly: the header has no object whose names a linker could
    /// bind, and a compiler inlines what it sees. Hooks are the same in both languages; a program that
    /// carries its heap there has the operators of its own ABI beside them.
    pub fn in_cxx(mut self) -> Plan {
        if self.platform.hooks.is_some() {
            if self.mode == Mode::Static {
                self.carry_operators();
            }
            return self;
        }
        for answer in &mut self.answers {
            let symbol = &answer.symbol;
            let wrapper = self.platform.is_wrapper(symbol);
            if answer.binding == Binding::Left && symbol.operation.is_operator() && !wrapper {
                answer.binding = Binding::Synthesized(Vec::new());
                answer.why = "calls its base by the public name, as the standard's own".to_owned();
                answer.price = None;
            } else {
                answer.jump_where_direct("the contracts agree; a header has no names to bind");
            }
        }
        self
    }

    /// The one spelling of each operator: a compiler of another ABI writes that ABI's for it.
    fn carry_operators(&mut self) {
        let abis = &self.platform.abis;
        for answer in &mut self.answers {
            let symbol = &answer.symbol;
            let of_program = abis.iter().any(|abi| abi.families.contains(&symbol.family));
            if symbol.operation.is_operator() && of_program {
                answer.binding = Binding::Synthesized(Vec::new());
                answer.why = "calls its base by the public name, as the standard's own".to_owned();
                answer.price = None;
            }
        }
    }

    /// Whether operators are the program's own, beside the functions that it carries.
    pub(crate) fn carries_operators(&self) -> bool {
        self.mode == Mode::Static && self.defined().any(|a| a.symbol.operation.is_operator())
    }

    /// Whether `operator delete(void *, size_t)` passes the size on instead of calling its base.
    pub(crate) fn passes_size(&self, operation: Operation) -> bool {
        matches!(operation, Operation::Delete(form) if form.sized && !form.aligned)
            && self.allocator.forward_sized_delete
            && self.allocator.call(Role::FreeSized).is_some()
    }

    /// # Errors
    /// `A8209` if a function bears a name that the shim defines, and would call itself.
    pub(crate) fn refuse_in_cxx(&self) -> Result<()> {
        self.calls_itself().map_or(Ok(()), |mistake| Err(mistake.into()))
    }
}

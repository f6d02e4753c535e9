//! What a header for C++ does otherwise than a shim in C.

use super::{Binding, Plan};
use crate::{
    allocator::Role,
    diagnostic::{Diagnostic, Result},
    operation::Operation,
};

impl Plan {
    /// The plan of a header for C++.
    ///
    /// Every operator is its own, for C++ throws and catches: a derived form calls its base by the
    /// public name. Nothing is bound directly: the header has no object whose names a linker could
    /// bind, and a compiler inlines what it sees.
    pub fn in_cxx(mut self) -> Plan {
        for answer in &mut self.answers {
            let symbol = &answer.symbol;
            let wrapper = self.platform.wrappers.iter().any(|name| name == symbol.spec_name());
            if answer.binding == Binding::Left && symbol.operation.is_operator() && !wrapper {
                answer.binding = Binding::Synthesized(Vec::new());
                answer.why = "calls its base by the public name, as the standard's own".to_owned();
                answer.price = None;
            } else if let Binding::Direct(target) = &answer.binding {
                answer.binding = Binding::Jump(target.clone());
                answer.why = "the contracts agree; a header has no names to bind".to_owned();
                answer.price = Some(1);
            }
        }
        self
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
        let public = |name: &str| self.defined().any(|a| a.symbol.spec_name() == name);
        let Some(own) = self.allocator.symbols().into_iter().find(|name| public(name)) else {
            return Ok(());
        };
        Err(Diagnostic::error("A8209", format!("`{own}` is the allocator's and the shim's"))
            .fact("the shim would call itself")
            .help("rename the archive's functions, or let `alloc8-gen build` make the library from the C shim: it hides their names in a copy")
            .into())
    }
}

//! Blocks of other heaps: what becomes of a pointer that this heap did not hand out, and of the
//! libraries that look past this heap.

use super::{Binding, Guard, Plan, zone};
use crate::{
    allocator::Allocator,
    diagnostic::Diagnostic,
    operation::Effect,
    spec::{Foreign, Platform, Symbol},
};

impl Plan {
    /// The policy. Where blocks of other heaps are a matter of course, they go back to them.
    pub fn foreign(&self) -> Foreign {
        policy(&self.platform, &self.allocator)
    }

    /// Whether libraries that were to look past this heap are made to look into it.
    pub fn drops_deepbind(&self) -> bool {
        self.allocator.drop_deepbind && self.platform.runtime.rtld_deepbind.is_some()
    }

    /// Whoever takes a block looks whose it is first, where that is not taken for granted.
    pub(super) fn respect_foreign(
        &self,
        symbol: &Symbol,
        (binding, why): (Binding, String),
    ) -> (Binding, String) {
        let takes_blocks = matches!(
            symbol.operation.effect(),
            Effect::Frees | Effect::Reallocates | Effect::Inspects
        );
        let foreign = match self.foreign() {
            Foreign::Forward if takes_blocks => {
                self.zoned.map_or("blocks of other heaps go back to them", zone::Zoned::price)
            }
            Foreign::Abort if takes_blocks => "a block of another heap ends the program",
            _ => return (binding, why),
        };
        match binding {
            Binding::Direct(target) | Binding::Jump(target) => {
                (Binding::Guarded(target, vec![Guard::Foreign]), foreign.to_owned())
            }
            Binding::Guarded(target, mut guards) => {
                guards.push(Guard::Foreign);
                (Binding::Guarded(target, guards), format!("{why}; {foreign}"))
            }
            other => (other, why),
        }
    }

    /// `A8203` for a policy that is not the platform's own, where the platform has other heaps
    /// whatever a description says.
    pub(super) fn refuse_foreign(&self) -> Option<Diagnostic> {
        let (own, wanted) = (self.platform.semantics.foreign, self.allocator.foreign?);
        let refused = own == Foreign::Forward && wanted == Foreign::Abort;
        refused.then(|| {
            let title = &self.platform.title;
            let message = format!("blocks of other heaps are a matter of course on {title}");
            self.at_key("foreign", "would end programs", Diagnostic::error("A8203", message))
                .help("write `foreign = \"forward\"`, or leave it out: they go back to the heap that they came from")
        })
    }
}

fn policy(platform: &Platform, allocator: &Allocator) -> Foreign {
    match platform.semantics.foreign {
        Foreign::Forward => Foreign::Forward,
        own => allocator.foreign.unwrap_or(own),
    }
}

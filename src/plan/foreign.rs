//! Blocks of other heaps: what becomes of a pointer that this heap did not hand out, and of the
//! libraries that look past this heap.

use super::{Binding, Guard, Plan, zone};
use crate::{
    allocator::{Allocator, Role},
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

/// The allocator as it is to be measured for public names: where blocks of other heaps are a matter of course,
/// its `owns` decides of them whatever the description says, unless `malloc_size` does.
pub fn decided(platform: &Platform, mut allocator: Allocator) -> Allocator {
    let own = platform.semantics.foreign == Foreign::Forward;
    let by_size = platform.zone.is_some() && allocator.call(Role::MallocSize).is_some();
    // That the program ends is refused by itself.
    if own && !by_size && allocator.foreign != Some(Foreign::Abort) {
        allocator.foreign = Some(Foreign::Forward);
    }
    allocator
}

fn policy(platform: &Platform, allocator: &Allocator) -> Foreign {
    match platform.semantics.foreign {
        Foreign::Forward => Foreign::Forward,
        own => allocator.foreign.unwrap_or(own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        allocator::{Origin, read},
        diagnostic::Source,
        spec::platform,
    };

    #[test]
    fn what_owns_says_is_relied_on_where_other_heaps_are_a_matter_of_course() {
        let of = |on: &str, more: &str| {
            let text = "malloc = \"x_malloc\"\nfree = \"x_free\"\nmemalign = \"x_memalign\"\n\
                malloc_usable_size = \"x_size\"\nowns = \"bool x_owns(ptr)\"\n";
            let source = Source::new("x.toml", format!("{text}{more}"));
            let allocator = read(&source, "x", Origin::Convention).unwrap();
            decided(&platform(on).unwrap(), allocator).foreign
        };
        let size = "malloc_size = \"x_tells\"\n";
        for on in ["macos", "windows"] {
            assert_eq!(of(on, ""), Some(Foreign::Forward), "{on}");
            assert_eq!(of(on, "foreign = \"trust\"\n"), Some(Foreign::Forward), "{on}");
            assert_eq!(of(on, "foreign = \"abort\"\n"), Some(Foreign::Abort), "{on}");
        }
        assert_eq!(of("macos", size), None);
        assert_eq!(of("windows", size), Some(Foreign::Forward));
        assert_eq!(of("linux", ""), None);
    }
}

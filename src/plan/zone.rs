//! Heaps that are zones: who tells whose a block is, whether the zone is registered, and whether typed
//! calls come here too.

use super::{Binding, Mode, Plan};
use crate::{
    allocator::{Allocator, Role},
    diagnostic::{Diagnostic, Report, Result},
    spec::{Platform, Symbol},
};

/// Who tells whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// The allocator, of each live block exactly (`malloc_size`).
    Size,
    /// The allocator, of its regions (`owns`): inner addresses and freed blocks have a size too.
    Owns,
    /// The system: what none of its zones has is the allocator's.
    System,
}

/// How a heap is made known where there are zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zoned {
    /// Who tells whose an address is.
    pub tells: Tells,
    /// Whether the zone is registered and stands first: fork then goes through it, and else through
    /// functions of the shim.
    pub registered: bool,
}

impl Zoned {
    /// `None` where there are no zones.
    pub(super) fn of(platform: &Platform, allocator: &Allocator) -> Option<Zoned> {
        platform.zone.as_ref()?;
        let has = |role| allocator.call(role).is_some();
        let tells = match () {
            () if has(Role::MallocSize) => Tells::Size,
            () if has(Role::Owns) => Tells::Owns,
            () => Tells::System,
        };
        // The system asks every zone, and would ask ours, which asks the system.
        Some(Zoned { tells, registered: allocator.zone && tells != Tells::System })
    }

    /// In words, for who asks about a symbol that takes blocks.
    pub(super) fn price(self) -> &'static str {
        match self.tells {
            Tells::Size | Tells::Owns => "blocks of other zones go back to them",
            Tells::System => "the system is asked of every block, a walk through its zones",
        }
    }
}

impl Plan {
    /// Symbols that are taken over only where the description asks for them.
    pub(super) fn leave_group(&self, symbol: &Symbol) -> Option<(Binding, String)> {
        let name = symbol.group.as_deref()?;
        let group = self.platform.groups.iter().find(|group| group.name == name)?;
        let left = group.optional && !self.allocator.typed;
        left.then(|| (Binding::Left, format!("{}; `{name} = \"all\"` does", group.why)))
    }

    /// The plan of a zone that a program carries: it stands first, and the platform's own functions, which
    /// nobody replaces in a program, take from it.
    pub(super) fn zone_in_program(mut self) -> Result<Plan> {
        if self.zoned.is_none_or(|zoned| !zoned.registered) {
            let message =
                "a program carries its heap as the first of its zones, and this heap is none";
            return Err(Diagnostic::error("A8256", message)
                .fact(format!("in `{}`", self.allocator.source.name))
                .help("name `malloc_size`, which answers 0 for all but live blocks, or `owns`, and leave out `zone = false`")
                .into());
        }
        for answer in &mut self.answers {
            answer.binding = Binding::Left;
            answer.why = "the system's own takes from the zone that stands first".to_owned();
            answer.price = None;
        }
        self.mode = Mode::Static;
        Ok(self)
    }

    /// What a zone cannot do without, and what the user should know of this one.
    pub(super) fn judge_zone(&self, report: &mut Report) {
        let Some(zoned) = self.zoned else { return };
        let (name, title) = (&self.allocator.name, &self.platform.title);
        let has = |role| self.allocator.call(role).is_some();
        if !has(Role::UsableSize) && !has(Role::MallocSize) {
            let message = format!("`{name}` does not tell how large its blocks are");
            report.push(
                self.at_key("malloc", "no size beside it", Diagnostic::error("A8254", message))
                    .fact(format!("on {title} each zone tells it of its blocks, and by that whose they are"))
                    .help("name `malloc_usable_size = \"NAME_malloc_usable_size\"`, or `malloc_size`, which answers 0 for all but its live blocks"),
            );
        }
        if zoned.tells == Tells::System {
            let message =
                format!("`{name}` does not tell whose a block is: the system is asked of each");
            report.push(
                self.at_key("malloc", "neither `owns` nor `malloc_size` beside it", Diagnostic::warning("A8255", message))
                    .fact("free, realloc and malloc_size walk through the system's zones; the heap is no zone of its own")
                    .fact("an address that is no block at all is taken for one of the heap")
                    .help("name `malloc_size`, which answers 0 for all but live blocks, or `owns`"),
            );
        }
    }
}

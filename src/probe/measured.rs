//! What was measured, in a form that can be kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    allocator::{Allocator, Limit, Promise, Role},
    spec::ReallocZero,
};

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// It holds; the text is the value for a description (`true`, `16`, `"any"`).
    Held(String),
    /// It does not.
    Broken {
        /// What was seen.
        observed: String,
    },
    /// Nobody knows.
    Untested {
        /// Why.
        why: String,
    },
}

impl Measured {
    /// Whether it holds.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    /// Whether it was seen broken.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }

    fn broken(observed: impl Into<String>) -> Self {
        Self::Broken { observed: observed.into() }
    }

    fn untested(why: &str) -> Self {
        Self::Untested { why: why.to_owned() }
    }
}

/// How far something holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Up to here; 0 is not at all.
    pub value: u64,
    /// What was seen beyond; `None` if nothing was wrong.
    pub beyond: Option<String>,
    /// Why it was not tested.
    pub untested: Option<String>,
}

impl Reach {
    fn covers(&self, stated: u64) -> Measured {
        match (&self.untested, &self.beyond) {
            (Some(why), _) => Measured::untested(why),
            _ if stated <= self.value => Measured::Held(self.value.to_string()),
            (_, Some(observed)) => Measured::broken(observed),
            _ => Measured::broken(format!("it was seen up to {} only", self.value)),
        }
    }
}

/// A request that was refused without ENOMEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The function, by its standard name.
    pub function: String,
    /// How many bytes.
    pub size: u64,
    /// At which alignment; 1 if there was none.
    pub alignment: u64,
    /// Why it had to be refused.
    pub cause: Cause,
    /// What `errno` was; 0 if it was left alone.
    pub errno: i32,
}

/// Why a request had to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its size.
    Size,
    /// Its alignment.
    Alignment,
    /// The product of its sizes.
    Overflow,
    /// Memory had run out.
    Exhausted,
}

/// What became of children that were forked while other threads allocated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkTally {
    /// How many were forked; the count stops after four failures.
    pub forks: u64,
    /// How many hung.
    pub hung: u64,
    /// How many crashed.
    pub crashed: u64,
    /// What else went wrong: the parent hung, say.
    pub trouble: Option<String>,
    /// Why it was not tested.
    pub untested: Option<String>,
}

impl ForkTally {
    /// In words; `None` if all was well.
    pub fn observed(&self) -> Option<String> {
        if let Some(trouble) = &self.trouble {
            return Some(trouble.clone());
        }
        let parts: Vec<_> = [(self.hung, "hung"), (self.crashed, "crashed")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let all = self.forks;
        (!parts.is_empty()).then(|| format!("of {all} forked children {}", parts.join(" and ")))
    }
}

/// All that was measured of one archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurements {
    /// How long the target's addresses are.
    pub pointer_bits: u32,
    /// Promises that are kept or not, by their keys.
    pub(super) simple: BTreeMap<String, Measured>,
    /// Requests by size: what was wrong with the answer, if anything.
    pub sizes: BTreeMap<u64, Option<String>>,
    /// Why larger ones were not asked for.
    pub sizes_untested: Option<String>,
    /// The least alignment of blocks of 16 bytes and more.
    pub min_align: Reach,
    /// The largest alignment up to which all are served.
    pub max_align: Reach,
    /// The largest power of two up to which blocks are aligned at their size.
    pub natural_align: Reach,
    /// Refusals that did not say ENOMEM.
    pub refusals: Vec<Refusal>,
    /// Whether it survives when memory runs out.
    pub exhaustion: Measured,
    /// Children of a program with threads.
    pub fork: ForkTally,
    /// Threads that do not run `thread_init`.
    pub threads_plain: Measured,
    /// Threads that do.
    pub threads_ready: Measured,
    /// Whether `owns` tells the truth.
    pub owns: Measured,
    /// Broken contracts that no guard can mend: the key that a description names the function by,
    /// and what was seen.
    pub problems: Vec<(String, String)>,
}

/// Alignments up to this are served by an allocator that leaves none out.
const ORDINARY_ALIGNMENT: u64 = 16 << 20;

impl Measurements {
    /// Whether a promise could be made, as far as this description goes: what its shim refuses by
    /// itself is not held against the allocator.
    pub fn promise(&self, promise: Promise, allocator: &Allocator) -> Measured {
        let stated = &allocator.promises;
        match promise {
            Promise::Errno => self.errno(allocator),
            Promise::MaxSize => match stated.max_size {
                Limit::Bytes(bytes) => self.sizes_up_to(bytes),
                _ => self.any_size(),
            },
            Promise::MinAlign => self.min_align.covers(stated.min_align.max(16)),
            Promise::MaxAlign => match stated.max_align {
                Limit::Bytes(bytes) => self.max_align.covers(bytes),
                _ => self.any_alignment(),
            },
            Promise::NaturalAlign => self.natural_align.covers(stated.natural_align.max(16)),
            Promise::Fork => match (&self.fork.untested, self.fork.observed()) {
                (Some(why), _) => Measured::untested(why),
                (None, Some(observed)) => Measured::broken(observed),
                (None, None) => Measured::Held("\"own\"".to_owned()),
            },
            _ => {
                let found = self.simple.get(promise.key()).cloned();
                found.unwrap_or_else(|| Measured::untested("no case measures it"))
            }
        }
    }

    /// The largest size that may be promised: `None` if that is any.
    pub fn size_limit(&self) -> Option<u64> {
        if self.any_size().is_held() {
            return None;
        }
        let good = self.sizes.iter().take_while(|(_, wrong)| wrong.is_none());
        Some(good.map(|(size, _)| *size).filter(|size| size.is_power_of_two()).last().unwrap_or(0))
    }

    /// What was wrong with the smallest request that was answered wrongly.
    pub fn first_wrong(&self) -> Option<&String> {
        self.first_wrong_size(u64::MAX)
    }

    /// Whether all is well up to where a shim refuses requests when nothing is stated.
    pub fn default_size_holds(&self) -> bool {
        self.first_wrong_size(self.default_size()).is_none()
    }

    /// What `realloc(p, 0)` does, if it always does the same.
    pub fn realloc_zero(&self) -> Option<ReallocZero> {
        match self.simple.get(Promise::ReallocZero.key()) {
            Some(Measured::Held(value)) if value == "\"free\"" => Some(ReallocZero::Free),
            Some(Measured::Held(_)) => Some(ReallocZero::Live),
            _ => None,
        }
    }

    /// Takes broken contracts back, by key: the description does without these functions.
    pub(crate) fn forget_problems(&mut self, gone: impl Fn(&str) -> bool) {
        self.problems.retain(|(key, _)| !gone(key));
        if gone(Role::Owns.key()) {
            self.owns = Measured::untested("the description has no owns");
        }
    }

    /// Without a limit, the shim refuses what no object can be, with room for headers.
    fn default_size(&self) -> u64 {
        (u64::MAX >> (65 - self.pointer_bits)) - 65536
    }

    fn any_size(&self) -> Measured {
        match (self.first_wrong_size(u64::MAX), &self.sizes_untested) {
            (Some(wrong), _) => Measured::broken(wrong),
            (None, Some(why)) => Measured::untested(why),
            _ if self.sizes.is_empty() => Measured::untested("no size was tested"),
            _ => Measured::Held("\"any\"".to_owned()),
        }
    }

    fn sizes_up_to(&self, limit: u64) -> Measured {
        let asked = self.sizes.keys().last().is_some_and(|largest| limit <= *largest);
        match (self.first_wrong_size(limit), &self.sizes_untested) {
            (Some(wrong), _) => Measured::broken(wrong),
            (None, Some(why)) if !asked => Measured::untested(why),
            _ => Measured::Held(limit.to_string()),
        }
    }

    fn first_wrong_size(&self, limit: u64) -> Option<&String> {
        self.sizes.range(..=limit).find_map(|(_, wrong)| wrong.as_ref())
    }

    fn any_alignment(&self) -> Measured {
        let reach = &self.max_align;
        match (&reach.untested, &reach.beyond) {
            (Some(why), _) => Measured::untested(why),
            (None, Some(observed)) => Measured::broken(observed),
            (None, None) if reach.value < ORDINARY_ALIGNMENT => Measured::broken(format!(
                "alignments above {} are refused, ordinary ones too",
                reach.value
            )),
            (None, None) => Measured::Held("\"any\"".to_owned()),
        }
    }

    fn errno(&self, allocator: &Allocator) -> Measured {
        let passes = |limit: Limit, value: u64, guarded: u64, kept: bool| match limit {
            _ if kept => true,
            Limit::Bytes(bytes) => value <= bytes,
            _ => value <= guarded,
        };
        let reaches = |refusal: &&Refusal| {
            let sized = passes(
                allocator.promises.max_size,
                refusal.size,
                self.default_size(),
                allocator.keeps(Promise::MaxSize),
            );
            let aligned = passes(
                allocator.promises.max_align,
                refusal.alignment,
                u64::MAX,
                allocator.keeps(Promise::MaxAlign),
            );
            let overflow = refusal.cause == Cause::Overflow;
            sized && aligned && (!overflow || allocator.keeps(Promise::CallocOverflow))
        };
        match self.refusals.iter().find(reaches) {
            Some(refusal) => Measured::broken(refusal.to_string()),
            None => Measured::Held("true".to_owned()),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Refusal { function, size, alignment, errno, .. } = self;
        match self.cause {
            Cause::Size if *alignment > 1 => write!(f, "{function}({alignment}, {size})")?,
            Cause::Size => write!(f, "{function}({size})")?,
            Cause::Alignment => write!(f, "{function}({alignment}, {size})")?,
            Cause::Overflow => write!(f, "{function} of a product that overflows")?,
            Cause::Exhausted => write!(f, "{function}({size}) when memory ran out")?,
        }
        write!(f, " returned NULL and left errno {errno}, expected ENOMEM")
    }
}

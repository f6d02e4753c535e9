//! What code of an image reaches from some of its functions: calls are followed, pointers are not.

use std::collections::BTreeSet;

use super::Darwin;
use crate::artifact::{
    Machine, arm64,
    code::{Flow, Target},
    x86,
};

/// How many functions are looked at: allocators have some hundred.
const MOST: usize = 4096;
/// How much code is read of a function whose end nobody states.
const LIMIT: usize = 1 << 14;

/// What is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Functions of the image, by address.
    pub functions: BTreeSet<u64>,
    /// A thread-local variable is touched, by this function.
    pub thread_local: Option<u64>,
    /// Something is called through a pointer that the image does not hold.
    pub calls_back: bool,
}

impl Darwin<'_> {
    /// Follows calls and jumps from these functions.
    #[must_use]
    pub fn reach(&self, from: impl IntoIterator<Item = u64>) -> Reach {
        let mut reach = Reach::default();
        let mut open: Vec<u64> = from.into_iter().collect();
        while let Some(address) = open.pop() {
            if reach.functions.len() >= MOST || !reach.functions.insert(address) {
                continue;
            }
            let Some(flow) = self.flow(address) else { continue };
            reach.calls_back |= flow.indirect;
            let mut used = flow.loads.iter().chain(&flow.targets);
            let descriptor = |target: &Target| {
                let at = match target {
                    Target::Code(at) => *at,
                    Target::Slot(at) => self.pointer(*at).unwrap_or(*at),
                };
                self.section(at).is_some_and(|section| section.thread_local)
            };
            if reach.thread_local.is_none() && used.any(descriptor) {
                reach.thread_local = Some(address);
            }
            let called = flow.targets.iter().filter_map(|target| match target {
                Target::Code(to) => Some(*to),
                Target::Slot(at) => self.pointer(*at),
            });
            open.extend(called.filter(|to| self.is_code(*to)));
        }
        reach
    }

    /// Whether the function at an address never reads one of its first arguments (from 0), which are
    /// pointers or numbers; `None` where that cannot be told, as of one that hands them on.
    #[must_use]
    pub fn ignores_argument(&self, address: u64, number: usize) -> Option<bool> {
        let (code, whole) = self.code(address)?;
        let hands_on = !self.flow(address)?.targets.is_empty();
        match self.machine()? {
            _ if !whole || hands_on => None,
            Machine::X86_64 => x86::ignores_argument(code, address, number),
            Machine::Aarch64 => arm64::ignores_argument(code, number),
            _ => None,
        }
    }

    /// The function's code, and whether that is all of it: what lies between two beginnings.
    fn code(&self, address: u64) -> Option<(&[u8], bool)> {
        let code = self.bytes(address).filter(|_| self.is_code(address))?;
        let next = self.starts.partition_point(|start| *start <= address);
        let end = self.starts.get(next).and_then(|end| usize::try_from(end - address).ok());
        let is_start = self.starts.binary_search(&address).is_ok();
        let last = is_start && next == self.starts.len() && code.len() < LIMIT;
        let code = &code[..end.unwrap_or(LIMIT).min(code.len())];
        Some((code, last || (is_start && end.is_some())))
    }

    fn flow(&self, address: u64) -> Option<Flow> {
        let (code, whole) = self.code(address)?;
        match self.machine()? {
            Machine::X86_64 => Some(x86::flow(code, address, 64, 0, whole)),
            Machine::Aarch64 => Some(arm64::flow(code, address, whole)),
            _ => None,
        }
    }
}

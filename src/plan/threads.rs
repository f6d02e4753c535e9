//! What the shim does when threads are created, begin and end.
//!
//! Two ways lead to `thread_init`. Where each call looks whether its thread is ready, the first call
//! runs it, whoever made the thread. Where no call looks, the functions that create threads are taken
//! over and run it in the new thread; threads that the C library makes for itself never run it. On Darwin
//! a hook of the system's runs it in every new thread, and on Windows the loader tells each module of them.
//! `thread_cleanup` is the destructor of a key both times, but where the loader tells of ends too. Inside a
//! program, and beside the system's malloc, nothing stands before the functions that create threads: there
//! each call looks, but where the loader tells modules of every kind.

use super::{Binding, Plan};
use crate::{
    allocator::{Allocator, Role},
    operation::{Effect, Operation},
    spec::Platform,
};

/// What the shim does about threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Each call looks whether its thread, and the heap, are ready.
    pub lazy: bool,
    /// What is told of new threads runs `thread_init` in them: the functions that create threads, or the
    /// system's hook.
    pub hooked: bool,
    /// Threads run `thread_cleanup` when they end.
    pub cleanup: bool,
    /// The allocator's flag is set before there may be a second thread.
    pub created: bool,
    /// The shim stands before those functions, and its constructor before who calls them. Where it does
    /// not, the first call makes the key and sets the flag.
    pub told: bool,
}

impl Threads {
    /// `None` if there is nothing to do.
    pub(super) fn of(
        platform: &Platform,
        allocator: &Allocator,
        ready: bool,
        told: bool,
    ) -> Option<Threads> {
        let has = |role| allocator.call(role).is_some();
        let known = starts_threads(platform);
        let threads = Threads {
            lazy: ready,
            hooked: known && !ready && (has(Role::ThreadInit) || has(Role::ThreadCleanup)),
            cleanup: known && has(Role::ThreadCleanup),
            created: known && told && allocator.thread_created.is_some(),
            told,
        };
        (threads.lazy || threads.hooked || threads.created).then_some(threads)
    }

    /// Whether a thread may come back after its cleanup, and each call looks out for that.
    pub fn late(self) -> bool {
        self.lazy && self.cleanup
    }
}

/// Whether the platform says which functions create threads, or which one tells of them.
pub(super) fn starts_threads(platform: &Platform) -> bool {
    platform.runtime.thread_hook.is_some()
        || platform.hooks.as_ref().is_some_and(|hooks| hooks.threads.is_some())
        || platform.symbols.iter().any(|s| s.operation.effect() == Effect::StartsThread)
}

impl Plan {
    /// The same plan where nobody tells of new threads: if the allocator minds them, each call looks
    /// whether its thread is ready.
    pub(super) fn without_creators(self) -> Plan {
        match self.threads {
            Some(_) if self.platform.hooks.is_none() => {
                Plan::draw(&self.platform, &self.allocator, false)
            }
            _ => self,
        }
    }

    /// How a function that creates threads is answered.
    pub(super) fn bind_creator(&self, operation: Operation) -> (Binding, String) {
        let kept = self.allocator.keep.iter().any(|name| *name == operation.name());
        let why = match self.threads {
            _ if kept => "the archive takes it over itself",
            Some(Threads { hooked: true, created: true, .. }) => {
                "the new thread begins with the heap's hooks; the heap is told before the first"
            }
            Some(Threads { hooked: true, .. }) => "the new thread begins with the heap's hooks",
            Some(Threads { created: true, .. }) => "the heap is told before the first thread",
            Some(_) => "each call looks whether its thread is ready",
            None => "no hooks for threads",
        };
        let told = self.threads.is_some_and(|t| t.hooked || t.created) && !kept;
        let binding = if told { Binding::Synthesized(Vec::new()) } else { Binding::Left };
        (binding, why.to_owned())
    }
}

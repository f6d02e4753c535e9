//! Who answers: the functions of an allocator's static library and what they promise.
//!
//! `description` reads `NAME.toml`, `convention` stands in where there is none, `promise` is the
//! vocabulary of promises and `call` that of argument orders.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    diagnostic::Source,
    prototype::Prototype,
    spec::{Foreign, Platform},
};

pub mod call;
mod convention;
mod description;
mod promise;
mod raw;
mod require;
#[cfg(test)]
mod schema;
mod values;

pub use call::Call;
pub(crate) use convention::fork_evidence;
pub use convention::{convention, optional_flag, optional_names};
pub use description::{built_in, built_in_names, read, read_file};
pub use promise::{Limit, Promise, Promises};
#[cfg(test)]
pub(crate) use schema::description_schema;
pub use values::is_name;

macro_rules! roles {
    ($($variant:ident $key:literal $proto:literal $meaning:literal;)*) => {
        /// What a function of the allocator is for; the key under which a description names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role {
            $(#[doc = $meaning] $variant,)*
        }

        impl Role {
            /// In the order of a description.
            pub const ALL: &[Role] = &[$(Role::$variant),*];

            /// The key in a description.
            pub fn key(self) -> &'static str {
                match self { $(Role::$variant => $key),* }
            }

            /// The standard arguments and result.
            pub fn prototype(self) -> Prototype {
                let text = match self { $(Role::$variant => $proto),* };
                Prototype::parse(text).expect("the roles' own prototypes are tested")
            }

            /// What it does.
            pub fn meaning(self) -> &'static str {
                match self { $(Role::$variant => $meaning),* }
            }
        }
    };
}

roles! {
    Malloc "malloc" "void *malloc(size_t size)" "allocates";
    Free "free" "void free(void *ptr)" "frees";
    Calloc "calloc" "void *calloc(size_t nmemb, size_t size)" "allocates zeroed memory";
    Realloc "realloc" "void *realloc(void *ptr, size_t size)" "resizes a block";
    Memalign "memalign" "void *memalign(size_t alignment, size_t size)"
        "allocates at a power of two";
    UsableSize "malloc_usable_size" "size_t malloc_usable_size(void *ptr)"
        "tells how much of a block may be used";
    FreeSized "free_sized" "void free_sized(void *ptr, size_t size)"
        "frees a block of known size";
    FreeAlignedSized "free_aligned_sized"
        "void free_aligned_sized(void *ptr, size_t alignment, size_t size)"
        "frees a block of known alignment and size";
    GoodSize "malloc_good_size" "size_t malloc_good_size(size_t size)"
        "tells the usable size that a request would get";
    Owns "owns" "int owns(const void *ptr)" "tells whether a block is this allocator's";
    MallocSize "malloc_size" "size_t malloc_size(const void *ptr)"
        "tells the size of the live block that begins at an address, 0 for every other address";
    Enumerator "enumerator"
        "kern_return_t enumerator(task_t task, void *context, unsigned type_mask, vm_address_t zone_address, memory_reader_t reader, vm_range_recorder_t recorder)"
        "tells each live block of a process, this one or another";
    MallocTrim "malloc_trim" "int malloc_trim(size_t pad)" "returns free memory to the system";
    MallocStats "malloc_stats" "void malloc_stats(void)" "writes statistics to standard error";
    Init "init" "void init(void)" "must run once, before anything else";
    ThreadInit "thread_init" "void thread_init(void)" "must run first in each thread";
    ThreadCleanup "thread_cleanup" "void thread_cleanup(void)" "runs when a thread ends";
    Lock "malloc_lock" "void malloc_lock(void)" "stops the heap before fork";
    Unlock "malloc_unlock" "void malloc_unlock(void)" "releases the heap in the parent after fork";
    Reinit "malloc_reinit" "void malloc_reinit(void)" "releases the heap in the child after fork";
}

/// Whether threads must have run `thread_init` before they allocate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThreadPolicy {
    /// It is good for speed, and nothing breaks without it.
    #[default]
    Advisory,
    /// An allocation without it crashes: the shim checks on every call.
    Required,
}

/// Where a description came from: decides how markers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `specs/allocators/NAME.toml`, embedded.
    BuiltIn,
    /// The user's file.
    File(std::path::PathBuf),
    /// The naming convention, for lack of a file.
    Convention,
}

/// How an installed static library is found when no `--lib` is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// File names to ask the C compiler's library path for, in order of preference.
    pub libraries: Vec<String>,
    /// A pkg-config module whose `libdir` has the archive.
    pub pkg_config: Option<String>,
    /// What to type to install it.
    pub install: Option<String>,
}

/// An allocator.
#[derive(Debug, Clone)]
pub struct Allocator {
    /// `mimalloc`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Where this came from.
    pub origin: Origin,
    /// The text, for diagnostics.
    pub source: Arc<Source>,
    /// The Rust type whose methods the functions are; `None`: they are C functions of an archive.
    pub rust: Option<String>,
    /// The C++ file whose heap class answers for the functions, relative to the description; `None`:
    /// they are C functions of an archive.
    pub cpp: Option<String>,
    /// The functions that it has.
    pub functions: BTreeMap<Role, Call>,
    /// Static libraries, in link order; relative to the description.
    pub archives: Vec<String>,
    /// System libraries to link after them, without `-l`.
    pub libs: Vec<String>,
    /// An embedded C source to build the archive from.
    pub embedded: Option<String>,
    /// How to find an installed archive.
    pub installed: Installed,
    /// Names that the archive takes over itself; left visible.
    pub keep: Vec<String>,
    /// API to keep visible beside the interposed names.
    pub export: Vec<String>,
    /// What the functions keep.
    pub promises: Promises,
    /// Guards that the user does without.
    pub waived: BTreeSet<Promise>,
    /// Foreign pointers; absent: the platform's default.
    pub foreign: Option<Foreign>,
    /// Whether `dlopen` drops RTLD_DEEPBIND.
    pub drop_deepbind: bool,
    /// Whether the heap is made known to the platform as a zone, where there are zones.
    pub zone: bool,
    /// Whether the platform's typed functions are taken over too, where there are any.
    pub typed: bool,
    /// Whether sized deletes hand the size to `free_sized`.
    pub forward_sized_delete: bool,
    /// Whether `thread_init` must run before a thread allocates.
    pub thread_policy: ThreadPolicy,
    /// A variable, `volatile int`, that is 1 from when the first thread is created.
    pub thread_created: Option<String>,
    /// An environment variable: a path prefix, at which the allocator writes counters at exit.
    pub counters: Option<String>,
    /// Functions that no public name can be bound to, because the archive hides them from linkers:
    /// known only to a build, which has seen the archive.
    pub indirect: BTreeSet<String>,
    /// Why this description was rendered but never built; `None` if it was.
    pub not_built: Option<String>,
}

impl Allocator {
    /// The call that plays a role.
    pub fn call(&self, role: Role) -> Option<&Call> {
        self.functions.get(&role)
    }

    /// The allocator as a platform calls it: what zones alone ask for, libraries for other platforms lack, and what goes
    /// around fork, those for Windows.
    #[must_use]
    pub fn on(&self, platform: &Platform) -> Allocator {
        let mut allocator = self.clone();
        allocator.functions.retain(|role, _| match role {
            Role::MallocSize | Role::Enumerator => platform.zone.is_some(),
            Role::Lock | Role::Unlock | Role::Reinit => platform.hooks.is_none(),
            _ => true,
        });
        allocator
    }

    /// The symbol that plays a role with the standard arguments.
    pub fn standard_symbol(&self, role: Role) -> Option<&str> {
        self.call(role).filter(|c| c.is_standard(&role.prototype())).map(|c| c.symbol.as_str())
    }

    /// Whether it wants to know when threads are created, begin or end.
    pub fn minds_threads(&self) -> bool {
        let hook = |role| self.call(role).is_some();
        hook(Role::ThreadInit) || hook(Role::ThreadCleanup) || self.thread_created.is_some()
    }

    /// The same without these promises and waivers.
    #[must_use]
    pub fn without(&self, promises: &[Promise]) -> Allocator {
        let mut allocator = self.clone();
        promises.iter().for_each(|promise| allocator.promises.forget(*promise));
        allocator.waived.retain(|promise| !promises.contains(promise));
        allocator
    }

    /// Whether the shim may do without the guard: promised, or waived by the user.
    pub fn keeps(&self, promise: Promise) -> bool {
        self.promises.has(promise) || self.waived.contains(&promise)
    }

    /// The language of the shims that this allocator can have where none is asked for.
    pub fn lang(&self) -> &'static str {
        match (&self.rust, &self.cpp) {
            (Some(_), _) => "rust",
            (None, Some(_)) => "cpp",
            (None, None) => "c",
        }
    }

    /// Every function of the archive that is called, and its variable, each once, in a stable order.
    pub fn symbols(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.functions.values().map(|c| c.symbol.as_str()).collect();
        names.extend(self.thread_created.as_deref());
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_prototype() {
        for role in Role::ALL {
            assert!(!role.prototype().name.is_empty());
        }
    }
}

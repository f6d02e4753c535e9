//! Promises: what an allocator's functions keep by themselves, so that the shim need not.
//!
//! Absent means not promised, and then the shim guards. Each can be measured by `probe`.

use crate::spec::ReallocZero;

/// A limit that a function has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limit {
    /// Not promised.
    #[default]
    Unknown,
    /// Up to this many bytes.
    Bytes(u64),
    /// The function itself refuses what it cannot serve, with NULL.
    Any,
}

macro_rules! promises {
    ($($variant:ident $key:literal $meaning:literal;)*) => {
        /// One promise; also the name of the guard that stands in for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Promise {
            $(#[doc = $meaning] $variant,)*
        }

        impl Promise {
            /// In the order of a description.
            pub const ALL: &[Promise] = &[$(Promise::$variant),*];

            /// The key in `[promises]` and in `waive`.
            pub fn key(self) -> &'static str {
                match self { $(Promise::$variant => $key),* }
            }

            /// What it says.
            pub fn meaning(self) -> &'static str {
                match self { $(Promise::$variant => $meaning),* }
            }

            /// The promise of that name.
            pub fn named(key: &str) -> Option<Promise> {
                Promise::ALL.iter().copied().find(|p| p.key() == key)
            }
        }
    };
}

promises! {
    Errno "errno" "NULL always comes with errno = ENOMEM";
    FreeNull "free_null" "free(NULL) is silent and safe";
    FreeErrno "free_errno" "free keeps errno, also when it unmaps";
    ZeroSize "zero_size" "a request of no bytes gives a unique block";
    MaxSize "max_size" "the largest request that may be passed on; \"any\": the rest is refused with NULL";
    MinAlign "min_align" "alignment of every block of at least 16 bytes";
    MaxAlign "max_align" "the largest alignment that is served; \"any\": the rest is refused with NULL";
    NaturalAlign "natural_align" "a block of 2^k bytes is aligned at 2^k, up to this";
    AlignmentEinval "alignment_einval" "memalign serves every power of two from 1 and refuses the rest with NULL and EINVAL";
    CallocOverflow "calloc_overflow" "calloc refuses a product that overflows with NULL";
    ReallocNull "realloc_null" "realloc(NULL, n) is malloc(n)";
    ReallocZero "realloc_zero" "what realloc(p, 0) does: \"free\" (frees, NULL) or \"live\" (a live block)";
    UsableSizeNull "usable_size_null" "malloc_usable_size(NULL) is 0";
    Fork "fork" "\"own\": the archive survives fork by itself";
}

/// The promises of one allocator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promises {
    /// [`Promise::Errno`].
    pub errno: bool,
    /// [`Promise::FreeNull`].
    pub free_null: bool,
    /// [`Promise::FreeErrno`].
    pub free_errno: bool,
    /// [`Promise::ZeroSize`].
    pub zero_size: bool,
    /// [`Promise::MaxSize`].
    pub max_size: Limit,
    /// [`Promise::MinAlign`], bytes; 0 is not promised.
    pub min_align: u64,
    /// [`Promise::MaxAlign`].
    pub max_align: Limit,
    /// [`Promise::NaturalAlign`], bytes; 0 is not promised.
    pub natural_align: u64,
    /// [`Promise::AlignmentEinval`].
    pub alignment_einval: bool,
    /// [`Promise::CallocOverflow`].
    pub calloc_overflow: bool,
    /// [`Promise::ReallocNull`].
    pub realloc_null: bool,
    /// [`Promise::ReallocZero`].
    pub realloc_zero: Option<ReallocZero>,
    /// [`Promise::UsableSizeNull`].
    pub usable_size_null: bool,
    /// [`Promise::Fork`].
    pub fork_own: bool,
}

impl Promises {
    /// Makes it a promise that is not made.
    pub(super) fn forget(&mut self, promise: Promise) {
        match promise {
            Promise::Errno => self.errno = false,
            Promise::FreeNull => self.free_null = false,
            Promise::FreeErrno => self.free_errno = false,
            Promise::ZeroSize => self.zero_size = false,
            Promise::MaxSize => self.max_size = Limit::Unknown,
            Promise::MinAlign => self.min_align = 0,
            Promise::MaxAlign => self.max_align = Limit::Unknown,
            Promise::NaturalAlign => self.natural_align = 0,
            Promise::AlignmentEinval => self.alignment_einval = false,
            Promise::CallocOverflow => self.calloc_overflow = false,
            Promise::ReallocNull => self.realloc_null = false,
            Promise::ReallocZero => self.realloc_zero = None,
            Promise::UsableSizeNull => self.usable_size_null = false,
            Promise::Fork => self.fork_own = false,
        }
    }

    /// Whether a promise is made in full: limits count when they are "any", an alignment when it
    /// is the ABI's 16.
    pub fn has(&self, promise: Promise) -> bool {
        match promise {
            Promise::Errno => self.errno,
            Promise::FreeNull => self.free_null,
            Promise::FreeErrno => self.free_errno,
            Promise::ZeroSize => self.zero_size,
            Promise::MaxSize => self.max_size == Limit::Any,
            Promise::MinAlign => self.min_align >= 16,
            Promise::MaxAlign => self.max_align == Limit::Any,
            Promise::NaturalAlign => self.natural_align > 0,
            Promise::AlignmentEinval => self.alignment_einval,
            Promise::CallocOverflow => self.calloc_overflow,
            Promise::ReallocNull => self.realloc_null,
            Promise::ReallocZero => self.realloc_zero.is_some(),
            Promise::UsableSizeNull => self.usable_size_null,
            Promise::Fork => self.fork_own,
        }
    }
}

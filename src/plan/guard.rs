//! What the shim adds around an allocator's function because it is not promised, and what that costs.

use crate::{
    allocator::{Allocator, Limit, Promise, Role},
    spec::{Platform, ReallocZero},
};

/// Something that the shim checks because the allocator does not promise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// A promise that was not made.
    Missing(Promise),
    /// The thread must have run `thread_init`, the program `init`.
    Ready,
    /// The platform serves odd alignments by rounding them up.
    RoundUp,
    /// The platform refuses sizes that are no multiple of the alignment.
    Multiple,
    /// The block may be another heap's.
    Foreign,
    /// NULL is told to the C library whose function was hooked.
    Library,
    /// `operator new` must look at the result: NULL asks the new-handler.
    Throw,
}

impl Guard {
    /// The name in plans: a promise's key, or `ready`, `round_up`, `multiple`,
    /// `foreign`, `library`, `throw`.
    pub fn name(self) -> &'static str {
        match self {
            Guard::Missing(promise) => promise.key(),
            Guard::Ready => "ready",
            Guard::RoundUp => "round_up",
            Guard::Multiple => "multiple",
            Guard::Foreign => "foreign",
            Guard::Library => "library",
            Guard::Throw => "throw",
        }
    }
}

/// What the wrapper of a function must add.
pub(super) fn guards(
    platform: &Platform,
    allocator: &Allocator,
    role: Role,
    ready: bool,
) -> Vec<Guard> {
    let wanted: &[Promise] = match role {
        Role::Malloc => &[Promise::MaxSize, Promise::ZeroSize, Promise::MinAlign, Promise::Errno],
        Role::Calloc => &[
            Promise::CallocOverflow,
            Promise::MaxSize,
            Promise::ZeroSize,
            Promise::MinAlign,
            Promise::Errno,
        ],
        Role::Realloc => &[
            Promise::ReallocNull,
            Promise::ReallocZero,
            Promise::MaxSize,
            Promise::MinAlign,
            Promise::Errno,
        ],
        Role::Memalign => &[
            Promise::AlignmentEinval,
            Promise::MaxAlign,
            Promise::MaxSize,
            Promise::ZeroSize,
            Promise::Errno,
        ],
        Role::Free | Role::FreeSized | Role::FreeAlignedSized => {
            &[Promise::FreeNull, Promise::FreeErrno]
        }
        Role::UsableSize => &[Promise::UsableSizeNull],
        _ => &[],
    };
    let mut guards = Vec::new();
    let touches_heap = !wanted.is_empty();
    if ready && touches_heap {
        guards.push(Guard::Ready);
    }
    for promise in wanted {
        let kept = match promise {
            // A shim that looks at the result must not take the NULL of a freed block for a failure.
            Promise::ReallocZero if !allocator.waived.contains(promise) => {
                allocator.promises.realloc_zero == Some(platform.semantics.realloc_zero)
                    && (allocator.keeps(Promise::Errno)
                        || platform.semantics.realloc_zero == ReallocZero::Live)
            }
            // What is promised of free(NULL) says nothing of a NULL with a size: jemalloc keeps it,
            // and hands it out again.
            Promise::FreeNull if role != Role::Free => allocator.waived.contains(promise),
            _ => allocator.keeps(*promise),
        };
        if !kept {
            guards.push(Guard::Missing(*promise));
        }
    }
    // realloc(NULL, 0) and a live realloc(p, 0) are requests of no bytes.
    if role == Role::Realloc
        && platform.semantics.realloc_zero == ReallocZero::Live
        && !allocator.keeps(Promise::ZeroSize)
    {
        guards.push(Guard::Missing(Promise::ZeroSize));
    }
    guards
}

/// The largest request that is passed on, as C; `None` if all are.
pub fn max_size(allocator: &Allocator) -> Option<String> {
    if allocator.keeps(Promise::MaxSize) {
        return None;
    }
    Some(match allocator.promises.max_size {
        Limit::Bytes(bytes) => format!("(size_t){bytes}"),
        // Leaves room for headers and rounding: nothing that an allocator adds can wrap.
        _ => "(size_t)PTRDIFF_MAX - 65536".to_owned(),
    })
}

/// The largest alignment that is passed on, in bytes; `None` if all are. Without a memalign it is the
/// largest that `malloc` has by itself.
pub fn max_align(allocator: &Allocator) -> Option<u64> {
    match allocator.promises.max_align {
        _ if allocator.keeps(Promise::MaxAlign) => None,
        Limit::Bytes(bytes) => Some(bytes),
        _ if allocator.call(Role::Memalign).is_none() => Some(allocator.promises.natural_align),
        _ => None,
    }
}

/// Whether memalign itself answers a bad alignment with EINVAL: where a guard looks for NULL to set
/// ENOMEM, it would write over it.
pub fn refuses_alignments(allocator: &Allocator) -> bool {
    allocator.keeps(Promise::AlignmentEinval) && allocator.keeps(Promise::Errno)
}

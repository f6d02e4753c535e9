//! What callers of a platform may rely on.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `realloc(p, 0)` does with a live block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReallocZero {
    /// Frees it and returns NULL.
    Free,
    /// Returns a live block of no bytes.
    Live,
}

/// What an alignment that is no power of two does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OddAlignment {
    /// NULL and EINVAL.
    Einval,
    /// Served with the next power of two.
    RoundUp,
}

/// Which sizes `aligned_alloc` serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlignedSize {
    /// Every size (C23).
    Any,
    /// Multiples of the alignment (C11); the rest is NULL and EINVAL.
    Multiple,
}

/// What becomes of a pointer that this heap did not hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// There are none.
    Trust,
    /// It goes to the heap that it came from.
    Forward,
    /// The program ends with a message.
    Abort,
}

/// What callers of a platform may rely on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Semantics {
    /// `realloc(p, 0)`.
    pub realloc_zero: ReallocZero,
    /// `aligned_alloc` with an odd alignment.
    pub aligned_alloc: OddAlignment,
    /// `aligned_alloc` with a size that is no multiple of the alignment.
    pub aligned_alloc_size: AlignedSize,
    /// Whether `aligned_alloc` also refuses alignments below that of a pointer.
    #[serde(default)]
    pub aligned_alloc_pointer: bool,
    /// Whether a failed `posix_memalign` leaves errno as it was, whatever the heap set it to.
    #[serde(default)]
    pub posix_memalign_keeps_errno: bool,
    /// `memalign` with an odd alignment.
    pub memalign: OddAlignment,
    /// The default policy for foreign pointers.
    pub foreign: Foreign,
}

//! The TOML of a description, as serde reads it.
//!
//! The keys are flat: `toml` places mistakes only in plain structs.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, Value};

#[cfg(test)]
use super::schema::{DeepBind, ForkPolicy, Limit, Promise, Readiness, SizedDelete, Typed};
#[cfg(test)]
use crate::spec::{Foreign, ReallocZero};

pub(super) type Text = Option<Spanned<String>>;

/// A description of an allocator: `NAME.toml`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Description"))]
pub(super) struct Raw {
    /// The version of the format: 1.
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    pub(super) schema: Option<Spanned<u32>>,
    /// The allocator's name; left out: the file's.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) name: Text,
    /// For people.
    pub(super) title: Option<String>,
    /// The static library, or several in link order, relative to this file.
    #[serde(default)]
    pub(super) archive: OneOrMany,
    /// System libraries to link after it, without `lib` and the suffix.
    #[serde(default)]
    pub(super) libs: Vec<String>,
    /// A folder of sources that the tool itself carries: built-in descriptions alone.
    pub(super) source: Option<String>,
    /// File names under which distributions install it.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Its pkg-config module.
    pub(super) pkg_config: Option<String>,
    /// The line that installs it.
    pub(super) install: Option<String>,
    /// Why the tool never builds it.
    pub(super) not_built: Option<String>,
    /// A function `void f(size_t *allocations, size_t *frees)` by which the heap tells what it did.
    pub(super) counters: Option<String>,
    /// Names that the archive interposes by itself, and that stay visible.
    #[serde(default)]
    pub(super) keep: Vec<String>,
    /// API that stays visible.
    #[serde(default)]
    pub(super) export: Vec<String>,
    /// The path of a Rust type, such as `crate::Heap`: the functions below are then methods of the
    /// trait that `--lang rust` renders, and the type implements it.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) rust: Text,
    /// The C++ file that has a heap class answer for the functions below: it includes `redirect.hpp`,
    /// which `--lang cpp` renders, and says `ALLOC8_REDIRECT(CLASS);`. Relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) cpp: Text,
    /// `(size)`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc: Text,
    /// `(ptr)`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) free: Text,
    /// `(nmemb, size)`; left out: malloc and memset.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) calloc: Text,
    /// `(ptr, size)`; left out: malloc, copy and free.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) realloc: Text,
    /// `(alignment, size)`; left out: what `natural_align` promises.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) memalign: Text,
    /// `(ptr)`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_usable_size: Text,
    /// `(ptr, size)`; left out: free.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) free_sized: Text,
    /// `(ptr, alignment, size)`; left out: free.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) free_aligned_sized: Text,
    /// `(size)`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_good_size: Text,
    /// `(ptr)`, with the type of the answer: `bool f(ptr)`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) owns: Text,
    /// `(ptr)`, with 0 for whatever is not the start of a live block: for Darwin's zones.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_size: Text,
    /// `(task, context, type_mask, zone_address, reader, recorder)`, as malloc_introspection_t has it on
    /// Darwin; `slide` is how far the library lies in the task from where it lies here.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) enumerator: Text,
    /// `(pad)`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_trim: Text,
    /// `()`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_stats: Text,
    /// `()`, before the first call.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) init: Text,
    /// `()`, before a thread's first call.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) thread_init: Text,
    /// `()`, at a thread's end.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) thread_cleanup: Text,
    /// `()`, before fork.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_lock: Text,
    /// `()`, after fork in the parent.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_unlock: Text,
    /// `()`, after fork in the child.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) malloc_reinit: Text,
    /// A variable, `volatile int`, that is set to 1 before the first thread is created.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) thread_created: Text,
    /// `required`: every call looks whether its thread is ready.
    #[cfg_attr(test, schemars(with = "Option<Readiness>"))]
    pub(super) thread_policy: Text,
    /// What becomes of a pointer that this heap did not hand out.
    #[cfg_attr(test, schemars(with = "Option<Foreign>"))]
    pub(super) foreign: Text,
    /// Whether `dlopen` drops RTLD_DEEPBIND, with which libraries look past this heap.
    #[cfg_attr(test, schemars(with = "Option<DeepBind>"))]
    pub(super) deepbind: Text,
    /// Whether the heap is registered as a zone on Darwin; left out: it is.
    pub(super) zone: Option<bool>,
    /// Whether Darwin's typed functions are taken over too.
    #[cfg_attr(test, schemars(with = "Option<Typed>"))]
    pub(super) typed: Text,
    /// `forward`: sized delete hands the size on.
    #[cfg_attr(test, schemars(with = "Option<SizedDelete>"))]
    pub(super) sized_delete: Text,
    /// What the functions promise beyond handing out blocks; absent: not promised, so the shim guards.
    #[serde(default)]
    pub(super) promises: RawPromises,
    /// Guards that this user does without.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<Promise>"))]
    pub(super) waive: Vec<Spanned<String>>,
}

/// `archive = "a"` or `archive = ["a", "b"]`.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged, expecting = "expected a path, or a list of paths")]
pub(super) enum OneOrMany {
    #[default]
    #[cfg_attr(test, schemars(skip))]
    None,
    One(String),
    Many(Vec<String>),
}

/// What an allocator promises.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Promises"))]
pub(super) struct RawPromises {
    /// NULL always comes with errno = ENOMEM.
    #[serde(default)]
    pub(super) errno: bool,
    /// `free(NULL)` does nothing.
    #[serde(default)]
    pub(super) free_null: bool,
    /// free keeps errno, also when it unmaps.
    #[serde(default)]
    pub(super) free_errno: bool,
    /// A request of no bytes gives a unique block.
    #[serde(default)]
    pub(super) zero_size: bool,
    /// The largest request that may be passed on, or `any`.
    #[cfg_attr(test, schemars(with = "Option<Limit>"))]
    pub(super) max_size: Option<Spanned<Value>>,
    /// The alignment of every block of at least 16 bytes.
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    pub(super) min_align: Option<Spanned<u64>>,
    /// The largest alignment that is served, or `any`.
    #[cfg_attr(test, schemars(with = "Option<Limit>"))]
    pub(super) max_align: Option<Spanned<Value>>,
    /// A block of 2^k bytes is aligned at 2^k, up to this.
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    pub(super) natural_align: Option<Spanned<u64>>,
    /// memalign serves every power of two and refuses the rest with NULL and EINVAL.
    #[serde(default)]
    pub(super) alignment_einval: bool,
    /// calloc refuses a product that overflows.
    #[serde(default)]
    pub(super) calloc_overflow: bool,
    /// `realloc(NULL, size)` is `malloc(size)`.
    #[serde(default)]
    pub(super) realloc_null: bool,
    /// What `realloc(p, 0)` does.
    #[cfg_attr(test, schemars(with = "Option<ReallocZero>"))]
    pub(super) realloc_zero: Text,
    /// The usable size of NULL is 0.
    #[serde(default)]
    pub(super) usable_size_null: bool,
    /// `own`: the archive survives fork by itself.
    #[cfg_attr(test, schemars(with = "Option<ForkPolicy>"))]
    pub(super) fork: Text,
}

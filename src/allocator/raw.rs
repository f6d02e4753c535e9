//! The TOML of a description, as serde reads it.

use serde::Deserialize;
use toml::{Spanned, Value};

pub(super) type Text = Option<Spanned<String>>;

/// The keys, flat: `toml` places mistakes only in plain structs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) schema: Option<Spanned<u32>>,
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) archive: OneOrMany,
    #[serde(default)]
    pub(super) libs: Vec<String>,
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    pub(super) pkg_config: Option<String>,
    pub(super) install: Option<String>,
    pub(super) not_built: Option<String>,
    pub(super) counters: Option<String>,
    #[serde(default)]
    pub(super) keep: Vec<String>,
    #[serde(default)]
    pub(super) export: Vec<String>,
    pub(super) malloc: Text,
    pub(super) free: Text,
    pub(super) calloc: Text,
    pub(super) realloc: Text,
    pub(super) memalign: Text,
    pub(super) malloc_usable_size: Text,
    pub(super) free_sized: Text,
    pub(super) free_aligned_sized: Text,
    pub(super) malloc_good_size: Text,
    pub(super) owns: Text,
    pub(super) malloc_trim: Text,
    pub(super) malloc_stats: Text,
    pub(super) init: Text,
    pub(super) thread_init: Text,
    pub(super) thread_cleanup: Text,
    pub(super) malloc_lock: Text,
    pub(super) malloc_unlock: Text,
    pub(super) malloc_reinit: Text,
    pub(super) thread_policy: Text,
    pub(super) foreign: Text,
    pub(super) sized_delete: Text,
    #[serde(default)]
    pub(super) promises: RawPromises,
    #[serde(default)]
    pub(super) waive: Vec<Spanned<String>>,
}

/// `archive = "a"` or `archive = ["a", "b"]`.
#[derive(Deserialize, Default)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPromises {
    #[serde(default)]
    pub(super) errno: bool,
    #[serde(default)]
    pub(super) free_null: bool,
    #[serde(default)]
    pub(super) free_errno: bool,
    #[serde(default)]
    pub(super) zero_size: bool,
    pub(super) max_size: Option<Spanned<Value>>,
    pub(super) min_align: Option<Spanned<u64>>,
    pub(super) max_align: Option<Spanned<Value>>,
    pub(super) natural_align: Option<Spanned<u64>>,
    #[serde(default)]
    pub(super) alignment_einval: bool,
    #[serde(default)]
    pub(super) calloc_overflow: bool,
    #[serde(default)]
    pub(super) realloc_null: bool,
    pub(super) realloc_zero: Text,
    #[serde(default)]
    pub(super) usable_size_null: bool,
    pub(super) fork: Text,
}

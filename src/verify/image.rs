//! What a Mach-O or PE file has to do with the names that programs allocate and free through.
//!
//! Facts without a judgement: whether such a file takes effect is decided by interpose tuples,
//! zones and patched code, which this version does not read.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    artifact::{
        Image,
        image::{ImageFormat, ImageKind},
    },
    spec::Platform,
};

/// How a name appears in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "use", rename_all = "snake_case")]
pub enum NameUse {
    /// Offered to others.
    Exported {
        /// The other library's function that answers, if it is not this file's own.
        forward: Option<String>,
    },
    /// Taken from a library; `None` if the loader looks for it elsewhere.
    Imported {
        /// The library that must have it.
        library: Option<String>,
    },
}

/// A name that the platform's programs allocate or free through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NameFound {
    /// The name as C spells it.
    pub symbol: String,
    /// How it appears.
    #[serde(flatten)]
    pub how: NameUse,
}

/// The names of a platform; without one, those of all platforms that there are.
pub fn names_of(platform: Option<&Platform>, all: &[Platform]) -> BTreeSet<String> {
    let some = platform.map_or(all, std::slice::from_ref);
    some.iter().flat_map(|p| p.abis.iter().flat_map(|abi| p.names(abi))).collect()
}

/// Which of these names an image exports or imports, in the names' order.
pub fn names_in(image: &Image, names: &BTreeSet<String>) -> Vec<NameFound> {
    let exported = image.exports.iter().map(|export| NameFound {
        symbol: export.name.clone(),
        how: NameUse::Exported { forward: export.forward.clone() },
    });
    let imported = image.imports.iter().map(|import| NameFound {
        symbol: import.name.clone(),
        how: NameUse::Imported { library: import.library.clone() },
    });
    let mut found: Vec<_> =
        exported.chain(imported).filter(|found| names.contains(&found.symbol)).collect();
    found.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    found
}

/// What it is, in words: `Mach-O library for x86-64, 64 bits`.
pub fn what(image: &Image) -> String {
    let format = match image.format {
        ImageFormat::MachO => "Mach-O",
        ImageFormat::Pe => "Windows",
    };
    let kind = match image.kind {
        ImageKind::Library => "library",
        ImageKind::Program => "program",
        ImageKind::Bundle => "bundle",
        ImageKind::Other => "file",
    };
    let bits = image.class.pointer_size() * 8;
    match (image.variant, image.machine) {
        (Some(variant), _) => format!("{format} {kind} for {variant}, {bits} bits"),
        (None, Some(machine)) => format!("{format} {kind} for {machine}, {bits} bits"),
        (None, None) => format!("{format} {kind} for an unknown machine, {bits} bits"),
    }
}

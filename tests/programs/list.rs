//! `tests/programs/programs.toml`, read.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    pub(crate) env: BTreeMap<String, String>,
    ignore: Vec<Ignore>,
    program: Vec<Program>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) needs: Vec<String>,
    pub(crate) debian: Vec<String>,
    pub(crate) job: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) processes: Vec<String>,
    pub(crate) minimum: u64,
    #[serde(default)]
    pub(crate) all_allocators: bool,
    #[serde(default)]
    ignore: Vec<Ignore>,
}

/// A binding that legitimately goes elsewhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Ignore {
    /// The address of a function, taken by a program that is not position-independent.
    PltAddress {
        #[allow(dead_code, reason = "for the reader")]
        reason: String,
    },
    /// The program replaces functions itself.
    OwnDefinition {
        definer: String,
        symbols: Vec<String>,
        #[allow(dead_code, reason = "for the reader")]
        reason: String,
    },
}

impl List {
    pub(crate) fn read() -> List {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/programs.toml");
        let text = std::fs::read_to_string(&path).expect("programs.toml");
        let mut list: List = toml::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
        for program in &mut list.program {
            program.ignore.extend(list.ignore.iter().cloned());
        }
        list
    }

    pub(crate) fn programs(&self) -> &[Program] {
        &self.program
    }
}

/// One reference that is not bound to the interposer.
pub(crate) struct Elsewhere<'a> {
    pub(crate) symbol: &'a str,
    /// Whether the program itself is bound to.
    pub(crate) to_program: bool,
    /// Whether the program's own jump for this symbol leads to the interposer.
    pub(crate) program_reaches_us: bool,
    /// The base name of the file that is bound to.
    pub(crate) definer: String,
}

impl Program {
    pub(crate) fn excuses(&self, reference: &Elsewhere<'_>) -> bool {
        self.ignore.iter().any(|ignore| match ignore {
            Ignore::PltAddress { .. } => reference.to_program && reference.program_reaches_us,
            Ignore::OwnDefinition { definer, symbols, .. } => {
                *definer == reference.definer && symbols.iter().any(|s| s == reference.symbol)
            }
        })
    }
}

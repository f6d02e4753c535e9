//! What changes names inside a platform.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What changes names inside a platform.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Abi {
    /// `lp64`.
    pub name: String,
    /// How `size_t` is mangled: `m`, `j` or `y` in the Itanium C++ ABI.
    pub size_t: String,
    /// How `size_t` is mangled in Microsoft's C++ ABI: `_K` or `I`.
    #[serde(default)]
    pub msvc_size_t: String,
    /// What marks a 64-bit pointer in Microsoft's C++ ABI: `E`, or nothing.
    #[serde(default)]
    pub msvc_ptr64: String,
    /// What compilers put before a C name in an object file: `_` on Darwin and 32-bit Windows.
    #[serde(default)]
    pub symbol_prefix: String,
    /// Families that this ABI has beside the platform's.
    #[serde(default)]
    pub families: Vec<String>,
    /// Width of a pointer, in bits.
    pub pointer_bits: u32,
    /// What the C preprocessor says when it compiles for it.
    pub condition: String,
    /// First parts of target triples.
    pub machines: Vec<String>,
    /// Last parts of target triples: `linux-gnu`.
    pub environments: Vec<String>,
}

impl Abi {
    /// Whether a target triple, such as `x86_64-unknown-linux-gnu` or `aarch64-linux-android29`, is
    /// of this ABI.
    pub fn has(&self, triple: &str) -> bool {
        let Some((machine, rest)) = triple.split_once('-') else { return false };
        let unversioned = rest.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        self.machines.iter().any(|m| m == machine)
            && self.environments.iter().any(|e| {
                [rest, unversioned].iter().any(|r| r == e || r.ends_with(&format!("-{e}")))
            })
    }

    /// A name of a spec, as this ABI spells it.
    pub fn spell(&self, name: &str) -> String {
        if !name.contains('{') {
            return name.to_owned();
        }
        name.replace("{size_t}", &self.size_t)
            .replace("{msvc_size_t}", &self.msvc_size_t)
            .replace("{msvc_ptr64}", &self.msvc_ptr64)
    }
}

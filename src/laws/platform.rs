//! What a platform's description says to its laws: which of them it has, and the header that the
//! others ask where platforms differ.

use serde::Deserialize;
use serde_json::json;

use super::suite;
use crate::{
    diagnostic::Result,
    spec::{AlignedSize, Constructors, OddAlignment, Platform, ReallocZero, Reason},
};

/// The header's name.
pub(super) const HEADER: &str = "platform.h";

/// Where a law is one: everything that is said must be so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// What the platform's semantics say.
    pub semantics: Option<TermsOfSemantics>,
    /// Names that one of its ABIs has.
    pub symbols: Vec<String>,
    /// Functions of its C library that allocate through the public malloc family.
    pub reaches_malloc: Vec<String>,
    /// When a preloaded library's constructors run.
    pub constructors: Option<Constructors>,
    /// Whether its program calls nothing but what C and C++ have everywhere, or the platform's own functions: the
    /// others are for systems with POSIX.
    pub standard: bool,
}

/// `[semantics]` of a platform, of which a law names some.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TermsOfSemantics {
    /// `realloc(p, 0)`.
    pub realloc_zero: Option<ReallocZero>,
    /// `aligned_alloc` with an odd alignment.
    pub aligned_alloc: Option<OddAlignment>,
    /// `aligned_alloc` with a size that is no multiple of the alignment.
    pub aligned_alloc_size: Option<AlignedSize>,
    /// `memalign` with an odd alignment.
    pub memalign: Option<OddAlignment>,
}

fn agrees<T: PartialEq>(term: &Option<T>, fact: &T) -> bool {
    term.as_ref().is_none_or(|term| term == fact)
}

impl Terms {
    /// Whether all of them are so.
    pub fn hold_on(&self, platform: &Platform) -> bool {
        let facts = &platform.semantics;
        let semantics = self.semantics.as_ref().is_none_or(|terms| {
            agrees(&terms.realloc_zero, &facts.realloc_zero)
                && agrees(&terms.aligned_alloc, &facts.aligned_alloc)
                && agrees(&terms.aligned_alloc_size, &facts.aligned_alloc_size)
                && agrees(&terms.memalign, &facts.memalign)
        });
        let reaches = |name: &String| reaching(platform).any(|other| other == name);
        semantics
            && (self.standard || platform.runtime.posix)
            && agrees(&self.constructors, &platform.runtime.constructors)
            && self.symbols.iter().all(|name| platform.symbol(name).is_some())
            && self.reaches_malloc.iter().all(reaches)
    }
}

fn reaching(platform: &Platform) -> impl Iterator<Item = &str> {
    let through =
        |omission: &&crate::spec::Omission| omission.reason == Reason::ReachesPublicMalloc;
    platform.omissions.iter().filter(through).map(|omission| omission.name.as_str())
}

/// The text of the header.
///
/// # Errors
/// `A8999` if its template is wrong.
pub(super) fn header(platform: &Platform) -> Result<String> {
    let symbols: Vec<_> = platform
        .symbols
        .iter()
        .filter(|symbol| !symbol.varies() && !symbol.spec_name().starts_with("_Z"))
        // Programs see such a name as that of another function.
        .filter(|symbol| !symbol.spec_name().contains(['$', '?']))
        .map(|symbol| {
            let has = platform.abis.iter().filter(|abi| symbol.is_in(abi));
            let conditions: Vec<_> = has.map(|abi| abi.condition.as_str()).collect();
            let everywhere = conditions.len() == platform.abis.len();
            json!({
                "name": symbol.spec_name().to_uppercase(),
                "conditions": if everywhere { Vec::new() } else { conditions },
            })
        })
        .collect();
    let mut reaches: Vec<_> = reaching(platform).map(str::to_uppercase).collect();
    reaches.sort();
    let semantics = &platform.semantics;
    let yes = |holds: bool| u8::from(holds);
    suite::render(
        HEADER,
        &json!({
            "title": platform.title,
            "headers": platform.runtime.headers,
            "realloc_zero_frees": yes(semantics.realloc_zero == ReallocZero::Free),
            "aligned_alloc_rounds_up": yes(semantics.aligned_alloc == OddAlignment::RoundUp),
            "memalign_rounds_up": yes(semantics.memalign == OddAlignment::RoundUp),
            "aligned_alloc_takes_any_size": yes(semantics.aligned_alloc_size == AlignedSize::Any),
            "aligned_alloc_pointer": semantics.aligned_alloc_pointer,
            "symbols": symbols,
            "reaches": reaches,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{laws::laws, spec};

    #[test]
    fn each_platform_has_the_laws_that_its_description_asks_for() {
        let cases: [(&str, &[&str], &[&str]); 5] = [
            (
                "linux",
                &[
                    "realloc_to_zero_frees",
                    "memalign_rounds_the_alignment_up",
                    "aligned_alloc_takes_any_size",
                    "fork_handlers_registered_first_may_allocate",
                    "libc_aliases_share_the_heap",
                    "programs_may_bring_their_own_malloc",
                ],
                &["realloc_to_zero_keeps_a_block"],
            ),
            (
                "linux-musl",
                &["realloc_to_zero_keeps_a_block", "aligned_alloc_takes_any_size"],
                &[
                    "realloc_to_zero_frees",
                    "memalign_rounds_the_alignment_up",
                    "valloc_and_pvalloc_give_pages",
                    "fork_handlers_registered_first_may_allocate",
                ],
            ),
            (
                "android",
                &["realloc_to_zero_frees", "memalign_rounds_the_alignment_up"],
                &["aligned_alloc_takes_any_size", "mallinfo_is_believable"],
            ),
            (
                "freebsd",
                &["realloc_to_zero_keeps_a_block", "malloc_usable_size_covers_the_request"],
                &["memalign_rounds_the_alignment_up", "pvalloc_overflow_fails"],
            ),
            ("netbsd", &["every_alignment_holds"], &["malloc_usable_size_covers_the_request"]),
        ];
        for (platform, has, lacks) in cases {
            let laws = laws(&spec::platform(platform).unwrap()).unwrap();
            let there = |name: &&&str| laws.iter().any(|law| law.name == **name);
            assert_eq!(has.iter().filter(there).count(), has.len(), "{platform}");
            assert_eq!(lacks.iter().find(there), None, "{platform}");
        }
    }

    #[test]
    fn the_header_says_what_the_description_says() {
        let text = |name: &str| header(&spec::platform(name).unwrap()).unwrap();
        let linux = text("linux");
        for line in [
            "#include <malloc.h>",
            "#define PLATFORM_REALLOC_ZERO_FREES 1",
            "#define PLATFORM_MEMALIGN_ROUNDS_UP 1",
            "#define PLATFORM_ALIGNED_ALLOC_TAKES_ANY_SIZE 1",
            "#define PLATFORM_HAS_PVALLOC 1",
            "#define PLATFORM_REACHES_STRDUP 1",
        ] {
            assert!(linux.lines().any(|l| l == line), "{line}\n{linux}");
        }
        let android = text("android");
        let only_32 = "#if __SIZEOF_SIZE_T__ == 4\n#define PLATFORM_HAS_PVALLOC 1\n#endif\n";
        assert!(android.contains(only_32), "{android}");
        assert!(android.contains("_TAKES_ANY_SIZE 0\n") && !android.contains("_ZN"), "{android}");
        assert!(text("freebsd").contains("#include <malloc_np.h>\n"));
        assert!(!text("netbsd").contains("PLATFORM_HAS_MEMALIGN"));
    }
}

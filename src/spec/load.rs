//! Which texts make a platform: the built-in ones, each read once, or those of a caller.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, OnceLock},
};

use toml::Spanned;

use super::{Platform, entry::Family, join::join, lint, raw};
use crate::{
    diagnostic::{Diagnostic, Report, Result, Source, nearest},
    embedded, parallel, toml_text,
};

/// The version of the format that this code reads.
const SCHEMA: u32 = 1;
const FAMILIES: &str = "specs/families/";
const PLATFORMS: &str = "specs/platforms/";

/// The families that are at hand, by name.
#[derive(Default)]
pub(super) struct Families<'a> {
    /// Those that were read without a mistake.
    pub(super) read: BTreeMap<&'a str, &'a Family>,
    /// What a platform may name.
    pub(super) known: Vec<&'a str>,
}

/// What a text gave, and what is wrong with it.
type Read = (Option<Family>, Report);

/// The names of all platforms, sorted.
pub fn platform_names() -> Vec<String> {
    let mut names: Vec<_> = stems(PLATFORMS).map(str::to_owned).collect();
    names.sort();
    names
}

/// The names of a folder's TOML files.
fn stems(folder: &str) -> impl Iterator<Item = &'static str> {
    embedded::names(folder).filter_map(|file| file.strip_suffix(".toml"))
}

/// One built-in platform.
///
/// Only the families that it names are read. What its facts owe each other is a matter of the specs
/// alone: it is judged in debug builds, tests among them, and taken for granted in others.
///
/// # Errors
/// `A8003` if there is none of that name; else what is wrong with the built-in specs.
pub fn platform(name: &str) -> Result<Platform> {
    let names = platform_names();
    if !names.iter().any(|n| n == name) {
        let known = names.join("`, `");
        let near = nearest(name, names.iter().map(String::as_str));
        let help =
            near.map_or(format!("known platforms: `{known}`"), |n| format!("did you mean `{n}`?"));
        return Err(Diagnostic::error("A8003", format!("unknown platform `{name}`"))
            .help(help)
            .into());
    }
    let (source, raw) = read(name)?;
    resolve(&source, &raw)
}

/// The built-in platform that has an ABI for a target triple; `None` if there is none.
///
/// # Errors
/// As [`platform`].
pub fn platform_of(triple: &str) -> Result<Option<Platform>> {
    for name in platform_names() {
        let (source, raw) = read(&name)?;
        if raw.abi.iter().any(|abi| abi.get_ref().has(triple)) {
            return resolve(&source, &raw).map(Some);
        }
    }
    Ok(None)
}

fn read(name: &str) -> Result<(Arc<Source>, raw::Platform)> {
    let source = built_in(PLATFORMS, name);
    let raw = toml_text::read(&source)?;
    Ok((source, raw))
}

fn resolve(source: &Arc<Source>, raw: &raw::Platform) -> Result<Platform> {
    let mut report = Report::default();
    let mut families = Families { known: BUILT_IN.keys().copied().collect(), ..Default::default() };
    for name in raw.named_families() {
        let Some((name, family)) = BUILT_IN.get_key_value(name) else { continue };
        let (family, mistakes) = family.get_or_init(|| read_family(built_in(FAMILIES, name)));
        report.diagnostics.extend(mistakes.diagnostics.iter().cloned());
        families.read.extend(family.iter().map(|family| (*name, family)));
    }
    finish((source, raw), &families, report, cfg!(debug_assertions))
}

/// Platforms share families: each is read when the first platform names it.
static BUILT_IN: LazyLock<BTreeMap<&str, OnceLock<Read>>> =
    LazyLock::new(|| stems(FAMILIES).map(|name| (name, OnceLock::new())).collect());

fn built_in(folder: &str, name: &str) -> Arc<Source> {
    let path = format!("{folder}{name}.toml");
    let text = embedded::text(&path).unwrap_or_default();
    Source::new(path, text)
}

/// All built-in platforms.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn platforms() -> Result<Vec<Platform>> {
    parallel::each(platform_names(), |name| platform(&name)).into_iter().collect()
}

/// A platform from texts: `source` is the platform's file, `families` are all families' files.
///
/// # Errors
/// Everything that is wrong with any of the texts (`A8001` to `A8022`).
pub fn platform_from(source: &Arc<Source>, families: &[Arc<Source>]) -> Result<Platform> {
    let mut report = Report::default();
    let mut read = Vec::new();
    for source in families {
        let (family, mistakes) = read_family(Arc::clone(source));
        report.diagnostics.extend(mistakes.diagnostics);
        read.extend(family);
    }
    let read: BTreeMap<_, _> = read.iter().map(|family| (family.1.name.as_str(), family)).collect();
    let families = Families { known: read.keys().copied().collect(), read };
    match toml_text::read::<raw::Platform>(source) {
        Ok(raw) => finish((source, &raw), &families, report, true),
        Err(mistakes) => {
            report.diagnostics.extend(mistakes.diagnostics);
            Err(report)
        }
    }
}

fn finish(
    (source, raw): (&Arc<Source>, &raw::Platform),
    families: &Families<'_>,
    mut report: Report,
    judged: bool,
) -> Result<Platform> {
    check_schema(source, &raw.schema, &mut report);
    let joined = join(source, raw, families, &mut report);
    // What one mistake took away would look like ten more.
    if judged && !report.has_errors() {
        lint::check(source, raw, &joined, &mut report);
    }
    report.finish(joined).map(|(platform, _)| platform)
}

fn read_family(source: Arc<Source>) -> Read {
    match toml_text::read::<raw::Family>(&source) {
        Ok(family) => {
            let mut report = Report::default();
            check_schema(&source, &family.schema, &mut report);
            (Some((source, family)), report)
        }
        Err(mistakes) => (None, mistakes),
    }
}

fn check_schema(source: &Arc<Source>, schema: &Spanned<u32>, report: &mut Report) {
    if *schema.get_ref() != SCHEMA {
        report.push(
            Diagnostic::error("A8004", format!("schema {} is not known", schema.get_ref()))
                .at(source, schema.span(), format!("this version reads schema {SCHEMA}"))
                .help("use a newer alloc8-gen, or write the file in the older format"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_platform_loads_without_a_mistake() {
        let families: Vec<_> = stems(FAMILIES).map(|name| built_in(FAMILIES, name)).collect();
        for name in platform_names() {
            if let Err(report) = platform_from(&built_in(PLATFORMS, &name), &families) {
                panic!("{name}: {report}");
            }
        }
    }

    #[test]
    fn a_family_bears_the_name_of_its_file() {
        for name in stems(FAMILIES) {
            let (family, _) = read_family(built_in(FAMILIES, name));
            assert_eq!(family.expect("without a mistake").1.name, name);
        }
    }

    #[test]
    fn a_platform_s_reason_rules_over_its_family_s() {
        let family = "schema = 1\nname = \"f\"\ntitle = \"F\"\n[[symbol]]\nname = \"free\"\n\
            proto = \"void free(void *ptr)\"\nop = \"free\"\nwhy = \"everywhere\"\nref = \"r\"\n";
        let linux = embedded::text("specs/platforms/linux.toml").unwrap();
        let from = linux.find("[[abi]]").unwrap();
        let to = linux.find("[base]").unwrap();
        let head =
            "schema = 1\nname = \"p\"\ntitle = \"P\"\nmechanism = \"elf\"\nfamilies = [\"f\"]\n";
        let read = |table: &str| {
            let text = format!("{head}{}{table}", &linux[from..to]);
            let families = [Source::new("f.toml", family)];
            platform_from(&Source::new("p.toml", text), &families)
        };
        let why = |table: &str| read(table).unwrap().symbols[0].why.clone().unwrap();
        assert_eq!(why(""), "everywhere");
        assert_eq!(why("[why]\nfree = \"here\"\n"), "here");
        let report = read("[why]\nfre = \"here\"\n").unwrap_err();
        assert_eq!(report.diagnostics[0].code, "A8012");
    }

    #[test]
    fn a_c_library_is_known_by_each_of_its_sonames() {
        let musl = platform("linux-musl").unwrap();
        for (soname, known) in
            [("libc.musl-x86_64.so.1", true), ("libc.so", true), ("libc.so.6", false)]
        {
            assert_eq!(musl.runtime.is_libc(soname), known, "{soname}");
        }
    }

    #[test]
    fn a_triple_finds_its_abi() {
        let linux = platform("linux").unwrap();
        assert_eq!(linux.abi_of("x86_64-unknown-linux-gnu").unwrap().name, "lp64");
        assert_eq!(linux.abi_of("aarch64-linux-gnu").unwrap().name, "lp64");
        assert_eq!(linux.abi_of("i686-linux-gnu").unwrap().name, "ilp32");
        assert!(linux.abi_of("x86_64-unknown-linux-musl").is_none());
    }
}

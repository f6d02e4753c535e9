//! What a platform's facts owe each other: a deallocator for every block, fields for every version
//! of the zone, groups and libraries that exist.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use toml::Spanned;

use super::{Platform, Symbol, mangled, raw};
use crate::{
    diagnostic::{Diagnostic, Report, Source, nearest},
    operation::{Effect, Operation},
};

/// Judges a platform whose parts were read without a mistake.
pub(super) fn check(
    source: &Arc<Source>,
    raw: &raw::Platform,
    platform: &Platform,
    report: &mut Report,
) {
    let symbols: Symbols<'_> = platform.symbols.iter().map(|s| (s.spec_name(), s)).collect();
    for symbol in &platform.symbols {
        mangled_name(platform, symbol, report);
        freed(source, raw, (platform, &symbols), symbol, report);
        grouped(platform, symbol, report);
    }
    threads(source, raw, platform, report);
    libraries(source, raw, (platform, &symbols), report);
    zone(source, raw, platform, report);
    let what = "`wrappers` names";
    known(source, raw.wrappers.iter(), (platform, &symbols), what, report);
}

/// A platform's symbols by name.
type Symbols<'a> = HashMap<&'a str, &'a Symbol>;

fn mangled_name(platform: &Platform, symbol: &Symbol, report: &mut Report) {
    for abi in platform.abis.iter().filter(|abi| symbol.is_in(abi)) {
        let Err(said) = mangled::check(symbol, abi) else { continue };
        report.push(
            Diagnostic::error(
                "A8017",
                format!("`{}` does not demangle to its declaration", symbol.spec_name()),
            )
            .at(&symbol.origin.0, symbol.origin.1.clone(), format!("in ABI `{}`: `{said}`", abi.name))
            .fact(format!("it is declared as `{}`", symbol.declaration))
            .help("spell the name as a C++ compiler does (`{size_t}` stands for the ABI's letter), or mend the declaration"),
        );
        return;
    }
}

/// What allocates is never without what frees it, in any ABI.
fn freed(
    source: &Arc<Source>,
    raw: &raw::Platform,
    (platform, symbols): (&Platform, &Symbols<'_>),
    symbol: &Symbol,
    report: &mut Report,
) {
    if !matches!(symbol.operation.effect(), Effect::Allocates | Effect::Reallocates) {
        return;
    }
    for abi in platform.abis.iter().filter(|abi| symbol.is_in(abi)) {
        let has =
            |name: &String| symbols.get(name.as_str()).is_some_and(|s| s.is_in(abi) && frees(s));
        if symbol.freed_by.iter().any(has) {
            continue;
        }
        let by = match &*symbol.freed_by {
            [] => symbol.operation.freed_by().map(|op| op.name()).unwrap_or_default(),
            names => names.join("`, `"),
        };
        report.push(
            Diagnostic::error(
                "A8015",
                format!("nothing frees what `{}` hands out on `{}`", symbol.spec_name(), raw.name),
            )
            .at(&symbol.origin.0, symbol.origin.1.clone(), format!("wants `{by}`"))
            .at(
                source,
                raw.mechanism.span(),
                format!("whose ABI `{}` has no such symbol", abi.name),
            )
            .help("add the deallocator's family to the platform, or leave out both"),
        );
        return;
    }
}

/// What the text of hooks for threads asks for.
fn threads(source: &Arc<Source>, raw: &raw::Platform, platform: &Platform, report: &mut Report) {
    let bears = |operation| platform.bearing(operation).is_some();
    let (posix, c11) = (bears(Operation::PthreadCreate), bears(Operation::ThrdCreate));
    let runtime = &platform.runtime;
    let lacks = (posix || c11) && runtime.destructor_rounds.is_none()
        || posix && runtime.eagain.is_none()
        || c11 && runtime.thrd_nomem.is_none();
    if raw.mechanism.get_ref() == "elf" && lacks {
        report.push(
            Diagnostic::error("A8021", "functions that create threads need more of [runtime]")
                .at(source, raw.mechanism.span(), "")
                .help("give destructor_rounds, eagain for pthread_create and thrd_nomem for thrd_create"),
        );
    }
}

fn frees(symbol: &Symbol) -> bool {
    matches!(symbol.operation.effect(), Effect::Frees)
}

fn grouped(platform: &Platform, symbol: &Symbol, report: &mut Report) {
    let Some(group) = &symbol.group else { return };
    if !platform.groups.iter().any(|g| g.name == *group) {
        let known = platform.groups.iter().map(|g| g.name.as_str());
        let near = nearest(group, known);
        report.push(
            Diagnostic::error("A8019", format!("unknown group `{group}`"))
                .at(&symbol.origin.0, symbol.origin.1.clone(), "belongs to it")
                .help(near.map_or(
                    format!("add a [[group]] table to platform `{}`", platform.name),
                    |n| format!("did you mean `{n}`?"),
                )),
        );
    }
}

/// A library that hands out a block exports what takes it back: the two must be replaced together,
/// and in no other library.
fn libraries(
    source: &Arc<Source>,
    raw: &raw::Platform,
    (platform, symbols): (&Platform, &Symbols<'_>),
    report: &mut Report,
) {
    for (raw, library) in raw.library.iter().zip(&platform.libraries) {
        let named = raw.adds.iter().chain(&raw.lacks);
        known(source, named, (platform, symbols), "the library names", report);
        let exported: HashSet<_> = library.symbols.iter().collect();
        let missing = library.symbols.iter().filter_map(|name| {
            let symbol = *symbols.get(name.as_str())?;
            let allocates =
                matches!(symbol.operation.effect(), Effect::Allocates | Effect::Reallocates);
            (allocates && !symbol.freed_by.iter().any(|f| exported.contains(f)))
                .then_some((name, symbol))
        });
        for (name, symbol) in missing {
            report.push(
                Diagnostic::error(
                    "A8016",
                    format!(
                        "`{}` exports `{name}` and nothing that frees its blocks",
                        library.file
                    ),
                )
                .at(source, raw.file.span(), format!("lacks `{}`", symbol.freed_by.join("`, `")))
                .help("list the deallocator in `adds`, or the allocating function in `lacks`"),
            );
        }
    }
}

fn zone(source: &Arc<Source>, raw: &raw::Platform, platform: &Platform, report: &mut Report) {
    let (Some(raw), Some(zone)) = (&raw.zone, &platform.zone) else { return };
    let mut wrong = |span: std::ops::Range<usize>, message: String, label: &str| {
        report.push(
            Diagnostic::error("A8018", message)
                .at(source, span, label)
                .help("a zone of a version has every field that the version and those before it added: list them in [[zone.growth]], and define each as [[field]]"),
        );
    };
    for (growth, raw) in zone.growth.iter().zip(&raw.growth) {
        for (path, raw) in growth.adds.iter().zip(&raw.adds) {
            match zone.fields.iter().find(|f| f.path() == *path) {
                None => {
                    wrong(raw.span(), format!("no family defines the field `{path}`"), "added here")
                }
                Some(field) if field.version != growth.version => wrong(
                    raw.span(),
                    format!("`{path}` is of version {}", field.version),
                    "added by another version",
                ),
                Some(_) => {}
            }
        }
    }
    for field in &zone.fields {
        if !zone.growth.iter().any(|g| g.adds.contains(&field.path())) {
            let message = format!("no version adds the field `{}`", field.path());
            wrong(raw.version.span(), message, "the zone's versions");
        }
    }
    let newest = zone.growth.iter().map(|g| g.version).max();
    if newest.is_none_or(|newest| zone.version > newest) {
        let message = format!("zone version {} is not described", zone.version);
        wrong(raw.version.span(), message, "claimed here");
    }
}

/// Names that families of the platform define.
fn known<'a>(
    source: &Arc<Source>,
    names: impl Iterator<Item = &'a Spanned<String>>,
    (platform, symbols): (&Platform, &Symbols<'_>),
    what: &str,
    report: &mut Report,
) {
    for name in names {
        if !symbols.contains_key(name.get_ref().as_str()) {
            report.push(unknown(source, name, what, &platform.symbols));
        }
    }
}

/// A name that must be a symbol and is none.
pub(super) fn unknown(
    source: &Arc<Source>,
    name: &Spanned<String>,
    what: &str,
    symbols: &[Symbol],
) -> Diagnostic {
    let near = nearest(name.get_ref(), symbols.iter().map(Symbol::spec_name));
    Diagnostic::error(
        "A8012",
        format!("{what} `{}`, which no family of the platform defines", name.get_ref()),
    )
    .at(source, name.span(), "no such symbol on this platform")
    .help(
        near.map_or("remove it, or define it in a family of the platform".to_owned(), |near| {
            format!("did you mean `{near}`?")
        }),
    )
}

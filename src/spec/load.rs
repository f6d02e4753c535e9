//! Joins families into platforms and judges them: every mistake of every file at once.

use std::{collections::BTreeMap, sync::Arc};

use toml::Spanned;

use super::{Omission, Platform, Symbol, raw};
use crate::{
    diagnostic::{Diagnostic, Report, Result, Source, nearest},
    embedded,
    operation::Operation,
    prototype::Prototype,
    toml_text,
};

/// The version of the format that this code reads.
const SCHEMA: u32 = 1;

/// The names of all platforms, sorted.
pub fn platform_names() -> Vec<String> {
    let mut names: Vec<_> = embedded::folder("specs/platforms/")
        .filter_map(|(file, _)| file.strip_suffix(".toml").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// One built-in platform.
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
    let mut report = Report::default();
    let families = families(&mut report);
    let path = format!("specs/platforms/{name}.toml");
    let source = Source::new(path.clone(), embedded::text(&path).unwrap_or_default());
    let loaded = join(&source, &families, &mut report);
    match loaded {
        Some(platform) => report.finish(platform).map(|(platform, _)| platform),
        None => Err(report),
    }
}

/// All built-in platforms.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn platforms() -> Result<Vec<Platform>> {
    platform_names().iter().map(|name| platform(name)).collect()
}

type Families = BTreeMap<String, (Arc<Source>, raw::Family)>;

fn families(report: &mut Report) -> Families {
    let mut families = Families::new();
    for (file, text) in embedded::folder("specs/families/") {
        let source = Source::new(format!("specs/families/{file}"), text);
        match toml_text::read::<raw::Family>(&source) {
            Ok(family) => {
                check_schema(&source, &family.schema, report);
                families.insert(family.name.clone(), (source, family));
            }
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    families
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

fn join(source: &Arc<Source>, families: &Families, report: &mut Report) -> Option<Platform> {
    let raw = match toml_text::read::<raw::Platform>(source) {
        Ok(raw) => raw,
        Err(mistakes) => {
            report.diagnostics.extend(mistakes.diagnostics);
            return None;
        }
    };
    check_schema(source, &raw.schema, report);
    if raw.abi.is_empty() {
        report.push(Diagnostic::error("A8005", format!("platform `{}` has no ABI", raw.name))
            .at(source, raw.mechanism.span(), "")
            .help("add an [[abi]] table with name, size_t, pointer_bits, condition, machines and environments"));
    }
    let since: BTreeMap<&str, &String> =
        raw.since.iter().map(|(k, v)| (k.get_ref().as_str(), v)).collect();
    let mut symbols: Vec<Symbol> = Vec::new();
    for name in &raw.families {
        let Some((source_of, family)) = families.get(name.get_ref()) else {
            let near = nearest(name.get_ref(), families.keys().map(String::as_str));
            let known: Vec<_> = families.keys().map(String::as_str).collect();
            report.push(
                Diagnostic::error("A8006", format!("unknown family `{}`", name.get_ref()))
                    .at(source, name.span(), "no such file in specs/families")
                    .help(near.map_or(format!("known families: {}", known.join(", ")), |n| {
                        format!("did you mean `{n}`?")
                    })),
            );
            continue;
        };
        for entry in &family.symbol {
            if let Some(symbol) = symbol(source_of, &family.name, entry, &since, report) {
                note_duplicate(&symbols, &symbol, report);
                symbols.push(symbol);
            }
        }
    }
    note_unknown_since(source, &raw, &symbols, report);
    let omissions = omissions(source, &raw.omit, &symbols, report);
    Some(Platform {
        name: raw.name,
        title: raw.title,
        mechanism: raw.mechanism.into_inner(),
        symbols,
        abis: raw.abi,
        semantics: raw.semantics,
        runtime: raw.runtime,
        omissions,
    })
}

fn symbol(
    source: &Arc<Source>,
    family: &str,
    entry: &Spanned<raw::Symbol>,
    since: &BTreeMap<&str, &String>,
    report: &mut Report,
) -> Option<Symbol> {
    let raw = entry.get_ref();
    let name = raw.name.get_ref();
    let Some(operation) = Operation::named(raw.op.get_ref()) else {
        let names: Vec<_> = Operation::all().iter().map(|op| op.name()).collect();
        let near = nearest(raw.op.get_ref(), names.iter().map(String::as_str));
        report.push(
            Diagnostic::error("A8007", format!("unknown operation `{}`", raw.op.get_ref()))
                .at(source, raw.op.span(), "not an operation")
                .help(near.map_or(format!("known operations: {}", names.join("; ")), |n| {
                    format!("did you mean `{n}`?")
                })),
        );
        return None;
    };
    let prototype =
        match Prototype::parse(raw.proto.get_ref()) {
            Ok(prototype) => prototype,
            Err(error) => {
                let at = raw.proto.span().start + 1 + error.offset;
                report.push(
                    Diagnostic::error("A8008", format!("the prototype of `{name}` cannot be read"))
                        .at(source, at..at + 1, error.message),
                );
                return None;
            }
        };
    check_fit(source, raw, operation, &prototype, report);
    Some(Symbol {
        name: name.clone(),
        declaration: raw.proto.get_ref().clone(),
        prototype,
        operation,
        since: since.get(name.as_str()).map(|s| (*s).clone()),
        why: raw.why.clone(),
        reference: raw.reference.clone(),
        family: family.to_owned(),
        origin: (Arc::clone(source), raw.name.span()),
    })
}

/// A symbol's prototype must be its operation's, parameter for parameter; a C symbol declares its
/// own name, an operator declares the operator.
fn check_fit(
    source: &Arc<Source>,
    raw: &raw::Symbol,
    operation: Operation,
    prototype: &Prototype,
    report: &mut Report,
) {
    let standard = operation.prototype();
    let wanted_name =
        if operation.is_operator() { standard.name.clone() } else { raw.name.get_ref().clone() };
    if prototype.name != wanted_name {
        report.push(
            Diagnostic::error(
                "A8009",
                format!("`{}` declares `{}`", raw.name.get_ref(), prototype.name),
            )
            .at(
                source,
                raw.proto.span(),
                format!("expected a declaration of `{wanted_name}`"),
            ),
        );
    }
    if prototype.result != standard.result || prototype.parameters != standard.parameters {
        report.push(
            Diagnostic::error(
                "A8010",
                format!("`{}` does not fit operation `{}`", raw.name.get_ref(), operation.name()),
            )
            .at(source, raw.proto.span(), "differs from the operation's prototype")
            .fact(format!("`{}` is `{standard}`", operation.name()))
            .help("write the operation's types and parameter names, or choose another operation"),
        );
    }
}

fn note_duplicate(symbols: &[Symbol], new: &Symbol, report: &mut Report) {
    if let Some(first) = symbols.iter().find(|s| s.name == new.name) {
        report.push(
            Diagnostic::error("A8011", format!("`{}` is defined twice", new.name))
                .at(&new.origin.0, new.origin.1.clone(), "second definition")
                .at(&first.origin.0, first.origin.1.clone(), "first definition")
                .help("remove one of them"),
        );
    }
}

fn note_unknown_since(
    source: &Arc<Source>,
    raw: &raw::Platform,
    symbols: &[Symbol],
    report: &mut Report,
) {
    for name in raw.since.keys().filter(|name| !symbols.iter().any(|s| s.name == *name.get_ref())) {
        report.push(
            Diagnostic::error(
                "A8012",
                format!("`since` names `{}`, which no family defines", name.get_ref()),
            )
            .at(source, name.span(), "no such symbol on this platform"),
        );
    }
}

fn omissions(
    source: &Arc<Source>,
    raw: &[raw::Omit],
    symbols: &[Symbol],
    report: &mut Report,
) -> Vec<Omission> {
    let mut omissions: Vec<Omission> = Vec::new();
    for omit in raw {
        for name in &omit.names {
            if let Some(symbol) = symbols.iter().find(|s| s.name == *name.get_ref()) {
                report.push(
                    Diagnostic::error(
                        "A8013",
                        format!("`{}` is both defined and omitted", name.get_ref()),
                    )
                    .at(source, name.span(), "omitted here")
                    .at(
                        &symbol.origin.0,
                        symbol.origin.1.clone(),
                        "defined here",
                    ),
                );
            }
            if omissions.iter().any(|o| o.name == *name.get_ref()) {
                report.push(
                    Diagnostic::error("A8014", format!("`{}` is omitted twice", name.get_ref()))
                        .at(source, name.span(), "again"),
                );
            }
            omissions.push(Omission {
                name: name.get_ref().clone(),
                reason: omit.reason,
                why: omit.why.clone(),
                reference: omit.reference.clone(),
            });
        }
    }
    omissions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_platform_loads_without_a_mistake() {
        for name in platform_names() {
            if let Err(report) = platform(&name) {
                panic!("{name}: {report}");
            }
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

//! Joins families into a platform: every name resolved, every mistake of every file at once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use toml::Spanned;

use super::{
    Abi, Growth, Library, Omission, Platform, Reason, Symbol, Zone,
    entry::{self, Family},
    lint,
    load::Families,
    raw,
};
use crate::{
    diagnostic::{Diagnostic, Report, Source, nearest},
    operation::Operation,
};

/// A platform of what was read, with every name resolved.
pub(super) fn join(
    source: &Arc<Source>,
    raw: &raw::Platform,
    families: &Families<'_>,
    report: &mut Report,
) -> Platform {
    let abis: Vec<Abi> = raw.abi.iter().map(|abi| abi.get_ref().clone()).collect();
    check_abis(source, raw, report);
    let members = members(source, raw, families, report);
    let mut symbols = symbols(&members, report);
    let omissions = omissions(source, raw, &mut symbols, report);
    for symbol in &mut symbols {
        symbol.since = raw.since.get(symbol.spec_name()).cloned();
        let here = raw.why.get(symbol.spec_name()).cloned();
        symbol.why = here.or(symbol.why.take());
    }
    let defined: HashSet<_> = symbols.iter().map(Symbol::spec_name).collect();
    for (table, names) in [("since", raw.since.keys()), ("why", raw.why.keys())] {
        for name in names.filter(|name| !defined.contains(name.get_ref().as_str())) {
            let what = format!("`{table}` names");
            report.push(lint::unknown(source, name, &what, &symbols));
        }
    }
    give_deallocators(&mut symbols);
    Platform {
        libraries: raw.library.iter().map(|library| resolve(library, &symbols)).collect(),
        zone: raw.zone.as_ref().map(|zone| zone_of(zone, &members, report)),
        name: raw.name.clone(),
        title: raw.title.clone(),
        untried: raw.untried.clone(),
        mechanism: raw.mechanism.get_ref().clone(),
        symbols,
        abis,
        semantics: raw.semantics.clone(),
        runtime: raw.runtime.clone(),
        carried: raw.carried.clone(),
        hooks: raw.hooks.clone(),
        base: raw.base.clone(),
        wrappers: raw.wrappers.iter().map(|name| name.get_ref().clone()).collect(),
        omissions,
        groups: raw.group.clone(),
    }
}

fn check_abis(source: &Arc<Source>, raw: &raw::Platform, report: &mut Report) {
    if raw.abi.is_empty() {
        report.push(Diagnostic::error("A8005", format!("platform `{}` has no ABI", raw.name))
            .at(source, raw.mechanism.span(), "")
            .help("add an [[abi]] table with name, size_t, pointer_bits, condition, machines and environments"));
    }
    for abi in raw.omit.iter().flat_map(|omit| &omit.abis) {
        if !raw.abi.iter().any(|a| a.get_ref().name == *abi.get_ref()) {
            let names: Vec<_> = raw.abi.iter().map(|a| a.get_ref().name.as_str()).collect();
            report.push(
                Diagnostic::error("A8020", format!("unknown ABI `{}`", abi.get_ref()))
                    .at(source, abi.span(), "no [[abi]] of this platform")
                    .help(format!("known ABIs: `{}`", names.join("`, `"))),
            );
        }
    }
    // The linter cannot tell why a shim lacks what only this mechanism's text asks for.
    let runtime = &raw.runtime;
    let whole = runtime.page_size.is_some()
        && runtime.rtld_noload.is_some()
        && runtime.rtld_default.is_some()
        && runtime.rtld_next.is_some();
    if raw.mechanism.get_ref() == "elf" && !whole {
        report.push(
            Diagnostic::error("A8021", "mechanism `elf` needs more of [runtime]")
                .at(source, raw.mechanism.span(), "")
                .help("give page_size, rtld_noload, rtld_default and rtld_next"),
        );
    }
}

/// The platform's families in order, each with the ABIs that have it.
fn members<'a>(
    source: &Arc<Source>,
    raw: &raw::Platform,
    families: &Families<'a>,
    report: &mut Report,
) -> Vec<(&'a Family, Vec<String>)> {
    let all: Vec<_> = raw.abi.iter().map(|abi| abi.get_ref().name.clone()).collect();
    let mut wanted: Vec<_> =
        raw.families.iter().map(|f| (f.get_ref().clone(), f.span(), all.clone())).collect();
    for abi in &raw.abi {
        for family in &abi.get_ref().families {
            let name = abi.get_ref().name.clone();
            match wanted.iter_mut().find(|(known, ..)| known == family) {
                Some((.., abis)) => abis.push(name),
                None => wanted.push((family.clone(), abi.span(), vec![name])),
            }
        }
    }
    let mut members = Vec::new();
    for (name, span, abis) in wanted {
        match families.read.get(name.as_str()) {
            Some(family) => members.push((*family, abis)),
            None => {
                let near = nearest(&name, families.known.iter().copied());
                let known = &families.known;
                report.push(
                    Diagnostic::error("A8006", format!("unknown family `{name}`"))
                        .at(source, span, "no such file in specs/families")
                        .help(near.map_or(format!("known families: {}", known.join(", ")), |n| {
                            format!("did you mean `{n}`?")
                        })),
                );
            }
        }
    }
    members
}

fn symbols(members: &[(&Family, Vec<String>)], report: &mut Report) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (family, abis) in members {
        for entry in &family.1.symbol {
            if let Some(symbol) = entry::symbol(family, entry, abis, report) {
                match places.get(&symbol.name) {
                    Some(first) => note_duplicate(&symbols[*first], &symbol, report),
                    None => drop(places.insert(symbol.name.clone(), symbols.len())),
                }
                symbols.push(symbol);
            }
        }
    }
    symbols
}

fn note_duplicate(first: &Symbol, new: &Symbol, report: &mut Report) {
    report.push(
        Diagnostic::error("A8011", format!("`{}` is defined twice", new.name))
            .at(&new.origin.0, new.origin.1.clone(), "second definition")
            .at(&first.origin.0, first.origin.1.clone(), "first definition")
            .help("remove one of them"),
    );
}

/// Where a family does not say what takes a block back, it is every symbol that bears the
/// operation's own deallocator and no context: those that programs call by hand.
fn give_deallocators(symbols: &mut [Symbol]) {
    let mut bearers: BTreeMap<Operation, Vec<String>> = BTreeMap::new();
    for symbol in symbols.iter() {
        if symbol.prototype.parameters.len() == symbol.operation.prototype().parameters.len() {
            bearers.entry(symbol.operation).or_default().push(symbol.name.clone());
        }
    }
    let bearers: BTreeMap<Operation, Arc<[String]>> =
        bearers.into_iter().map(|(operation, names)| (operation, names.into())).collect();
    for symbol in symbols.iter_mut().filter(|s| s.freed_by.is_empty()) {
        let by = symbol.operation.freed_by().and_then(|by| bearers.get(&by));
        symbol.freed_by = by.cloned().unwrap_or_default();
    }
}

/// Takes what is absent out of `symbols`; every other omission is of names that no family defines.
fn omissions(
    source: &Arc<Source>,
    raw: &raw::Platform,
    symbols: &mut Vec<Symbol>,
    report: &mut Report,
) -> Vec<Omission> {
    let mut omissions: Vec<Omission> = Vec::new();
    let mut omitted = HashSet::new();
    // A name that is defined twice is told of already: its first definition stands for it.
    let mut places = HashMap::new();
    for (place, symbol) in symbols.iter().enumerate() {
        places.entry(symbol.name.clone()).or_insert(place);
    }
    for omit in &raw.omit {
        let abis: Vec<_> = omit.abis.iter().map(|abi| abi.get_ref().clone()).collect();
        for name in &omit.names {
            if let Some(symbol) = places.get(name.get_ref()).map(|place| &mut symbols[*place]) {
                if omit.reason == Reason::Absent {
                    symbol.abis.retain(|abi| !abis.is_empty() && !abis.contains(abi));
                } else {
                    note_contradiction(source, name, symbol, report);
                }
            }
            if !omitted.insert(name.get_ref()) {
                report.push(
                    Diagnostic::error("A8014", format!("`{}` is omitted twice", name.get_ref()))
                        .at(source, name.span(), "again")
                        .help("keep the reason that is true, and remove the other"),
                );
            }
            omissions.push(Omission {
                name: name.get_ref().clone(),
                reason: omit.reason,
                why: omit.why.clone(),
                reference: omit.reference.clone(),
                abis: abis.clone(),
            });
        }
    }
    symbols.retain(|symbol| !symbol.abis.is_empty());
    omissions
}

fn note_contradiction(
    source: &Arc<Source>,
    name: &Spanned<String>,
    symbol: &Symbol,
    report: &mut Report,
) {
    report.push(
        Diagnostic::error("A8013", format!("`{}` is both defined and omitted", name.get_ref()))
            .at(source, name.span(), "omitted here")
            .at(&symbol.origin.0, symbol.origin.1.clone(), "defined here")
            .help("remove one of them, or omit it as `absent` if this platform does not have it"),
    );
}

fn resolve(raw: &raw::Library, symbols: &[Symbol]) -> Library {
    let names = |list: &[Spanned<String>]| -> HashSet<String> {
        list.iter().map(|name| name.get_ref().clone()).collect()
    };
    let (families, lacks, adds) = (names(&raw.families), names(&raw.lacks), names(&raw.adds));
    let exports = |symbol: &&Symbol| {
        (families.contains(&symbol.family) && !lacks.contains(&symbol.name))
            || adds.contains(&symbol.name)
    };
    Library {
        file: raw.file.get_ref().clone(),
        since: raw.since.clone(),
        debug: raw.debug,
        symbols: symbols.iter().filter(exports).map(|s| s.name.clone()).collect(),
        why: raw.why.clone(),
        reference: raw.reference.clone(),
    }
}

fn zone_of(raw: &raw::Zone, members: &[(&Family, Vec<String>)], report: &mut Report) -> Zone {
    let fields = members.iter().flat_map(|(family, _)| {
        family
            .1
            .field
            .iter()
            .filter_map(|field| entry::field(family, field, report))
            .collect::<Vec<_>>()
    });
    Zone {
        fields: fields.collect(),
        version: *raw.version.get_ref(),
        first: raw.first.clone(),
        structure: raw.zone.clone(),
        introspection: raw.introspection.clone(),
        list: raw.list.clone(),
        numbers: raw.numbers.clone(),
        fork: raw.fork.clone(),
        growth: raw.growth.iter().map(growth_of).collect(),
    }
}

fn growth_of(raw: &raw::Growth) -> Growth {
    Growth {
        version: *raw.version.get_ref(),
        since: raw.since.clone(),
        adds: raw.adds.iter().map(|path| path.get_ref().clone()).collect(),
        why: raw.why.clone(),
        reference: raw.reference.clone(),
    }
}

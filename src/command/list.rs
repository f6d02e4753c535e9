//! `list`: platforms, allocators, symbols.

use alloc8_gen::{
    allocator,
    diagnostic::Result,
    plan::{Answer, Plan},
    spec::{self, Abi, Library, Platform, Symbol},
};
use serde_json::{Value, json};

use super::{DONE, Show, find_allocator, generate::narrow, host_platform, platforms};
use crate::cli::{List, What};

pub(crate) fn list(options: &List, show: &Show) -> Result<u8> {
    match options.what {
        What::Platforms => list_platforms(show),
        What::Allocators => list_allocators(show),
        What::Symbols => list_symbols(options, show),
    }
}

fn list_platforms(show: &Show) -> Result<u8> {
    for platform in spec::platforms()? {
        let abis: Vec<_> = platform.abis.iter().map(|a| a.name.as_str()).collect();
        let untried = platform.untried.as_ref().map(|u| format!("; {u}")).unwrap_or_default();
        let abis = abis.join(", ");
        let text = format!("{:<14} {} ({abis}){untried}", platform.name, platform.title);
        show.result(&text, || {
            json!({
                "reason": "platform", "name": platform.name, "title": platform.title,
                "untried": platform.untried, "mechanism": platform.mechanism, "abis": platform.abis,
                "symbols": platform.symbols.len(), "omitted": platform.omissions.len(),
            })
        });
    }
    Ok(DONE)
}

fn list_allocators(show: &Show) -> Result<u8> {
    for name in allocator::built_in_names() {
        let Some(found) = allocator::built_in(&name) else { continue };
        let allocator = found?;
        let built = allocator
            .not_built
            .as_ref()
            .map(|why| format!(" (never built: {why})"))
            .unwrap_or_default();
        show.result(&format!("{name:<20} {}{built}", allocator.title), || {
            json!({
                "reason": "allocator", "name": name, "title": allocator.title,
                "not_built": allocator.not_built, "functions": allocator.symbols(),
            })
        });
    }
    Ok(DONE)
}

fn list_symbols(options: &List, show: &Show) -> Result<u8> {
    let mut chosen = if options.platform.is_empty() {
        vec![host_platform()?]
    } else {
        platforms(&options.platform)?
    };
    for platform in &mut chosen {
        narrow(platform, options.target.as_deref())?;
    }
    let allocator = match &options.allocator {
        Some(name) => Some(find_allocator(name, show)?),
        None => None,
    };
    for platform in &chosen {
        let plan = match &allocator {
            Some(allocator) => Some(Plan::new(platform, allocator)?.0),
            None => None,
        };
        for abi in &platform.abis {
            symbols(platform, abi, plan.as_ref(), show);
        }
        zone(platform, show);
        omissions(platform, show);
    }
    Ok(DONE)
}

fn symbols(platform: &Platform, abi: &Abi, plan: Option<&Plan>, show: &Show) {
    if !show.json() {
        let count = platform.symbols_of(abi).count();
        show.out(&format!("{} {}: {count} symbols", platform.name, abi.name));
    }
    for symbol in platform.symbols_of(abi) {
        let of_symbol = |a: &&Answer| a.symbol.spec_name() == symbol.spec_name();
        let answer = plan.and_then(|p| p.answers.iter().find(of_symbol));
        let name = symbol.name(abi);
        let text = match answer {
            Some(answer) => {
                let price = answer.price.map_or("  -".to_owned(), |p| format!("{p:>3}"));
                format!("  {name:<38} {:<12} {price}  {}", answer.binding.word(), answer.why)
            }
            None => {
                let since = symbol.since.as_deref().unwrap_or("");
                format!("  {name:<38} {:<30} {since}", symbol.operation.name())
            }
        };
        show.result(text.trim_end(), || fact(platform, abi, symbol, answer));
    }
}

/// All that is known of a symbol, as one JSON object.
fn fact(platform: &Platform, abi: &Abi, symbol: &Symbol, answer: Option<&Answer>) -> Value {
    let machines = abi.machines.iter().filter(|m| platform.base.contains_key(*m));
    let since_on: serde_json::Map<String, Value> =
        machines.map(|m| (m.clone(), json!(platform.since(symbol, m)))).collect();
    let exports = |library: &&Library| library.symbols.iter().any(|s| s == symbol.spec_name());
    let libraries: Vec<_> =
        platform.libraries.iter().filter(exports).map(|library| &library.file).collect();
    let freed_by: Vec<_> = symbol.freed_by.iter().map(|name| abi.spell(name)).collect();
    json!({
        "reason": "symbol", "platform": platform.name, "abi": abi.name, "name": symbol.name(abi),
        "operation": symbol.operation.name(), "prototype": symbol.prototype.to_string(),
        "declaration": symbol.declaration, "since": symbol.since, "since_on": since_on,
        "freed_by": freed_by, "group": symbol.group, "called_by": symbol.called_by,
        "libraries": libraries, "why": symbol.why, "ref": symbol.reference, "family": symbol.family,
        "answer": answer.map(|a| json!({
            "binding": a.binding.word(), "why": a.why, "instructions": a.price,
        })),
    })
}

fn zone(platform: &Platform, show: &Show) {
    let Some(zone) = &platform.zone else { return };
    if !show.json() {
        let count = zone.fields.len();
        show.out(&format!("{}: zone version {}, {count} fields", platform.name, zone.version));
    }
    for field in &zone.fields {
        let meaning = field.operation.map_or(String::new(), |op| op.name());
        let text = format!("  {:<52} {:>2}  {meaning}", field.path(), field.version);
        show.result(text.trim_end(), || {
            json!({
                "reason": "field", "platform": platform.name, "struct": field.structure,
                "name": field.name, "declaration": field.declaration, "version": field.version,
                "operation": field.operation.map(|op| op.name()), "null": field.null,
                "why": field.why, "ref": field.reference,
            })
        });
    }
}

fn omissions(platform: &Platform, show: &Show) {
    if !show.json() {
        show.out(&format!("{}: {} names are left alone", platform.name, platform.omissions.len()));
    }
    for omission in &platform.omissions {
        let text =
            format!("  {:<38} {:<30} {}", omission.name, omission.reason.name(), omission.why);
        show.result(&text, || {
            json!({
                "reason": "omission", "platform": platform.name, "name": omission.name,
                "abis": omission.abis, "why_omitted": omission.reason.name(),
                "why": omission.why, "ref": omission.reference,
            })
        });
    }
}

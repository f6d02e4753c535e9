//! `list`: platforms, allocators, symbols.

use alloc8_gen::{
    allocator,
    diagnostic::Result,
    plan::Plan,
    spec::{self, Abi, Platform},
};
use serde_json::json;

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
        let text = format!("{:<14} {} ({})", platform.name, platform.title, abis.join(", "));
        show.result(&text, || {
            json!({
                "reason": "platform", "name": platform.name, "title": platform.title,
                "mechanism": platform.mechanism, "abis": platform.abis,
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
        omissions(platform, show);
    }
    Ok(DONE)
}

fn symbols(platform: &Platform, abi: &Abi, plan: Option<&Plan>, show: &Show) {
    if !show.json() {
        show.out(&format!("{} {}: {} symbols", platform.name, abi.name, platform.symbols.len()));
    }
    for (index, symbol) in platform.symbols.iter().enumerate() {
        let answer = plan.map(|p| &p.answers[index]);
        let name = symbol.name(abi);
        let text = match answer {
            Some(answer) => {
                let price = answer.price.map_or("  -".to_owned(), |p| format!("{p:>3}"));
                format!("  {name:<38} {:<12} {price}  {}", answer.binding.word(), answer.why)
            }
            None => format!(
                "  {name:<38} {:<30} {}",
                symbol.operation.name(),
                symbol.since.as_deref().unwrap_or("")
            ),
        };
        show.result(&text, || {
            json!({
                "reason": "symbol", "platform": platform.name, "abi": abi.name, "name": name,
                "operation": symbol.operation.name(), "prototype": symbol.prototype.to_string(),
                "since": symbol.since, "why": symbol.why, "ref": symbol.reference, "family": symbol.family,
                "answer": answer.map(|a| json!({
                    "binding": a.binding.word(), "why": a.why, "instructions": a.price,
                })),
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
                "why_omitted": omission.reason.name(), "why": omission.why, "ref": omission.reference,
            })
        });
    }
}

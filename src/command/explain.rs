//! `explain`: a symbol's whole story, or what a code means.

use alloc8_gen::{
    allocator, codes,
    diagnostic::{Diagnostic, Result, nearest},
    operation::Effect,
    plan::Plan,
    spec::{self, Platform, Symbol},
};
use serde_json::json;

use super::{DONE, Show};
use crate::cli::Explain;

pub(crate) fn explain(options: &Explain, show: &Show) -> Result<u8> {
    let subject = &options.subject;
    if let Some(code) = codes::find(subject) {
        let text = format!("{}: {}\n\n{}", code.code, code.title, code.text);
        show.result(&text, || json!({ "reason": "code", "code": code.code, "title": code.title, "text": code.text }));
        return Ok(DONE);
    }
    let mut told = false;
    let platforms = spec::platforms()?;
    for platform in &platforms {
        if let Some(symbol) = platform.symbol(subject) {
            told = true;
            tell(platform, symbol, subject, show)?;
        }
        if let Some(omission) = platform.omissions.iter().find(|o| o.name == *subject) {
            told = true;
            let text = format!(
                "{subject} is left alone on {}: {}\n  {}\n  source: {}",
                platform.name,
                omission.reason.name(),
                omission.why,
                omission.reference
            );
            show.result(&text, || json!({
                "reason": "omission", "platform": platform.name, "name": subject,
                "why_omitted": omission.reason.name(), "why": omission.why, "ref": omission.reference,
            }));
        }
    }
    if told {
        return Ok(DONE);
    }
    let names: Vec<String> =
        platforms.iter().flat_map(|p| p.abis.iter().flat_map(|abi| p.names(abi))).collect();
    let diagnostic =
        Diagnostic::error("A8912", format!("`{subject}` is neither a symbol nor a code"));
    Err(match nearest(subject, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("`alloc8-gen list symbols -p PLATFORM` lists the symbols"),
    }
    .into())
}

fn tell(platform: &Platform, symbol: &Symbol, name: &str, show: &Show) -> Result<()> {
    let simple = allocator::built_in("simple_heap")
        .unwrap_or_else(|| allocator::convention("simple_heap"))?;
    let (plan, _) = Plan::new(platform, &simple)?;
    let answer =
        plan.answers.iter().find(|a| platform.abis.iter().any(|abi| a.symbol.name(abi) == name));
    let broken = match symbol.operation.effect() {
        Effect::Allocates => {
            "missed, its blocks come from another heap and reach ours through free"
        }
        Effect::Frees => "missed, our blocks reach another heap through it",
        Effect::Reallocates => "missed, another heap resizes our blocks",
        Effect::Inspects => "missed, another heap reads a header that our blocks do not have",
        Effect::Tunes => "missed, it speaks of a heap that nobody uses",
    };
    let mut lines = vec![
        format!("{name} on {} ({})", platform.name, platform.title),
        format!("  declaration  {}", symbol.declaration),
        format!("  operation    {}: {}", symbol.operation.name(), symbol.operation.meaning()),
        format!("  family       {}", symbol.family),
    ];
    lines.extend(symbol.since.as_ref().map(|s| format!("  since        {s}")));
    lines.extend(symbol.why.as_ref().map(|w| format!("  why          {w}")));
    lines.push(format!("  without it   {broken}"));
    if let Some(answer) = answer {
        lines.push(format!(
            "  answered     {} ({}), for simple_heap",
            answer.binding.word(),
            answer.why
        ));
    }
    lines.push(format!("  source       {}", symbol.reference));
    show.result(&lines.join("\n"), || {
        json!({
            "reason": "symbol", "platform": platform.name, "name": name,
            "operation": symbol.operation.name(), "prototype": symbol.prototype.to_string(),
            "since": symbol.since, "why": symbol.why, "ref": symbol.reference, "family": symbol.family,
            "without": broken,
            "answer": answer.map(|a| json!({ "binding": a.binding.word(), "why": a.why, "instructions": a.price })),
        })
    });
    Ok(())
}

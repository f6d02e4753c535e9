//! `explain`: a symbol's whole story, or what a code means.

use alloc8_gen::{
    codes,
    diagnostic::{Diagnostic, Result, nearest},
    spec::{self, Omission, Platform, Reason},
};
use serde_json::json;

use super::{DONE, Show};
use crate::cli::Explain;

mod absent;
mod story;

use story::Story;

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
        if let Some(story) = Story::of(platform, subject)? {
            apart(&mut told, show);
            show.result(&story.text(), || story.json());
        }
        if let Some(omission) = platform.omissions.iter().find(|o| o.name == *subject) {
            apart(&mut told, show);
            left_alone(platform, omission, show);
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

/// A blank line between what is told of two platforms.
fn apart(told: &mut bool, show: &Show) {
    if *told && !show.json() {
        show.out("");
    }
    *told = true;
}

fn left_alone(platform: &Platform, omission: &Omission, show: &Show) {
    let Omission { name, reason, why, reference, abis } = omission;
    let of = if abis.is_empty() { String::new() } else { format!(" ({})", abis.join(", ")) };
    let without = match reason {
        Reason::ReachesPublicMalloc => "nothing: what it hands out is from our heap",
        Reason::Private | Reason::Absent => "nothing: no program can ask for it",
        Reason::DoesNotAllocateForCaller => "nothing: no block of it reaches a caller",
        Reason::MustNotInterpose => "nothing; with it, something would",
    };
    let lines = [
        format!("{name} is left alone on {}{of}", platform.name),
        format!("  reason       {}", reason.name()),
        format!("  why          {why}"),
        format!("  without it   {without}"),
        "  verify       does not ask for it".to_owned(),
        format!("  source       {reference}"),
    ];
    show.result(&lines.join("\n"), || {
        json!({
            "reason": "omission", "platform": platform.name, "name": name, "abis": abis,
            "why_omitted": reason.name(), "why": why, "without": without, "ref": reference,
        })
    });
}

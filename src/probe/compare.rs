//! Holds a description against what was measured.

use super::measured::{Measured, Measurements};
use crate::{
    allocator::{Allocator, Limit, Promise, Role, ThreadPolicy},
    diagnostic::{Diagnostic, Report, Severity},
    spec::{Foreign, ReallocZero},
    toml_text::key_span,
};

/// What a description claims and the archive does not keep: `A8701` a promise, `A8703` a contract
/// that every allocator keeps; what the user should know: `A8702` fork, `A8704` exhaustion,
/// `A8706` a waived guard that would have had something to do.
pub fn compare(allocator: &Allocator, measured: &Measurements) -> Report {
    let mut report = Report::default();
    for promise in Promise::ALL {
        let found = measured.promise(*promise, allocator);
        if let Some(text) = stated(allocator, *promise) {
            let wanted = allocator.promises.realloc_zero.map(realloc_zero_text);
            match found {
                Measured::Broken { observed } => {
                    report.push(broken(allocator, measured, *promise, &text, &observed));
                }
                Measured::Held(value)
                    if *promise == Promise::ReallocZero && Some(&*value) != wanted =>
                {
                    let observed = match value.as_str() {
                        "\"live\"" => "realloc(p, 0) returned a live block",
                        _ => "realloc(p, 0) freed the block and returned NULL",
                    };
                    report.push(broken(allocator, measured, *promise, &text, observed));
                }
                _ => {}
            }
        } else if let (true, Measured::Broken { observed }) =
            (allocator.waived.contains(promise), found)
        {
            report.push(waived(allocator, *promise, &observed));
        }
    }
    contracts(allocator, measured, &mut report);
    threads(allocator, measured, &mut report);
    owns(allocator, measured, &mut report);
    remarks(allocator, measured, &mut report);
    report
}

/// The promises that the description states and nobody could measure.
pub fn unmeasured(allocator: &Allocator, measured: &Measurements) -> Vec<&'static str> {
    let open = |promise: &&Promise| {
        let found = measured.promise(**promise, allocator);
        stated(allocator, **promise).is_some() && matches!(found, Measured::Untested { .. })
    };
    Promise::ALL.iter().filter(open).map(|promise| promise.key()).collect()
}

/// A promise as the description states it; `None` if it does not.
fn stated(allocator: &Allocator, promise: Promise) -> Option<String> {
    let promises = &allocator.promises;
    let limit = |limit: Limit| match limit {
        Limit::Unknown => None,
        Limit::Bytes(bytes) => Some(bytes.to_string()),
        Limit::Any => Some("\"any\"".to_owned()),
    };
    let alignment = |bytes: u64| (bytes > 0).then(|| bytes.to_string());
    match promise {
        Promise::MaxSize => limit(promises.max_size),
        Promise::MaxAlign => limit(promises.max_align),
        Promise::MinAlign => alignment(promises.min_align),
        Promise::NaturalAlign => alignment(promises.natural_align),
        Promise::ReallocZero => promises.realloc_zero.map(|z| realloc_zero_text(z).to_owned()),
        Promise::Fork => promises.fork_own.then(|| "\"own\"".to_owned()),
        _ => promises.has(promise).then(|| "true".to_owned()),
    }
}

fn realloc_zero_text(realloc_zero: ReallocZero) -> &'static str {
    match realloc_zero {
        ReallocZero::Free => "\"free\"",
        ReallocZero::Live => "\"live\"",
    }
}

fn broken(
    allocator: &Allocator,
    measured: &Measurements,
    promise: Promise,
    text: &str,
    observed: &str,
) -> Diagnostic {
    let key = promise.key();
    let diagnostic = Diagnostic::error("A8701", format!("`{key} = {text}` does not hold"))
        .fact(format!("measured: {observed}"))
        .help(instead(measured, promise));
    place(diagnostic, allocator, Some("promises"), key, observed)
}

/// What to write instead.
fn instead(measured: &Measurements, promise: Promise) -> String {
    let key = promise.key();
    let number = |value: u64, least: u64| match value {
        value if value >= least => format!("write `{key} = {value}`"),
        _ => format!("remove `{key}`: the shim then keeps it"),
    };
    match promise {
        Promise::MaxSize => number(measured.size_limit().unwrap_or(0), 1 << 20),
        Promise::MinAlign => number(measured.min_align.value, 8),
        Promise::MaxAlign => number(measured.max_align.value, 16),
        Promise::NaturalAlign => number(measured.natural_align.value, 16),
        Promise::ReallocZero => match measured.simple.get(key) {
            Some(Measured::Held(value)) => format!("write `{key} = {value}`"),
            _ => format!("remove `{key}`: the shim then keeps it"),
        },
        Promise::Fork => {
            "remove `fork`; if the library has functions that stop the heap, name them as `malloc_lock`, `malloc_unlock` and `malloc_reinit`".to_owned()
        }
        _ => format!("remove `{key}`: the shim then keeps it"),
    }
}

fn waived(allocator: &Allocator, promise: Promise, observed: &str) -> Diagnostic {
    let key = promise.key();
    let diagnostic = Diagnostic::warning("A8706", format!("`{key}` is waived, and not kept"))
        .fact(format!("measured: {observed}"))
        .help(format!("remove \"{key}\" from `waive`: the shim then keeps it"));
    place(diagnostic, allocator, None, "waive", "")
}

fn contracts(allocator: &Allocator, measured: &Measurements, report: &mut Report) {
    for (key, observed) in &measured.problems {
        let help = match key.as_str() {
            _ if key == Role::Memalign.key() => {
                "if the function takes its arguments in another order, say so: `memalign = \"NAME(size, alignment)\"`".to_owned()
            }
            _ if key == Role::Malloc.key() => {
                "nothing that a shim adds can mend this".to_owned()
            }
            key => format!("correct `{key}` or leave it out: the shim does without it"),
        };
        let message = format!("`{}` does not work: {observed}", allocator.name);
        let diagnostic = Diagnostic::error("A8703", message).help(help);
        report.push(place(diagnostic, allocator, None, key, "this function"));
    }
}

fn threads(allocator: &Allocator, measured: &Measurements, report: &mut Report) {
    let introduces = allocator.call(Role::ThreadInit).is_some();
    let required = allocator.thread_policy == ThreadPolicy::Required;
    if let Measured::Broken { observed } = &measured.threads_ready {
        let message = "threads that run `thread_init` do not work";
        let diagnostic = Diagnostic::error("A8703", message).fact(format!("measured: {observed}"));
        report.push(place(diagnostic, allocator, None, Role::ThreadInit.key(), ""));
    } else if let (Measured::Broken { observed }, false) = (&measured.threads_plain, required) {
        let message = "threads that do not introduce themselves do not work";
        let help = if introduces {
            "write `thread_policy = \"required\"`: the shim then runs `thread_init` first in each thread"
        } else {
            "if the library has a function that a thread must call first, name it as `thread_init`, with `thread_policy = \"required\"`"
        };
        let diagnostic =
            Diagnostic::error("A8703", message).fact(format!("measured: {observed}")).help(help);
        report.push(place(diagnostic, allocator, None, "thread_policy", ""));
    }
}

fn owns(allocator: &Allocator, measured: &Measurements, report: &mut Report) {
    let Measured::Broken { observed } = &measured.owns else { return };
    // It decides about pointers only where foreign ones are told apart.
    let decides = matches!(allocator.foreign, Some(Foreign::Forward | Foreign::Abort));
    let message = "`owns` does not tell the truth";
    let mut diagnostic = Diagnostic::error("A8703", message)
        .fact(format!("measured: {observed}"))
        .help("correct `owns` or leave it out");
    if !decides {
        diagnostic.severity = Severity::Warning;
    }
    report.push(place(diagnostic, allocator, None, Role::Owns.key(), observed));
}

fn remarks(allocator: &Allocator, measured: &Measurements, report: &mut Report) {
    if let (Some(observed), false) = (measured.fork.observed(), allocator.promises.fork_own) {
        let locks = allocator.call(Role::Lock).is_some();
        let message = format!("fork while other threads allocate: {observed}");
        let diagnostic = Diagnostic::warning("A8702", message);
        let diagnostic = if locks {
            diagnostic
                .fact("with the description's `malloc_lock` and `malloc_unlock` around the fork")
        } else {
            diagnostic.help("name the functions that stop the heap as `malloc_lock`, `malloc_unlock` and `malloc_reinit`, or use the library in programs only that fork before they start threads")
        };
        let key = if locks { Role::Lock.key() } else { Role::Malloc.key() };
        report.push(place(diagnostic, allocator, None, key, ""));
    }
    if let Measured::Broken { observed } = &measured.exhaustion {
        let message = format!("`{}` does not survive when memory runs out", allocator.name);
        report.push(
            Diagnostic::warning("A8704", message)
                .fact(format!("measured: {observed}"))
                .fact("programs that catch an allocation's failure will die instead"),
        );
    }
}

fn place(
    diagnostic: Diagnostic,
    allocator: &Allocator,
    table: Option<&str>,
    key: &str,
    label: &str,
) -> Diagnostic {
    match key_span(&allocator.source.text, table, key) {
        Some(span) => diagnostic.at(&allocator.source, span, label),
        None => diagnostic,
    }
}

//! The text of a description.

use super::Draft;
use crate::{
    allocator::{Limit, Promise, Role, ThreadPolicy},
    probe::{Measured, Measurements},
    spec::ReallocZero,
};

/// As long as the longest key.
const WIDTH: usize = 18;

pub(super) fn write(draft: &Draft, target: &str) -> String {
    let allocator = &draft.allocator;
    let mut text = match &draft.measured {
        Some(_) => format!(
            "# {}: written by `alloc8-gen init` from the library, measured on {target}.\n",
            allocator.name
        ),
        None => format!(
            "# {}: written by `alloc8-gen init` from the library for {target}, not measured.\n",
            allocator.name
        ),
    };
    text += "# Prototypes are believed: look whether each function takes its arguments in the standard order.\n";
    text += &line("schema", "1");
    text += &line("name", &quoted(&allocator.name));
    text += &match allocator.archives.as_slice() {
        [one] => line("archive", &quoted(one)),
        many => line("archive", &list(many)),
    };
    if !allocator.libs.is_empty() {
        text += &line("libs", &list(&allocator.libs));
    }
    text.push('\n');
    text += &functions(draft);
    text += "\n[promises]\n";
    match &draft.measured {
        Some(measured) => {
            for promise in Promise::ALL {
                text += &promise_line(draft, measured, *promise);
            }
        }
        None => text += "# Nothing was measured; without a promise the shim guards.\n",
    }
    text
}

fn functions(draft: &Draft) -> String {
    let mut text = String::new();
    for role in Role::ALL {
        let Some(candidates) = draft.found.roles.get(role) else { continue };
        let best = &candidates[0];
        if draft.allocator.functions.contains_key(role) {
            text += &line(role.key(), &quoted(&best.text));
            for other in &candidates[1..] {
                text += &format!("# or: {} = {}\n", role.key(), quoted(&other.text));
            }
        } else {
            let call = format!("{} = {}", role.key(), quoted(&best.text));
            text += &format!("# not needed, all was well without it: {call}\n");
        }
    }
    for (role, call, observed) in &draft.left_out {
        let call = format!("{} = {}", role.key(), quoted(call));
        text += &format!("# left out: {call}: {}\n", comment(observed));
    }
    if let Some(flag) = &draft.allocator.thread_created {
        text += &line("thread_created", &quoted(flag));
    }
    if draft.allocator.thread_policy == ThreadPolicy::Required {
        text += &line("thread_policy", "\"required\"");
    }
    text
}

fn promise_line(draft: &Draft, measured: &Measurements, promise: Promise) -> String {
    let promises = &draft.allocator.promises;
    let limit = |limit: Limit| match limit {
        Limit::Unknown => None,
        Limit::Any => Some("\"any\"".to_owned()),
        Limit::Bytes(bytes) => Some(bytes.to_string()),
    };
    let alignment = |bytes: u64| (bytes > 0).then(|| bytes.to_string());
    let value = match promise {
        Promise::MaxSize => limit(promises.max_size),
        Promise::MaxAlign => limit(promises.max_align),
        Promise::MinAlign => alignment(promises.min_align),
        Promise::NaturalAlign => alignment(promises.natural_align),
        Promise::ReallocZero => promises.realloc_zero.map(|zero| match zero {
            ReallocZero::Free => "\"free\"".to_owned(),
            ReallocZero::Live => "\"live\"".to_owned(),
        }),
        Promise::Fork => promises.fork_own.then(|| "\"own\"".to_owned()),
        _ => promises.has(promise).then(|| "true".to_owned()),
    };
    let beyond = match promise {
        Promise::MaxSize => measured.first_wrong().cloned(),
        Promise::MaxAlign => measured.max_align.beyond.clone(),
        Promise::NaturalAlign if draft.allocator.call(Role::Memalign).is_none() => {
            Some("refused, for there is no memalign; programs ask for 64 and more".to_owned())
        }
        _ => None,
    };
    let key = promise.key();
    match (value, beyond) {
        (Some(value), Some(beyond)) => {
            format!("{}   # beyond: {}\n", line(key, &value).trim_end(), comment(&beyond))
        }
        (Some(value), None) => line(key, &value),
        (None, _) => absent(draft, measured, promise),
    }
}

/// Why a promise is not made; nothing where the library has nothing to make it with.
fn absent(draft: &Draft, measured: &Measurements, promise: Promise) -> String {
    let key = promise.key();
    if promise == Promise::Fork {
        return fork(draft, measured);
    }
    if promise == Promise::NaturalAlign {
        return String::new();
    }
    match measured.promise(promise, &draft.allocator) {
        Measured::Broken { observed } => format!("# not {key}: {}\n", comment(&observed)),
        Measured::Untested { why } => format!("# {key} was not measured: {}\n", comment(&why)),
        Measured::Held(_) => match measured.first_wrong().filter(|_| promise == Promise::MaxSize) {
            Some(wrong) => format!("# not {key}: {}\n", comment(wrong)),
            None => String::new(),
        },
    }
}

fn fork(draft: &Draft, measured: &Measurements) -> String {
    let seen = match (&measured.fork.untested, measured.fork.observed()) {
        (Some(why), _) => format!("not measured: {why}"),
        (None, Some(observed)) => observed,
        (None, None) => format!(
            "no child of {} hung or crashed while four threads allocated",
            measured.fork.forks
        ),
    };
    let hint = if draft.allocator.call(Role::Lock).is_some() {
        "# The shim runs malloc_lock and malloc_unlock around fork, as this measurement did.\n"
    } else {
        "# Write fork = \"own\" if the library looks after fork by itself, or name malloc_lock and malloc_unlock.\n"
    };
    format!("# fork: {}.\n{hint}", comment(&seen))
}

fn line(key: &str, value: &str) -> String {
    format!("{key:WIDTH$} = {value}\n")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(items: &[String]) -> String {
    let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// One line without control characters, which TOML's comments must not have.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

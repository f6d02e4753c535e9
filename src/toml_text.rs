//! TOML into plain structs, with all mistakes placed in the text.

use std::{ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Report, Result, Source, nearest};

/// After so many, nobody reads on.
const ENOUGH: usize = 20;

/// Reads a whole TOML text into `T`.
///
/// serde stops at the first mistake; the entry is then taken out and the rest read again, so that
/// all are told at once.
///
/// # Errors
/// `A8001` not TOML, a value of the wrong type, or a missing key; `A8002` an unknown key, with the
/// nearest known one.
pub(crate) fn read<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T> {
    read_all(source).map_err(|mut report| {
        report.sort();
        report
    })
}

fn read_all<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T> {
    let mut report = Report::default();
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return Err(not_toml(source, &errors));
    }
    if let Ok(value) = T::deserialize(toml::Deserializer::from(table)) {
        return Ok(value);
    }
    let mut text = source.text.clone();
    let mut removed: Vec<(String, usize)> = Vec::new();
    loop {
        let error = match toml::from_str::<T>(&text) {
            Ok(value) if report.diagnostics.is_empty() => return Ok(value),
            Ok(_) => return Err(report),
            Err(error) => error,
        };
        let entry = error.span().and_then(|span| Entry::around(&text, &span));
        let missing = error.message().strip_prefix("missing field ");
        let missing = missing.map(|key| key.trim_matches('`'));
        // What was taken out is not missing there, and what is left need not be TOML.
        let from_here = |at| entry.as_ref().is_none_or(|table| table.span.contains(at));
        let bogus = missing.is_some_and(|m| removed.iter().any(|(r, at)| r == m && from_here(at)))
            || !removed.is_empty() && DeTable::parse(&text).is_err();
        if !bogus {
            report.push(diagnose(source, &error, entry.as_ref()));
        }
        let Some(entry) = entry.filter(|_| report.diagnostics.len() < ENOUGH) else {
            return Err(report);
        };
        let blank: String =
            text[entry.span.clone()].chars().flat_map(|c| blank(c).chars()).collect();
        removed.push((entry.key, entry.span.start));
        text.replace_range(entry.span, &blank);
    }
}

/// From a key of a description to the end of its value.
pub(crate) fn key_span(text: &str, table: Option<&str>, key: &str) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let inside = document.get_ref();
    let keys = match table {
        None => inside,
        Some(table) => match inside.get(table)?.get_ref() {
            DeValue::Table(keys) => keys,
            _ => return None,
        },
    };
    let (name, value) = keys.iter().find(|(name, _)| name.get_ref() == key)?;
    Some(name.span().start..value.span().end)
}

/// What is not TOML at all: what follows on a line that is wrong is wrong because of it.
fn not_toml(source: &Arc<Source>, errors: &[toml::de::Error]) -> Report {
    let start = |e: &toml::de::Error| e.span().map_or(0, |span| span.start);
    let line = |e: &toml::de::Error| source.text[..start(e)].matches('\n').count();
    let mut told: Vec<&toml::de::Error> = Vec::new();
    for error in errors.iter().take(ENOUGH) {
        if !told.iter().any(|earlier| line(earlier) == line(error)) {
            told.push(error);
        }
    }
    Report { diagnostics: told.into_iter().map(|error| syntax(source, error)).collect() }
}

fn syntax(source: &Arc<Source>, error: &toml::de::Error) -> Diagnostic {
    let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
    let help = match message.as_str() {
        m if m.contains("quoted") || m.contains("opening quote") => {
            "write text in quotes: `key = \"…\"`"
        }
        m if m.contains("string") => {
            "close the string with the quote that opened it, on the same line"
        }
        m if m.contains("duplicate key") => "remove one of the two: a key has one value",
        m if m.contains("array") => "close the list with `]`",
        m if m.contains("table") => "close the table: `[name]`, or `{ key = value }` on one line",
        _ => "write one `key = value` a line, with text in quotes",
    };
    Diagnostic::error("A8001", message).at(source, error.span().unwrap_or(0..0), "").help(help)
}

/// As many bytes, so that all places stay.
fn blank(c: char) -> &'static str {
    if c == '\n' { "\n" } else { &"    "[..c.len_utf8()] }
}

/// A key and its value.
struct Entry {
    key: String,
    /// As written.
    value: String,
    /// Where the value begins.
    start: usize,
    /// Both, or a whole table with its header.
    span: Range<usize>,
}

impl Entry {
    /// The innermost entry that a place of the text belongs to; not the place of what is missing.
    fn around(text: &str, place: &Range<usize>) -> Option<Entry> {
        let table = DeTable::parse(text).ok()?;
        let (key, whole, value) = innermost(table.get_ref(), place)?;
        let written = text.get(value.clone())?;
        let is_header = value.start < whole.start
            || written.starts_with('[') && {
                let line = text[..whole.start].rfind('\n').map_or(0, |at| at + 1);
                text[line..].starts_with('[')
            };
        let span = if is_header { section(text, whole.start) } else { whole.start..value.end };
        Some(Entry { key, value: written.to_owned(), start: value.start, span })
    }
}

/// Key, the key's place, the value's place.
fn innermost(
    table: &DeTable<'_>,
    place: &Range<usize>,
) -> Option<(String, Range<usize>, Range<usize>)> {
    let holds = |span: &Range<usize>| span.start <= place.start && place.end <= span.end;
    for (key, value) in table {
        let deeper = match value.get_ref() {
            DeValue::Table(inner) => innermost(inner, place),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(inner) => innermost(inner, place),
                _ => None,
            }),
            _ => None,
        };
        if deeper.is_some() {
            return deeper;
        }
        let is_whole_table = matches!(value.get_ref(), DeValue::Table(_)) && value.span() == *place;
        if holds(&key.span()) || (holds(&value.span()) && !is_whole_table) {
            return Some((key.get_ref().to_string(), key.span(), value.span()));
        }
    }
    None
}

/// From a table's header to the next one.
fn section(text: &str, inside: usize) -> Range<usize> {
    let start = text[..inside].rfind('\n').map_or(0, |at| at + 1);
    let end = text[inside..].find("\n[").map_or(text.len(), |at| inside + at);
    start..end
}

fn diagnose(source: &Arc<Source>, error: &toml::de::Error, entry: Option<&Entry>) -> Diagnostic {
    let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
    let span = error.span().unwrap_or(0..0);
    if let Some((key, known)) = unknown_key(&message) {
        let all = known.join("`, `");
        let diagnostic = Diagnostic::error("A8002", format!("unknown key `{key}`")).at(
            source,
            span,
            "not a key here",
        );
        return match nearest(&key, known.iter().map(String::as_str)) {
            Some(near) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fact(format!("known keys: `{all}`")),
            None => diagnostic.help(format!("known keys: `{all}`")),
        };
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Diagnostic::error("A8001", format!("the key {key} is missing"))
            .at(source, span, "")
            .help(format!("add a line `{} = …`", key.trim_matches('`')));
    }
    // What an untagged enum of ours expects.
    if let (Some(wanted), Some(entry)) = (message.strip_prefix("expected "), entry) {
        return Diagnostic::error("A8001", format!("`{}` takes {wanted}", entry.key))
            .at(source, span, "this is neither")
            .help(format!("write `{} = \"…\"`", entry.key));
    }
    let words =
        message.split_once(", expected ").filter(|(got, _)| got.starts_with("invalid type"));
    match (words, entry) {
        (Some((got, wanted)), Some(entry)) => {
            let got = got.trim_start_matches("invalid type: ").replace("sequence", "list");
            if entry.value.starts_with('[') && span.start > entry.start {
                let key = &entry.key;
                return Diagnostic::error("A8001", format!("each item of `{key}` is {wanted}"))
                    .at(source, span, format!("this is {}", article(&got)))
                    .help(format!("write `{key} = [\"…\"]`"));
            }
            let (wanted, help) = wanted_type(wanted, entry);
            Diagnostic::error("A8001", format!("`{}` takes {wanted}", entry.key))
                .at(source, span, format!("this is {}", article(&got)))
                .help(help)
        }
        _ => Diagnostic::error("A8001", message).at(source, span, ""),
    }
}

/// What serde wants, in the words of TOML, and what to write.
fn wanted_type(wanted: &str, entry: &Entry) -> (String, String) {
    let Entry { key, value, .. } = entry;
    let scalar = !value.is_empty() && !value.contains(['"', '\'', '\n', '[', '{']);
    match wanted {
        "a string" if scalar => ("a string".into(), format!("write `{key} = \"{value}\"`")),
        "a string" => ("a string".into(), format!("write `{key} = \"…\"`")),
        "a boolean" => ("true or false".into(), format!("write `{key} = true`, or leave it out")),
        "a sequence" => ("a list".into(), format!("write `{key} = [{value}]`")),
        "u32" | "u64" | "usize" => {
            let number = value.trim_matches(['"', '\'']).parse().unwrap_or(16_u64);
            ("a whole number".into(), format!("write `{key} = {number}`, without quotes"))
        }
        other if other.starts_with("struct ") => {
            ("a table".into(), format!("write `[{key}]` and its keys below it"))
        }
        other => (other.to_owned(), format!("write `{key} = …` with {other}")),
    }
}

/// serde's "integer `3`" in a sentence.
fn article(got: &str) -> String {
    match got.chars().next() {
        Some('a' | 'i') => format!("an {got}"),
        _ => format!("a {got}"),
    }
}

/// Takes serde's "unknown field `x`, expected one of `a`, `b`" apart.
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut names = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((names.next()?, names.collect()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Shape {
        name: String,
        #[serde(default)]
        flags: Vec<String>,
        #[serde(default)]
        inner: Inner,
        #[serde(default)]
        item: Vec<Inner>,
        #[serde(default)]
        must: Vec<Must>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Inner {
        #[serde(default)]
        size: u64,
        #[serde(default)]
        on: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Must {
        have: u64,
    }

    /// Line, message and help of every mistake.
    fn mistakes(text: &str) -> Vec<String> {
        let report = read::<Shape>(&Source::new("x.toml", text)).unwrap_err();
        let told = |d: &Diagnostic| {
            let start = d.locations[0].span.start;
            let line = text[..start].matches('\n').count() + 1;
            format!("{line}: {}; {}", d.message, d.help.as_deref().unwrap_or("-"))
        };
        report.diagnostics.iter().map(told).collect()
    }

    #[test]
    fn all_mistakes_are_told_at_once_wherever_they_are() {
        let text = "\
nam = \"ü\"
name = 3
flags = \"x\"
flag = [1,
  2]
[inner]
size = \"8\"
onn = true
on = 1
[[item]]
size = 3
sise = 3
[[item]]
on = \"yes\"
[iner]
size = 3
";
        let told = mistakes(text);
        assert_eq!(
            told,
            [
                "1: unknown key `nam`; did you mean `name`?",
                "2: `name` takes a string; write `name = \"3\"`",
                "3: `flags` takes a list; write `flags = [\"x\"]`",
                "4: unknown key `flag`; did you mean `flags`?",
                "7: `size` takes a whole number; write `size = 8`, without quotes",
                "8: unknown key `onn`; did you mean `on`?",
                "9: `on` takes true or false; write `on = true`, or leave it out",
                "12: unknown key `sise`; did you mean `size`?",
                "14: `on` takes true or false; write `on = true`, or leave it out",
                "15: unknown key `iner`; did you mean `inner`?",
            ]
        );
    }

    #[test]
    fn a_missing_key_is_told_unless_it_was_taken_out() {
        assert_eq!(mistakes(""), ["1: the key `name` is missing; add a line `name = …`"]);
        assert_eq!(mistakes("name = 3"), ["1: `name` takes a string; write `name = \"3\"`"]);
        assert_eq!(mistakes("inner = 3\nname = \"\"").len(), 1);
        // Each table tells its own.
        let told = mistakes("name = \"\"\n[[must]]\n[[must]]\nhave = \"1\"\n[[must]]\n");
        let missing = "the key `have` is missing; add a line `have = …`";
        let wrong = "4: `have` takes a whole number; write `have = 1`, without quotes";
        assert_eq!(told, [format!("2: {missing}"), wrong.to_owned(), format!("5: {missing}")]);
        assert_eq!(
            mistakes("name = \"\"\ninner = { size = 3, no = 1 }\nitem = [{ no = 2 }]").len(),
            2
        );
    }

    #[test]
    fn a_text_full_of_mistakes_ends() {
        let text: String = (0..2000).map(|n| format!("key{n} = 1\n")).collect();
        assert_eq!(mistakes(&text).len(), ENOUGH);
    }

    #[test]
    fn one_mistake_a_line_is_told_of_what_is_not_toml() {
        let lines = |text: &str| -> Vec<String> {
            mistakes(text).iter().map(|m| m.split(':').next().unwrap().to_owned()).collect()
        };
        assert_eq!(lines("a = [\nname = 3"), ["2"]);
        assert_eq!(lines("name = x y z\nsize = \"\nok = 1\n = 3"), ["1", "2", "4"]);
    }

    #[test]
    fn a_span_covers_the_key_and_its_value() {
        let text = "malloc = \"x\"\n[promises]\nerrno = true\nmax_align = 16\n";
        let span = key_span(text, Some("promises"), "max_align").unwrap();
        assert_eq!(&text[span], "max_align = 16");
        assert_eq!(&text[key_span(text, None, "malloc").unwrap()], "malloc = \"x\"");
        assert_eq!(key_span(text, None, "errno"), None);
    }
}

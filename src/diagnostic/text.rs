//! Diagnostics as text: for people, for machines, for GitHub. Nothing is printed here.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Diagnostic, Location, Severity};

/// As rustc shows its own, in colours.
pub fn styled(diagnostic: &Diagnostic) -> String {
    human(diagnostic, &Renderer::styled())
}

/// As rustc shows its own, without colours.
pub fn plain(diagnostic: &Diagnostic) -> String {
    human(diagnostic, &Renderer::plain())
}

fn human(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    let mut group = Group::with_title(title);
    let places = diagnostic.locations.iter().filter(|l| !l.source.text.is_empty());
    for (index, location) in places.enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = group.element(
            Snippet::source(&location.source.text)
                .path(&location.source.name)
                .annotation(kind.span(clamp(location)).label(&location.label)),
        );
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

fn clamp(location: &Location) -> std::ops::Range<usize> {
    let text = &location.source.text;
    let mut start = location.span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = location.span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    label: &'a str,
}

fn place(location: &Location) -> Place<'_> {
    let before = &location.source.text[..clamp(location).start];
    let line = before.matches('\n').count() + 1;
    // In characters, as in the form for people.
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    Place { file: &location.source.name, line, column, label: &location.label }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// One object: severity, code, message, places by line and column, notes, help.
pub fn json(diagnostic: &Diagnostic) -> Value {
    json!({
        "reason": "diagnostic",
        "severity": word(diagnostic.severity),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "places": diagnostic.locations.iter().map(place).collect::<Vec<_>>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
    })
}

/// A workflow command, which GitHub shows beside the line.
pub fn github(diagnostic: &Diagnostic) -> String {
    let kind = match diagnostic.severity {
        Severity::Note => "notice",
        other => word(other),
    };
    let mut properties = vec![format!("title={}", property(diagnostic.code))];
    if let Some(location) = diagnostic.locations.first().filter(|l| !l.source.text.is_empty()) {
        let place = place(location);
        properties.push(format!("file={}", property(place.file)));
        properties.push(format!("line={},col={}", place.line, place.column));
    }
    let mut text = diagnostic.message.clone();
    for more in diagnostic.notes.iter().chain(&diagnostic.help) {
        text += &format!("\n{more}");
    }
    format!("::{kind} {}::{}", properties.join(","), escape(&text))
}

/// The escapes of GitHub's workflow commands.
pub fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of their properties.
pub fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

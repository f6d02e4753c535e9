//! How answers look: for people, as JSON, or as GitHub annotations.
//!
//! Results go to standard output, diagnostics to standard error.

use std::io::Write;

use alloc8_gen::diagnostic::{Diagnostic, Location, Report, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{Color, Format, Global};

/// Where and how to write.
pub(crate) struct Show {
    /// As asked for.
    pub(crate) format: Format,
    quiet: bool,
    verbose: bool,
    choice: anstream::ColorChoice,
}

impl Show {
    pub(crate) fn new(options: &Global) -> Show {
        let choice = match options.color {
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
            Color::Auto => anstream::ColorChoice::Auto,
        };
        Show { format: options.format, quiet: options.quiet, verbose: options.verbose, choice }
    }

    /// A result: text for people, an object with a `reason` for machines.
    pub(crate) fn result(&self, text: &str, object: impl FnOnce() -> Value) {
        let text = if self.format == Format::Json { object().to_string() } else { text.to_owned() };
        self.out(&text);
    }

    /// A line of standard output, as it is. A reader that went away ends the program quietly.
    pub(crate) fn out(&self, text: &str) {
        let mut out = anstream::AutoStream::new(std::io::stdout(), self.choice);
        let _ = writeln!(out, "{text}");
    }

    /// Something for people that is neither result nor mistake.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet && self.format == Format::Human {
            self.err(text);
        }
    }

    /// What is being done, with `-v`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.err(text);
        }
    }

    /// Whether the format is JSON.
    pub(crate) fn json(&self) -> bool {
        self.format == Format::Json
    }

    fn err(&self, text: &str) {
        let mut err = anstream::AutoStream::new(std::io::stderr(), self.choice);
        let _ = writeln!(err, "{text}");
    }

    /// All mistakes of a phase, with a last line that counts them.
    pub(crate) fn report(&self, report: &Report) {
        self.diagnostics(&report.diagnostics);
        let errors = report.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        if errors > 1 && self.format == Format::Human {
            self.err(&format!("error: {errors} mistakes"));
        }
    }

    /// Remarks or mistakes.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            if self.quiet && diagnostic.severity != Severity::Error {
                continue;
            }
            match self.format {
                Format::Human => self.err(&self.human(diagnostic)),
                Format::Json => self.err(&machine(diagnostic).to_string()),
                Format::Github => self.err(&github(diagnostic)),
            }
        }
    }

    fn human(&self, diagnostic: &Diagnostic) -> String {
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
        // Colours that a pipe does not want are stripped by the stream.
        Renderer::styled().render(&[group])
    }
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
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    Place { file: &location.source.name, line, column, label: &location.label }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn machine(diagnostic: &Diagnostic) -> Value {
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

fn github(diagnostic: &Diagnostic) -> String {
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
pub(super) fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of their properties.
pub(super) fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

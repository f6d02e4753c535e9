//! Mistakes as data: a stable code, what is wrong, where, and what to type.
//!
//! Every other module of the library returns these and never prints; how they look is decided in
//! `text`, where they go in `command::show`.

use std::{fmt, ops::Range, sync::Arc};

pub mod text;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be produced.
    Error,
    /// Something is produced, and the user should know this about it.
    Warning,
    /// Something the user may want to know.
    Note,
}

/// A text that a location points into.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// How the user knows the file: a path as given, or `specs/…` for what is built in.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A shared source.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source { name: name.into(), text: text.into() })
    }
}

/// A place in a source, with what was seen there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The text.
    pub source: Arc<Source>,
    /// Bytes of that text.
    pub span: Range<usize>,
    /// What we saw there; may be empty.
    pub label: String,
}

/// One mistake or remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Stable: `A8001` and so on; `explain` knows each.
    pub code: &'static str,
    /// Lower case, no full stop, names in backticks.
    pub message: String,
    /// The place it is about, then related places.
    pub locations: Vec<Location>,
    /// More facts.
    pub notes: Vec<String>,
    /// What to type.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Diagnostic { severity, code, message, locations: Vec::new(), notes: Vec::new(), help: None }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(
        mut self,
        source: &Arc<Source>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.locations.push(Location { source: Arc::clone(source), span, label: label.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to type.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All mistakes of one phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order they were found, until they are sorted.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Collects one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether nothing can be produced.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// Ends a phase: all of its errors at once, or the value.
    ///
    /// # Errors
    /// The report itself, sorted, if it has errors.
    pub fn finish<T>(mut self, value: T) -> std::result::Result<(T, Vec<Diagnostic>), Report> {
        self.sort();
        if self.has_errors() { Err(self) } else { Ok((value, self.diagnostics)) }
    }

    /// In the order of the text.
    pub(crate) fn sort(&mut self) {
        self.diagnostics.sort_by_key(|d| {
            let place = d.locations.first();
            (place.map(|l| l.source.name.clone()), place.map(|l| l.span.start), d.severity)
        });
    }
}

impl From<Diagnostic> for Report {
    fn from(diagnostic: Diagnostic) -> Self {
        Report { diagnostics: vec![diagnostic] }
    }
}

impl fmt::Display for Report {
    /// One line a diagnostic, for logs and tests; people see [`text::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for d in &self.diagnostics {
            writeln!(f, "{:?}[{}]: {}", d.severity, d.code, d.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// What a phase of the pipeline returns.
pub type Result<T> = std::result::Result<T, Report>;

/// The known name nearest to what was typed, if it is near enough to be a slip.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // No slip of the finger is this long, and the comparison takes the product of the lengths.
    let typed = (typed.len() <= 100).then(|| typed.to_lowercase())?;
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&typed, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

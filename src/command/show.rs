//! Where answers go: for people, as JSON, or as GitHub annotations.
//!
//! Results go to standard output, diagnostics to standard error.

use std::{
    cell::RefCell,
    io::{self, Write},
};

use alloc8_gen::diagnostic::{Diagnostic, Report, Result, Severity, text};
use serde_json::Value;

use crate::cli::{Color, Format, Global};

/// Where and how to write.
pub(crate) struct Show {
    /// As asked for.
    pub(crate) format: Format,
    quiet: bool,
    verbose: bool,
    choice: anstream::ColorChoice,
    /// Why standard output did not take all.
    lost: RefCell<Option<io::Error>>,
}

impl Show {
    pub(crate) fn new(options: &Global) -> Show {
        let choice = match options.color {
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
            Color::Auto => anstream::ColorChoice::Auto,
        };
        Show {
            format: options.format,
            quiet: options.quiet,
            verbose: options.verbose,
            choice,
            lost: RefCell::new(None),
        }
    }

    /// A result: text for people, an object with a `reason` for machines.
    pub(crate) fn result(&self, text: &str, object: impl FnOnce() -> Value) {
        let text = if self.format == Format::Json { object().to_string() } else { text.to_owned() };
        self.out(&text);
    }

    /// A line of standard output, as it is. A reader that went away ends the program quietly.
    pub(crate) fn out(&self, text: &str) {
        let mut out = anstream::AutoStream::new(std::io::stdout(), self.choice);
        match writeln!(out, "{text}") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.lost.replace(Some(error));
            }
            _ => {}
        }
    }

    /// What was done is no answer if nobody got it.
    ///
    /// # Errors
    /// `A8302` if standard output did not take all. That a reader went away is no mistake.
    pub(crate) fn refuse_loss(&self) -> Result<()> {
        let Some(error) = self.lost.take() else { return Ok(()) };
        Err(Diagnostic::error("A8302", format!("could not write standard output: {error}"))
            .help("make room, or let it go to another file")
            .into())
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
                // Colours that a pipe does not want are stripped by the stream.
                Format::Human => self.err(&text::styled(diagnostic)),
                Format::Json => self.err(&text::json(diagnostic).to_string()),
                Format::Github => self.err(&text::github(diagnostic)),
            }
        }
    }
}

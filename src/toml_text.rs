//! TOML into plain structs, with mistakes placed in the text.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, Report, Result, Source, nearest};

/// Reads a whole TOML text into `T`.
///
/// # Errors
/// `A8001` not TOML, or a value of the wrong type; `A8002` an unknown key, with the nearest known one.
pub(crate) fn read<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T> {
    toml::from_str(&source.text).map_err(|error| Report::from(diagnose(source, &error)))
}

fn diagnose(source: &Arc<Source>, error: &toml::de::Error) -> Diagnostic {
    let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
    let span = error.span().unwrap_or(0..0);
    if let Some((key, known)) = unknown_key(&message) {
        let all = known.join("`, `");
        let diagnostic = Diagnostic::error("A8002", format!("unknown key `{key}`"));
        return match nearest(&key, known.iter().map(String::as_str)) {
            Some(near) => diagnostic
                .at(source, span, "not a key here")
                .help(format!("did you mean `{near}`?"))
                .fact(format!("known keys: `{all}`")),
            None => {
                diagnostic.at(source, span, "not a key here").help(format!("known keys: `{all}`"))
            }
        };
    }
    Diagnostic::error("A8001", message).at(source, span, "")
}

/// Takes serde's "unknown field `x`, expected one of `a`, `b`" apart.
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut names = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((names.next()?, names.collect()))
}

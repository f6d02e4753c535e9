//! One value of a description each: read, or told as a mistake and left out.

use std::{collections::BTreeSet, sync::Arc};

use toml::{Spanned, Value};

use super::{Limit, Promise, call::is_c_name, raw::Text};
use crate::diagnostic::{Diagnostic, Report, Source, nearest};

/// Reads values, and keeps what is wrong with them.
pub(super) struct Values<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) report: Report,
}

/// Whether files and folders may be called after an allocator of this name, and comments mention it.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | ' ');
    name.starts_with(|c: char| c.is_alphanumeric() || c == '_') && name.chars().all(fits)
}

impl Values<'_> {
    /// The allocator's name: what is written, or else the file's.
    pub(super) fn name(&mut self, written: Option<&Spanned<String>>, file: &str) -> String {
        let name = written.map_or(file, |name| name.get_ref());
        if is_name(name) {
            return name.to_owned();
        }
        let diagnostic = Diagnostic::error(
            "A8903",
            format!("`{}` cannot name an allocator", name.escape_debug()),
        );
        self.report.push(match written {
            Some(written) => diagnostic
                .at(self.source, written.span(), "files and folders are called after it")
                .help("write letters, digits and `_`, `-`, `.` or `+`: `name = \"my_heap\"`"),
            None => diagnostic.fact("files and folders are called after it").help(
                "write `name = \"my_heap\"` into the description, or give the file another name",
            ),
        });
        name.to_owned()
    }

    /// Yes or no, by two words; no, if the key is not there.
    pub(super) fn yes(
        &mut self,
        value: Option<&Spanned<String>>,
        key: &str,
        no: &str,
        yes: &str,
    ) -> bool {
        self.choice(value, key, &[(no, false), (yes, true)]).unwrap_or(false)
    }

    /// An alignment, a power of two; 0 if there is none.
    pub(super) fn power(&mut self, value: Option<&Spanned<u64>>, key: &str) -> u64 {
        let Some(n) = value else { return 0 };
        if n.get_ref().is_power_of_two() {
            return *n.get_ref();
        }
        // To promise less than holds is safe.
        let help = match n.get_ref().checked_ilog2() {
            Some(log) => format!("write `{key} = {}`", 1u64 << log),
            None => format!("leave `{key}` out: the shim then keeps it"),
        };
        self.report.push(
            Diagnostic::error("A8103", format!("`{key}` is not an alignment"))
                .at(self.source, n.span(), "expected a power of two")
                .help(help),
        );
        0
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        value: Option<&Spanned<String>>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let value = value?;
        let found = choices.iter().find(|(name, _)| name == value.get_ref());
        if found.is_none() {
            let known: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let near = nearest(value.get_ref(), choices.iter().map(|(name, _)| *name));
            let help = near.map_or(format!("write `{key} = {}`", known[0]), |near| {
                format!("did you mean `{key} = \"{near}\"`?")
            });
            self.report.push(
                Diagnostic::error("A8105", format!("`{key}` cannot be \"{}\"", value.get_ref()))
                    .at(self.source, value.span(), format!("expected {}", known.join(" or ")))
                    .help(help),
            );
        }
        found.map(|(_, choice)| *choice)
    }

    pub(super) fn limit(&mut self, value: Option<&Spanned<Value>>, key: &str) -> Limit {
        let Some(value) = value else { return Limit::Unknown };
        match value.get_ref() {
            Value::String(text) if text == "any" => Limit::Any,
            Value::Integer(n) if *n > 0 => Limit::Bytes(n.unsigned_abs()),
            _ => {
                self.report.push(
                    Diagnostic::error("A8104", format!("`{key}` is not a limit"))
                        .at(self.source, value.span(), "expected a number of bytes or \"any\"")
                        .help(format!(
                            "write `{key} = 1048576`, or `{key} = \"any\"` if there is none"
                        )),
                );
                Limit::Unknown
            }
        }
    }

    /// The flag that says whether there are threads.
    pub(super) fn variable(&mut self, name: Option<&Spanned<String>>) -> Option<String> {
        let name = name?;
        if !is_c_name(name.get_ref()) {
            self.report.push(
                Diagnostic::error("A8220", format!("`{}` is not a variable's name", name.get_ref()))
                    .at(self.source, name.span(), "expected a name of C")
                    .help("write `thread_created = \"NAME_thread_created\"`: a `volatile int` of the library"),
            );
            return None;
        }
        Some(name.get_ref().clone())
    }

    /// The type that the shim in Rust calls: `crate::Heap`, but never an expression.
    pub(super) fn rust_path(&mut self, path: Option<&Spanned<String>>) -> Option<String> {
        let path = path?;
        let word = |part: &str| {
            part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        };
        if !path.get_ref().split("::").all(word) {
            self.report.push(
                Diagnostic::error(
                    "A8110",
                    format!("`{}` is not the path of a type", path.get_ref()),
                )
                .at(self.source, path.span(), "expected names with `::` between them")
                .help("write `rust = \"crate::Heap\"`: the type that implements the shim's trait"),
            );
            return None;
        }
        Some(path.get_ref().clone())
    }

    /// The file with the heap class; a heap is in one language.
    pub(super) fn cpp_file(&mut self, file: &Text, is_rust: bool) -> Option<String> {
        let file = file.as_ref()?;
        if is_rust {
            self.report.push(
                Diagnostic::error("A8260", "`cpp` beside `rust`")
                    .at(self.source, file.span(), "the heap is in one language")
                    .help("keep the one that has the functions"),
            );
        }
        Some(file.get_ref().clone())
    }

    pub(super) fn waived(&mut self, raw: &[Spanned<String>]) -> BTreeSet<Promise> {
        let mut waived = BTreeSet::new();
        for name in raw {
            match Promise::named(name.get_ref()) {
                Some(promise) => {
                    waived.insert(promise);
                }
                None => {
                    let known: Vec<_> = Promise::ALL.iter().map(|p| p.key()).collect();
                    let near = nearest(name.get_ref(), known.iter().copied());
                    self.report.push(
                        Diagnostic::error(
                            "A8106",
                            format!("`{}` is not a promise", name.get_ref()),
                        )
                        .at(self.source, name.span(), "nothing to waive")
                        .help(
                            near.map_or(format!("promises: {}", known.join(", ")), |n| {
                                format!("did you mean `{n}`?")
                            }),
                        ),
                    );
                }
            }
        }
        waived
    }
}

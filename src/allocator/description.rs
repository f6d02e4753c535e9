//! `NAME.toml`: the description of an allocator.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use toml::{Spanned, Value};

use super::{
    Allocator, Call, Installed, Limit, Origin, Promise, Promises, Role, ThreadPolicy,
    call::is_c_name,
    raw::{OneOrMany, Raw, RawPromises, Text},
    require::{Policies, check_policies, require, texts},
};
use crate::{
    diagnostic::{Diagnostic, Report, Result, Source, nearest},
    embedded,
    spec::{Foreign, ReallocZero},
    toml_text,
};

/// The names of the built-in descriptions, sorted.
pub fn built_in_names() -> Vec<String> {
    let mut names: Vec<_> = embedded::names("specs/allocators/")
        .filter_map(|file| file.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| name != "convention")
        .collect();
    names.sort();
    names
}

/// The built-in description of that name, if there is one.
///
/// # Errors
/// What is wrong with it.
pub fn built_in(name: &str) -> Option<Result<Allocator>> {
    let path = format!("specs/allocators/{name}.toml");
    let text = (name != "convention").then(|| embedded::text(&path)).flatten()?;
    Some(read(&Source::new(path, text), name, Origin::BuiltIn))
}

/// Reads a description; `name` is its file's stem.
///
/// # Errors
/// Everything that is wrong with it: the TOML, unknown keys, call templates, limits, policies, and
/// missing functions.
pub fn read(source: &Arc<Source>, name: &str, origin: Origin) -> Result<Allocator> {
    let raw: Raw = toml_text::read(source)?;
    let mut report = Report::default();
    if let Some(schema) = raw.schema.as_ref().filter(|s| *s.get_ref() != 1) {
        report.push(
            Diagnostic::error("A8004", format!("schema {} is not known", schema.get_ref()))
                .at(source, schema.span(), "this version reads schema 1")
                .help("use a newer alloc8-gen, or write `schema = 1` and that version's keys"),
        );
    }
    let functions = functions(source, &raw, &mut report);
    let promises = promises(source, &raw.promises, &mut report);
    // A function that is named wrongly is not missing besides.
    if !report.has_errors() {
        require(source, &raw, &functions, &promises, &mut report);
    }
    let allocator = Allocator {
        name: raw.name.clone().unwrap_or_else(|| name.to_owned()),
        title: raw.title.clone().unwrap_or_else(|| name.to_owned()),
        origin,
        source: Arc::clone(source),
        archives: match raw.archive {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(path) => vec![path],
            OneOrMany::Many(paths) => paths,
        },
        libs: raw.libs,
        rust: rust_path(source, raw.rust.as_ref(), &mut report),
        cpp: cpp_file(source, &raw.cpp, raw.rust.is_some(), &mut report),
        embedded: raw.source,
        installed: Installed {
            libraries: raw.libraries,
            pkg_config: raw.pkg_config,
            install: raw.install,
        },
        keep: raw.keep,
        export: raw.export,
        waived: waived(source, &raw.waive, &mut report),
        foreign: choice(source, raw.foreign.as_ref(), "foreign", FOREIGN, &mut report),
        drop_deepbind: choice(
            source,
            raw.deepbind.as_ref(),
            "deepbind",
            &[("keep", false), ("drop", true)],
            &mut report,
        )
        .unwrap_or(false),
        zone: raw.zone.unwrap_or(true),
        typed: choice(
            source,
            raw.typed.as_ref(),
            "typed",
            &[("none", false), ("all", true)],
            &mut report,
        )
        .unwrap_or(false),
        forward_sized_delete: choice(
            source,
            raw.sized_delete.as_ref(),
            "sized_delete",
            &[("ignore", false), ("forward", true)],
            &mut report,
        )
        .unwrap_or(false),
        thread_policy: choice(
            source,
            raw.thread_policy.as_ref(),
            "thread_policy",
            &[("advisory", ThreadPolicy::Advisory), ("required", ThreadPolicy::Required)],
            &mut report,
        )
        .unwrap_or_default(),
        thread_created: variable(source, raw.thread_created.as_ref(), &mut report),
        indirect: Default::default(),
        counters: raw.counters,
        not_built: raw.not_built,
        functions,
        promises,
    };
    let policies = Policies { thread: raw.thread_policy.as_ref(), foreign: raw.foreign.as_ref() };
    check_policies(source, &allocator, &policies, &mut report);
    report.finish(allocator).map(|(allocator, _)| allocator)
}

const FOREIGN: &[(&str, Foreign)] =
    &[("trust", Foreign::Trust), ("forward", Foreign::Forward), ("abort", Foreign::Abort)];

fn functions(source: &Arc<Source>, raw: &Raw, report: &mut Report) -> BTreeMap<Role, Call> {
    let mut functions = BTreeMap::new();
    for (role, text) in texts(raw) {
        let Some(text) = text else { continue };
        match Call::parse(text.get_ref(), &role.prototype(), role == Role::Owns) {
            Ok(call) => {
                functions.insert(role, call);
            }
            Err(error) => {
                let start = text.span().start + 1 + error.offset;
                report.push(
                    Diagnostic::error("A8101", format!("`{}` is not a call", role.key()))
                        .at(source, start..start + error.length, error.message)
                        .fact(format!("the standard form is `{}`", role.prototype()))
                        .help(call_help(role)),
                );
            }
        }
    }
    functions
}

/// The type that the shim in Rust calls: `crate::Heap`, but never an expression.
fn rust_path(
    source: &Arc<Source>,
    path: Option<&Spanned<String>>,
    report: &mut Report,
) -> Option<String> {
    let path = path?;
    let word = |part: &str| {
        part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    if !path.get_ref().split("::").all(word) {
        report.push(
            Diagnostic::error("A8110", format!("`{}` is not the path of a type", path.get_ref()))
                .at(source, path.span(), "expected names with `::` between them")
                .help("write `rust = \"crate::Heap\"`: the type that implements the shim's trait"),
        );
        return None;
    }
    Some(path.get_ref().clone())
}

/// The file with the heap class; a heap is in one language.
fn cpp_file(
    source: &Arc<Source>,
    file: &Text,
    is_rust: bool,
    report: &mut Report,
) -> Option<String> {
    let file = file.as_ref()?;
    if is_rust {
        report.push(
            Diagnostic::error("A8260", "`cpp` beside `rust`")
                .at(source, file.span(), "the heap is in one language")
                .help("keep the one that has the functions"),
        );
    }
    Some(file.get_ref().clone())
}

/// The flag that says whether there are threads.
fn variable(
    source: &Arc<Source>,
    name: Option<&Spanned<String>>,
    report: &mut Report,
) -> Option<String> {
    let name = name?;
    if !is_c_name(name.get_ref()) {
        report.push(
            Diagnostic::error("A8220", format!("`{}` is not a variable's name", name.get_ref()))
                .at(source, name.span(), "expected a name of C")
                .help("write `thread_created = \"NAME_thread_created\"`: a `volatile int` of the library"),
        );
        return None;
    }
    Some(name.get_ref().clone())
}

/// Both forms of a call, as they are typed.
fn call_help(role: Role) -> String {
    let (key, prototype) = (role.key(), role.prototype());
    let names: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
    let with = format!("`{key} = \"NAME_{key}({})\"`", names.join(", "));
    format!("write `{key} = \"NAME_{key}\"`, or {with} in the function's own order")
}

fn promises(source: &Arc<Source>, raw: &RawPromises, report: &mut Report) -> Promises {
    let power = |value: &Option<Spanned<u64>>, key: &str, report: &mut Report| match value {
        Some(n) if n.get_ref().is_power_of_two() => *n.get_ref(),
        Some(n) => {
            // To promise less than holds is safe.
            let help = match n.get_ref().checked_ilog2() {
                Some(log) => format!("write `{key} = {}`", 1u64 << log),
                None => format!("leave `{key}` out: the shim then keeps it"),
            };
            report.push(
                Diagnostic::error("A8103", format!("`{key}` is not an alignment"))
                    .at(source, n.span(), "expected a power of two")
                    .help(help),
            );
            0
        }
        None => 0,
    };
    Promises {
        errno: raw.errno,
        free_null: raw.free_null,
        free_errno: raw.free_errno,
        zero_size: raw.zero_size,
        max_size: limit(source, raw.max_size.as_ref(), "max_size", report),
        min_align: power(&raw.min_align, "min_align", report),
        max_align: limit(source, raw.max_align.as_ref(), "max_align", report),
        natural_align: power(&raw.natural_align, "natural_align", report),
        alignment_einval: raw.alignment_einval,
        calloc_overflow: raw.calloc_overflow,
        realloc_null: raw.realloc_null,
        realloc_zero: choice(
            source,
            raw.realloc_zero.as_ref(),
            "realloc_zero",
            &[("free", ReallocZero::Free), ("live", ReallocZero::Live)],
            report,
        ),
        usable_size_null: raw.usable_size_null,
        fork_own: choice(source, raw.fork.as_ref(), "fork", &[("own", true)], report)
            .unwrap_or(false),
    }
}

fn limit(
    source: &Arc<Source>,
    value: Option<&Spanned<Value>>,
    key: &str,
    report: &mut Report,
) -> Limit {
    let Some(value) = value else { return Limit::Unknown };
    match value.get_ref() {
        Value::String(text) if text == "any" => Limit::Any,
        Value::Integer(n) if *n > 0 => Limit::Bytes(n.unsigned_abs()),
        _ => {
            report.push(
                Diagnostic::error("A8104", format!("`{key}` is not a limit"))
                    .at(source, value.span(), "expected a number of bytes or \"any\"")
                    .help(format!(
                        "write `{key} = 1048576`, or `{key} = \"any\"` if there is none"
                    )),
            );
            Limit::Unknown
        }
    }
}

fn choice<T: Copy>(
    source: &Arc<Source>,
    value: Option<&Spanned<String>>,
    key: &str,
    choices: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let value = value?;
    let found = choices.iter().find(|(name, _)| name == value.get_ref());
    if found.is_none() {
        let known: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let near = nearest(value.get_ref(), choices.iter().map(|(name, _)| *name));
        let help = near.map_or(format!("write `{key} = {}`", known[0]), |near| {
            format!("did you mean `{key} = \"{near}\"`?")
        });
        report.push(
            Diagnostic::error("A8105", format!("`{key}` cannot be \"{}\"", value.get_ref()))
                .at(source, value.span(), format!("expected {}", known.join(" or ")))
                .help(help),
        );
    }
    found.map(|(_, choice)| *choice)
}

fn waived(source: &Arc<Source>, raw: &[Spanned<String>], report: &mut Report) -> BTreeSet<Promise> {
    let mut waived = BTreeSet::new();
    for name in raw {
        match Promise::named(name.get_ref()) {
            Some(promise) => {
                waived.insert(promise);
            }
            None => {
                let known: Vec<_> = Promise::ALL.iter().map(|p| p.key()).collect();
                let near = nearest(name.get_ref(), known.iter().copied());
                report.push(
                    Diagnostic::error("A8106", format!("`{}` is not a promise", name.get_ref()))
                        .at(source, name.span(), "nothing to waive")
                        .help(near.map_or(format!("promises: {}", known.join(", ")), |n| {
                            format!("did you mean `{n}`?")
                        })),
                );
            }
        }
    }
    waived
}

/// Reads a description from disk; relative archives are relative to it.
///
/// # Errors
/// `A8109` if the file cannot be read; else as [`read`].
pub fn read_file(path: &Path) -> Result<Allocator> {
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::error("A8109", format!("could not read `{}`: {error}", path.display())).help(
            format!(
                "correct the path, or write the file: `alloc8-gen init {name} --lib lib{name}.a`"
            ),
        )
    })?;
    read(&Source::new(path.display().to_string(), text), &name, Origin::File(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Allocator> {
        read(&Source::new("x.toml", text), "x", Origin::BuiltIn)
    }

    #[test]
    fn every_built_in_description_is_without_a_mistake() {
        for name in built_in_names() {
            if let Err(report) = built_in(&name).expect("listed") {
                panic!("{name}: {report}");
            }
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let report = parse(
            "malloc = \"x_malloc(sise)\"\nfree = \"x_free\"\nwaive = [\"erno\"]\n[promises]\nmax_size = \"all\"\nmin_align = 12\n",
        )
        .unwrap_err();
        let codes: BTreeSet<_> = report.diagnostics.iter().map(|d| d.code).collect();
        for code in ["A8101", "A8103", "A8104", "A8106"] {
            assert!(codes.contains(code), "{code} missing in {report}");
        }
    }

    #[test]
    fn an_unknown_key_gets_a_suggestion() {
        let report = parse("maloc = \"x\"\n").unwrap_err();
        assert_eq!(report.diagnostics[0].code, "A8002");
        assert_eq!(report.diagnostics[0].help.as_deref(), Some("did you mean `malloc`?"));
    }
}

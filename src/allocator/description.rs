//! `NAME.toml`: the description of an allocator.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{
    Allocator, Call, Installed, Origin, Promises, Role, ThreadPolicy,
    raw::{OneOrMany, Raw, RawPromises},
    require::{Policies, check_policies, require, texts},
    values::Values,
};
use crate::{
    diagnostic::{Diagnostic, Report, Result, Source},
    embedded, file,
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
    let mut values = Values { source, report: Report::default() };
    known_schema(&raw, &mut values);
    let functions = functions(&raw, &mut values);
    let promises = promises(&raw.promises, &mut values);
    // A function that is named wrongly is not missing besides.
    if !values.report.has_errors() {
        require(source, &raw, &functions, &promises, &mut values.report);
    }
    let policies = Policies { thread: raw.thread_policy.clone(), foreign: raw.foreign.clone() };
    let allocator = assemble(raw, name, origin, functions, promises, &mut values);
    let mut report = values.report;
    check_policies(source, &allocator, &policies, &mut report);
    report.finish(allocator).map(|(allocator, _)| allocator)
}

fn known_schema(raw: &Raw, values: &mut Values<'_>) {
    if let Some(schema) = raw.schema.as_ref().filter(|s| *s.get_ref() != 1) {
        values.report.push(
            Diagnostic::error("A8004", format!("schema {} is not known", schema.get_ref()))
                .at(values.source, schema.span(), "this version reads schema 1")
                .help("use a newer alloc8-gen, or write `schema = 1` and that version's keys"),
        );
    }
}

fn assemble(
    raw: Raw,
    name: &str,
    origin: Origin,
    functions: BTreeMap<Role, Call>,
    promises: Promises,
    values: &mut Values<'_>,
) -> Allocator {
    Allocator {
        name: values.name(raw.name.as_ref(), name),
        title: raw.title.unwrap_or_else(|| name.to_owned()),
        origin,
        source: Arc::clone(values.source),
        archives: match raw.archive {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(path) => vec![path],
            OneOrMany::Many(paths) => paths,
        },
        libs: raw.libs,
        rust: values.rust_path(raw.rust.as_ref()),
        cpp: values.cpp_file(&raw.cpp, raw.rust.is_some()),
        embedded: raw.source,
        installed: Installed {
            libraries: raw.libraries,
            pkg_config: raw.pkg_config,
            install: raw.install,
        },
        keep: raw.keep,
        export: raw.export,
        waived: values.waived(&raw.waive),
        foreign: values.choice(raw.foreign.as_ref(), "foreign", FOREIGN),
        drop_deepbind: values.yes(raw.deepbind.as_ref(), "deepbind", "keep", "drop"),
        zone: raw.zone.unwrap_or(true),
        typed: values.yes(raw.typed.as_ref(), "typed", "none", "all"),
        forward_sized_delete: values.yes(
            raw.sized_delete.as_ref(),
            "sized_delete",
            "ignore",
            "forward",
        ),
        thread_policy: values
            .choice(raw.thread_policy.as_ref(), "thread_policy", THREAD_POLICY)
            .unwrap_or_default(),
        thread_created: values.variable(raw.thread_created.as_ref()),
        indirect: Default::default(),
        counters: raw.counters,
        not_built: raw.not_built,
        functions,
        promises,
    }
}

const THREAD_POLICY: &[(&str, ThreadPolicy)] =
    &[("advisory", ThreadPolicy::Advisory), ("required", ThreadPolicy::Required)];

const FOREIGN: &[(&str, Foreign)] =
    &[("trust", Foreign::Trust), ("forward", Foreign::Forward), ("abort", Foreign::Abort)];

fn functions(raw: &Raw, values: &mut Values<'_>) -> BTreeMap<Role, Call> {
    let mut functions = BTreeMap::new();
    for (role, text) in texts(raw) {
        let Some(text) = text else { continue };
        match Call::parse(text.get_ref(), &role.prototype(), role == Role::Owns) {
            Ok(call) => {
                functions.insert(role, call);
            }
            Err(error) => {
                let start = text.span().start + 1 + error.offset;
                values.report.push(
                    Diagnostic::error("A8101", format!("`{}` is not a call", role.key()))
                        .at(values.source, start..start + error.length, error.message)
                        .fact(format!("the standard form is `{}`", role.prototype()))
                        .help(call_help(role)),
                );
            }
        }
    }
    functions
}

/// Both forms of a call, as they are typed.
fn call_help(role: Role) -> String {
    let (key, prototype) = (role.key(), role.prototype());
    let names: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
    let with = format!("`{key} = \"NAME_{key}({})\"`", names.join(", "));
    format!("write `{key} = \"NAME_{key}\"`, or {with} in the function's own order")
}

fn promises(raw: &RawPromises, values: &mut Values<'_>) -> Promises {
    Promises {
        errno: raw.errno,
        free_null: raw.free_null,
        free_errno: raw.free_errno,
        zero_size: raw.zero_size,
        max_size: values.limit(raw.max_size.as_ref(), "max_size"),
        min_align: values.power(raw.min_align.as_ref(), "min_align"),
        max_align: values.limit(raw.max_align.as_ref(), "max_align"),
        natural_align: values.power(raw.natural_align.as_ref(), "natural_align"),
        alignment_einval: raw.alignment_einval,
        calloc_overflow: raw.calloc_overflow,
        realloc_null: raw.realloc_null,
        realloc_zero: values.choice(raw.realloc_zero.as_ref(), "realloc_zero", REALLOC_ZERO),
        usable_size_null: raw.usable_size_null,
        fork_own: values.choice(raw.fork.as_ref(), "fork", &[("own", true)]).unwrap_or(false),
    }
}

const REALLOC_ZERO: &[(&str, ReallocZero)] =
    &[("free", ReallocZero::Free), ("live", ReallocZero::Live)];

/// Reads a description from disk; relative archives are relative to it.
///
/// # Errors
/// `A8109` if the file cannot be read; else as [`read`].
pub fn read_file(path: &Path) -> Result<Allocator> {
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let unreadable = |why: String, help: String| {
        Diagnostic::error("A8109", format!("could not read `{}`: {why}", path.display())).help(help)
    };
    let bytes = file::read(path).map_err(|error| {
        let write = format!("`alloc8-gen init {name} --lib lib{name}.a`");
        unreadable(error.to_string(), format!("correct the path, or write the file: {write}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(format!("its byte {at} is not UTF-8"), "save it as UTF-8".to_owned())
    })?;
    read(&Source::new(path.display().to_string(), text), &name, Origin::File(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

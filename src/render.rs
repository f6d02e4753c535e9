//! From a plan to the text of every file: pure, the same bytes on any host.
//!
//! `view` says in plain strings what the templates place; `marker` is the head of each file.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use crate::{
    allocator::Allocator,
    diagnostic::{Diagnostic, Report, Result},
    embedded,
    plan::{Mode, Plan},
    spec::{Platform, Symbol},
};

mod call;
mod cpp;
mod families;
mod foreign;
mod macho;
pub mod marker;
mod pe;
pub mod prefixed;
mod program;
mod rust;
mod sections;
mod threads;
pub mod view;

pub use marker::{Comment, Inputs};

/// Path inside the output folder, text.
pub type Files = BTreeMap<String, String>;

/// The template folder's files (`FOLDER/FILE`: another folder's), what they become, and how that
/// language writes comments.
struct Part {
    template: &'static str,
    file: String,
    comment: Comment,
    context: tera::Context,
}

/// The languages of shims, and what their files end in.
const LANGUAGES: &[(&str, &str)] = &[("c", "c"), ("cpp", "hpp"), ("rust", "rs")];

/// Renders everything for one plan.
///
/// # Errors
/// `A8202` if the platform's mechanism has no templates for the language and mode; `A8999` if a
/// template is wrong, which is never the user's fault.
pub fn render(plan: &Plan, inputs: &Inputs) -> Result<Files> {
    let mechanism = &plan.platform.mechanism;
    let in_rust = inputs.lang == "rust";
    let known = ["interpose", "static", "prefixed"].contains(&inputs.mode.as_str());
    if !known || !has_language(mechanism, &inputs.lang) {
        return Err(Diagnostic::error(
            "A8202",
            format!(
                "no templates yet for platform `{}` (mechanism `{mechanism}`) in language `{}` and mode `{}`",
                plan.platform.name, inputs.lang, inputs.mode
            ),
        )
        .help(languages_of(mechanism))
        .into());
    }
    if !has_mode(&plan.platform, &inputs.lang, &inputs.mode) {
        return Err(refuse_mode(&inputs.lang, &inputs.mode));
    }
    if plan.allocator.rust.is_some() && !in_rust {
        return Err(refuse_rust_heap(plan));
    }
    refuse_class(&plan.allocator, &inputs.lang)?;
    let own_plan = match (inputs.lang.as_str(), inputs.mode.as_str()) {
        ("cpp", "static") => Some(plan.clone().in_program()?.in_cxx()),
        (_, "static") => Some(plan.clone().in_program()?),
        (_, "prefixed") if plan.prefix().is_none() => {
            Some(plan.clone().prefixed(inputs.prefix.as_deref().unwrap_or_default())?)
        }
        ("cpp", "interpose") => Some(plan.clone().in_cxx()),
        ("rust", "interpose") => Some(plan.clone().in_rust()),
        _ => None,
    };
    let plan = own_plan.as_ref().unwrap_or(plan);
    let mechanism = &plan.platform.mechanism;
    plan.refuse_hook(inputs.hook.as_deref())?;
    refuse_textless(plan)?;
    let mut files = Files::new();
    let parts = match inputs.lang.as_str() {
        "cpp" if plan.platform.zone.is_some() => macho::cxx::parts(plan, inputs)?,
        "cpp" if plan.platform.hooks.is_some() => pe::cxx::parts(plan, inputs)?,
        "cpp" => cpp::parts(plan, inputs)?,
        "rust" if plan.platform.zone.is_some() => macho::rust::parts(plan)?,
        "rust" if plan.platform.hooks.is_some() => pe::rust::parts(plan, inputs)?,
        "rust" => rust::parts(plan, inputs)?,
        _ if plan.platform.hooks.is_some() => pe::parts(plan, inputs),
        _ => match &plan.mode {
            Mode::Interpose => parts(plan, inputs),
            Mode::Static if plan.zoned.is_some() => macho::in_program(plan, inputs),
            Mode::Static => program::parts(plan, inputs),
            Mode::Prefixed(prefix) => prefixed::parts(plan, inputs, prefix),
        },
    };
    for part in parts {
        let name = match part.template.contains('/') {
            true => part.template.to_owned(),
            false => format!("{mechanism}/{}", part.template),
        };
        let body = template(&name)?.render(&name, &part.context).map_err(internal)?;
        let text = marker::mark(&tidy(&body), part.comment, inputs);
        files.insert(part.file, text);
    }
    Ok(files)
}

/// Whether a mode is a text of its own in a language: everywhere in C, and where functions are hooked in each.
pub fn has_mode(platform: &Platform, lang: &str, mode: &str) -> bool {
    mode == "interpose" || lang == "c" || platform.hooks.is_some()
}

/// Elsewhere a header for C++ and a module in Rust are already part of what includes them.
///
/// `A8231`, in words for a language and a mode.
pub fn refuse_mode(lang: &str, mode: &str) -> Report {
    let help = match lang {
        _ if mode == "prefixed" => {
            "take the shim in C: its header is C++ too, and Rust declares its functions `extern \"C\"`"
        }
        "rust" => "leave out `--mode`: the crate's `staticlib` is what a program carries",
        _ => {
            "leave out `--mode`: a program that includes the header carries its heap; for hooks for threads write `thread_policy = \"required\"` and leave out `thread_created`; link dynamic programs with `-rdynamic`"
        }
    };
    Diagnostic::error("A8231", format!("language `{lang}` has no mode `{mode}` of its own"))
        .help(help)
        .into()
}

/// Methods of a Rust type have no names that another language could call.
fn refuse_rust_heap(plan: &Plan) -> Report {
    let allocator = &plan.allocator;
    let path = allocator.rust.as_deref().unwrap_or_default();
    Diagnostic::error("A8207", format!("`{}` is the Rust type `{path}`", allocator.name))
        .fact(format!("in `{}`", allocator.source.name))
        .help("render it with `--lang rust`")
        .into()
}

/// A heap class has no functions that another language could call.
///
/// # Errors
/// `A8261`.
pub fn refuse_class(allocator: &Allocator, lang: &str) -> Result<()> {
    let Some(file) = allocator.cpp.as_ref().filter(|_| lang != "cpp") else { return Ok(()) };
    Err(Diagnostic::error("A8261", format!("`{}` is a C++ class, in `{file}`", allocator.name))
        .fact(format!("in `{}`", allocator.source.name))
        .help("render it with `--lang cpp`; `build` and `run` do so by themselves")
        .into())
}

/// A platform whose symbols mean what its mechanism's templates have no words for.
fn refuse_textless(plan: &Plan) -> Result<()> {
    let mut report = Report::default();
    for answer in plan.defined().filter(|a| !has_text(plan, &a.symbol)) {
        let symbol = &answer.symbol;
        report.push(
            Diagnostic::error(
                "A8206",
                format!(
                    "mechanism `{}` has no text for `{}`, which means `{}`",
                    plan.platform.mechanism,
                    symbol.spec_name(),
                    symbol.operation.name()
                ),
            )
            .at(&symbol.origin.0, symbol.origin.1.clone(), "would be defined")
            .help("name it among the platform's `wrappers` if its own definition calls public names, or omit it with a reason"),
        );
    }
    report.finish(()).map(|_| ())
}

fn has_text(plan: &Plan, symbol: &Symbol) -> bool {
    match plan.platform.hooks {
        Some(_) => pe::body(symbol, "").is_some(),
        None => call::text(plan, symbol.operation).is_some(),
    }
}

fn parts(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let part = |template, file: String, comment, context| Part { template, file, comment, context };
    if plan.platform.zone.is_some() {
        return macho::parts(plan, inputs);
    }
    let build = view::build(plan, inputs);
    let mut parts = vec![
        part("shim.c.tera", "shim.c".to_owned(), Comment::C, view::shim(plan)),
        part("alloc8.cmake.tera", "alloc8.cmake".to_owned(), Comment::Hash, build.clone()),
        part("alloc8.mk.tera", "alloc8.mk".to_owned(), Comment::Hash, build.clone()),
        part("meson.build.tera", "meson.build".to_owned(), Comment::Hash, build),
    ];
    parts.extend(wrap(plan, inputs));
    parts.extend(lists(plan));
    parts
}

/// The script that starts a program with the library preloaded, where the system asks for one.
fn wrap(plan: &Plan, inputs: &Inputs) -> Option<Part> {
    let shell = plan.platform.runtime.wrap.clone()?;
    Some(Part {
        template: "wrap.sh.tera",
        file: "wrap.sh".to_owned(),
        comment: Comment::Script(shell),
        context: view::build(plan, inputs),
    })
}

/// What the library exports, for the linker and for people.
fn lists(plan: &Plan) -> Vec<Part> {
    let part = |template, file: String, comment, context| Part { template, file, comment, context };
    let mut parts = Vec::new();
    for abi in &plan.platform.abis {
        let context = view::names(plan, abi);
        let map = format!("exports.{}.map", abi.name);
        parts.push(part("exports.map.tera", map, Comment::C, context.clone()));
        let list = format!("symbols.{}.txt", abi.name);
        parts.push(part("symbols.txt.tera", list, Comment::Hash, context));
    }
    parts
}

/// What a mechanism is rendered in, in words.
fn languages_of(mechanism: &str) -> String {
    let there = LANGUAGES.iter().filter(|(name, _)| has_language(mechanism, name));
    let there: Vec<_> = there.map(|(name, _)| format!("`--lang {name}`")).collect();
    match there.is_empty() {
        true => format!("no language has templates for mechanism `{mechanism}` so far"),
        false => format!("rendered so far for mechanism `{mechanism}`: {}", there.join(", ")),
    }
}

/// Whether there are templates for a mechanism at all.
pub fn has_templates(mechanism: &str) -> bool {
    embedded::exists(&format!("templates/{mechanism}/shim.c.tera"))
}

/// Whether there are templates for a mechanism in a language.
pub fn has_language(mechanism: &str, lang: &str) -> bool {
    let Some((_, extension)) = LANGUAGES.iter().find(|(name, _)| *name == lang) else {
        return false;
    };
    embedded::exists(&format!("templates/{mechanism}/shim.{extension}.tera"))
}

/// A template with all that it includes, read when it is first wanted: platforms share them.
fn template(name: &str) -> Result<Arc<tera::Tera>> {
    type Read = OnceLock<Result<Arc<tera::Tera>>>;
    static READ: Mutex<BTreeMap<String, Arc<Read>>> = Mutex::new(BTreeMap::new());
    // A panic elsewhere leaves whole entries behind. Nobody reads while holding the lock.
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let known = Arc::clone(read.entry(name.to_owned()).or_default());
    drop(read);
    known.get_or_init(|| read_template(name).map(Arc::new).map_err(internal)).clone()
}

fn read_template(name: &str) -> std::result::Result<tera::Tera, tera::Error> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut wanted = vec![name.to_owned()];
    while let Some(name) = wanted.pop() {
        // One that is not there is told of by whoever includes it.
        let text = embedded::text(&format!("templates/{name}"));
        let Some(text) = text.filter(|_| !texts.contains_key(&name)) else { continue };
        wanted.extend(included(&text).map(str::to_owned));
        texts.insert(name, text);
    }
    let mut tera = tera::Tera::new();
    tera.autoescape_on(Vec::<String>::new());
    tera.register_filter("as_cxx", pe::cxx::as_cxx);
    tera.add_raw_templates(texts)?;
    Ok(tera)
}

/// What a template's text includes.
fn included(text: &str) -> impl Iterator<Item = &str> {
    const INCLUDE: &str = " include \"";
    text.split(INCLUDE).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0))
}

/// One text by itself, made of a template.
///
/// # Errors
/// `A8999` if the template is wrong.
pub(crate) fn alone(file: &str, template: &str, values: &serde_json::Value) -> Result<String> {
    let mut tera = tera::Tera::new();
    tera.autoescape_on(Vec::<String>::new());
    tera.add_raw_template(file, template).map_err(internal)?;
    tera.render(file, &view::context(values)).map_err(internal)
}

fn internal(error: tera::Error) -> Report {
    Diagnostic::error("A8999", "internal error: this is a bug in alloc8-gen")
        .fact(error.to_string())
        .into()
}

/// One blank line at most, none at the ends, no trailing spaces.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        tidied += line;
        tidied.push('\n');
    }
    while tidied.ends_with("\n\n") {
        tidied.pop();
    }
    tidied
}

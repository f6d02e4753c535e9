//! What builds a shim with an allocator without this tool: fragments for CMake and Make, for Meson where hooks are in C, and for cargo.

use serde_json::{Value, json};

use super::super::{Comment, Inputs, Part, marker::folder_name, rust, view};
use crate::plan::{
    Mode, Plan,
    code::{AS_CXX, CodeLibrary},
    hooks::REDIRECT,
};

/// The fragments of one configuration, and what of ours goes before other people's sources; headers for C++ that hook
/// nothing themselves are included by what their user compiles anyway.
pub(super) fn fragments(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let hook = inputs.hook.as_deref();
    let interposes = plan.mode == Mode::Interpose;
    let in_cxx = inputs.lang == "cpp";
    let redirected = hook == Some(REDIRECT);
    if in_cxx && (!interposes || redirected) {
        return Vec::new();
    }
    let code = CodeLibrary::of_hook(hook).filter(|_| interposes);
    let context = view::context(&described_build(plan, inputs, code));
    let part = |template, file: &str, comment| Part {
        template,
        file: file.to_owned(),
        comment,
        context: context.clone(),
    };
    let templates = match (inputs.lang.as_str(), interposes) {
        // Two libraries are more than a build script without a crate should link.
        ("rust", _) if redirected => return Vec::new(),
        ("rust", _) => vec![("cargo.rs.tera", "alloc8.rs", Comment::C)],
        (_, false) => vec![
            ("program.cmake.tera", "alloc8.cmake", Comment::Hash),
            ("program.mk.tera", "alloc8.mk", Comment::Hash),
        ],
        (lang, true) => {
            let mut templates = vec![
                ("alloc8.cmake.tera", "alloc8.cmake", Comment::Hash),
                ("alloc8.mk.tera", "alloc8.mk", Comment::Hash),
            ];
            if lang == "c" {
                templates.push(("meson.build.tera", "meson.build", Comment::Hash));
            }
            templates
        }
    };
    let prelude = code.and_then(|library| library.prelude);
    let prelude = prelude.map(|file| part("detours_prelude.h.tera", file, Comment::C));
    let of_template = |(template, file, comment)| part(template, file, comment);
    templates.into_iter().map(of_template).chain(prelude).collect()
}

/// What fragments say.
fn described_build(plan: &Plan, inputs: &Inputs, code: Option<&CodeLibrary>) -> Value {
    let hook = inputs.hook.as_deref();
    let interposes = plan.mode == Mode::Interpose;
    let mut values = view::build_values(plan, inputs);
    let hooks = plan.platform.hooks.as_ref();
    values["spec"] = json!(hooks);
    values["hook"] = hook.unwrap_or("default").into();
    values["folder"] = folder_name(&inputs.platform, &inputs.lang, &inputs.mode, hook).into();
    values["inline_condition"] =
        hooks.map(|hooks| hooks.inline.as_str()).unwrap_or_default().into();
    values["code"] = code.map(described).into();
    values["interposes"] = interposes.into();
    // The one that lends functions of the C library's is asked last; without hooks, there is the program's own C library.
    let imports = hooks.into_iter().flat_map(|hooks| hooks.imports.iter().rev());
    let imports = imports.filter(|import| interposes || import.lends.is_empty());
    let names = imports.map(|import| import.file.trim_end_matches(".dll"));
    values["imports"] = names.collect::<Vec<_>>().into();
    values["archives"] = rust::archives(plan).into();
    values
}

/// What fragments say of a library that changes code.
fn described(library: &CodeLibrary) -> Value {
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).to_owned()
    };
    let file = |path: &&str| json!({ "path": path, "stem": stem(path) });
    json!({
        "name": library.name,
        "key": library.hook,
        "variable": library.variable,
        "crate": library.krate,
        "inside": library.inside,
        "includes": library.includes,
        "files": library.files.iter().map(file).collect::<Vec<_>>(),
        "prelude": library.prelude,
        "options": AS_CXX.join(" "),
    })
}

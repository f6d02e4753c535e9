//! What builds a shim with an allocator without this tool: fragments for CMake and Make, and for Meson where hooks are in C.

use serde_json::{Value, json};

use super::super::{Comment, Inputs, Part, marker::folder_name, view};
use crate::plan::{
    Mode, Plan,
    code::{AS_CXX, CodeLibrary},
    hooks::REDIRECT,
};

/// The fragments of one configuration, and what of ours goes before other people's sources; a crate's build script does
/// without, and headers for C++ that hook nothing themselves are included by what their user compiles anyway.
pub(super) fn fragments(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let hook = inputs.hook.as_deref();
    let interposes = plan.mode == Mode::Interpose;
    let in_cxx = inputs.lang == "cpp";
    if inputs.lang == "rust" || in_cxx && (!interposes || hook == Some(REDIRECT)) {
        return Vec::new();
    }
    let code = CodeLibrary::of_hook(hook).filter(|_| interposes);
    let mut values = view::build_values(plan, inputs);
    values["spec"] = json!(plan.platform.hooks);
    values["hook"] = hook.unwrap_or("default").into();
    values["folder"] = folder_name(&inputs.platform, &inputs.lang, &inputs.mode, hook).into();
    let inline = plan.platform.hooks.as_ref().map(|hooks| hooks.inline.as_str());
    values["inline_condition"] = inline.unwrap_or_default().into();
    values["code"] = code.map(described).into();
    let mut templates: Vec<_> = match interposes {
        true => vec![("alloc8.cmake.tera", "alloc8.cmake"), ("alloc8.mk.tera", "alloc8.mk")],
        false => vec![("program.cmake.tera", "alloc8.cmake"), ("program.mk.tera", "alloc8.mk")],
    };
    if interposes && !in_cxx {
        templates.push(("meson.build.tera", "meson.build"));
    }
    let context = view::context(&values);
    let fragment = |(template, file): (_, &str)| Part {
        template,
        file: file.to_owned(),
        comment: Comment::Hash,
        context: context.clone(),
    };
    let prelude = code.and_then(|library| library.prelude).map(|file| Part {
        template: "detours_prelude.h.tera",
        file: file.to_owned(),
        comment: Comment::C,
        context: context.clone(),
    });
    templates.into_iter().map(fragment).chain(prelude).collect()
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

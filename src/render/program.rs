//! What is rendered for programs that carry the heap: the shim, its names, and the build fragments,
//! which functions under a prefix have too.

use serde_json::json;

use super::{Comment, Inputs, Part, view};
use crate::plan::Plan;

/// The shim, the fragments, and a list of names for each ABI.
pub(super) fn parts(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let part = |template, file: String, comment, context| Part { template, file, comment, context };
    let mut parts = vec![part("shim.c.tera", "shim.c".to_owned(), Comment::C, view::shim(plan))];
    parts.extend(fragments(plan, inputs));
    for abi in &plan.platform.abis {
        let list = format!("symbols.{}.txt", abi.name);
        parts.push(part("symbols.txt.tera", list, Comment::Hash, view::names(plan, abi)));
    }
    parts
}

/// The fragments for CMake, Make and Meson, which join shim and archive into one object.
pub(super) fn fragments(plan: &Plan, inputs: &Inputs) -> [Part; 3] {
    let mut build = view::build_values(plan, inputs);
    build["asks_for"] = json!(plan.asks_for());
    for (values, abi) in build["abis"].as_array_mut().into_iter().flatten().zip(&plan.platform.abis)
    {
        values["weak"] = json!(view::weak(plan, abi));
    }
    let files = [
        ("program.cmake.tera", "alloc8.cmake"),
        ("program.mk.tera", "alloc8.mk"),
        ("program.meson.build.tera", "meson.build"),
    ];
    files.map(|(template, file)| Part {
        template,
        file: file.to_owned(),
        comment: Comment::Hash,
        context: view::context(&build),
    })
}

//! What is rendered for programs that carry the heap: the shim, its names, and the build fragment.

use serde_json::json;

use super::{Comment, Inputs, Part, view};
use crate::plan::Plan;

/// The shim, the fragment for Make, and a list of names for each ABI.
pub(super) fn parts(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let part = |template, file: String, comment, context| Part { template, file, comment, context };
    let mut build = view::build_values(plan, inputs);
    build["asks_for"] = json!(plan.asks_for());
    for (values, abi) in build["abis"].as_array_mut().into_iter().flatten().zip(&plan.platform.abis)
    {
        values["weak"] = json!(view::weak(plan, abi));
    }
    let mut parts = vec![
        part("shim.c.tera", "shim.c".to_owned(), Comment::C, view::shim(plan)),
        part("program.mk.tera", "alloc8.mk".to_owned(), Comment::Hash, view::context(&build)),
    ];
    for abi in &plan.platform.abis {
        let list = format!("symbols.{}.txt", abi.name);
        parts.push(part("symbols.txt.tera", list, Comment::Hash, view::names(plan, abi)));
    }
    parts
}

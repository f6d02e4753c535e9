//! The shim in Rust: the heap as the hooks call it. The hooks themselves are the shim in C.

use serde_json::{Value, json};

use super::{
    super::{Comment, Inputs, Part, rust::spell, view},
    parts as in_c,
};
use crate::{
    allocator::Role,
    diagnostic::Result,
    plan::{Mode, Plan, hooks::REDIRECT},
};

/// The module, and what is compiled with it in C.
///
/// # Errors
/// Those of [`Plan::refuse_in_rust`]; for hooks `A8250` without `owns`, for Rust's start-up
/// code has a C library; `A8208` for a type with `thread_created`.
pub(in crate::render) fn parts(plan: &Plan, inputs: &Inputs) -> Result<Vec<Part>> {
    plan.refuse_in_rust()?;
    if plan.mode == Mode::Interpose {
        plan.refuse_older_blocks("the C library of Rust's start-up code")?;
    }
    plan.refuse_created_in_rust()?;
    let shim = Part {
        template: "shim.rs.tera",
        file: "shim.rs".to_owned(),
        comment: Comment::C,
        context: view::context(&json!({
            "title": plan.allocator.title.replace(['\n', '\r'], " "),
            "rust": plan.allocator.rust,
            "interposes": plan.mode == Mode::Interpose,
            "redirected": inputs.hook.as_deref() == Some(REDIRECT),
            "prefix": plan.prefix(),
            "tag": plan.tag(),
            "functions": functions(plan),
        })),
    };
    let in_c = in_c(&in_c_names(plan), inputs);
    Ok(std::iter::once(shim).chain(in_c).collect())
}

/// Methods of a type have no names that C could call: the module's functions have these.
fn in_c_names(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let allocator = &mut plan.allocator;
    if allocator.rust.is_some() {
        for call in allocator.functions.values_mut() {
            call.symbol = format!("alloc8_heap_{}", call.symbol);
        }
    }
    plan
}

/// The trait's methods, and the functions by which C calls them; or the archive's functions.
fn functions(plan: &Plan) -> Vec<Value> {
    let of_type = plan.allocator.rust.is_some();
    let named = in_c_names(plan).allocator;
    let mut functions: Vec<Value> = Vec::new();
    for ((role, call), in_c) in plan.allocator.functions.iter().zip(named.functions.values()) {
        // Under a prefix nobody asks whose a block is; a type has its methods in every mode.
        let is_method = view::is_called(plan, *role) || (of_type && *role == Role::Owns);
        if !is_method || functions.iter().any(|f| f["symbol"] == call.symbol) {
            continue;
        }
        let prototype = spell::own(&role.prototype(), call);
        let names: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
        let lead = if of_type { "    unsafe fn " } else { "    pub fn " };
        functions.push(json!({
            "symbol": call.symbol,
            "signature": spell::signature(lead, &call.symbol, &prototype, |_| true),
            "exported": spell::signature("unsafe extern \"C\" fn ", &in_c.symbol, &prototype, |_| true),
            "call": format!("<TheHeap as Heap>::{}({})", call.symbol, names.join(", ")),
            "meaning": super::super::rust::sentence(role.meaning()),
            "safety": safety(*role, prototype.has("ptr")),
        }));
    }
    functions
}

fn safety(role: Role, takes_block: bool) -> &'static str {
    match (role, takes_block) {
        (Role::Owns, _) => "`ptr` is any address: it is not to be looked at.",
        (_, true) => "`ptr` is a live block of this heap, or what this heap's promises admit.",
        (_, false) => "It is for the shim alone.",
    }
}

//! The headers for C++: the shim's text in C, in a namespace.

use serde_json::Value;

use super::{
    super::{Comment, Inputs, Part, cpp, prefixed, view},
    fragments, lists, values,
};
use crate::{
    diagnostic::Result,
    operation::Operation,
    plan::{Mode, Plan, hooks::REDIRECT},
    spec::Symbol,
};

/// The headers, and the lists beside them.
///
/// # Errors
/// Those of [`Plan::refuse_in_cxx`].
pub(in crate::render) fn parts(plan: &Plan, inputs: &Inputs) -> Result<Vec<Part>> {
    plan.refuse_in_cxx()?;
    let mut all = cpp::headers(plan);
    // The text is C's: what it calls is looked up in the heap's namespace.
    if let (Value::Object(all), Value::Object(own)) = (&mut all, values(plan, inputs)) {
        all.extend(own);
    }
    all["foreign"] = (all["owns"] != "").into();
    all["hooked"] = true.into();
    let of_program = plan.carries_operators();
    let operators = plan.defined().filter(|a| of_program && a.symbol.operation.is_operator());
    all["carried"] = operators.map(|a| operator(&a.symbol)).collect();
    let context = view::context(&all);
    let part = |template, file: &str| Part {
        template,
        file: file.to_owned(),
        comment: Comment::C,
        context: context.clone(),
    };
    let redirected = inputs.hook.as_deref() == Some(REDIRECT);
    let header = match plan.mode {
        Mode::Interpose if redirected => "heap.hpp.tera",
        Mode::Interpose => "shim.hpp.tera",
        Mode::Static | Mode::Prefixed(_) => "module.hpp.tera",
    };
    let mut parts = vec![part(header, "shim.hpp"), part("cpp/redirect.hpp.tera", "redirect.hpp")];
    if redirected {
        // The hooks call the heap by a table, whatever it is in.
        let context = view::context(&values(plan, inputs));
        parts.push(Part { context, ..part("shim.c.tera", "shim.c") });
    }
    if let Mode::Prefixed(prefix) = &plan.mode {
        let context = view::context(&prefixed::declared(plan, prefix));
        let file = prefixed::header(prefix);
        parts.push(Part { context, ..part("prefixed.h.tera", &file) });
    }
    parts.extend(fragments(plan, inputs));
    parts.extend(lists(plan));
    Ok(parts)
}

/// An operator that a program carries.
fn operator(symbol: &Symbol) -> Value {
    let mut operator = cpp::operator(symbol.operation).unwrap_or_default();
    // Theirs has an alignment that its own function must hear of.
    if let Operation::Delete(form) = symbol.operation
        && form.aligned
        && form.base(true).is_none()
    {
        operator["body"] = "alloc8::shim::free_aligned(ptr);".into();
    }
    operator
}

/// The filter `as_cxx`: C that is C++ but for words, and for the names of what it declares.
pub(in crate::render) fn as_cxx(text: &str, _: tera::Kwargs, _: &tera::State) -> String {
    let said = cpp::words(text, |word, _| match word {
        "NULL" => "nullptr".to_owned(),
        "_Bool" => "bool".to_owned(),
        "_Alignof" => "alignof".to_owned(),
        word => word.to_owned(),
    });
    let lines: Vec<String> =
        said.lines().map(|line| declared(line).unwrap_or(line.into())).collect();
    lines.join("\n")
}

/// How a declaration of Windows' functions begins.
const IMPORTED: &str = "__declspec(dllimport) ";

/// A line that declares something for other files, as C++ has it; `None` for all other lines.
fn declared(line: &str) -> Option<String> {
    if let Some(variable) = line.strip_prefix("__declspec(dllexport) extern ") {
        return Some(format!("extern \"C\" __declspec(dllexport) {variable}"));
    }
    let line = &line.replacen("__declspec(dllimport) extern ", IMPORTED, 1);
    let (declaration, after) = line.split_once(");")?;
    let own = ["extern ", IMPORTED, "int __stdcall "];
    if !own.iter().any(|begin| line.starts_with(begin)) || declaration.contains("ALLOC8_") {
        return None;
    }
    let (head, parameters) = declaration.trim_start_matches(IMPORTED).split_once('(')?;
    let name = head.rsplit([' ', '*']).next()?;
    let label = match (head.contains("__stdcall"), parameters) {
        (false, _) => format!("ALLOC8_NAMED({name})"),
        (true, "void") => format!("ALLOC8_WINDOWS({name}, 0)"),
        // Each argument is a word.
        (true, _) => format!("ALLOC8_WINDOWS({name}, {})", 4 * parameters.split(',').count()),
    };
    let declaration = declaration.replacen(IMPORTED, "ALLOC8_IMPORTED ", 1);
    Some(format!("{declaration}) {label};{after}"))
}

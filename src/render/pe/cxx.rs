//! The headers for C++: the shim's text in C, in a namespace.

use serde_json::Value;

use super::{
    super::{Comment, Inputs, Part, cpp, view},
    lists, values,
};
use crate::{diagnostic::Result, plan::Plan};

/// The headers, and the lists beside them.
///
/// # Errors
/// Those of [`Plan::refuse_in_cxx`] and [`Plan::refuse_redirect`].
pub(in crate::render) fn parts(plan: &Plan, inputs: &Inputs) -> Result<Vec<Part>> {
    plan.refuse_in_cxx()?;
    plan.refuse_redirect(inputs.hook.as_deref())?;
    let mut all = cpp::headers(plan);
    // The text is C's: what it calls is looked up in the heap's namespace.
    if let (Value::Object(all), Value::Object(own)) = (&mut all, values(plan, inputs)) {
        all.extend(own);
    }
    all["foreign"] = (all["owns"] != "").into();
    all["hooked"] = true.into();
    let context = view::context(&all);
    let part = |template, file: &str| Part {
        template,
        file: file.to_owned(),
        comment: Comment::C,
        context: context.clone(),
    };
    let mut parts =
        vec![part("shim.hpp.tera", "shim.hpp"), part("cpp/redirect.hpp.tera", "redirect.hpp")];
    parts.extend(lists(plan));
    Ok(parts)
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

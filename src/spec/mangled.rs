//! Whether a mangled C++ name says what its declaration says, by a demangler.

use super::{Abi, Symbol};

/// # Errors
/// What the name says in an ABI where that differs from the declaration, as the demangler writes it.
pub(super) fn check(symbol: &Symbol, abi: &Abi) -> Result<(), String> {
    let name = symbol.name(abi);
    let (said, size_t) = if name.starts_with("_Z") {
        (itanium(&name), itanium_size_t(&abi.size_t))
    } else if name.starts_with('?') {
        (microsoft(&name), microsoft_size_t(&abi.msvc_size_t))
    } else {
        return Ok(());
    };
    let said = said.unwrap_or_else(|| format!("{name} (no demangler reads it)"));
    if squeeze(&said) == squeeze(&declared(&symbol.declaration, size_t)) {
        return Ok(());
    }
    Err(said)
}

fn itanium(name: &str) -> Option<String> {
    cpp_demangle::Symbol::new(name).ok()?.demangle().ok()
}

/// Without the return type, as Itanium's mangling leaves it out too.
fn microsoft(name: &str) -> Option<String> {
    let text = msvc_demangler::demangle(name, msvc_demangler::DemangleFlags::llvm()).ok()?;
    let at = text.find("operator")?;
    Some(text[at..].replace("struct ", "").replace("enum ", ""))
}

fn itanium_size_t(letter: &str) -> &'static str {
    match letter {
        "m" => "unsigned long",
        "j" => "unsigned int",
        "y" => "unsigned long long",
        _ => "size_t",
    }
}

fn microsoft_size_t(letter: &str) -> &'static str {
    match letter {
        "_K" => "unsigned __int64",
        "I" => "unsigned int",
        _ => "size_t",
    }
}

/// `void *operator new(size_t size, const std::nothrow_t &tag)` as demanglers write it:
/// `operator new(unsigned long, std::nothrow_t const&)`.
fn declared(declaration: &str, size_t: &str) -> String {
    let from = declaration.find("operator").unwrap_or(0);
    let (head, rest) = declaration[from..].split_once('(').unwrap_or((declaration, ""));
    let parameters: Vec<_> = rest
        .trim_end_matches(')')
        .split(',')
        .map(|parameter| {
            let ty = parameter.trim().trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
            match ty.trim() {
                "size_t" => size_t.to_owned(),
                // A type that is one word was taken for a name.
                "" => parameter.trim().to_owned(),
                ty => east(ty),
            }
        })
        .collect();
    format!("{head}({})", parameters.join(", "))
}

/// `const T &` is `T const &` to demanglers.
fn east(ty: &str) -> String {
    let Some(rest) = ty.strip_prefix("const ") else { return ty.to_owned() };
    let end = rest.find(['*', '&']).unwrap_or(rest.len());
    format!("{} const{}", rest[..end].trim(), &rest[end..])
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

//! Whether a mangled C++ name says what its declaration says, by a demangler.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{Abi, Symbol};

/// # Errors
/// What the name says in an ABI where that differs from the declaration, as the demangler writes it.
pub(super) fn check(symbol: &Symbol, abi: &Abi) -> Result<(), String> {
    let name = symbol.name(abi);
    let (said, size_t) = if name.starts_with("_Z") {
        (itanium(&name), itanium_size_t(&abi.size_t))
    } else if name.starts_with('?') {
        (microsoft(&name, abi.pointer_bits), microsoft_size_t(abi.pointer_bits))
    } else {
        return Ok(());
    };
    let said = said.unwrap_or_else(|| format!("{name} (no demangler reads it)"));
    if squeeze(&said) == squeeze(&declared(&symbol.declaration, size_t)) {
        return Ok(());
    }
    Err(said)
}

/// Platforms share these names, and demangling is most of what judging them costs.
fn itanium(name: &str) -> Option<String> {
    static SAID: Mutex<BTreeMap<String, Option<String>>> = Mutex::new(BTreeMap::new());
    // A panic elsewhere leaves whole answers behind.
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = said.get(name) {
        return known.clone();
    }
    let text = cpp_demangle::Symbol::new(name).ok().and_then(|symbol| symbol.demangle().ok());
    said.insert(name.to_owned(), text.clone());
    text
}

/// Without the return type, as Itanium's mangling leaves it out too.
fn microsoft(name: &str, pointer_bits: u32) -> Option<String> {
    let text = msvc_demangler::demangle(name, msvc_demangler::DemangleFlags::llvm()).ok()?;
    let at = text.find("operator")?;
    let said = text[at..].replace("struct ", "").replace("enum ", "");
    if has_wide_pointers(name, pointer_bits == 64) {
        return Some(said);
    }
    Some(format!("{said}, with pointers of another width"))
}

/// Whether the pointers and references of a function's name are 64 bits wide, or none of them is:
/// an `E` behind the `P` or `A` says so, which demanglers leave out.
fn has_wide_pointers(name: &str, wide: bool) -> bool {
    let mut rest = name.split_once("@YA").map_or("", |(_, types)| types);
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            'P' | 'A' => {
                let after = rest.strip_prefix('E');
                if after.is_some() != wide {
                    return false;
                }
                // What it points at: const or not.
                rest = after.unwrap_or(rest).trim_start_matches(['A', 'B']);
            }
            // A type's own name.
            'U' | 'V' | 'W' => rest = rest.split_once("@@").map_or("", |(_, rest)| rest),
            _ => {}
        }
    }
    true
}

fn itanium_size_t(letter: &str) -> &'static str {
    match letter {
        "m" => "unsigned long",
        "j" => "unsigned int",
        "y" => "unsigned long long",
        _ => "size_t",
    }
}

fn microsoft_size_t(pointer_bits: u32) -> &'static str {
    if pointer_bits == 64 { "unsigned __int64" } else { "unsigned int" }
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

#[cfg(test)]
mod tests {
    use super::has_wide_pointers;

    #[test]
    fn a_name_says_how_wide_its_pointers_are() {
        for (name, wide) in [
            ("??2@YAPEAX_K@Z", true),
            ("??2@YAPAXI@Z", false),
            ("??3@YAXPEAXW4align_val_t@std@@AEBUnothrow_t@1@@Z", true),
            ("??3@YAXPAXW4align_val_t@std@@ABUnothrow_t@1@@Z", false),
        ] {
            assert_eq!(
                (has_wide_pointers(name, true), has_wide_pointers(name, false)),
                (wide, !wide)
            );
        }
        let mixed = "??2@YAPEAX_KABUnothrow_t@std@@@Z";
        assert!(!has_wide_pointers(mixed, true) && !has_wide_pointers(mixed, false));
    }
}

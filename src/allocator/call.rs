//! Call templates: how a description says which function answers, and in which order it takes
//! its arguments.
//!
//! `"mi_malloc"` is a function with the standard arguments; `"odd_alloc(8, size)"` names each;
//! `"int odd_owns(ptr) != 0"` also says what the answer means (for `owns` alone).

use std::fmt;

use crate::prototype::Prototype;

/// One argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A parameter of the standard prototype.
    Parameter(String),
    /// `malloc_usable_size(ptr)`.
    Usable,
    /// How far the library lies in another process from where it lies in this one.
    Slide,
    /// An unsigned number, passed as `size_t`.
    Number(u64),
    /// A null pointer.
    Null,
}

/// What the answer of `owns` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// `bool`, `int` or `size_t`: a `bool` callee defines the low byte only (System V psABI), so
    /// the type matters.
    pub ty: String,
    /// `==` or `!=` and a literal; absent: true is true.
    pub comparison: Option<String>,
}

/// A call to one function of the allocator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub symbol: String,
    /// In the function's own order.
    pub arguments: Vec<Argument>,
    /// For `owns` alone.
    pub verdict: Option<Verdict>,
}

/// A mistake in a template: bytes from its start, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// Bytes from the start of the template.
    pub offset: usize,
    /// How many bytes are wrong.
    pub length: usize,
    /// What is wrong.
    pub message: String,
}

impl Call {
    /// The function with the standard arguments in the standard order.
    pub fn standard(symbol: &str, prototype: &Prototype) -> Call {
        let arguments =
            prototype.parameters.iter().map(|p| Argument::Parameter(p.name.clone())).collect();
        Call { symbol: symbol.to_owned(), arguments, verdict: None }
    }

    /// Reads a template for a function of that standard prototype.
    ///
    /// # Errors
    /// Where it is not `symbol`, `symbol(arg, …)` or, with `verdict`, `type symbol(arg, …) op literal`.
    pub fn parse(text: &str, prototype: &Prototype, verdict: bool) -> Result<Call, CallError> {
        let (ty, rest) = match text.trim().split_once(' ') {
            Some((ty @ ("bool" | "int" | "size_t"), rest)) if verdict => (ty, rest.trim_start()),
            _ => ("bool", text.trim()),
        };
        let at = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        let fail = |part: &str, message: String| CallError {
            offset: at(part),
            length: part.len().max(1),
            message,
        };
        let Some((symbol, tail)) = rest.split_once('(') else {
            check_symbol(rest).map_err(|m| fail(rest, m))?;
            let mut call = Call::standard(rest, prototype);
            call.verdict = verdict.then(|| Verdict { ty: ty.to_owned(), comparison: None });
            return Ok(call);
        };
        let symbol = symbol.trim_end();
        check_symbol(symbol).map_err(|m| fail(symbol, m))?;
        let Some((inside, after)) = tail.split_once(')') else {
            return Err(fail(tail, "expected `)`".to_owned()));
        };
        let mut arguments = Vec::new();
        for part in inside.split(',').map(str::trim).filter(|_| !inside.trim().is_empty()) {
            arguments.push(argument(part, prototype).map_err(|m| fail(part, m))?);
        }
        let after = after.trim();
        let comparison = match (after.is_empty(), verdict) {
            (true, _) => None,
            (false, true) => Some(comparison(after).map_err(|m| fail(after, m))?),
            (false, false) => return Err(fail(after, "nothing may follow the call".to_owned())),
        };
        let verdict = verdict.then(|| Verdict { ty: ty.to_owned(), comparison });
        Ok(Call { symbol: symbol.to_owned(), arguments, verdict })
    }

    /// Whether the arguments are the standard ones in the standard order, so that the function
    /// itself can stand for the public symbol.
    pub fn is_standard(&self, prototype: &Prototype) -> bool {
        *self == Call { verdict: self.verdict.clone(), ..Call::standard(&self.symbol, prototype) }
    }

    /// How many instructions put arguments that are given in this order into the function's, where
    /// registers hold them; `None` if one must be asked for first.
    pub(crate) fn moves(&self, given: &[&str]) -> Option<u32> {
        let mut from: Vec<Option<usize>> = Vec::new();
        for argument in &self.arguments {
            from.push(match argument {
                Argument::Parameter(name) => Some(given.iter().position(|g| g == name)?),
                Argument::Usable => return None,
                Argument::Slide | Argument::Number(_) | Argument::Null => None,
            });
        }
        let moved = from.iter().enumerate().filter(|(to, from)| **from != Some(*to)).count();
        // Two that change places need a third register.
        let swap = from
            .iter()
            .enumerate()
            .any(|(to, at)| at.is_some_and(|at| at > to && from.get(at) == Some(&Some(to))));
        u32::try_from(moved + usize::from(swap)).ok()
    }

    /// The function's declaration in C.
    pub fn declaration(&self, prototype: &Prototype) -> String {
        let mut parameters = Vec::new();
        for (index, argument) in self.arguments.iter().enumerate() {
            parameters.push(match argument {
                Argument::Parameter(name) => {
                    let p = prototype.parameters.iter().find(|p| p.name == *name);
                    let p = p.expect("parse admits the prototype's parameters alone");
                    if p.ty.ends_with('*') {
                        format!("{}{name}", p.ty)
                    } else {
                        format!("{} {name}", p.ty)
                    }
                }
                Argument::Usable => "size_t usable".to_owned(),
                Argument::Slide => "vm_address_t slide".to_owned(),
                Argument::Number(_) => format!("size_t number{index}"),
                Argument::Null => format!("void *null{index}"),
            });
        }
        let list = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
        let result = match &self.verdict {
            Some(verdict) if verdict.ty == "bool" => "_Bool",
            Some(verdict) => &verdict.ty,
            None => &prototype.result,
        };
        let space = if result.ends_with('*') { "" } else { " " };
        format!("{result}{space}{}({list})", self.symbol)
    }

    /// The call as C, with `usable` spelled as given.
    pub fn expression(&self, usable: &str) -> String {
        let arguments: Vec<_> = self
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Parameter(name) => name.clone(),
                Argument::Usable => usable.to_owned(),
                Argument::Slide => "slide".to_owned(),
                Argument::Number(number) => number.to_string(),
                Argument::Null => "NULL".to_owned(),
            })
            .collect();
        let call = format!("{}({})", self.symbol, arguments.join(", "));
        match self.verdict.as_ref().and_then(|v| v.comparison.as_ref()) {
            Some(comparison) => format!("{call} {comparison}"),
            None => call,
        }
    }

    /// The call with parameters replaced by other expressions.
    pub fn with(&self, replacements: &[(&str, &str)]) -> String {
        let replaced = Call {
            arguments: self
                .arguments
                .iter()
                .map(|argument| match argument {
                    Argument::Parameter(name) => Argument::Parameter(
                        replacements
                            .iter()
                            .find(|(from, _)| from == name)
                            .map_or(name.clone(), |(_, to)| (*to).to_owned()),
                    ),
                    other => other.clone(),
                })
                .collect(),
            ..self.clone()
        };
        replaced.expression("alloc8_malloc_usable_size(ptr)")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression("usable"))
    }
}

fn check_symbol(symbol: &str) -> Result<(), String> {
    if is_c_name(symbol) { Ok(()) } else { Err(format!("`{symbol}` is not a C function name")) }
}

pub(super) fn is_c_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
}

fn argument(text: &str, prototype: &Prototype) -> Result<Argument, String> {
    if prototype.has(text) {
        return Ok(Argument::Parameter(text.to_owned()));
    }
    match text {
        "usable" if prototype.has("ptr") => return Ok(Argument::Usable),
        "slide" if prototype.has("zone_address") => return Ok(Argument::Slide),
        "NULL" => return Ok(Argument::Null),
        _ => {}
    }
    number(text).map(Argument::Number).ok_or_else(|| {
        let mut names: Vec<_> =
            prototype.parameters.iter().map(|p| format!("`{}`", p.name)).collect();
        if prototype.has("ptr") {
            names.push("`usable`".to_owned());
        }
        if prototype.has("zone_address") {
            names.push("`slide`".to_owned());
        }
        names.push("`NULL`".to_owned());
        format!("`{text}` is not an argument; use {} or an unsigned number", names.join(", "))
    })
}

fn number(text: &str) -> Option<u64> {
    let plain = text.replace('_', "");
    match plain.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => plain.parse().ok(),
    }
}

fn comparison(text: &str) -> Result<String, String> {
    let op = ["==", "!="].into_iter().find(|op| text.starts_with(op)).unwrap_or_default();
    let literal = text[op.len()..].trim();
    let known =
        number(literal).is_some() || matches!(literal, "NULL" | "SIZE_MAX" | "true" | "false");
    if !op.is_empty() && known {
        return Ok(format!("{op} {literal}"));
    }
    Err(format!("`{text}` is not `== literal` or `!= literal`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> Prototype {
        Prototype::parse("void free(void *ptr)").unwrap()
    }

    #[test]
    fn a_bare_symbol_has_the_standard_order() {
        let call = Call::parse("mi_free", &free(), false).unwrap();
        assert!(call.is_standard(&free()));
        assert_eq!(call.declaration(&free()), "void mi_free(void *ptr)");
    }

    #[test]
    fn arguments_may_be_reordered_extended_and_computed() {
        let call = Call::parse("sn_rust_dealloc(ptr, 1, usable)", &free(), false).unwrap();
        assert!(!call.is_standard(&free()));
        assert_eq!(
            call.declaration(&free()),
            "void sn_rust_dealloc(void *ptr, size_t number1, size_t usable)"
        );
        assert_eq!(
            call.with(&[("ptr", "block")]),
            "sn_rust_dealloc(block, 1, alloc8_malloc_usable_size(ptr))"
        );
    }

    #[test]
    fn a_verdict_has_a_type_and_a_comparison() {
        let owns = Prototype::parse("int owns(const void *ptr)").unwrap();
        let call = Call::parse("size_t h_object_size(ptr) != SIZE_MAX", &owns, true).unwrap();
        assert_eq!(call.declaration(&owns), "size_t h_object_size(const void *ptr)");
        assert_eq!(call.expression(""), "h_object_size(ptr) != SIZE_MAX");
    }

    #[test]
    fn a_mistake_names_its_place_and_the_choices() {
        let error = Call::parse("f(sice)", &free(), false).unwrap_err();
        assert_eq!((error.offset, error.length), (2, 4));
        assert!(error.message.contains("`ptr`"), "{}", error.message);
        for bad in ["", "f(", "1f", "f(ptr) != 0", "a b"] {
            assert!(Call::parse(bad, &free(), false).is_err(), "{bad}");
        }
    }
}

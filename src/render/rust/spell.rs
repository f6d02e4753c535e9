//! What is C in a plan, spelled in Rust, and broken into lines as rustfmt does.

use crate::{
    allocator::{Allocator, Call, call::Argument},
    prototype::{Parameter, Prototype},
};

/// rustfmt's.
pub(in crate::render) const WIDTH: usize = 100;

/// A type of C in Rust. The list of types is closed, so that this is all of them that ELF has.
pub(in crate::render) fn spelled(ty: &str) -> &'static str {
    match ty {
        "void *" => "*mut c_void",
        "void **" => "*mut *mut c_void",
        "const void *" => "*const c_void",
        "char *" => "*mut c_char",
        "const char *" => "*const c_char",
        "size_t" => "usize",
        "size_t *" => "*mut usize",
        "const size_t *" => "*const usize",
        "int" => "c_int",
        "bool" => "bool",
        "void *(*)(void *)" => "Start<*mut c_void>",
        "int (*)(void *)" => "Start<c_int>",
        "struct mallinfo" => "Mallinfo",
        "struct mallinfo2" => "Mallinfo2",
        "malloc_zone_t *" => "*mut Zone",
        "malloc_statistics_t *" => "*mut Statistics",
        "memory_reader_t" => "Option<MemoryReader>",
        "vm_range_recorder_t" => "RangeRecorder",
        "vm_address_t" => "usize",
        "boolean_t" => "Boolean",
        "kern_return_t" => "c_int",
        "unsigned" | "task_t" => "c_uint",
        "malloc_type_id_t" | "malloc_zone_malloc_options_t" | "uint64_t" => "u64",
        _ => "*mut c_void",
    }
}

/// `lead name(first: type, …) -> result`, indented and broken as rustfmt does; a parameter that the
/// body does not look at is named so.
pub(in crate::render) fn signature(
    lead: &str,
    name: &str,
    prototype: &Prototype,
    used: impl Fn(&str) -> bool,
) -> String {
    let parameter = |p: &Parameter| {
        let mark = if used(&p.name) { "" } else { "_" };
        format!("{mark}{}: {}", p.name, spelled(&p.ty))
    };
    let parameters: Vec<_> = prototype.parameters.iter().map(parameter).collect();
    let result = match prototype.result.as_str() {
        "void" => String::new(),
        result => format!(" -> {}", spelled(result)),
    };
    let open = format!("{lead}{name}({})", parameters.join(", "));
    let indent = &lead[..lead.len() - lead.trim_start().len()];
    // rustfmt keeps room for ` {`, also where a `;` follows: in a trait or an extern block.
    let width = WIDTH - 2;
    if open.len() + result.len() <= width {
        return open + &result;
    }
    let public = lead.trim_start().starts_with("pub");
    if !indent.is_empty() && !public && open.len() <= width && !result.is_empty() {
        return format!("{open}\n{indent}{}", result.trim_start());
    }
    let lines: String = parameters.iter().map(|p| format!("{indent}    {p},\n")).collect();
    format!("{lead}{name}(\n{lines}{indent}){result}")
}

/// `lead literal;`, broken as rustfmt does.
pub(super) fn constant(lead: &str, text: String) -> String {
    equal(lead, &format!("{text:?}"))
}

/// `lead right;`, where the lead ends in `=`, likewise.
pub(super) fn equal(lead: &str, right: &str) -> String {
    let indent = &lead[..lead.len() - lead.trim_start().len()];
    let line = format!("{lead} {right};");
    if line.len() <= WIDTH { line } else { format!("{lead}\n{indent}    {right};") }
}

/// The prototype of a function that takes its arguments in an order of its own.
pub(in crate::render) fn own(standard: &Prototype, call: &Call) -> Prototype {
    let parameter = |(place, argument): (usize, &Argument)| match argument {
        Argument::Parameter(name) => standard.parameters.iter().find(|p| p.name == *name).cloned(),
        Argument::Usable => Some(named("size_t", "usable".to_owned())),
        Argument::Slide => Some(named("vm_address_t", "slide".to_owned())),
        Argument::Number(_) => Some(named("size_t", format!("number{place}"))),
        Argument::Null => Some(named("void *", format!("null{place}"))),
    };
    let parameters = call.arguments.iter().enumerate().filter_map(parameter).collect();
    let result = call.verdict.as_ref().map_or(&standard.result, |verdict| &verdict.ty).clone();
    Prototype { parameters, result, ..standard.clone() }
}

fn named(ty: &str, name: String) -> Parameter {
    Parameter { ty: ty.to_owned(), name }
}

/// A call of one of the allocator's functions.
pub(in crate::render) fn spell(allocator: &Allocator, call: &Call) -> String {
    let argument = |argument: &Argument| match argument {
        Argument::Parameter(name) => name.clone(),
        Argument::Usable => "usable_size(ptr)".to_owned(),
        Argument::Slide => "slide".to_owned(),
        Argument::Number(number) => count(*number),
        Argument::Null => "ptr::null_mut()".to_owned(),
    };
    let arguments: Vec<_> = call.arguments.iter().map(argument).collect();
    let owner = if allocator.rust.is_some() { "<TheHeap as Heap>::" } else { "" };
    format!("{owner}{}({})", call.symbol, arguments.join(", "))
}

/// What `owns` says, as a `bool`.
pub(in crate::render) fn spell_verdict(allocator: &Allocator, call: &Call) -> String {
    let said = spell(allocator, call);
    let Some(verdict) = &call.verdict else { return said };
    match &verdict.comparison {
        Some(comparison) => {
            let (relation, literal) = comparison.split_once(' ').unwrap_or((comparison, "0"));
            let literal = match literal {
                "SIZE_MAX" => "usize::MAX",
                "NULL" => "0",
                other => other,
            };
            format!("{said} {relation} {literal}")
        }
        None if verdict.ty == "bool" => said,
        None => format!("{said} != 0"),
    }
}

/// A number of bytes; what no `usize` of 32 bits holds is as good as all that it holds.
pub(super) fn count(number: u64) -> String {
    match u32::try_from(number) {
        Ok(number) => number.to_string(),
        Err(_) => format!("if usize::BITS < 64 {{ usize::MAX }} else {{ {number}_u64 as usize }}"),
    }
}

//! What the C++ templates place beside what the C template does: the same plan, said in C++.

use serde_json::{Value, json};

use super::{
    Comment, Inputs, Part, call,
    sections::{by_family, condition, defined, section},
    view,
};
use crate::{
    allocator::{Allocator, Call, Role},
    diagnostic::Result,
    operation::{Form, Operation},
    plan::{Answer, Plan},
};

/// The headers, the build fragments and the lists beside them.
///
/// # Errors
/// Those of [`Plan::refuse_in_cxx`].
pub(super) fn parts(plan: &Plan, inputs: &Inputs) -> Result<Vec<Part>> {
    plan.refuse_in_cxx()?;
    let mut values = headers(plan);
    let (operators, functions): (Vec<&Answer>, Vec<&Answer>) =
        plan.answers.iter().partition(|a| a.symbol.operation.is_operator());
    values["c_families"] = families(plan, &functions).into();
    values["operator_families"] = families(plan, &operators).into();
    let context = view::context(&values);
    let part = |template, file: &str| Part {
        template,
        file: file.to_owned(),
        comment: Comment::C,
        context: context.clone(),
    };
    let mut parts =
        vec![part("shim.hpp.tera", "shim.hpp"), part("cpp/redirect.hpp.tera", "redirect.hpp")];
    let fragments = [
        ("cxx.cmake.tera", "alloc8.cmake"),
        ("cxx.mk.tera", "alloc8.mk"),
        ("cxx.meson.build.tera", "meson.build"),
    ];
    for (template, file) in fragments {
        let context = view::build(plan, inputs);
        parts.push(Part { template, file: file.to_owned(), comment: Comment::Hash, context });
    }
    parts.extend(super::lists(plan));
    Ok(parts)
}

/// What both headers say, but for the public functions.
pub(super) fn headers(plan: &Plan) -> Value {
    let mut values = view::shim_values(plan);
    for key in ["call", "foreign", "threads", "fork", "sized_free"] {
        qualify(&mut values[key], &plan.allocator);
    }
    let max_size = values["max_size"].as_str().map(|text| text.replace("(size_t)", ""));
    values["max_size"] = max_size.into();
    values["heap_functions"] = heap_functions(plan).into();
    values["redirected"] = redirected(plan, false).into();
    values["tells_owner"] = called(plan).any(|(role, _)| role == Role::Owns).into();
    values["redirected_threads"] = redirected(plan, true).into();
    let minds_threads = plan.allocator.minds_threads();
    values["minds_threads"] = minds_threads.into();
    values["members"] = members(plan).into();
    values
}

/// Says of each of the allocator's functions which namespace it is declared in.
fn qualify(value: &mut Value, allocator: &Allocator) {
    match value {
        Value::String(text) => *text = qualified(text, allocator),
        Value::Array(values) => values.iter_mut().for_each(|v| qualify(v, allocator)),
        Value::Object(map) => {
            let called = |key: &str| {
                !["name", "parameters", "arguments", "what", "constructors", "creators", "late"]
                    .contains(&key)
            };
            map.iter_mut().filter(|(k, _)| called(k)).for_each(|(_, v)| qualify(v, allocator));
        }
        _ => {}
    }
}

/// Says of each of the allocator's functions in a text which namespace it is declared in.
pub(super) fn qualified(text: &str, allocator: &Allocator) -> String {
    let symbols = allocator.symbols();
    words(text, |word, after| match word {
        "NULL" => "nullptr".to_owned(),
        "alloc8_malloc_usable_size" => "shim::malloc_usable_size".to_owned(),
        _ if symbols.contains(&word)
            && (after.starts_with('(') || allocator.thread_created.as_deref() == Some(word)) =>
        {
            format!("heap::{word}")
        }
        _ => word.to_owned(),
    })
}

/// Says each word anew, by itself and what comes after it.
pub(super) fn words(text: &str, say: impl Fn(&str, &str) -> String) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut said = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        said += before;
        said += &say(word, after);
        rest = after;
    }
    said + rest
}

/// The allocator's functions that the shim calls.
fn heap_functions(plan: &Plan) -> Vec<Value> {
    let mut functions: Vec<Value> = Vec::new();
    for (role, call) in called(plan) {
        let declaration = cxx(&call.declaration(&role.prototype()));
        if functions.iter().all(|f| f["symbol"] != call.symbol) {
            functions.push(json!({ "declaration": declaration, "symbol": call.symbol }));
        }
    }
    functions
}

fn called(plan: &Plan) -> impl Iterator<Item = (Role, &Call)> {
    let functions = plan.allocator.functions.iter();
    functions.filter(|(r, _)| view::is_called(plan, **r)).map(|(role, call)| (*role, call))
}

/// What a heap class has to have to stand for the described functions; null if it cannot, because
/// one of them takes other arguments than the standard's or has no member that would mean it.
fn redirected(plan: &Plan, threads: bool) -> Option<Vec<Value>> {
    let redirect = |(role, call): (Role, &Call)| {
        let prototype = role.prototype();
        let member = member(role)?;
        let object = if threads { "alloc8_threads" } else { "alloc8_heap" };
        // What a class's `owns` says is true or false.
        let compares = call.verdict.as_ref().is_some_and(|v| v.comparison.is_some());
        if !call.is_standard(&prototype) || compares {
            return None;
        }
        let arguments: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
        let keyword = if prototype.result == "void" { "" } else { "return " };
        let parameters = prototype.parameters.iter().map(|p| {
            let ty = p.ty.replace("size_t", "std::size_t");
            if ty.ends_with('*') { format!("{ty}{}", p.name) } else { format!("{ty} {}", p.name) }
        });
        let space = if prototype.result.ends_with('*') { "" } else { " " };
        Some(json!({
            "head": format!(
                "{}{space}alloc8::heap::{}({})",
                call.verdict.as_ref().map_or(&prototype.result, |v| &v.ty).replace("size_t", "std::size_t"),
                call.symbol,
                parameters.collect::<Vec<_>>().join(", ")
            ),
            "role": role.key(),
            "body": format!("{keyword}{object}::{member}({});", arguments.join(", ")),
            "member": member,
        }))
    };
    let of_threads = |role| matches!(role, Role::ThreadInit | Role::ThreadCleanup);
    called(plan).filter(|(role, _)| of_threads(*role) == threads).map(redirect).collect()
}

/// The member of `HeapRedirect` that means the role.
fn member(role: Role) -> Option<&'static str> {
    Some(match role {
        Role::Malloc => "malloc",
        Role::Free => "free",
        Role::Calloc => "calloc",
        Role::Realloc => "realloc",
        Role::Memalign => "memalign",
        Role::UsableSize => "usable_size",
        Role::Owns => "owns",
        Role::MallocSize => "malloc_size",
        Role::GoodSize => "malloc_good_size",
        Role::FreeSized => "free_sized",
        Role::FreeAlignedSized => "free_aligned_sized",
        Role::Lock => "lock",
        Role::Unlock => "unlock",
        Role::Reinit => "reinit",
        Role::ThreadInit => "threadInit",
        Role::ThreadCleanup => "threadCleanup",
        _ => return None,
    })
}

/// What a heap class may have: name, how it is called, what comes back.
fn members(plan: &Plan) -> Vec<Value> {
    let allocator = &plan.allocator;
    let pointer = "static_cast<void *>(nullptr)";
    let member = |name: &str, arguments: &str, result: &str| json!({ "name": name, "call": format!("{name}({arguments})"), "result": result });
    let mut members = vec![
        member("malloc", "std::size_t{1}", "void *"),
        member("free", pointer, "void"),
        member("memalign", "std::size_t{1}, std::size_t{1}", "void *"),
        member("getSize", pointer, "std::size_t"),
        member("malloc_usable_size", pointer, "std::size_t"),
        member("calloc", "std::size_t{1}, std::size_t{1}", "void *"),
        member("realloc", &format!("{pointer}, std::size_t{{1}}"), "void *"),
        member("owns", pointer, "bool"),
        member("lock", "", "void"),
        member("unlock", "", "void"),
        member("reinit", "", "void"),
        member("threadInit", "", "void"),
        member("threadCleanup", "", "void"),
    ];
    let zones = [
        (
            Role::MallocSize,
            member("malloc_size", "static_cast<const void *>(nullptr)", "std::size_t"),
        ),
        (Role::GoodSize, member("malloc_good_size", "std::size_t{1}", "std::size_t")),
    ];
    let zones = zones.into_iter().filter(|(role, _)| view::is_called(plan, *role));
    let zones = zones.filter(|(role, _)| allocator.call(*role).is_some());
    members.extend(zones.map(|(_, member)| member));
    for (role, sizes) in [(Role::FreeSized, 1), (Role::FreeAlignedSized, 2)] {
        if allocator.call(role).is_some() {
            let arguments = format!("{pointer}{}", ", std::size_t{1}".repeat(sizes));
            members.push(member(role.key(), &arguments, "void"));
        }
    }
    members
}

/// Families in spec order, each with what is defined and what is left alone.
fn families(plan: &Plan, answers: &[&Answer]) -> Vec<Value> {
    let family = |answers| section(answers, defined(answers).map(|a| symbol(plan, a)));
    by_family(answers).map(family).collect()
}

fn symbol(plan: &Plan, answer: &Answer) -> Value {
    let symbol = &answer.symbol;
    let mut value = match symbol.operation {
        Operation::New(form) => new(form),
        Operation::Delete(form) => {
            delete(form, plan.passes_size(symbol.operation), call::any(plan))
        }
        _ => function(plan, answer),
    };
    value["why"] = symbol.why.clone().unwrap_or_default().into();
    value["condition"] = condition(plan, symbol).into();
    value
}

fn function(plan: &Plan, answer: &Answer) -> Value {
    let symbol = &answer.symbol;
    let call = call::text(plan, symbol.operation).expect(call::REFUSED);
    let own = call.strip_prefix("alloc8_").filter(|_| !call::calls_raw(plan, symbol.operation));
    let call = match own {
        Some(own) => format!("shim::{own}"),
        None if call::calls_raw(plan, symbol.operation) => qualified(&call, &plan.allocator),
        None if call.starts_with("(struct") => "{}".to_owned(),
        None => call.replace("2 /* ENOENT */", "ENOENT"),
    };
    let list = symbol.prototype.parameter_list();
    json!({
        "jumps": symbol.operation == Operation::Dlopen,
        "result": symbol.prototype.result,
        "name": symbol.name(&plan.platform.abis[0]),
        "parameters": if list == "void" { String::new() } else { list },
        "body": cxx(&call::statement(symbol, &call)),
    })
}

/// C as C++ would have it.
fn cxx(text: &str) -> String {
    let text = text.replace("((void *)ptr", "(const_cast<void *>(ptr)").replace("(void);", "();");
    let text = text.strip_prefix("_Bool").map_or(text.clone(), |rest| format!("bool{rest}"));
    let text = text.strip_suffix("(void)").map_or(text.clone(), |head| format!("{head}()"));
    let line = |line: &str| match line.trim_start().strip_prefix("(void)") {
        Some(name) => {
            let indent = &line[..line.len() - line.trim_start().len()];
            format!("{indent}static_cast<void>({});", name.trim_end_matches(';'))
        }
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// An operator that answers by itself, or calls its base; `None` for other meanings.
pub(super) fn operator(operation: Operation) -> Option<Value> {
    match operation {
        Operation::New(form) => Some(new(form)),
        Operation::Delete(form) => Some(delete(form, false, "")),
        _ => None,
    }
}

/// `operator new` in one of its forms: only what the body uses has a name.
fn new(form: Form) -> Value {
    let array = if form.array { "[]" } else { "" };
    let mut parameters = "std::size_t size".to_owned();
    let mut arguments = "size".to_owned();
    if form.aligned {
        parameters += ", std::align_val_t alignment";
        arguments += ", alignment";
    }
    if form.nothrow {
        parameters += ", const std::nothrow_t &";
    }
    let body = match form.base(false) {
        None if form.aligned => format!("return alloc8::shim::new_aligned({arguments});"),
        None => format!("return alloc8::shim::new_plain({arguments});"),
        Some(base) => {
            let base = if base.array { "[]" } else { "" };
            format!("return ::operator new{base}({arguments});")
        }
    };
    let body = match form.nothrow {
        true => format!(
            "try {{\n        {body}\n    }} catch (...) {{\n        return nullptr;\n    }}"
        ),
        false => body,
    };
    let noexcept = if form.nothrow { " noexcept" } else { "" };
    json!({
        "declaration": format!("void *operator new{array}({parameters}){noexcept}"),
        "body": body,
    })
}

/// `operator delete` in one of its forms.
fn delete(form: Form, passes_size: bool, any: &str) -> Value {
    let array = if form.array { "[]" } else { "" };
    let base = form.base(true).filter(|_| !passes_size);
    let passes_alignment = base.is_some() && form.aligned;
    let mut parameters = "void *ptr".to_owned();
    if form.sized {
        parameters += if passes_size { ", std::size_t size" } else { ", std::size_t" };
    }
    if form.aligned {
        let name = if passes_alignment { " alignment" } else { "" };
        parameters += &format!(", std::align_val_t{name}");
    }
    if form.nothrow {
        parameters += ", const std::nothrow_t &";
    }
    let body = match base {
        None if passes_size => format!("alloc8::shim::free_sized{any}(ptr, size);"),
        None => format!("alloc8::shim::free{any}(ptr);"),
        Some(base) => {
            let base = if base.array { "[]" } else { "" };
            let alignment = if passes_alignment { ", alignment" } else { "" };
            format!("::operator delete{base}(ptr{alignment});")
        }
    };
    json!({
        "declaration": format!("void operator delete{array}({parameters}) noexcept"),
        "body": body,
    })
}

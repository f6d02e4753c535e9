//! What the templates of PE place: a hook for each function that C libraries export, and the table of
//! them.

use serde_json::{Value, json};

use super::{
    Comment, Inputs, Part, call, prefixed,
    sections::{by_family, defined, section},
    view,
};
use crate::{
    allocator::Role,
    operation::{Form, Operation},
    plan::{Answer, Mode, Plan, hooks::REDIRECT, hooks::SEEN_TO},
    prototype::{Parameter, Prototype},
    spec::{Abi, Symbol},
};
use archive::{is_in_code, is_rare, makers};
use fragments::fragments;

mod archive;
pub(super) mod cxx;
mod fragments;
pub(super) mod rust;

/// How many C libraries of one process there is room for.
const SLOTS: usize = 8;

/// The files of a shim in C.
pub(super) fn parts(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let part = |template, file: &str, context| Part {
        template,
        file: file.to_owned(),
        comment: Comment::C,
        context,
    };
    let template = match plan.mode {
        Mode::Interpose => "shim.c.tera",
        Mode::Static | Mode::Prefixed(_) => "module.c.tera",
    };
    let mut parts = vec![part(template, "shim.c", shim(plan, inputs))];
    if let Mode::Prefixed(prefix) = &plan.mode {
        let context = view::context(&prefixed::declared(plan, prefix));
        parts.push(part("prefixed.h.tera", &prefixed::header(prefix), context));
    }
    if inputs.hook.as_deref() == Some(REDIRECT) {
        parts.push(part("heap.c.tera", "heap.c", shim(plan, inputs)));
    }
    parts.extend(fragments(plan, inputs));
    parts.extend(lists(plan));
    parts
}

/// What is hooked, for people.
fn lists(plan: &Plan) -> impl Iterator<Item = Part> {
    plan.platform.abis.iter().map(|abi| Part {
        template: "symbols.txt.tera",
        file: format!("symbols.{}.txt", abi.name),
        comment: Comment::Hash,
        context: view::names(plan, abi),
    })
}

/// The context of the shim in C.
fn shim(plan: &Plan, inputs: &Inputs) -> tera::Context {
    view::context(&values(plan, inputs))
}

/// What the shim says, in C and in C++.
fn values(plan: &Plan, inputs: &Inputs) -> Value {
    let mut values = view::shim_values(plan);
    let hooks: Vec<Value> =
        plan.defined().filter(|a| has_hook(plan, a)).map(|a| hook(plan, &a.symbol)).collect();
    let spec = plan.platform.hooks.as_ref();
    // Under a prefix, a block that comes back is ours.
    let asked = plan.allocator.call(Role::Owns).filter(|_| plan.prefix().is_none());
    let owns = asked.map(|c| c.with(&[])).unwrap_or_default();
    let files: Vec<_> = plan.platform.libraries.iter().map(|l| l.file.as_str()).collect();
    let by_word = hooks.iter().any(|h| h["exported"].as_str().is_some_and(|e| !e.starts_with('"')));
    // A crate exports what is its own.
    let exports =
        plan.allocator.export.iter().filter(|_| inputs.lang != "rust").collect::<Vec<_>>();
    let mut added = json!({
        "prefix": plan.prefix(),
        "tag": plan.tag(),
        "global": inputs.lang == "rust",
        "hook": inputs.hook.as_deref().unwrap_or("default"),
        "inline_condition": spec.map(|h| h.inline.as_str()).unwrap_or_default(),
        "spec": spec,
        "slots": SLOTS,
        "numbers": (0..SLOTS).collect::<Vec<_>>(),
        "by_word": by_word,
        "files": files,
        "owns": owns,
        "exports": exports,
        "init": plan.allocator.call(Role::Init).map(|c| c.with(&[])).unwrap_or_default(),
        "heap": heap(plan),
        "watched": plan.threads.is_some_and(|threads| threads.lazy || threads.hooked),
        "sized_free": [],
        "microsofts": true,
        "entries": entries(plan),
    });
    added["hooks"] = hooks.into();
    added["families"] = families(plan, inputs.hook.as_deref()).into();
    added["in_code"] = is_in_code(plan, inputs.hook.as_deref()).into();
    added["makers"] = makers(plan).into();
    added["operators_of"] = plan.platform.abis.iter().map(|abi| operators(plan, abi)).collect();
    relax(&mut values["g"]);
    if let (Value::Object(values), Value::Object(added)) = (&mut values, added) {
        values.extend(added);
    }
    values
}

/// What a module that carries the heap has in the loader's list. Microsoft's compiler wants names that other
/// files see.
fn entries(plan: &Plan) -> Vec<Value> {
    let Some(tells) = plan.platform.hooks.as_ref().and_then(|hooks| hooks.threads.as_ref()) else {
        return Vec::new();
    };
    let cleans = plan.threads.is_some_and(|threads| threads.cleanup);
    let prefix = plan.prefix().map(|prefix| format!("{prefix}_")).unwrap_or_default();
    let entry = |name: &str, section: &str, function: &str| {
        json!({
            "name": name,
            "visible": format!("{prefix}{name}"),
            "section": section,
            "function": function,
        })
    };
    let first = entry("alloc8_first", &tells.first, "alloc8_on_begin");
    let last = entry("alloc8_last", &tells.last, "alloc8_on_end");
    std::iter::once(first).chain(cleans.then_some(last)).collect()
}

/// Hooks see to it themselves that no NULL and no size of nothing come to the allocator to be resized
/// or freed, and tell failures to the library whose function was called.
fn relax(guards: &mut Value) {
    for role in guards.as_object_mut().into_iter().flat_map(|roles| roles.values_mut()) {
        for promise in SEEN_TO {
            if let Some(guard) = role.get_mut(promise.key()) {
                *guard = false.into();
            }
        }
    }
}

/// The functions that a heap's own library hands over.
fn heap(plan: &Plan) -> Vec<Value> {
    let mut members: Vec<Value> = Vec::new();
    for (role, call) in plan.allocator.functions.iter().filter(|(r, _)| view::is_called(plan, **r))
    {
        let name = &call.symbol;
        let declaration = call.declaration(&role.prototype());
        let member = declaration.replacen(&format!("{name}("), &format!("(*{name})("), 1);
        let member = json!({ "name": name, "member": member });
        if !members.contains(&member) {
            members.push(member);
        }
    }
    members
}

/// Operators that a program carries are its own language's, and stand elsewhere.
fn has_hook(plan: &Plan, answer: &Answer) -> bool {
    plan.mode == Mode::Interpose || !answer.symbol.operation.is_operator()
}

/// Hooks in the order of the spec, family by family.
fn families(plan: &Plan, hook: Option<&str>) -> Vec<Value> {
    let own_operators = plan.carries_operators();
    let spoken_of = |a: &&Answer| !own_operators || has_hook(plan, a);
    let answers: Vec<&Answer> = plan.answers.iter().filter(spoken_of).collect();
    let family =
        |answers| section(answers, defined(answers).map(|a| function(plan, &a.symbol, hook)));
    by_family(&answers).map(family).collect()
}

/// What stands in for a function, in whichever library.
fn function(plan: &Plan, symbol: &Symbol, hook: Option<&str>) -> Value {
    let name = format!("alloc8_our_{}", c_name(symbol));
    json!({
        "why": symbol.why.clone().unwrap_or_default(),
        "declaration": in_library(&symbol.prototype).named(&name),
        "rare": is_in_code(plan, hook) && is_rare(symbol.operation),
        "body": body(symbol, &lead(plan, symbol, hook)).expect(call::REFUSED),
    })
}

/// A prototype whose first parameter says for which library.
fn in_library(prototype: &Prototype) -> Prototype {
    let ty = "const struct alloc8_library *".to_owned();
    let mut more = prototype.clone();
    more.parameters.insert(0, Parameter { ty, name: "library".to_owned() });
    more
}

/// An entry of the table, and the functions that stand for it: for a library by number, or in a module
/// of its own under the public name, with the pointer by which imports are called.
fn hook(plan: &Plan, symbol: &Symbol) -> Value {
    let name = c_name(symbol);
    let returns = if symbol.prototype.result == "void" { "" } else { "return " };
    let call = |library: &str| {
        format!("{returns}alloc8_our_{name}({library}, {})", arguments(&symbol.prototype))
    };
    json!({
        "name": name,
        "thunk": symbol.prototype.named(&format!("alloc8_##n##_{name}")),
        "call": call("&alloc8_libraries[n]"),
        "exported": exported(plan, symbol),
        "public": symbol.prototype.named(symbol.spec_name()),
        "pointer": symbol.prototype.named(&format!("(*const import_{name})")),
        "import": symbol.prototype.named(&format!("(*const ALLOC8_IMPORT({name}))")),
        "forward": call("alloc8_libraries"),
    })
}

/// The name as libraries export it, and a zero, as C: it may differ by the width of pointers.
fn exported(plan: &Plan, symbol: &Symbol) -> String {
    let of_width = |bits: u32| {
        let abi = plan.platform.abis.iter().find(|abi| abi.pointer_bits == bits);
        abi.map(|abi| format!("\"{}\\0\"", symbol.name(abi)))
    };
    match (of_width(64), of_width(32)) {
        (Some(wide), Some(narrow)) if wide != narrow => {
            format!("ALLOC8_BY_WORD({wide}, {narrow})")
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => String::new(),
    }
}

/// How an ABI's own C++ compiler spells the operators that the hooking library calls.
fn operators(plan: &Plan, abi: &Abi) -> Value {
    let microsoft = abi.families.is_empty();
    let name = |operation: Operation| {
        let of_abi = plan.platform.symbols.iter().filter(|s| s.is_in(abi));
        let mut spelled = of_abi.filter(|s| s.operation == operation).map(|s| s.name(abi));
        let own = spelled.find(|name| name.starts_with('?') == microsoft).unwrap_or_default();
        if microsoft { own } else { abi.symbol_prefix.clone() + &own }
    };
    json!({
        "condition": abi.condition,
        "microsoft": microsoft,
        "prefix": abi.symbol_prefix,
        "new": name(Operation::New(Form::default())),
        "delete": name(Operation::Delete(Form::default())),
        "delete_sized": name(Operation::Delete(Form { sized: true, ..Form::default() })),
    })
}

fn arguments(prototype: &Prototype) -> String {
    let names: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
    names.join(", ")
}

/// What C calls it: the name itself, or, where that is mangled, what it means.
fn c_name(symbol: &Symbol) -> String {
    if !symbol.operation.is_operator() {
        return symbol.prototype.name.clone();
    }
    let words = symbol.operation.name().replace("[]", "_array").replace(", ", "_");
    let debugging = symbol.prototype.has("block_use");
    words.replace(' ', "_") + if debugging { "_at" } else { "" }
}

/// The library's own function, called with these arguments.
fn its(symbol: &Symbol, arguments: &str) -> String {
    let ty = symbol.prototype.named("(*)");
    format!("ALLOC8_ITS(library, {}, {ty})({arguments})", c_name(symbol))
}

/// What a hook looks at before it asks the heap.
fn lead(plan: &Plan, symbol: &Symbol, hook: Option<&str>) -> String {
    match hook {
        Some(REDIRECT) => not_yet(symbol),
        _ => archive::look(plan, symbol, hook),
    }
}

/// What a hook does before the heap's own library is there.
fn not_yet(symbol: &Symbol) -> String {
    let same = its(symbol, &arguments(&symbol.prototype));
    match symbol.prototype.result.as_str() {
        "void" => {
            format!(
                "if (ALLOC8_UNLIKELY(alloc8_heap == NULL)) {{\n        {same};\n        return;\n    }}\n    "
            )
        }
        _ => format!("if (ALLOC8_UNLIKELY(alloc8_heap == NULL))\n        return {same};\n    "),
    }
}

/// The statements of a hook after these; `None` for a meaning without any.
pub(super) fn body(symbol: &Symbol, lead: &str) -> Option<String> {
    use Operation as Op;
    let same = its(symbol, &arguments(&symbol.prototype));
    let look = format!("if (ALLOC8_UNLIKELY(!alloc8_is_ours(ptr)))\n        return {same};");
    let null = |call: &str| format!("if (ptr == NULL)\n        return {call};");
    let lines = match symbol.operation {
        Op::Malloc => vec!["return alloc8_malloc_in(library, size);".to_owned()],
        Op::Calloc => vec!["return alloc8_calloc_in(library, nmemb, size);".to_owned()],
        Op::Realloc => vec![
            null("alloc8_malloc_in(library, size)"),
            look,
            "return alloc8_realloc_in(library, ptr, size);".to_owned(),
        ],
        Op::Recalloc => vec![
            format!(
                "if (ALLOC8_UNLIKELY(ptr != NULL && !alloc8_is_ours(ptr)))\n        return {same};"
            ),
            "return alloc8_recalloc_in(library, ptr, nmemb, size);".to_owned(),
        ],
        Op::Expand => vec![look, "return alloc8_expand_in(library, ptr, size);".to_owned()],
        Op::Msize => vec![look, "return alloc8_malloc_usable_size(ptr);".to_owned()],
        Op::Free | Op::Delete(_) => vec![format!(
            "if (ALLOC8_UNLIKELY(!alloc8_is_ours(ptr))) {{\n        if (ptr != NULL)\n            {same};\n    }} else {{\n        alloc8_free(ptr);\n    }}"
        )],
        Op::New(_) => vec![
            "void *ptr = alloc8_malloc(size);".to_owned(),
            format!("return ALLOC8_UNLIKELY(ptr == NULL) ? {same} : ptr;"),
        ],
        Op::Strdup | Op::Mbsdup | Op::Wcsdup => vec![
            "if (string == NULL)\n        return NULL;".to_owned(),
            format!(
                "return ({})alloc8_copy_in(library, string, {});",
                symbol.prototype.result,
                size_of_string(symbol.operation)
            ),
        ],
        Op::WinAlignedFree => vec![format!(
            "if (ALLOC8_UNLIKELY(!alloc8_is_our_aligned(ptr)))\n        {same};\n    else\n        alloc8_aligned_free(ptr);"
        )],
        Op::WinAlignedMsize => vec![
            format!("if (ALLOC8_UNLIKELY(!alloc8_is_our_aligned(ptr)))\n        return {same};"),
            "return alloc8_aligned_header(ptr)->size;".to_owned(),
        ],
        operation => aligned(symbol, operation, &same)?,
    };
    let text = lead.to_owned() + &lines.join("\n    ");
    let unused = symbol.prototype.parameters.iter().filter(|p| !call::mentions(&text, &p.name));
    let unused: String = unused.map(|p| format!("(void){};\n    ", p.name)).collect();
    Some(unused + &text)
}

fn size_of_string(operation: Operation) -> &'static str {
    match operation {
        Operation::Wcsdup => "(wcslen(string) + 1) * sizeof *string",
        Operation::Mbsdup => "strlen((const char *)string) + 1",
        _ => "strlen(string) + 1",
    }
}

/// Requests that are none go to the library's own, which says so in its way, but without our block.
fn aligned(symbol: &Symbol, operation: Operation, same: &str) -> Option<Vec<String>> {
    use Operation as Op;
    let offset = if symbol.prototype.has("offset") { "offset" } else { "0" };
    let (size, name) = match operation {
        Op::WinAlignedMalloc | Op::WinAlignedOffsetMalloc => ("size", "malloc"),
        Op::WinAlignedRealloc | Op::WinAlignedOffsetRealloc => ("size", "realloc"),
        Op::WinAlignedRecalloc | Op::WinAlignedOffsetRecalloc => ("nmemb * size", "recalloc"),
        _ => return None,
    };
    let request = format!("!alloc8_is_aligned_request({size}, alignment, {offset})");
    if name == "malloc" {
        return Some(vec![
            format!("if (ALLOC8_UNLIKELY({request}))\n        return {same};"),
            format!("return alloc8_aligned_malloc(library, size, alignment, {offset});"),
        ]);
    }
    let without = its(symbol, &arguments(&symbol.prototype).replacen("ptr", "NULL", 1));
    let sizes = if name == "recalloc" { "nmemb, size" } else { "size" };
    Some(vec![
        format!(
            "if (ALLOC8_UNLIKELY(ptr != NULL && !alloc8_is_our_aligned(ptr)))\n        return {same};"
        ),
        format!(
            "if (ALLOC8_UNLIKELY((ptr == NULL || {size} != 0) && {request}))\n        return {without};"
        ),
        format!("return alloc8_aligned_{name}(library, ptr, {sizes}, alignment, {offset});"),
    ])
}

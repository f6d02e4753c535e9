//! What the templates of Mach-O place: replacements, the system's functions behind them, tuples, and
//! the zone.

use serde_json::{Value, json};

use super::{
    Comment, Inputs, Part, call,
    sections::{by_family, defined, section},
    view,
};
use crate::{
    allocator::{Role, call::Argument},
    operation::{Effect, Operation},
    plan::{Answer, Binding, Mode, Plan},
    prototype::Prototype,
    spec::{Abi, Field, Null, Symbol},
};

pub(super) mod cxx;
pub(super) mod rust;
mod slots;

/// The files of a shim in C.
pub(super) fn parts(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let shim = Part {
        template: "shim.c.tera",
        file: "shim.c".to_owned(),
        comment: Comment::C,
        context: shim(plan),
    };
    std::iter::once(shim).chain(fragments(plan, inputs, "alloc8")).chain(lists(plan)).collect()
}

/// What builds the shim with an archive, without this tool.
pub(super) fn fragments(plan: &Plan, inputs: &Inputs, form: &str) -> [Part; 2] {
    let templates = match form {
        "cxx" => ["cxx.cmake.tera", "cxx.mk.tera"],
        // Functions under a prefix have them too, whose other templates are those of ELF.
        "program" => ["build/macho_program.cmake.tera", "build/macho_program.mk.tera"],
        _ => ["alloc8.cmake.tera", "alloc8.mk.tera"],
    };
    let context = view::build(plan, inputs);
    let part = |template, file: &str| Part {
        template,
        file: file.to_owned(),
        comment: Comment::Hash,
        context: context.clone(),
    };
    [part(templates[0], "alloc8.cmake"), part(templates[1], "alloc8.mk")]
}

/// What is interposed, for people, and what stays visible, for the linker.
fn lists(plan: &Plan) -> Vec<Part> {
    let part = |template, file: String, comment, context| Part { template, file, comment, context };
    let mut parts = Vec::new();
    for abi in &plan.platform.abis {
        let context = view::context(&names(plan, abi));
        let exports = format!("exports.{}.txt", abi.name);
        parts.push(part("exports.txt.tera", exports, Comment::Hash, context.clone()));
        let symbols = format!("symbols.{}.txt", abi.name);
        parts.push(part("symbols.txt.tera", symbols, Comment::Hash, context));
    }
    parts
}

/// The file of a zone in a program, in which nothing is interposed, and the fragments.
pub(super) fn in_program(plan: &Plan, inputs: &Inputs) -> Vec<Part> {
    let shim = Part {
        template: "shim.c.tera",
        file: "shim.c".to_owned(),
        comment: Comment::C,
        context: shim(plan),
    };
    std::iter::once(shim).chain(fragments(plan, inputs, "program")).collect()
}

/// What is interposed, and what stays visible beside: a dylib's replacements have no names outside.
fn names(plan: &Plan, abi: &Abi) -> Value {
    let mut names = view::exported(plan, abi);
    names.extend(fork_names(plan).into_iter().map(str::to_owned));
    names.sort();
    let mut visible: Vec<_> = plan.allocator.export.iter().chain(&plan.allocator.keep).collect();
    visible.sort();
    json!({ "names": names, "visible": visible, "prefix": abi.symbol_prefix, "abi": abi.name })
}

/// The functions around fork that are taken over: none where the zone is registered.
pub(super) fn fork_names(plan: &Plan) -> Vec<&str> {
    let registered = plan.zoned.is_none_or(|zoned| zoned.registered);
    match &plan.platform.zone {
        Some(zone) if !registered && plan.fork.is_some() => {
            vec![&zone.fork.prepare, &zone.fork.parent, &zone.fork.child]
        }
        _ => Vec::new(),
    }
}

/// The context of the shim in C.
fn shim(plan: &Plan) -> tera::Context {
    let mut values = view::shim_values(plan);
    if let (Value::Object(values), Value::Object(added)) = (&mut values, values_of(plan)) {
        values.extend(added);
    }
    if plan.mode == Mode::Static {
        for public in ["aligned_alloc", "posix_memalign"] {
            values["op"][public] = false.into();
        }
    }
    view::context(&values)
}

/// What the shim says beside what all shims say.
fn values_of(plan: &Plan) -> Value {
    let (Some(zone), Some(zoned)) = (&plan.platform.zone, plan.zoned) else {
        return json!({});
    };
    let of = |structure: &str| -> Vec<Value> {
        let fields = zone.fields.iter().filter(|f| f.structure == structure);
        fields.map(|f| field(plan, f, zone.version)).collect()
    };
    let mut values = json!({
        "symbol_prefix": plan.platform.abis[0].symbol_prefix,
        "whose": {
            "size": call(plan, Role::MallocSize),
            "owns": call(plan, Role::Owns),
        },
        "zoned": {
            "registered": zoned.registered, "first": zone.first, "fork": zone.fork,
            "list": zone.list, "numbers": zone.numbers,
        },
        "enumerator": enumerator(plan),
        "good_size": good_size(plan),
        "zone": { "fields": of(&zone.structure), "version": zone.version },
        "introspection": { "fields": of(&zone.introspection) },
    });
    values["originals"] = plan.defined().map(|a| original(plan, a)).chain(asked(plan)).collect();
    values["tuples"] = tuples(plan).into();
    values["families"] = families(plan).into();
    values
}

/// The call that plays a role; null where there is none.
fn call(plan: &Plan, role: Role) -> Option<String> {
    let call = plan.allocator.call(role)?;
    // Another role may have declared the same function, of a block that is not constant.
    let shared =
        plan.allocator.functions.iter().any(|(r, c)| *r != role && c.symbol == call.symbol);
    let replacements: &[(&str, &str)] = if shared { &[("ptr", "(void *)ptr")] } else { &[] };
    Some(call.with(replacements))
}

/// How the heap is walked, and what of the arguments is not looked at.
fn enumerator(plan: &Plan) -> Option<Value> {
    let call = plan.allocator.call(Role::Enumerator)?;
    let text = call.with(&[]);
    let slides = call.arguments.contains(&Argument::Slide);
    let used = |name: &str| call::mentions(&text, name) || slides && name == "zone_address";
    let prototype = Role::Enumerator.prototype();
    let names = prototype.parameters.iter().map(|p| p.name.as_str());
    Some(json!({
        "call": text,
        "slides": slides,
        "unused": names.filter(|name| !used(name)).collect::<Vec<_>>(),
    }))
}

/// Replacements in the order of the spec, family by family.
fn families(plan: &Plan) -> Vec<Value> {
    let answers: Vec<&Answer> = plan.answers.iter().collect();
    let family = |answers| {
        let replaced = defined(answers).filter(|a| !matches!(a.binding, Binding::Direct(_)));
        section(answers, replaced.map(|a| replacement(plan, &a.symbol)))
    };
    by_family(&answers).map(family).collect()
}

fn replacement(plan: &Plan, symbol: &Symbol) -> Value {
    json!({
        "why": symbol.why.clone().unwrap_or_default(),
        "declaration": symbol.prototype.named(&format!("alloc8_our_{}", c_name(symbol))),
        "body": body(plan, symbol),
    })
}

/// A look whose the block or the zone is, where one is given; then our answer.
fn body(plan: &Plan, symbol: &Symbol) -> String {
    let call = call::text(plan, symbol.operation).expect(call::REFUSED);
    let prototype = &symbol.prototype;
    if symbol.operation == Operation::MallocUsableSize {
        let original = original_call(symbol);
        return format!(
            "size_t size = alloc8_size(ptr);\n    return size != 0 ? size : {original};"
        );
    }
    let looks = looks(plan, symbol);
    if looks.is_empty() {
        return call::statement(symbol, &call);
    }
    // What the system promises to leave alone, the allocator's own prototype says nothing of.
    let constant = prototype.parameters.iter().any(|p| p.name == "ptr" && p.ty == "const void *");
    let call = if constant { call.replace("(ptr", "((void *)ptr") } else { call };
    let returns = prototype.result != "void";
    let mut body = String::new();
    for parameter in prototype.parameters.iter().filter(|p| {
        !call::mentions(&call, &p.name)
            && !looks.iter().any(|(a, b)| call::mentions(a, &p.name) || call::mentions(b, &p.name))
    }) {
        body += &format!("(void){};\n    ", parameter.name);
    }
    for (foreign, original) in &looks {
        body += &match returns {
            true => format!("if (ALLOC8_UNLIKELY({foreign}))\n        return {original};\n    "),
            false => {
                format!("if (ALLOC8_UNLIKELY({foreign}))\n        {original};\n    else\n        ")
            }
        };
    }
    body += if returns { "return " } else { "" };
    body + &call + ";"
}

/// When a call is not for this heap, and whose it is then, as C.
fn looks(plan: &Plan, symbol: &Symbol) -> Vec<(&'static str, String)> {
    let (block, zone) = (symbol.prototype.has("ptr"), symbol.prototype.has("zone"));
    let same = original_call(symbol);
    // Whose the block is decides, not the zone in the call: where ours is named, the plain function
    // finds out.
    let back = match plan.platform.bearing(symbol.operation) {
        Some(plain) if zone => {
            format!("alloc8_is_ours(zone) ? {} : {same}", original_call(plain))
        }
        _ => same.clone(),
    };
    let mut looks = Vec::new();
    match symbol.operation.effect() {
        Effect::Reallocates if block => {
            if zone {
                looks.push(("ptr == NULL && !alloc8_is_ours(zone)", same));
            }
            looks.push(("ptr != NULL && !alloc8_owns(ptr)", back));
        }
        _ if symbol.operation == Operation::MallocZoneFromPtr => {
            looks.push(("alloc8_size(ptr) == 0", same));
        }
        Effect::Frees | Effect::Inspects if block => looks.push(("!alloc8_owns(ptr)", back)),
        // A list of blocks: each is looked at.
        Effect::Frees => {}
        _ if zone => looks.push(("!alloc8_is_ours(zone)", same)),
        _ => {}
    }
    looks
}

fn original_call(symbol: &Symbol) -> String {
    let names: Vec<_> = symbol.prototype.parameters.iter().map(|p| p.name.as_str()).collect();
    format!("{}({})", c_name(symbol), names.join(", "))
}

/// What a C program calls it: the name in the header, where the symbol has more in it than C allows.
fn c_name(symbol: &Symbol) -> &str {
    &symbol.prototype.name
}

fn original(plan: &Plan, answer: &Answer) -> Value {
    let symbol = &answer.symbol;
    let abi = &plan.platform.abis[0];
    let odd = symbol.spec_name() != c_name(symbol);
    json!({
        "declaration": symbol.prototype.named(c_name(symbol)),
        "label": if odd { format!("{}{}", abi.symbol_prefix, symbol.name(abi)) } else { String::new() },
        "weak": is_weak(plan, symbol),
    })
}

/// The system's functions in whose place others stand.
fn originals(plan: &Plan) -> impl Iterator<Item = &Symbol> {
    plan.defined().map(|answer| &answer.symbol)
}

/// Whether some versions of the system lack it.
fn is_weak(plan: &Plan, symbol: &Symbol) -> bool {
    let groups = &plan.platform.groups;
    groups.iter().any(|g| g.weak && symbol.group.as_deref() == Some(g.name.as_str()))
}

/// What else the shim asks of the system.
fn asked(plan: &Plan) -> impl Iterator<Item = Value> {
    let names = fork_names(plan).into_iter();
    names.map(
        |name| json!({ "declaration": format!("void {name}(void)"), "label": "", "weak": false }),
    )
}

fn tuples(plan: &Plan) -> Vec<Value> {
    let around_fork = fork_names(plan).into_iter();
    let around_fork = around_fork
        .map(|name| json!({ "replacement": format!("alloc8_our{name}"), "replacee": name }));
    plan.defined().map(tuple).chain(around_fork).collect()
}

fn tuple(answer: &Answer) -> Value {
    let name = c_name(&answer.symbol);
    let replacement = match &answer.binding {
        Binding::Direct(target) => target.clone(),
        _ => format!("alloc8_our_{name}"),
    };
    json!({ "replacement": replacement, "replacee": name })
}

fn field(plan: &Plan, field: &Field, version: u32) -> Value {
    let member = match (field.function, Prototype::parse(&field.declaration)) {
        (true, Ok(prototype)) => prototype.named(&format!("(*{})", field.name)),
        _ if field.declaration.ends_with('*') => format!("{}{}", field.declaration, field.name),
        _ => format!("{} {}", field.declaration, field.name),
    };
    json!({
        "name": field.name,
        "member": member,
        "version": field.version,
        "value": value(plan, field, version),
    })
}

/// What stands in the field; nothing where the system allows or wants NULL and we have no answer.
fn value(plan: &Plan, field: &Field, version: u32) -> String {
    match field.declaration.as_str() {
        _ if field.null == Null::Always => String::new(),
        _ if slots::is_filled(field) => format!("alloc8_zone_{}", field.name),
        "const char *" => format!("\"{}\"", plan.allocator.name),
        ty if is_introspection(plan, ty) => "&alloc8_introspection".to_owned(),
        "unsigned" => version.to_string(),
        _ => String::new(),
    }
}

/// Whether it is a pointer to what tools and fork ask.
fn is_introspection(plan: &Plan, ty: &str) -> bool {
    let zone = plan.platform.zone.as_ref();
    zone.is_some_and(|zone| ty.strip_suffix(" *") == Some(zone.introspection.as_str()))
}

/// The zone and what tools and fork ask, by their names in the header.
fn structures(plan: &Plan) -> Vec<&str> {
    let zone = plan.platform.zone.as_ref();
    zone.map(|zone| vec![zone.structure.as_str(), &zone.introspection]).unwrap_or_default()
}

/// What says that the heap cannot be walked.
fn failure(plan: &Plan) -> u32 {
    plan.platform.zone.as_ref().map_or(0, |zone| zone.numbers.failure)
}

fn good_size(plan: &Plan) -> String {
    plan.allocator.call(Role::GoodSize).map_or_else(|| "size".to_owned(), |c| c.with(&[]))
}

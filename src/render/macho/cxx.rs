//! The headers for C++: what the shim in C says, in C++.

use serde_json::{Value, json};

use super::{
    super::{Comment, Inputs, Part, call, cpp},
    c_name, fragments, lists, originals,
    slots::{Reply, Slot, slots},
};
use crate::{
    allocator::{Role, call::Argument},
    diagnostic::Result,
    plan::{Fork, Plan},
    prototype::{Parameter, declare},
};

/// The headers, and the lists beside them.
///
/// # Errors
/// Those of [`Plan::refuse_in_cxx`].
pub(in crate::render) fn parts(plan: &Plan, inputs: &Inputs) -> Result<Vec<Part>> {
    plan.refuse_in_cxx()?;
    let mut values = cpp::headers(plan);
    let zoned = super::values_of(plan);
    if let (Value::Object(values), Value::Object(zoned)) = (&mut values, zoned) {
        values.extend(zoned);
    }
    values["tells_size"] = plan.allocator.call(Role::MallocSize).is_some().into();
    values["tells_good_size"] = plan.allocator.call(Role::GoodSize).is_some().into();
    let say = |text: &str| in_cxx(plan, text);
    for key in ["families", "whose", "zone", "introspection", "tuples"] {
        translate(&mut values[key], &say);
    }
    let all = super::structures(plan).into_iter().flat_map(|of| slots(plan, of));
    values["slots"] = all.map(|slot| function(plan, &slot)).collect();
    values["originals"] = originals(plan)
        .map(|symbol| {
            let abi = &plan.platform.abis[0];
            json!({
                "declaration": symbol.prototype.named(c_name(symbol)).replace("(void)", "()"),
                "label": format!("{}{}", abi.symbol_prefix, symbol.name(abi)),
                "weak": super::is_weak(plan, symbol),
            })
        })
        .collect();
    let context = crate::render::view::context(&values);
    let part = |template, file: &str| Part {
        template,
        file: file.to_owned(),
        comment: Comment::C,
        context: context.clone(),
    };
    let mut parts =
        vec![part("shim.hpp.tera", "shim.hpp"), part("cpp/redirect.hpp.tera", "redirect.hpp")];
    parts.extend(fragments(plan, inputs, "cxx"));
    parts.extend(lists(plan));
    Ok(parts)
}

fn translate(value: &mut Value, say: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = say(text),
        Value::Array(values) => values.iter_mut().for_each(|v| translate(v, say)),
        Value::Object(map) => {
            let code = |key: &str| !["why", "title", "left", "replacee"].contains(&key);
            map.iter_mut().filter(|(key, _)| code(key)).for_each(|(_, v)| translate(v, say));
        }
        _ => {}
    }
}

/// What the shim in C says, in C++: each name in its namespace.
fn in_cxx(plan: &Plan, text: &str) -> String {
    let text = text.replace("(void *)ptr", "const_cast<void *>(ptr)").replace("(void)", "()");
    let own = |word: &str, called: bool| match word {
        "alloc8_zone" => "the_zone".to_owned(),
        "alloc8_size" => "shim::size_of".to_owned(),
        "_Bool" => "bool".to_owned(),
        _ => match word.strip_prefix("alloc8_") {
            Some(name) if called && !name.starts_with("our_") => format!("shim::{name}"),
            Some(name) => name.to_owned(),
            None if called && originals(plan).any(|s| c_name(s) == word) => {
                format!("system::{word}")
            }
            None => word.to_owned(),
        },
    };
    let said = cpp::words(&text, |word, rest| own(word, rest.starts_with('(')));
    // An unused parameter.
    let line = |line: &str| match line.trim_start().strip_prefix("()") {
        Some(name) if name.ends_with(';') && !name.contains('(') => {
            let indent = &line[..line.len() - line.trim_start().len()];
            format!("{indent}static_cast<void>({});", name.trim_end_matches(';'))
        }
        _ => line.to_owned(),
    };
    let said = said.lines().map(line).collect::<Vec<_>>().join("\n");
    cpp::qualified(&said, &plan.allocator)
}

/// A function of the zone: only what the body uses has a name.
fn function(plan: &Plan, slot: &Slot) -> Value {
    let returns = slot.prototype.result != "void";
    let statement = |call: &str| {
        let call = in_cxx(plan, call);
        if returns { format!("return {call};") } else { format!("{call};") }
    };
    let fork = |choose: fn(&Fork) -> &String| {
        plan.fork.as_ref().map(|fork| statement(choose(fork))).unwrap_or_default()
    };
    let body = match &slot.reply {
        Reply::Nothing => String::new(),
        Reply::Number(number) => statement(&number.to_string()),
        Reply::Fail => {
            let failure = super::failure(plan);
            format!("return {failure}; /* KERN_FAILURE: this heap cannot be walked from there */")
        }
        Reply::Size => statement("alloc8_size(ptr)"),
        Reply::Free => statement("alloc8_free(ptr)"),
        Reply::Same(operation) => statement(&call::text(plan, *operation).expect(call::REFUSED)),
        Reply::Fork(Role::Lock) => fork(|f| &f.prepare),
        Reply::Fork(Role::Unlock) => fork(|f| &f.parent),
        Reply::Fork(_) => fork(|f| &f.child),
        Reply::Walk => walk(plan),
        Reply::Count if slot.prototype.has("zone") => {
            "count(0, reinterpret_cast<vm_address_t>(zone), nullptr, stats);".to_owned()
        }
        Reply::Count => "count(task, zone_address, reader, stats);".to_owned(),
        Reply::NoCount => "*stats = {}; /* not counted */".to_owned(),
    };
    let parameter =
        |p: &Parameter| declare(&p.ty, if call::mentions(&body, &p.name) { &p.name } else { "" });
    let parameters: Vec<_> =
        slot.prototype.parameters.iter().map(|p| parameter(p).trim_end().to_owned()).collect();
    json!({
        "name": slot.name,
        "why": slot.why,
        "head": format!("{}({})", declare(&slot.prototype.result, &format!("zone_{}", slot.name)), parameters.join(", ")),
        "body": body,
    })
}

fn walk(plan: &Plan) -> String {
    let Some(call) = plan.allocator.call(Role::Enumerator) else { return String::new() };
    let slides = call.arguments.contains(&Argument::Slide);
    let slide = "const vm_address_t slide = zone_address - reinterpret_cast<vm_address_t>(&the_zone); /* this image lies elsewhere there */\n    ";
    let said = in_cxx(plan, &call.with(&[]));
    format!("{}return {said};", if slides { slide } else { "" })
}

//! The shims in Rust: what the shim in C says, in Rust.

use serde_json::{Value, json};

use super::{
    super::{
        Comment, Part, call,
        rust::{self, spell},
        sections::{by_family, defined, section},
    },
    c_name, fork_names, lists, looks, originals,
    slots::{Reply, Slot, is_filled, slots},
};
use crate::{
    allocator::{Role, call::Argument},
    diagnostic::Result,
    operation::Operation,
    plan::{Answer, Plan},
    prototype::{Parameter, Prototype},
    spec::{Field, Symbol, Zone},
};

/// The module, and the lists beside it. The plan is the one in Rust.
///
/// # Errors
/// Those of [`Plan::refuse_in_rust`].
pub(in crate::render) fn parts(plan: &Plan) -> Result<Vec<Part>> {
    plan.refuse_in_rust()?;
    let mut context = rust::context(plan);
    let (Some(zone), Some(zoned)) = (&plan.platform.zone, plan.zoned) else {
        return Ok(Vec::new());
    };
    let silent = plan.allocator.call(Role::UsableSize).is_none();
    let clears = !rust::calls_calloc(plan);
    let uses = json!({ "page_size": true, "message": silent, "abort": silent || rust::looks(plan), "memset": clears });
    context.insert("uses", &uses);
    context.insert("zone", &true);
    context.insert("looks_up", &false);
    context.insert(
        "zoned",
        &json!({
            "registered": zoned.registered, "first": zone.first, "fork": zone.fork,
            "list": zone.list, "numbers": zone.numbers,
        }),
    );
    context.insert(
        "whose",
        &json!({ "size": asks(plan, Role::MallocSize), "owns": asks(plan, Role::Owns) }),
    );
    context.insert("enumerator", &plan.allocator.call(Role::Enumerator).is_some());
    let fields = |structure: &str| -> Vec<Value> {
        let fields = zone.fields.iter().filter(|f| f.structure == structure);
        fields.map(|f| field(plan, f)).collect()
    };
    context.insert("zone_fields", &fields(&zone.structure));
    context.insert("introspection_fields", &fields(&zone.introspection));
    let all = super::structures(plan).into_iter().flat_map(|of| slots(plan, of));
    context.insert("slots", &all.map(|slot| function(plan, &slot)).collect::<Vec<_>>());
    context.insert("originals", &declarations(plan, zone, zoned.registered));
    let weak = originals(plan).filter(|symbol| super::is_weak(plan, symbol));
    let weak: Vec<_> = weak.map(|symbol| symbol.name(&plan.platform.abis[0])).collect();
    context.insert("weak", &weak);
    context.insert("symbol_prefix", &plan.platform.abis[0].symbol_prefix);
    context.insert("tuples", &super::tuples(plan).into_iter().map(tuple).collect::<Vec<_>>());
    context.insert("families", &families(plan));
    let shim =
        Part { template: "shim.rs.tera", file: "shim.rs".to_owned(), comment: Comment::C, context };
    Ok(std::iter::once(shim).chain(lists(plan)).collect())
}

/// What the allocator says of an address that may be anything.
fn asks(plan: &Plan, role: Role) -> Option<String> {
    let call = plan.allocator.call(role)?;
    let shared =
        plan.allocator.functions.iter().any(|(r, c)| *r != role && c.symbol == call.symbol);
    let said = spell::spell_verdict(&plan.allocator, call);
    Some(if shared { said.replace("(ptr", "(ptr.cast_mut()") } else { said })
}

/// The system's functions, as the module `system` declares them.
fn declarations(plan: &Plan, zone: &Zone, registered: bool) -> Vec<String> {
    let abi = &plan.platform.abis[0];
    let declare = |name: &str, prototype: &Prototype, link: Option<String>| {
        let signature = spell::signature("        pub fn ", name, prototype, |_| true);
        match link {
            Some(link) => format!("        #[link_name = \"{link}\"]\n{signature}"),
            None => signature,
        }
    };
    let mut all: Vec<String> = originals(plan)
        .map(|symbol| {
            let odd = symbol.spec_name() != c_name(symbol);
            declare(c_name(symbol), &symbol.prototype, odd.then(|| symbol.name(abi)))
        })
        .collect();
    if registered {
        all.extend(about_the_list(zone));
    }
    all.extend(fork_names(plan).iter().map(|name| format!("        pub fn {name}()")));
    all
}

/// The system's functions about its list of zones.
fn about_the_list(zone: &Zone) -> [String; 4] {
    let list = &zone.list;
    let takes = |name| format!("        pub fn {name}(zone: *mut Zone)");
    let all = &list.all;
    [
        format!("        pub fn {}() -> *mut Zone", list.purgeable),
        takes(&list.register),
        takes(&list.unregister),
        format!(
            "        pub fn {all}(\n            task: c_uint,\n            reader: Option<MemoryReader>,\n            zones: *mut *mut *mut Zone,\n            count: *mut c_uint,\n        ) -> c_int"
        ),
    ]
}

/// A field of the zone or of its introspection.
fn field(plan: &Plan, field: &Field) -> Value {
    let prototype = Prototype::parse(&field.declaration).ok().filter(|_| is_filled(field));
    let (ty, value) = match (prototype, field.declaration.as_str()) {
        (Some(prototype), _) => (pointer(&prototype), format!("zone_{}", field.name)),
        (None, "const char *") => {
            ("*const c_char".to_owned(), format!("c\"{}\".as_ptr()", plan.allocator.name))
        }
        (None, ty) if super::is_introspection(plan, ty) => {
            ("*mut Introspection".to_owned(), "&raw mut INTROSPECTION".to_owned())
        }
        (None, "unsigned") if field.name == "version" => {
            let version = plan.platform.zone.as_ref().map_or(0, |zone| zone.version);
            ("c_uint".to_owned(), version.to_string())
        }
        (None, "unsigned") => ("c_uint".to_owned(), "0".to_owned()),
        _ => ("*mut c_void".to_owned(), "ptr::null_mut()".to_owned()),
    };
    json!({ "name": field.name, "member": member(&field.name, &ty), "value": value })
}

/// `name: type`, broken as rustfmt does.
fn member(name: &str, ty: &str) -> String {
    let fits = |line: &str| line.len() < spell::WIDTH;
    let line = format!("    {name}: {ty}");
    let own = format!("        {ty}");
    if fits(&line) {
        return line;
    }
    if fits(&own) {
        return format!("    {name}:\n{own}");
    }
    let (head, rest) = ty.split_once('(').unwrap_or((ty, ""));
    let (parameters, result) = rest.rsplit_once(')').unwrap_or((rest, ""));
    let parameters: String = parameters.split(", ").map(|p| format!("        {p},\n")).collect();
    format!("    {name}: {head}(\n{parameters}    ){result}")
}

fn pointer(prototype: &Prototype) -> String {
    let types: Vec<_> = prototype.parameters.iter().map(|p| spell::spelled(&p.ty)).collect();
    let result = match prototype.result.as_str() {
        "void" => String::new(),
        result => format!(" -> {}", spell::spelled(result)),
    };
    format!("unsafe extern \"C\" fn({}){result}", types.join(", "))
}

/// A tuple, broken as rustfmt does.
fn tuple(tuple: Value) -> String {
    let text = |key: &str| tuple[key].as_str().unwrap_or_default().to_owned();
    let replacement = text("replacement");
    let replacement = replacement.strip_prefix("alloc8_").unwrap_or(&replacement);
    let fields = [
        format!("replacement: {replacement} as *const ()"),
        format!("replacee: system::{} as *const ()", text("replacee")),
    ];
    let line = format!("    Tuple {{ {} }},", fields.join(", "));
    match line.len() <= spell::WIDTH {
        true => line,
        false => format!("    Tuple {{\n        {},\n    }},", fields.join(",\n        ")),
    }
}

/// A function of the zone: what the body does not look at is named so.
fn function(plan: &Plan, slot: &Slot) -> Value {
    let said = |role: Role| {
        plan.allocator.call(role).map(|c| spell::spell(&plan.allocator, c)).unwrap_or_default()
    };
    let reinit =
        || if plan.allocator.call(Role::Reinit).is_some() { Role::Reinit } else { Role::Unlock };
    let body = match &slot.reply {
        Reply::Nothing => String::new(),
        Reply::Number(number) => number.to_string(),
        Reply::Fail => {
            let failure = super::failure(plan);
            format!("{failure} // KERN_FAILURE: this heap cannot be walked from there")
        }
        Reply::Size => "unsafe { size_of_block(ptr) }".to_owned(),
        Reply::Free => "unsafe { release(ptr) };".to_owned(),
        Reply::Same(operation) => wrap(&rust::answer(plan, *operation), &slot.prototype),
        Reply::Fork(role) => {
            let role = if *role == Role::Reinit { reinit() } else { *role };
            format!("unsafe {{ {} }};", said(role))
        }
        Reply::Walk => walk(plan),
        Reply::Count if slot.prototype.has("zone") => {
            "unsafe { count_blocks(0, zone.addr(), None, stats) };".to_owned()
        }
        Reply::Count => "unsafe { count_blocks(task, zone_address, reader, stats) };".to_owned(),
        Reply::NoCount => {
            "unsafe { stats.write(Statistics::default()) }; // not counted".to_owned()
        }
    };
    let used = |name: &str| call::mentions(&body, name);
    let name = format!("zone_{}", slot.name);
    let signature = spell::signature("unsafe extern \"C\" fn ", &name, &slot.prototype, used);
    json!({
        "name": slot.name,
        "why": slot.why,
        "broken": signature.contains('\n'),
        "signature": signature,
        "body": body,
    })
}

/// A call in a body: as a statement where nothing is returned.
fn wrap(call: &str, prototype: &Prototype) -> String {
    match prototype.result.as_str() {
        _ if !call.contains('(') => call.to_owned(),
        "void" => format!("unsafe {{ {call} }};"),
        _ => format!("unsafe {{ {call} }}"),
    }
}

fn walk(plan: &Plan) -> String {
    let Some(call) = plan.allocator.call(Role::Enumerator) else { return String::new() };
    let slides = call.arguments.contains(&Argument::Slide);
    let slide = "// This image lies elsewhere there.\n    let slide = zone_address.wrapping_sub((&raw const ZONE).addr());\n    ";
    let said = spell::spell(&plan.allocator, call);
    format!("{}unsafe {{ {said} }}", if slides { slide } else { "" })
}

/// Replacements in the order of the spec, family by family.
fn families(plan: &Plan) -> Vec<Value> {
    let answers: Vec<&Answer> = plan.answers.iter().collect();
    let family = |answers| section(answers, defined(answers).map(|a| replacement(plan, &a.symbol)));
    by_family(&answers).map(family).collect()
}

fn replacement(plan: &Plan, symbol: &Symbol) -> Value {
    let body = body(plan, symbol);
    let used = |name: &str| call::mentions(&body, name);
    let name = format!("our_{}", c_name(symbol));
    json!({
        "why": symbol.why.clone().unwrap_or_default(),
        "signature": spell::signature("unsafe extern \"C\" fn ", &name, &symbol.prototype, used),
        "body": body,
    })
}

/// A look whose the block or the zone is, where one is given; then our answer.
fn body(plan: &Plan, symbol: &Symbol) -> String {
    if symbol.operation == Operation::MallocUsableSize {
        let original = in_rust(&super::original_call(symbol));
        return format!(
            "    match unsafe {{ size_of_block(ptr) }} {{\n        0 => unsafe {{ {original} }},\n        size => size,\n    }}"
        );
    }
    let answer = rust::answer(plan, symbol.operation);
    let constant = |p: &Parameter| p.name == "ptr" && p.ty == "const void *";
    let answer = match symbol.prototype.parameters.iter().any(constant) {
        true => answer.replace("(ptr", "(ptr.cast_mut()"),
        false => answer,
    };
    let mut body = String::new();
    for (foreign, original) in looks(plan, symbol) {
        body += &format!("    if {} {{\n{}\n    }}\n", condition(foreign), choice(&original));
    }
    let last = if answer.contains('(') { format!("unsafe {{ {answer} }}") } else { answer };
    body + "    " + &last
}

/// What C asks, as Rust asks it.
fn condition(asked: &str) -> String {
    let part = |part: &str| match part {
        "ptr == NULL" => "ptr.is_null()".to_owned(),
        "ptr != NULL" => "!ptr.is_null()".to_owned(),
        "alloc8_size(ptr) == 0" => "unsafe { size_of_block(ptr) } == 0".to_owned(),
        other => match other.strip_prefix("!alloc8_") {
            Some(asked) => format!("!unsafe {{ {asked} }}"),
            None => other.to_owned(),
        },
    };
    asked.split(" && ").map(part).collect::<Vec<_>>().join(" && ")
}

/// Whose the call is then: the system's function, or one of two; broken as rustfmt does.
fn choice(original: &str) -> String {
    let Some((asked, (yes, no))) =
        original.split_once(" ? ").and_then(|(asked, both)| Some((asked, both.split_once(" : ")?)))
    else {
        let original = in_rust(original);
        let line = format!("        return unsafe {{ {original} }};");
        let broken = || format!("        return unsafe {{\n            {original}\n        }};");
        return if line.len() <= spell::WIDTH { line } else { broken() };
    };
    let asked = asked.trim_start_matches("alloc8_");
    let (yes, no) = (in_rust(yes), in_rust(no));
    let line = format!("            if {asked} {{ {yes} }} else {{ {no} }}");
    let broken = || {
        format!(
            "            if {asked} {{\n                {yes}\n            }} else {{\n                {no}\n            }}"
        )
    };
    let chosen = if line.len() <= spell::WIDTH { line } else { broken() };
    format!("        return unsafe {{\n{chosen}\n        }};")
}

fn in_rust(original: &str) -> String {
    format!("system::{original}")
}

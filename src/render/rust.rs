//! What the templates of a shim in Rust place: the plan's flags, with everything that is C spelled
//! in Rust.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    Comment, Inputs, Part, call,
    call::mentions,
    foreign,
    sections::{by_family, defined, section},
    view,
};
use crate::{
    allocator::{Allocator, Limit, Promise, Role, call::Argument},
    diagnostic::Result,
    operation::Operation,
    plan::{Answer, Binding, Guard, Plan, max_align, refuses_alignments},
    prototype::Parameter,
    spec::{AlignedSize, Foreign, OddAlignment, Symbol},
};

pub(super) mod spell;
mod threads;

pub(super) use spell::spell_verdict;
use spell::{constant, count, own, signature, spell, spelled};
pub(super) use threads::looks;

/// The folder's files. The plan is the one in Rust.
pub(super) fn parts(plan: &Plan, inputs: &Inputs) -> Result<Vec<Part>> {
    plan.refuse_in_rust()?;
    plan.refuse_cpu_in_rust(inputs.target.as_deref())?;
    let shim = Part {
        template: "shim.rs.tera",
        file: "shim.rs".to_owned(),
        comment: Comment::C,
        context: context(plan),
    };
    Ok([shim, fragment(plan, inputs)].into_iter().chain(super::lists(plan)).collect())
}

/// What a crate's build script includes, to do without this tool.
fn fragment(plan: &Plan, inputs: &Inputs) -> Part {
    let mut values = view::build_values(plan, inputs);
    values["archives"] = archives(plan).into();
    Part {
        template: "cargo.rs.tera",
        file: "alloc8.rs".to_owned(),
        comment: Comment::C,
        context: view::context(&values),
    }
}

/// The allocator's archives as cargo is told of them.
pub(super) fn archives(plan: &Plan) -> Vec<&str> {
    let name =
        |archive| Path::new(archive).file_name()?.to_str()?.strip_prefix("lib")?.strip_suffix(".a");
    plan.allocator.archives.iter().filter_map(|archive: &String| name(archive)).collect()
}

/// What the module says, whatever the platform's mechanism, but for ELF's names.
pub(super) fn context(plan: &Plan) -> tera::Context {
    let allocator = &plan.allocator;
    let call = |role: Role| allocator.call(role).map(|c| spell(allocator, c)).unwrap_or_default();
    let mut context = view::shim(plan);
    context.insert("title", &allocator.title.replace(['\n', '\r'], " "));
    context.insert("rust", &allocator.rust);
    context.insert("functions", &functions(plan));
    // Else it is done when each thread is made ready.
    let init = if threads::looks(plan) { String::new() } else { call(Role::Init) };
    context.insert("init", &init);
    context.insert("max_size", &max_size(plan));
    context.insert("max_align", &max_align(&plan.allocator).map(count));
    let memalign =
        if allocator.call(Role::Memalign).is_some() { Role::Memalign } else { Role::Malloc };
    context.insert(
        "call",
        &json!({
            "malloc": call(Role::Malloc),
            "free": call(Role::Free),
            "calloc": if is_called(plan, Role::Calloc) { call(Role::Calloc) } else { String::new() },
            "realloc": call(Role::Realloc),
            "memalign": call(memalign),
            "usable": call(Role::UsableSize),
        }),
    );
    context.insert("foreign", &foreign::in_rust(plan));
    context.insert("ready", &plan.ready);
    context.insert("threads", &threads::threads(plan));
    let forwards = plan.foreign() == Foreign::Forward;
    context.insert("forwards", &forwards);
    let looks_up = forwards || threads::creates(plan);
    context.insert("looks_up", &looks_up);
    context.insert("next", &foreign::next_in_rust(&plan.platform.runtime));
    context.insert("needs", &needs(plan));
    context.insert("sized_free", &sized_free(plan));
    context.insert("texts", &texts(allocator));
    context.insert("mallinfo_field", &plan.platform.runtime.mallinfo_field.as_deref().map(spelled));
    let fork = plan.fork.is_some().then(|| {
        let reinit =
            if allocator.call(Role::Reinit).is_some() { Role::Reinit } else { Role::Unlock };
        json!({
            "prepare": call(Role::Lock), "parent": call(Role::Unlock), "child": call(reinit),
            "constructors": plan.platform.runtime.constructors,
        })
    });
    context.insert("fork", &fork);
    let families = families(plan);
    let chars = |family: &Value| family["symbols"].to_string().contains("c_char");
    context.insert("chars", &(looks_up || families.iter().any(chars)));
    context.insert("families", &families);
    context
}

/// Which helpers are called, so that the text has no other.
fn needs(plan: &Plan) -> Value {
    use Operation as Op;
    let allocator = &plan.allocator;
    let bears = |operation: Op| plan.platform.bearing(operation).is_some();
    let guarded = |promise| Role::ALL.iter().any(|role| plan.guarded(*role, promise));
    let product = [Promise::MaxSize, Promise::ZeroSize];
    let product = product.iter().any(|p| plan.guarded(Role::Calloc, *p));
    let calls_calloc = calls_calloc(plan);
    let multiplies =
        !calls_calloc || product || plan.guarded(Role::Calloc, Promise::CallocOverflow);
    let no_memory = multiplies
        || bears(Op::Pvalloc)
        || plan.defined().any(|a| a.symbol.operation == Op::Reallocarray)
        || [Promise::Errno, Promise::MaxSize, Promise::MaxAlign, Promise::MinAlign]
            .into_iter()
            .any(guarded);
    let semantics = &plan.platform.semantics;
    let checks = semantics.aligned_alloc == OddAlignment::Einval && !refuses_alignments(allocator)
        || semantics.aligned_alloc_size == AlignedSize::Multiple;
    let jumps = |a: &Answer| {
        a.symbol.operation == Op::AlignedAlloc && matches!(a.binding, Binding::Jump(_))
    };
    let checks = checks && bears(Op::AlignedAlloc) && !plan.answers.iter().any(jumps);
    let invalid = checks || bears(Op::Memalign);
    let moves = view::realloc_copies(plan)
        || plan.guarded(Role::Realloc, Promise::MinAlign)
        || (bears(Op::Mallocx) && plan.foreign() == Foreign::Trust);
    let set_errno = no_memory || invalid || bears(Op::MallocInfo);
    let abis = &plan.platform.abis;
    let everywhere = |a: &Answer| abis.iter().all(|abi| a.symbol.is_in(abi));
    json!({
        "product": !calls_calloc || product,
        "moves": moves,
        "no_memory": no_memory,
        "invalid": invalid,
        "set_errno": set_errno,
        "errno": set_errno || guarded(Promise::FreeErrno) || threads::looks(plan) || plan.foreign() == Foreign::Forward,
        "some_abis": !plan.defined().all(everywhere),
    })
}

/// Messages: a literal, and constants.
fn texts(allocator: &Allocator) -> Value {
    let name = &allocator.name;
    let keeps_none =
        |of: &str| format!("{of}: the heap is {name}, which keeps no statistics of this form\n");
    json!({
        "no_usable_size": format!("{:?}", format!("malloc_usable_size: {name} cannot tell\n")),
        "no_stats": constant("const NO_STATISTICS: &str =", keeps_none("malloc_stats")),
        "no_stats_print": constant("    const TEXT: &str =", keeps_none("malloc_stats_print") + "\0"),
    })
}

/// Whether the shim calls the allocator's own calloc.
pub(super) fn calls_calloc(plan: &Plan) -> bool {
    plan.allocator.call(Role::Calloc).is_some() && is_called(plan, Role::Calloc)
}

/// Whether the shim calls what plays a role.
fn is_called(plan: &Plan, role: Role) -> bool {
    let defined = |operation| plan.defined().any(|a| a.symbol.operation == operation);
    match role {
        Role::Calloc => !plan.guarded(Role::Calloc, Promise::MinAlign),
        Role::Realloc => !view::realloc_copies(plan),
        Role::FreeSized => defined(Operation::FreeSized),
        Role::FreeAlignedSized => defined(Operation::FreeAlignedSized),
        Role::MallocTrim => defined(Operation::MallocTrim),
        Role::MallocStats => defined(Operation::MallocStats),
        Role::Init => plan.ready,
        Role::Lock | Role::Unlock | Role::Reinit => plan.fork.is_some(),
        Role::Owns => foreign::asks_owns(plan),
        Role::ThreadInit | Role::ThreadCleanup => {
            threads::looks(plan) || plan.threads.is_some_and(|t| t.hooked)
        }
        Role::GoodSize | Role::MallocSize | Role::Enumerator => plan.platform.zone.is_some(),
        Role::Malloc | Role::Free | Role::Memalign | Role::UsableSize => true,
    }
}

/// The allocator's functions: declarations in C's calling convention, or methods of the trait.
fn functions(plan: &Plan) -> Vec<Value> {
    let allocator = &plan.allocator;
    let mut functions: Vec<Value> = Vec::new();
    let mut symbols = Vec::new();
    for (role, call) in &allocator.functions {
        if !is_called(plan, *role) || symbols.contains(&&call.symbol) {
            continue;
        }
        symbols.push(&call.symbol);
        let prototype = own(&role.prototype(), call);
        let takes_block = prototype.has("ptr");
        functions.push(json!({
            "signature": signature(if allocator.rust.is_some() { "    unsafe fn " } else { "    fn " }, &call.symbol, &prototype, |_| true),
            "meaning": sentence(role.meaning()),
            "safety": if takes_block { "`ptr` is a live block of this heap, or what this heap's promises admit." }
                else { "It is for the shim alone." },
        }));
    }
    functions.extend(threads::announced(plan));
    functions
}

pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        .unwrap_or_default()
}

fn max_size(plan: &Plan) -> Option<String> {
    let guarded = Role::ALL.iter().any(|role| plan.guarded(*role, Promise::MaxSize));
    guarded.then(|| match plan.allocator.promises.max_size {
        Limit::Bytes(bytes) => count(bytes),
        // Leaves room for headers and rounding: nothing that an allocator adds can wrap.
        _ => "isize::MAX as usize - 65536".to_owned(),
    })
}

fn sized_free(plan: &Plan) -> Vec<Value> {
    let one = |role: Role| {
        let call = plan.allocator.call(role).filter(|_| is_called(plan, role))?;
        let has = |guard| plan.guards[&role].contains(&guard);
        let name = if role == Role::FreeSized { "release_sized" } else { "release_aligned_sized" };
        let call_text = spell(&plan.allocator, call);
        let used = |name: &str| {
            let named = call.arguments.contains(&Argument::Parameter(name.to_owned()));
            // One of a thread that is not ready is called once more.
            named || name == "ptr" || threads::comes_back(plan)
        };
        Some(json!({
            "signature": signature("unsafe fn ", name, &role.prototype(), used),
            "signature_any": signature("unsafe fn ", &format!("{name}_any"), &role.prototype(), |_| true),
            "again": format!("{name}({})", foreign::arguments(role)),
            "any": format!("{name}({})", foreign::arguments(role)),
            "call": call_text,
            "free_null": has(Guard::Missing(Promise::FreeNull)),
            "free_errno": has(Guard::Missing(Promise::FreeErrno)),
            "ready": has(Guard::Ready),
        }))
    };
    [Role::FreeSized, Role::FreeAlignedSized].into_iter().filter_map(one).collect()
}

/// In spec order: what is defined, and what is left alone for which reason.
fn families(plan: &Plan) -> Vec<Value> {
    let answers: Vec<&Answer> = plan.answers.iter().collect();
    let family = |answers| section(answers, defined(answers).map(|a| symbol(plan, &a.symbol)));
    by_family(&answers).map(family).collect()
}

fn symbol(plan: &Plan, symbol: &Symbol) -> Value {
    let name = symbol.name(&plan.platform.abis[0]);
    let answer = answer(plan, symbol.operation);
    let constant = |p: &Parameter| p.name == "ptr" && p.ty == "const void *";
    let call = match symbol.prototype.parameters.iter().any(constant) {
        true => answer.replace("(ptr", "(ptr.cast_mut()"),
        false => answer.clone(),
    };
    let inside = answer.split_once('(').map_or(answer.as_str(), |(_, rest)| rest);
    let used = |name: &str| mentions(inside, name);
    // Constants, zeroes and a message need no leave to be unsafe.
    let safe = ["Mallinfo", "say("].iter().any(|start| answer.starts_with(start));
    let calls = answer.contains('(') && !safe;
    json!({
        "why": symbol.why.clone().unwrap_or_default(),
        "cfg": cfg(plan, symbol),
        "signature": signature("unsafe extern \"C\" fn ", &name, &symbol.prototype, used),
        "body": if calls { format!("unsafe {{ {call} }}") } else { call },
    })
}

/// Where an ABI has the symbol; empty if all have it.
fn cfg(plan: &Plan, symbol: &Symbol) -> String {
    let abis = &plan.platform.abis;
    if abis.iter().all(|abi| symbol.is_in(abi)) {
        return String::new();
    }
    let widths = abis.iter().filter(|abi| symbol.is_in(abi));
    let widths = widths.map(|abi| format!("target_pointer_width = \"{}\"", abi.pointer_bits));
    format!("any({})", widths.collect::<Vec<_>>().join(", "))
}

/// The expression that answers an operation.
pub(super) fn answer(plan: &Plan, operation: Operation) -> String {
    match plan.platform.zone {
        Some(_) => zoned(plan, operation).unwrap_or_else(|| plain(plan, operation)),
        None => plain(plan, operation),
    }
}

/// The same where heaps are zones; `None` for what is the same everywhere.
fn zoned(plan: &Plan, operation: Operation) -> Option<String> {
    use Operation as Op;
    let text = match operation {
        Op::Memalign => "allocate_in_zone(alignment, size)",
        Op::Reallocf => "resize_or_free(ptr, size)",
        Op::MallocGoodSize => {
            let call = plan.allocator.call(Role::GoodSize);
            return Some(call.map_or("size".to_owned(), |c| spell(&plan.allocator, c)));
        }
        Op::MallocDefaultZone | Op::MallocZoneFromPtr => "&raw mut ZONE",
        Op::MallocZoneBatchMalloc => "allocate_batch(size, results, count)",
        Op::MallocZoneBatchFree => "release_batch(blocks, count)",
        Op::MallocZoneMallocWithOptions => "allocate_with_options(alignment, size, options)",
        _ => return None,
    };
    Some(text.to_owned())
}

fn plain(plan: &Plan, operation: Operation) -> String {
    use Operation as Op;
    let own = |role: Role| plan.allocator.call(role).map(|call| spell(&plan.allocator, call));
    let bound =
        |a: &Answer| a.symbol.operation == operation && matches!(a.binding, Binding::Jump(_));
    let any = call::any(plan);
    let looks = |name: &str| name.replacen('(', &format!("{any}("), 1);
    let text = match operation {
        Op::Malloc => "allocate(size)",
        Op::Calloc => "allocate_zeroed(nmemb, size)",
        Op::Realloc => return looks("resize(ptr, size)"),
        Op::Free => return looks("release(ptr)"),
        Op::AlignedAlloc if plan.answers.iter().any(bound) => "allocate_aligned(alignment, size)",
        Op::AlignedAlloc => "allocate_aligned_checked(alignment, size)",
        Op::Memalign => "allocate_at_any(alignment, size)",
        Op::PosixMemalign => "allocate_into(memptr, alignment, size)",
        Op::Valloc => "allocate_at_page(size)",
        Op::Pvalloc => "allocate_pages(size)",
        Op::Reallocarray => "resize_array(ptr, nmemb, size)",
        Op::FreeSized if own(Role::FreeSized).is_some() => {
            return looks("release_sized(ptr, size)");
        }
        Op::FreeAlignedSized if own(Role::FreeAlignedSized).is_some() => {
            return looks("release_aligned_sized(ptr, alignment, size)");
        }
        Op::FreeSized | Op::FreeAlignedSized | Op::Dallocx | Op::Sdallocx => {
            return looks("release(ptr)");
        }
        Op::MallocUsableSize | Op::Xallocx | Op::Sallocx => return looks("usable_size(ptr)"),
        Op::MallocTrim => return own(Role::MallocTrim).unwrap_or("0".to_owned()),
        Op::MallocStats => {
            return own(Role::MallocStats).unwrap_or("say(NO_STATISTICS)".to_owned());
        }
        Op::Mallopt => "0",
        Op::Mallinfo => "Mallinfo([0; 10])",
        Op::Mallinfo2 => "Mallinfo2([0; 10])",
        Op::MallocInfo => "describe(options)",
        Op::Mallocx => "allocate_flagged(size, flags)",
        Op::Rallocx => "resize_flagged(ptr, size, flags)",
        Op::Nallocx => "size",
        Op::Mallctl | Op::Mallctlnametomib | Op::Mallctlbymib => "2 /* ENOENT */",
        Op::MallocStatsPrint => "print_statistics(write_cb, cbopaque)",
        Op::PthreadCreate => "create_pthread(thread, attr, start, argument)",
        Op::ThrdCreate => "create_thrd(thread, start, argument)",
        other => unreachable!("refused before: {}", other.name()),
    };
    text.to_owned()
}

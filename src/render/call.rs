//! The one statement by which a symbol's definition in C forwards.

use crate::{
    allocator::Role,
    operation::Operation,
    plan::{Binding, Plan},
    spec::Foreign,
};

/// The one statement by which a symbol forwards; unused parameters are named away before it.
pub(super) fn statement(symbol: &crate::spec::Symbol, call: &str) -> String {
    // Some platforms promise to leave alone the block that a question is about; the allocator's
    // own prototype says nothing of it.
    let asks = |name: &str| {
        let constant = |p: &crate::prototype::Parameter| p.name == name && p.ty == "const void *";
        symbol.prototype.parameters.iter().any(constant)
    };
    let call = if asks("ptr") { call.replace("(ptr", "((void *)ptr") } else { call.to_owned() };
    let inside = call.split_once('(').map_or(call.as_str(), |(_, rest)| rest);
    let unused: String = symbol
        .prototype
        .parameters
        .iter()
        .filter(|p| !mentions(inside, &p.name))
        .map(|p| format!("(void){};\n    ", p.name))
        .collect();
    let keyword = if symbol.prototype.result == "void" { "" } else { "return " };
    format!("{unused}{keyword}{call};")
}

/// Whether a name is a word of the arguments.
pub(super) fn mentions(arguments: &str, name: &str) -> bool {
    arguments.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
}

/// Why every symbol that is placed has a call.
pub(super) const REFUSED: &str = "plans with an operation that has no text are refused before";

/// The call that answers an operation on a platform; `None` if its mechanism's text has none.
pub(super) fn text(plan: &Plan, operation: Operation) -> Option<String> {
    match plan.platform.zone {
        Some(_) => zoned(plan, operation),
        None => plain(plan, operation),
    }
}

/// The call where heaps are zones.
pub(super) fn zoned(plan: &Plan, operation: Operation) -> Option<String> {
    Some(match operation {
        Operation::Memalign => "alloc8_memalign_in_zone(alignment, size)".to_owned(),
        Operation::Reallocf => "alloc8_reallocf(ptr, size)".to_owned(),
        Operation::MallocGoodSize => match plan.allocator.call(Role::GoodSize) {
            Some(call) => call.with(&[]),
            None => "size".to_owned(),
        },
        Operation::MallocDefaultZone | Operation::MallocZoneFromPtr => "&alloc8_zone".to_owned(),
        Operation::MallocZoneBatchMalloc => "alloc8_batch_malloc(size, results, count)".to_owned(),
        Operation::MallocZoneBatchFree => "alloc8_batch_free(blocks, count)".to_owned(),
        Operation::MallocZoneMallocWithOptions => {
            "alloc8_malloc_with_options(alignment, size, options)".to_owned()
        }
        _ => return plain(plan, operation),
    })
}

/// The call where every block is ours.
pub(super) fn plain(plan: &Plan, operation: Operation) -> Option<String> {
    let has = |role: Role| plan.allocator.call(role).is_some();
    let any = any(plan);
    Some(match operation {
        Operation::Malloc => "alloc8_malloc(size)".to_owned(),
        Operation::Calloc => "alloc8_calloc(nmemb, size)".to_owned(),
        Operation::Realloc => format!("alloc8_realloc{any}(ptr, size)"),
        Operation::Free => format!("alloc8_free{any}(ptr)"),
        Operation::AlignedAlloc
            if plan.answers.iter().any(|a| {
                a.symbol.operation == operation
                    && matches!(a.binding, Binding::Direct(_) | Binding::Jump(_))
            }) =>
        {
            "alloc8_memalign(alignment, size)".to_owned()
        }
        Operation::AlignedAlloc => "alloc8_aligned_alloc(alignment, size)".to_owned(),
        Operation::Memalign => "alloc8_memalign_any(alignment, size)".to_owned(),
        Operation::PosixMemalign => "alloc8_posix_memalign(memptr, alignment, size)".to_owned(),
        Operation::Valloc => "alloc8_valloc(size)".to_owned(),
        Operation::Pvalloc => "alloc8_pvalloc(size)".to_owned(),
        Operation::Reallocarray => "alloc8_reallocarray(ptr, nmemb, size)".to_owned(),
        Operation::FreeSized if has(Role::FreeSized) => {
            format!("alloc8_free_sized{any}(ptr, size)")
        }
        Operation::FreeAlignedSized if has(Role::FreeAlignedSized) => {
            format!("alloc8_free_aligned_sized{any}(ptr, alignment, size)")
        }
        Operation::FreeSized | Operation::FreeAlignedSized => format!("alloc8_free{any}(ptr)"),
        Operation::MallocUsableSize => format!("alloc8_malloc_usable_size{any}(ptr)"),
        Operation::MallocTrim if has(Role::MallocTrim) => {
            plan.allocator.functions[&Role::MallocTrim].with(&[])
        }
        Operation::MallocStats if has(Role::MallocStats) => {
            plan.allocator.functions[&Role::MallocStats].with(&[])
        }
        Operation::Mallopt | Operation::MallocTrim => "0".to_owned(),
        Operation::Mallinfo => "(struct mallinfo){0}".to_owned(),
        Operation::Mallinfo2 => "(struct mallinfo2){0}".to_owned(),
        Operation::MallocInfo => "alloc8_malloc_info(options, stream)".to_owned(),
        Operation::MallocStats => "alloc8_malloc_stats()".to_owned(),
        Operation::Mallocx => "alloc8_mallocx(size, flags)".to_owned(),
        Operation::Rallocx => "alloc8_rallocx(ptr, size, flags)".to_owned(),
        Operation::Xallocx | Operation::Sallocx => {
            format!("alloc8_malloc_usable_size{any}(ptr)")
        }
        Operation::Dallocx | Operation::Sdallocx => format!("alloc8_free{any}(ptr)"),
        Operation::Nallocx => "size".to_owned(),
        Operation::Mallctl | Operation::Mallctlnametomib | Operation::Mallctlbymib => {
            "2 /* ENOENT */".to_owned()
        }
        Operation::MallocStatsPrint => "alloc8_malloc_stats_print(write_cb, cbopaque)".to_owned(),
        Operation::Dlopen => "alloc8_next_dlopen()(file, mode & ~ALLOC8_DEEPBIND)".to_owned(),
        Operation::PthreadCreate => {
            "alloc8_pthread_create(thread, attr, start, argument)".to_owned()
        }
        Operation::ThrdCreate => "alloc8_thrd_create(thread, start, argument)".to_owned(),
        Operation::New(form) if form.aligned => "alloc8_new_aligned(size, alignment)".to_owned(),
        Operation::New(_) => "alloc8_new(size)".to_owned(),
        Operation::Delete(form) if form.sized => format!("alloc8_free_sized{any}(ptr, size)"),
        Operation::Delete(_) => format!("alloc8_free{any}(ptr)"),
        _ => return None,
    })
}

/// What the functions that look whose a block is have at the end of their names; empty where nothing
/// looks, or where each public function looks for itself, for it knows the system's own.
pub(super) fn any(plan: &Plan) -> &'static str {
    if plan.foreign() == Foreign::Trust || plan.platform.zone.is_some() { "" } else { "_any" }
}

/// Whether the operation is answered by a function of the allocator without anything around it.
pub(super) fn calls_raw(plan: &Plan, operation: Operation) -> bool {
    let has = |role: Role| plan.allocator.call(role).is_some();
    matches!(operation, Operation::MallocTrim) && has(Role::MallocTrim)
        || matches!(operation, Operation::MallocStats) && has(Role::MallocStats)
}

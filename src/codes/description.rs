//! Pages of A81..: descriptions of allocators.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8101",
        "not a call",
        "A function is described by its symbol, or by a call that shows another order of arguments.\n\
         Use the names of the standard form's parameters, which the message shows.\n\
         Example: `memalign = \"my_aligned_malloc(size, alignment)\"`.",
    ),
    page(
        "A8102",
        "a function is missing that every allocator needs",
        "An allocator must be able to allocate, to free, to align, and to tell a block's size or\n\
         to resize it; what the shim cannot build from the rest must be named.\n\
         Example: `malloc = \"my_malloc\"` and `free = \"my_free\"`.",
    ),
    page(
        "A8103",
        "not an alignment",
        "Alignments are powers of two.\n\
         Example: `min_align = 16`.",
    ),
    page(
        "A8104",
        "not a limit",
        "A limit is a number of bytes, or \"any\" where there is none.\n\
         Example: `max_align = 1048576` or `max_align = \"any\"`.",
    ),
    page(
        "A8105",
        "a policy has no such value",
        "A policy takes one of a few words, which the message lists.\n\
         Example: `foreign = \"trust\"`.",
    ),
    page(
        "A8106",
        "waiving what is not a promise",
        "`waive` lists promises that neither the allocator nor the shim needs to keep.\n\
         The help lists their names.\n\
         Example: `waive = [\"errno\"]`.",
    ),
    page(
        "A8107",
        "threads must introduce themselves, and no function does it",
        "`thread_policy = \"required\"` says that a thread must call a function before it allocates.\n\
         Name that function.\n\
         Example: `thread_init = \"my_thread_init\"`.",
    ),
    page(
        "A8108",
        "a policy for foreign pointers without a way to tell them",
        "`foreign` says what happens to blocks of another heap; only `owns` can tell whose a block is.\n\
         Name the function, or write `foreign = \"trust\"`.\n\
         Example: `owns = \"my_owns\"`.",
    ),
    page(
        "A8109",
        "a description cannot be read",
        "The file that `-a` or a marker names is not there, or may not be read.\n\
         Correct the path. `check` never goes on without the description: it would compare with\n\
         something else than what was rendered.",
    ),
    page(
        "A8110",
        "not the path of a Rust type",
        "`rust` names the type that implements the trait which a shim in Rust calls. The shim is a\n\
         module of the user's crate, so the path begins with `crate`.\n\
         Example: `rust = \"crate::Heap\"`.",
    ),
];

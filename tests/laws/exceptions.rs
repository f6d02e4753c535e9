//! The cells that cannot have a law, and why. One that has it all the same is an error too.

/// A law that does not hold, or does not apply, under some shims.
pub(super) struct Exception {
    /// The law.
    pub(super) law: &'static str,
    /// What the cell's name contains.
    cells: &'static [&'static str],
    /// Why.
    pub(super) reason: &'static str,
}

/// What the table says of a cell.
pub(super) fn exception(law: &str, cell: &str) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|e| e.law == law && e.cells.iter().all(|part| cell.contains(part)))
}

const fn not(law: &'static str, cells: &'static [&'static str], reason: &'static str) -> Exception {
    Exception { law, cells, reason }
}

const LATE: &str = "linked without the fragment's -z initfirst, handlers that were registered before \
                    the shim's run while the heap is locked; this heap's lock has no owner: see the \
                    cells `mended`";

const PASSED_OVER: &str = "-Bsymbolic-functions, without the -Bno-symbolic that the header asks for, binds \
                           derived operators past a program's own base";

const EXCEPTIONS: &[Exception] = &[
    not("free_sized_frees", &["none"], "glibc has free_sized since 2.43"),
    not("free_aligned_sized_frees", &["none"], "glibc has free_aligned_sized since 2.43"),
    not(
        "aligned_new_does_not_wrap",
        &["none"],
        "libstdc++'s own aligned operator new wraps: the law is about ours",
    ),
    not("fork_handlers_registered_first_may_allocate", &["unpromising jumping", "plain"], LATE),
    not("fork_handlers_registered_first_may_allocate", &["unpromising jumping", "symbolic"], LATE),
    not("fork_handlers_registered_first_may_allocate", &["inlined", "plain"], LATE),
    not("fork_handlers_registered_first_may_allocate", &["inlined", "symbolic"], LATE),
    not(
        "aligned_new_does_not_wrap",
        &["in rust"],
        "operators are libstdc++'s own, and that one wraps",
    ),
    not("replacing_operator_new_replaces_its_forms", &["in c++", "symbolic"], PASSED_OVER),
    not("replacing_aligned_new_replaces_its_forms", &["in c++", "symbolic"], PASSED_OVER),
];

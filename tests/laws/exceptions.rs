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

/// The vendor's link options bind what the shim's text leaves open.
const SYMBOLIC: &str = "-Bsymbolic-functions binds a derived form to the base beside it, weak or not; \
                        the fragment's -Bno-symbolic undoes that: see the cells `mended`";

/// No tail call, so the base's return address is in the shim.
const CALLS: &str = "at -O0 derived operators call their base instead of jumping to it: its caller is \
                     the shim, from which a runtime opened RTLD_LOCAL cannot be found";

const LATE: &str = "linked without the fragment's -z initfirst, handlers that were registered before \
                    the shim's run while the heap is locked; this heap's lock has no owner: see the \
                    cells `mended`";

const EXCEPTIONS: &[Exception] = &[
    not("free_sized_frees", &["none"], "glibc has free_sized since 2.43"),
    not("free_aligned_sized_frees", &["none"], "glibc has free_aligned_sized since 2.43"),
    not(
        "aligned_new_does_not_wrap",
        &["none"],
        "libstdc++'s own aligned operator new wraps: the law is about ours",
    ),
    not("cxx_plugins_of_c_programs_get_bad_alloc", &["jumping", "-O0"], CALLS),
    not("cxx_plugins_of_c_programs_get_bad_alloc", &["jumping", "bare"], CALLS),
    not("programs_may_bring_their_own_malloc", &["jumping", "symbolic"], SYMBOLIC),
    not("replacing_aligned_new_replaces_its_forms", &["jumping", "symbolic"], SYMBOLIC),
    not("replacing_operator_new_replaces_its_forms", &["jumping", "symbolic"], SYMBOLIC),
    not("fork_handlers_registered_first_may_allocate", &["unpromising jumping", "plain"], LATE),
    not("fork_handlers_registered_first_may_allocate", &["unpromising jumping", "symbolic"], LATE),
];

//! Pages of A87..: measurements.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8701",
        "a promise does not hold",
        "The description promises what the library was measured not to do: a guard would be missing.\n\
         Remove the promise, and the shim keeps it; the message has what was seen.\n\
         Example: leave out `errno = true`.",
    ),
    page(
        "A8702",
        "fork under load does not work",
        "A child that was forked while other threads allocated did not come through.\n\
         Name `malloc_lock`, `malloc_unlock` and `malloc_reinit`, or use the library only in programs\n\
         that fork before they start threads.",
    ),
    page(
        "A8703",
        "a function does not do what its name says",
        "A small program that calls the function as it is described saw something else.\n\
         Correct the description: another symbol, another order of arguments, or leave it out.\n\
         Example: `memalign = \"my_memalign(size, alignment)\"`.",
    ),
    page(
        "A8704",
        "the library does not survive when memory runs out",
        "Where malloc should return NULL, the library ends the process.\n\
         Programs that handle the failure will die instead; the shim cannot mend that.",
    ),
    page(
        "A8705",
        "promised, not measured",
        "The description's promises are taken as they stand: no library was named, or programs for\n\
         this target do not run here.\n\
         Example: `alloc8-gen verify -a NAME --lib libNAME.a FILE` measures them.",
    ),
    page(
        "A8706",
        "waived, and not kept",
        "The description waives a promise that the library does not keep, and so the shim does not\n\
         keep it either: programs will see the difference.\n\
         Remove the name from `waive`, and the shim keeps it.",
    ),
];

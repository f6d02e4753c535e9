//! Pages of A85..: `init` and `verify`.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8501",
        "no allocator found in the library",
        "`init` looks for functions whose names end like malloc and free, and found none.\n\
         Write the description by hand, naming at least `malloc` and `free`.\n\
         Example: `malloc = \"heap_get\"` and `free = \"heap_put\"`.",
    ),
    page(
        "A8502",
        "nothing was measured by init",
        "Programs for this target do not run here, so promises could not be measured.\n\
         Without promises the shim guards everything; add those that you know to hold.",
    ),
    page(
        "A8503",
        "the functions that were found do not work",
        "They have the names of an allocator, and a small program that uses them fails.\n\
         Perhaps a function must be called first, or the arguments have another order.\n\
         Example: `init = \"my_heap_init\"`.",
    ),
    page(
        "A8511",
        "not a shared library that can be read",
        "The file is a text, a static library, an object, or it is cut off.\n\
         Name a built shared library.\n\
         Example: `alloc8-gen verify libmy_heap-alloc8.so`.",
    ),
    page(
        "A8512",
        "the library is for a machine that the platform does not have",
        "The platform that was named, or that this tool runs on, has no ABI for the file's machine.\n\
         Name the library's own platform with `--platform`, or build it for this one.",
    ),
    page(
        "A8513",
        "no platform fits the library",
        "The platform is guessed from the file's machine and C library, and none has both.\n\
         Name it with `--platform`; `alloc8-gen list platforms` shows them.",
    ),
    page(
        "A8514",
        "a file whose interposition is not judged",
        "On Windows hooks replace functions; an export alone replaces nothing. A library there is judged by\n\
         the table of hooks that those of ours have. Files of macOS with 32 bits are run by no system that\n\
         shims are for. Of other files it is told what they export, import and need, and no verdict is given.\n\
         Look at the list that `verify` printed, or run a program under the library.",
    ),
];

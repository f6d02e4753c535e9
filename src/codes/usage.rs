//! Pages of A89..: the command line.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8901",
        "an option stands before a verb",
        "Options without a verb mean `generate`; in front of another verb they would be lost.\n\
         Put them behind it.\n\
         Example: `alloc8-gen check -p linux -a my_heap`.",
    ),
    page(
        "A8902",
        "no platform knows the target",
        "The triple fits none of the platforms' ABIs.\n\
         Name a platform with `--platform`, or another target.\n\
         Example: `--target aarch64-unknown-linux-gnu`.",
    ),
    page(
        "A8903",
        "this cannot name an allocator",
        "`-a` takes a built-in name, a C identifier for the naming convention, or a path that ends\n\
         in .toml. Files and folders are called after a description's `name`, which has letters, digits\n\
         and `_`, `-`, `.` or `+` alone.\n\
         Example: `-a my_heap` or `-a descriptions/my-heap.toml`.",
    ),
    page(
        "A8904",
        "the naming convention is used",
        "Nothing describes the allocator, so it is taken to define NAME_malloc, NAME_free,\n\
         NAME_memalign and NAME_malloc_usable_size, and to promise nothing.\n\
         `alloc8-gen init NAME --lib libNAME.a` writes a description with what was measured.",
    ),
    page(
        "A8905",
        "an option or argument is missing",
        "The verb cannot do anything without it; the help shows a whole command line.\n\
         Example: `alloc8-gen --platform linux --allocator simple_heap`.",
    ),
    page(
        "A8906",
        "standard output takes one file",
        "A rendering has several files, and standard output can take one.\n\
         Example: `alloc8-gen generate -p linux -a my_heap --only shim.c -o -`.",
    ),
    page(
        "A8907",
        "no such file is rendered",
        "`--only` names a file that this platform, language and mode do not have.\n\
         The help lists those that they have.",
    ),
    page(
        "A8908",
        "the platform has no ABI for the target",
        "`--target` or the compiler's own target does not fit the platform; the help lists its ABIs.\n\
         Name the platform of the target, or leave one of the two options out.",
    ),
    page(
        "A8909",
        "platform and allocator belong together",
        "`check` either reads both from the files' markers or takes both from the command line.\n\
         Give both options, or neither.\n\
         Example: `alloc8-gen check -p linux -a my_heap third_party/shim`.",
    ),
    page(
        "A8910",
        "one library is for one platform",
        "`build` makes one library, so `all` or a list of platforms cannot be meant.\n\
         Name one platform; other platforms take another call.\n\
         Example: `alloc8-gen build -p linux -a my_heap`.",
    ),
    page(
        "A8911",
        "the description is there already",
        "`init` never overwrites a file: what a person wrote there would be lost.\n\
         Move it away first.",
    ),
    page(
        "A8912",
        "neither a symbol nor a code",
        "`explain` knows the symbols of all platforms, those that are left alone, and these codes.\n\
         Example: `alloc8-gen explain aligned_alloc` or `alloc8-gen explain A8101`.",
    ),
    page(
        "A8914",
        "one compiler for two targets",
        "A universal library of macOS is built once for each processor, and `--cc` names the compiler\n\
         for one of them, with its own `-target`.\n\
         Build for each with `--target`, or leave `--cc` out.",
    ),
    page(
        "A8920",
        "an option that means nothing to `laws`",
        "The laws of a platform are the same for every shim, so the shim's language and mode do not\n\
         matter to them.\n\
         Leave the option out.",
    ),
    page(
        "A8999",
        "a bug in alloc8-gen",
        "Something that cannot happen did: the message is for the people who write this tool.\n\
         Report it with the command line and the description that you used.",
    ),
];

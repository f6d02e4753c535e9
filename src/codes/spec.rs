//! Pages of A80..: the spec.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8001",
        "the file is not what its format says",
        "The text is not TOML, or a value has another type than its key wants.\n\
         Correct it at the place that is underlined.\n\
         Example: `promises.errno = \"yes\"` must be `promises.errno = true`.",
    ),
    page(
        "A8002",
        "unknown key",
        "No key of this name belongs here; a misspelt promise would be lost without a word.\n\
         Take the name that the help suggests, or remove the line.\n\
         Example: `mallok = \"my_malloc\"` must be `malloc = \"my_malloc\"`.",
    ),
    page(
        "A8003",
        "unknown platform",
        "No spec describes a platform of this name.\n\
         `alloc8-gen list platforms` shows those that there are.\n\
         Example: `-p linux`.",
    ),
    page(
        "A8004",
        "the file's schema is not known",
        "The file was written for another version of its format than this tool reads.\n\
         Use a newer alloc8-gen, or write `schema = 1` and the keys of that version.",
    ),
    page(
        "A8005",
        "a platform without an ABI",
        "A platform's spec must say what its names look like in at least one ABI.\n\
         Add an `[[abi]]` table with name, size_t, pointer_bits, condition, machines and environments.\n\
         Example: `name = \"lp64\"`, `size_t = \"m\"`, `pointer_bits = 64`.",
    ),
    page(
        "A8006",
        "unknown family",
        "A platform names a family of symbols that no file in specs/families defines.\n\
         Correct the name, or add the family's file.\n\
         Example: `families = [\"c\", \"posix\"]`.",
    ),
    page(
        "A8007",
        "unknown operation",
        "`op` must name one of the closed set of meanings that a symbol can have.\n\
         The help lists them; a new meaning is a change of the tool, not of a spec.\n\
         Example: `op = \"posix_memalign\"`.",
    ),
    page(
        "A8008",
        "a prototype that cannot be read",
        "Prototypes are C declarations of functions over plain types and pointers.\n\
         Write it as the manual page does, without attributes.\n\
         Example: `proto = \"void *calloc(size_t count, size_t size)\"`.",
    ),
    page(
        "A8009",
        "name and prototype disagree",
        "The symbol's `name` and the function that its `proto` declares differ.\n\
         Make both the same; they are compared so that a copied line is not left half changed.",
    ),
    page(
        "A8010",
        "the prototype does not fit the operation",
        "Every operation has its arguments and result; this symbol's are others, so a call would\n\
         pass values into the wrong places.\n\
         Choose the operation that the symbol really has, or correct the prototype.",
    ),
    page(
        "A8011",
        "a symbol is defined twice",
        "Two families of one platform, or two entries of one family, define the same name.\n\
         Remove one of them: each name has one meaning on a platform.",
    ),
    page(
        "A8012",
        "a platform names a symbol that it does not have",
        "A platform says something (`since`, `why`, `wrappers`, what a library exports) of a symbol that\n\
         none of its families defines, or that it omits as absent.\n\
         Correct the name, or remove the entry.",
    ),
    page(
        "A8013",
        "a symbol is both defined and omitted",
        "The platform's families define the name, and its omissions leave it out.\n\
         Remove one of the two.",
    ),
    page(
        "A8014",
        "a symbol is omitted twice",
        "Two omissions of one platform name the same symbol, perhaps with different reasons.\n\
         Keep the one whose reason is right.",
    ),
    page(
        "A8015",
        "nothing frees what a symbol hands out",
        "An ABI of the platform has a symbol that allocates and none that takes its blocks back: they\n\
         would reach another heap. What allocates is never described without what frees it.\n\
         Add the deallocator's family to the platform, correct `freed_by`, or leave out both.",
    ),
    page(
        "A8016",
        "a library allocates and does not free",
        "Each library of a platform (each C runtime of Windows) is replaced by itself, so it must\n\
         export the deallocator of every block that it hands out.\n\
         List the deallocator in the library's `adds`, or the allocating function in its `lacks`.",
    ),
    page(
        "A8017",
        "a mangled name is not its declaration",
        "A demangler reads another declaration out of the name than the one beside it: C++ programs\n\
         would never ask for this name, or would pass it other arguments.\n\
         Spell the name as a C++ compiler for the ABI does; `{size_t}` stands for the ABI's letter.",
    ),
    page(
        "A8018",
        "the zone does not fit its version",
        "A zone that claims a version is called through every field of that version and of those\n\
         before it. Each field is defined once as `[[field]]`, with the version that added it, and\n\
         listed by that version in `[[zone.growth]]`.",
    ),
    page(
        "A8019",
        "unknown group",
        "A symbol says that it is taken over together with a group that the platform does not describe.\n\
         Correct the name, or add a `[[group]]` table.",
    ),
    page(
        "A8020",
        "unknown ABI",
        "An omission holds for an ABI that the platform does not have.\n\
         Correct the name, or add an `[[abi]]` table.",
    ),
    page(
        "A8021",
        "the mechanism needs more facts",
        "The templates of a mechanism call functions of the C library and use its numbers; the\n\
         platform's `[runtime]` table must give them.",
    ),
];

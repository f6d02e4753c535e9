//! Pages of A86..: libraries, and the programs that they are preloaded into.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8601",
        "the linked library does not do what its plan says",
        "Every library is read back after the link; this one lacks names, or binds them otherwise.\n\
         Linkers drop names without a word: try another.\n\
         Example: `alloc8-gen build --cc \"cc -fuse-ld=bfd\"`.",
    ),
    page(
        "A8602",
        "described, and never built",
        "The built-in description was written from documents: nobody has linked this library with it.\n\
         Build its static library and name it.\n\
         Example: `alloc8-gen build -a rpmalloc2 --lib librpmalloc.a`.",
    ),
    page(
        "A8603",
        "the allocator's static library is not installed",
        "It was looked for where the linker looks, and by pkg-config.\n\
         Install it as the help says, or name it.\n\
         Example: `alloc8-gen run -a mimalloc --lib build/libmimalloc.a -- PROGRAM`.",
    ),
    page(
        "A8604",
        "the sources of MinHook or Detours are not here",
        "Hooks in the code of functions need one of them; tables of imports need nothing. Name a folder\n\
         with the sources in $ALLOC8_MINHOOK or $ALLOC8_DETOURS, or have cargo fetch the crate that has\n\
         them (minhook-sys, detours-sys): they are found where cargo unpacks crates.\n\
         Example: `alloc8-gen build -p windows --hook iat`.",
    ),
    page(
        "A8605",
        "the allocator's library needs a C library",
        "A library for Windows is linked without one, so that it may be loaded before all of them. This\n\
         archive calls functions that Windows itself does not have, so the compiler's C library is linked\n\
         to it. What the archive calls of that one stays its own. Blocks from before the hooks go back to\n\
         it, which wants a function `owns` in the description (A8250).",
    ),
    page(
        "A8651",
        "the program is statically linked",
        "No dynamic linker runs in it, so a preload is not even looked at.\n\
         Link the allocator into the program itself: `alloc8-gen generate --mode static`.",
    ),
    page(
        "A8652",
        "a library, not a program",
        "The file names no dynamic linker, so nobody can start it.\n\
         Name a program that uses the library.",
    ),
    page(
        "A8653",
        "the program runs with privileges of its own",
        "For set-user-ID and set-group-ID programs and for those with capabilities, the dynamic\n\
         linker drops preloads without a word (ld.so(8), secure-execution mode).\n\
         Run it as the user that owns it, or a copy without the privileges.",
    ),
    page(
        "A8654",
        "program and library are for different machines",
        "The dynamic linker ignores a library of another machine or word size, with one line on\n\
         standard error.\n\
         Build the library for the program's machine: `alloc8-gen build --target TRIPLE`.",
    ),
    page(
        "A8655",
        "program and library use different C libraries",
        "The program's dynamic linker is another C library's: it would not find what the library\n\
         needs, and other names allocate there.\n\
         Name the program's platform with `--platform`.",
    ),
    page(
        "A8656",
        "the program exports its own malloc",
        "The program comes first in every look-up: its own functions answer in all its libraries,\n\
         and a preload answers nobody.\n\
         Build the program without its own allocator.",
    ),
    page(
        "A8657",
        "the program has a malloc of its own",
        "Its calls were bound at link time to a function that it does not export, and never reach\n\
         the dynamic linker; its libraries would use the preload, and blocks would be mixed up.\n\
         Build the program without its own allocator.",
    ),
    page(
        "A8658",
        "the program needs a library with an allocator",
        "A preload comes before the libraries that a program needs, so it wins: worth knowing when\n\
         two allocators are compared.\n\
         `alloc8-gen run --proof` shows who answered.",
    ),
    page(
        "A8659",
        "the program opens libraries itself",
        "A library that is opened with RTLD_DEEPBIND or dlmopen looks into the C library before it\n\
         looks into a preload, so its blocks come from another heap.\n\
         `alloc8-gen run --proof` shows whether that happens.",
    ),
    page(
        "A8660",
        "preloading this library would change nothing",
        "The library does not export `malloc` in a way that programs bind to: it is hidden, missing,\n\
         or tied to a version.\n\
         `alloc8-gen verify FILE` tells what it exports.",
    ),
    page(
        "A8661",
        "the program could not be executed",
        "It was found and judged, and the system refused to execute it; the message says why.\n\
         Often its dynamic linker or a script's interpreter is missing. Exit status 126 or 127.",
    ),
    page(
        "A8662",
        "the program is not executable",
        "A file of this name is there without permission to execute it, or it is a folder.\n\
         Example: `chmod +x ./program`. Exit status 126.",
    ),
    page(
        "A8663",
        "the program was not found",
        "There is no such file, or none of $PATH's folders has it.\n\
         Give a path for a program in the current folder. Exit status 127.\n\
         Example: `alloc8-gen run -- ./program`.",
    ),
    page(
        "A8664",
        "the program cannot be read",
        "It begins like a program and is cut off or malformed; the message says where.\n\
         Build or copy it again.",
    ),
    page(
        "A8665",
        "the proof failed",
        "The program ran, and the dynamic linker's own record does not show that its heap was the\n\
         interposer's: references were bound elsewhere, or there is no record.\n\
         The lines with `!` name each symbol, who refers to it and who answered. Exit status 125.",
    ),
    page(
        "A8666",
        "the preload is taken away again",
        "env(1) was asked to clear the environment or to set LD_PRELOAD itself, so the program that\n\
         it executes would run without the interposer.\n\
         Let env come first, or use `--no-inherit`, which needs no environment.\n\
         Example: `env -i alloc8-gen run -- PROGRAM`.",
    ),
    page(
        "A8670",
        "the program has its C library inside",
        "Hooks are set in the DLLs of C libraries, and in the tables of those who import from them. A program\n\
         that was linked with a static C library (/MT, -static) has neither.\n\
         Link it with the DLL (/MD), or the heap into the program: `alloc8-gen generate --mode static`.",
    ),
];

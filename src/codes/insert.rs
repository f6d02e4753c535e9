//! Pages of A867.: programs of macOS, and the libraries that are inserted into them.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8671",
        "a program of the system",
        "System Integrity Protection keeps all DYLD_ variables from what lies below /bin, /usr, /sbin\n\
         and /System, /usr/local left out: the shell, env and Apple's python3 start programs without\n\
         them too.\n\
         Name the program itself. Example: `alloc8-gen run -- /opt/homebrew/bin/python3 job.py`.",
    ),
    page(
        "A8672",
        "a restricted program",
        "A section __RESTRICT,__restrict, or a flag of its signature, keeps DYLD_ variables from it.\n\
         Link it without the section. Example: leave out `-sectcreate __RESTRICT __restrict /dev/null`.",
    ),
    page(
        "A8673",
        "a program with the hardened runtime",
        "Notarized programs have it. Without an entitlement for it dyld drops its variables.\n\
         Sign a copy without it: `codesign --force -s - COPY`.",
    ),
    page(
        "A8674",
        "a program that takes libraries of its own team alone",
        "Library validation, which the hardened runtime brings along, refuses a library with another\n\
         signature, and dyld ends the program that it was to be inserted into.\n\
         Sign both with one identity, or a copy of the program without the runtime.",
    ),
    page(
        "A8675",
        "a program for arm64e",
        "Apple's own programs are for arm64e, whose pointers are signed. dyld ends such a program when\n\
         an inserted library has no slice for it, and only Apple's compiler makes one.\n\
         Name a program for arm64; most of those that are not Apple's are.",
    ),
    page(
        "A8676",
        "another system's programs",
        "`run` starts programs of the system that it runs on itself, and those of Windows under Wine: those\n\
         for macOS on a Mac alone, and on Windows nothing but Windows' own.\n\
         There: `alloc8-gen run -- PROGRAM`. Anywhere: `alloc8-gen verify LIB --program PROGRAM`.",
    ),
    page(
        "A8677",
        "a program's children inherit what is inserted",
        "dyld has no option for one program alone: it reads the environment, which children get too.\n\
         Leave out `--no-inherit`.",
    ),
    page(
        "A8678",
        "nothing counts, so nothing can be proved",
        "On macOS the proof of a run is the heap's own count, which it writes at its end into a file\n\
         that a variable names.\n\
         Example: `counters = \"MY_COUNTERS\"` in the description.",
    ),
    page(
        "A8679",
        "a path that dyld cannot be told",
        "DYLD_INSERT_LIBRARIES is split at colons, and no escape is known.\n\
         Move the library, or name a link to it with `--preload`.",
    ),
];

//! Pages about programs of Windows that are started with a library among their imports.

use super::{Code, page};

pub(super) const PAGES: &[Code] = &[
    page(
        "A8680",
        "not a program of Windows",
        "With `-p windows`, `run` starts PE programs: .exe files. This one is a script, another system's\n\
         program, or cut off.\n\
         Example: `alloc8-gen run -p windows -- ./program.exe`. Exit status 125.",
    ),
    page(
        "A8681",
        "no Wine for the program",
        "Elsewhere than on Windows, its programs run under Wine, those for this machine's own CPU. Those for\n\
         32 bits need Wine's libraries for i386, at the usual place or where WINEDLLPATH says.\n\
         Install Wine. Exit status 125.",
    ),
    page(
        "A8682",
        "the program was not started under the library",
        "The launcher, which makes the library the program's first import, could not do what the message\n\
         says; the number is Windows' own error. Nothing of the program has run. Exit status 125.\n\
         Link the program with the library instead, or have it load the library.",
    ),
    page(
        "A8683",
        "the program ended before its first instruction",
        "Windows' loader ended it, as it does where a library or a function is missing; the facts name\n\
         libraries that were not found. Nothing of the program itself has run. Exit status 126.\n\
         Put the library beside the program.",
    ),
    page(
        "A8684",
        "the library took no C library over",
        "It was loaded, and its report, which the facts show, names no C library whose functions it hooked.\n\
         The program was ended before its first instruction: it would have run with its own heap.\n\
         Another `--hook` may do. Exit status 125.",
    ),
    page(
        "A8685",
        "no environment to print",
        "On Windows no variable has a library loaded into programs.\n\
         `run` does it when it starts the program; a linked import does it for good.",
    ),
    page(
        "A8686",
        "nothing is known of the program",
        "The launcher left no record of how the program ended. Wine says little when it fails, and may end\n\
         with success when it has run nothing, so this is no success. Exit status 125.\n\
         Try the program without hooks: `WINEDEBUG=err+all wine program.exe`.",
    ),
    page(
        "A8687",
        "Windows ended the program",
        "The status is one of the system's own (NTSTATUS), of which an exit status has the lowest\n\
         eight bits alone, but on Windows. Wine shows no message for it.\n\
         Try the program without hooks, to tell whose fault it is.",
    ),
];

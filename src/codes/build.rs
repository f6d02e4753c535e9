//! Pages of A84..: compilers, linkers and archives.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8401",
        "no compiler",
        "The C compiler that was named with `--cc` or $CC, or the usual one for the target, is not\n\
         there or does not run.\n\
         Install one (on Debian: `apt-get install gcc`), or name one.\n\
         Example: `alloc8-gen build --cc clang`.",
    ),
    page(
        "A8402",
        "a compiler, linker or other tool failed",
        "The message has the command and what the tool said about it.\n\
         Often a library is missing that the allocator needs.\n\
         Example: `libs = [\"stdc++\", \"pthread\"]` in its description.",
    ),
    page(
        "A8403",
        "a program could not be started",
        "A tool, or a program that was just compiled, could not be executed.\n\
         Is it installed, and may programs be executed where the cache or the temporary folder is?",
    ),
    page(
        "A8404",
        "names cannot be hidden in this archive",
        "An archive's own `malloc` must get another name in a private copy, and that cannot be done\n\
         in bytecode of a link-time optimizer or in a thin archive.\n\
         Compile the library with -fno-lto (or -ffat-lto-objects), and make a whole archive.",
    ),
    page(
        "A8405",
        "code that cannot be in a shared library",
        "A member of the archive was compiled for programs alone: its code or its thread-local\n\
         variables have fixed places.\n\
         Compile the library with `-fPIC -ftls-model=initial-exec`.",
    ),
    page(
        "A8406",
        "the archive is for another machine",
        "The shim is compiled for one machine and the allocator's library for another.\n\
         Build the library for the same target, or name its target with `--target` or `--cc`.",
    ),
    page(
        "A8407",
        "Rust's standard library is inside",
        "std allocates before an allocator that needs it can be ready, so it would call itself.\n\
         Write the heap with `#![no_std]`, with a panic handler and `panic = \"abort\"`.",
    ),
    page(
        "A8408",
        "the library calls what will be interposed",
        "References of the archive to malloc and its like will come back to the allocator.\n\
         Make sure that it cannot wait for itself there: no lock may be held around such a call.",
    ),
    page(
        "A8409",
        "the C++ runtime is wanted and not named",
        "The archive refers to names of the C++ runtime, and the description does not link it.\n\
         Example: `libs = [\"stdc++\"]`.",
    ),
    page(
        "A8410",
        "the library does not define a function that the description names",
        "The name is misspelt, or the archive is another than the description is for.\n\
         Correct it; `alloc8-gen init NAME --lib libNAME.a` finds the functions by itself.",
    ),
    page(
        "A8411",
        "not a static library",
        "`--lib` and `archives` take archives of objects (`libNAME.a`) or single objects.\n\
         A shared library cannot be linked in: build the static one.\n\
         Example: `--lib build/libmy_heap.a`.",
    ),
    page(
        "A8412",
        "the compiler is for another target",
        "The compiler that was named, or $CC, makes code for another machine or system than the\n\
         target that was named, or than this host where no target was named.\n\
         Name a compiler for the target, or the compiler's own target.\n\
         Example: `alloc8-gen build --cc aarch64-linux-gnu-gcc --target aarch64-unknown-linux-gnu`.",
    ),
    page(
        "A8413",
        "emulated thread-local variables",
        "Where a system has no thread-local storage of its own, compilers emulate it: a thread's first look\n\
         at a variable calls `__emutls_get_address`, which calls malloc. In a heap that never ends. Compile\n\
         with `-fno-emulated-tls -ftls-model=initial-exec` where there is one (Android from API 29 on), or\n\
         keep what belongs to a thread under a pthread key. With MinGW's gcc such variables are gone before\n\
         `thread_cleanup` runs, which is warned of: use a slot (TlsAlloc).",
    ),
    page(
        "A8440",
        "an object that does not define what its plan says",
        "The object that programs are to carry was read back: a name of the plan is missing or hidden, or\n\
         another is seen by all.\n\
         Linkers differ in what they make of aliases in a relocatable object (mold ignores --defsym there\n\
         without a word): try `--cc \"cc -fuse-ld=bfd\"`.",
    ),
    page(
        "A8441",
        "a program that was linked with the object does not use it alone",
        "Programs in C and C++, static and dynamic, were linked with the object that was built, read back\n\
         and run where that is possible here. In one of them a name is missing, is there twice, comes from\n\
         another library, or is not seen by the program's libraries: two heaps would meet.\n\
         Try another linker: `--cc \"cc -fuse-ld=bfd\"`.",
    ),
];

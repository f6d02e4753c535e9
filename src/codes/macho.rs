//! Pages of A852. and A853.: what `verify` finds in files for macOS.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8520",
        "a section of interpose tuples that dyld does not read whole",
        "dyld takes tuples from __interpose in a segment of data, two pointers each.\n\
         Example: `__attribute__((used, section(\"__DATA,__interpose\")))` on an array of pairs.",
    ),
    page(
        "A8521",
        "a tuple without a plain function of the file as its replacement",
        "The first word of a tuple must be an address of the file itself. A weak function, an inline\n\
         one of C++ or one from another library is looked up when the file is loaded, and dyld, which\n\
         reads tuples before that, drops the tuple.\n\
         Make the replacement `static`, or hidden and not weak.",
    ),
    page(
        "A8522",
        "a tuple that does not name a function of the system",
        "The second word must be bound to a library of the system by its number. Looked up in every\n\
         image, or as a weak symbol, the name may mean a program's own function, which is then\n\
         replaced instead.\n\
         Link without -flat_namespace, against libSystem.tbd and libc++.tbd with strong symbols.",
    ),
    page(
        "A8523",
        "two tuples for one function",
        "dyld goes by the function's address: of two tuples in one file only one can hold.\n\
         Remove one; two libraries may well have a tuple each, and form a chain.",
    ),
    page(
        "A8524",
        "a tuple for what must not be replaced",
        "The system's list of zones, its private zones, thread-locals, pages and the dynamic linker\n\
         rely on this function below every heap: a replacement hides other heaps, or calls itself.\n\
         Remove the tuple: `alloc8-gen explain malloc_get_all_zones` tells why, for each.",
    ),
    page(
        "A8525",
        "only some functions of a group are taken over",
        "Once one typed function has a tuple, libmalloc no longer sends typed calls on to the plain\n\
         names: those without a tuple allocate from the system's zone, and two heaps meet.\n\
         Take over all of the group or none. Example: `typed = \"all\"` in the description.",
    ),
    page(
        "A8526",
        "a function that older systems lack is not imported weakly",
        "A missing function that is not weak makes dyld drop every tuple of the file, with a line on\n\
         standard error.\n\
         Declare it `__attribute__((weak_import))`, or raise the least system (-mmacosx-version-min).",
    ),
    page(
        "A8527",
        "a zone with a NULL where the system calls",
        "The zone that stands first gets all calls of the system's own default zone, which does not\n\
         look at most fields before it calls them; fork reads through `introspect`.\n\
         Fill every field but `try_free_default`, which must be NULL.",
    ),
    page(
        "A8528",
        "a zone that unlocks in fork's child",
        "os_unfair_lock knows its owner, and fork's child has another thread: unlocking there ends it.\n\
         `reinit_lock` must make the lock anew. Example: `*lock = OS_UNFAIR_LOCK_INIT`.",
    ),
    page(
        "A8529",
        "no one path through fork",
        "A registered zone is locked through its introspection; a heap without one takes over all\n\
         three of _malloc_fork_prepare, _malloc_fork_parent and _malloc_fork_child and calls the\n\
         originals. Both together lock twice, which ends the program; some of three leave it locked.",
    ),
    page(
        "A8530",
        "a thread-local variable on malloc's own way",
        "The first touch of a thread-local in a thread takes its memory from malloc, which touches it\n\
         again, without end: SIGBUS at the end of the stack. No constructor's priority helps.\n\
         Keep what is a thread's own behind pthread_getspecific; keys do not allocate.",
    ),
    page(
        "A8531",
        "a zone whose enumerator does not look through its reader",
        "leaks, heap and vmmap run the enumerator in their own process, on another one's addresses:\n\
         each word must be fetched with `reader(task, address, size, &local)`.\n\
         A heap that cannot do so returns KERN_FAILURE.",
    ),
    page(
        "A8532",
        "not for macOS",
        "The file says that it is for iOS or another of Apple's systems: dyld of macOS refuses it.\n\
         Example: `alloc8-gen build -p macos --target aarch64-apple-darwin`.",
    ),
    page(
        "A8534",
        "tuples in what is no library",
        "dyld reads the tuples of the dylibs that a program is launched with, and of nothing else.\n\
         Link it as a library (`-dynamiclib`); a program that carries its heap registers a zone.",
    ),
    page(
        "A8535",
        "a file that takes nothing over",
        "It has no tuple and registers no zone, so programs allocate as without it.\n\
         An export alone replaces nothing on macOS.\n\
         Example: `alloc8-gen build -p macos -a mylib --lib libmylib.a`.",
    ),
    page(
        "A8536",
        "a file for Apple silicon without a signature",
        "There the kernel maps no code that nobody signed; an edit after the link breaks a signature.\n\
         Example: `codesign -s - libmy_heap-alloc8.dylib`.",
    ),
];

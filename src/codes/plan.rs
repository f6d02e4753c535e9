//! Pages of A82..: plans, and what has no text.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8201",
        "a plan that allocates and never frees",
        "The platform's families have functions that allocate and none that frees their blocks.\n\
         Add the family that has `free` to the platform's `families`.",
    ),
    page(
        "A8202",
        "not made yet",
        "There are no templates for this platform's mechanism, this language or this mode, or the\n\
         verb cannot use them yet.\n\
         `alloc8-gen list platforms` shows the platforms; leave out `--lang` and `--mode` for what\n\
         every platform has.",
    ),
    page(
        "A8203",
        "a policy on foreign pointers that the platform does not allow",
        "On macOS and Windows blocks of other heaps reach `free` as a matter of course, and go back to\n\
         the heap that they came from; to end the program for one would end every program.\n\
         Leave `foreign` out, or write `foreign = \"forward\"`. Elsewhere the whole malloc family is\n\
         taken over and the default is `trust`; `forward` and `abort` cost a call of `owns` each time\n\
         a block is taken back.",
    ),
    page(
        "A8204",
        "fork is not safe",
        "Nothing says how the heap is stopped while a process forks: a child that is forked while\n\
         another thread allocates may find its locks held for ever. Or the description says that the library\n\
         looks after fork by itself, and this one registers no handlers: it was built without.\n\
         Name `malloc_lock`, `malloc_unlock` and `malloc_reinit`, or promise `fork = \"own\"` of a library\n\
         that keeps it.",
    ),
    page(
        "A8205",
        "threads are not told apart",
        "The description names functions for a thread's start or end, and the platform's spec does not\n\
         say which functions create threads: nothing calls them.\n\
         What a thread keeps for itself stays there after its end. A heap that needs its `thread_init`\n\
         (`thread_policy = \"required\"`) does not work on this platform.",
    ),
    page(
        "A8206",
        "the mechanism has no text for a symbol",
        "The platform has a symbol whose operation the templates of its mechanism cannot answer, so\n\
         the shim would be incomplete, and an incomplete shim is never written.\n\
         Name the symbol among the platform's `wrappers` if its own definition calls public names\n\
         that are taken over, or omit it with a reason.",
    ),
    page(
        "A8207",
        "a heap in Rust, asked for in another language",
        "The description says `rust = …`: its functions are methods of a Rust type, which no other\n\
         language can call and no archive holds, so only the crate that has the type can build it.\n\
         Render it with `--lang rust`, or call `Generator::rust` in that crate's build script; a\n\
         library that was built from it can be verified like any other.",
    ),
    page(
        "A8208",
        "hooks for threads that a shim in Rust cannot serve",
        "Under `thread_policy = \"required\"` each call looks at a byte of its thread's own, which each CPU has\n\
         its way to. The text in Rust tells that of x86-64, x86, aarch64, arm (from ARMv6K on), riscv,\n\
         s390x and loongarch64, but not of powerpc; `advisory` is served everywhere. On Windows, where the\n\
         hooks are in C, `thread_created` is a variable: no type can have it.\n\
         Render the shim in C: `--lang c`; a crate can compile it with `Generator::compile`.",
    ),
    page(
        "A8209",
        "an allocator's function bears a public name",
        "A shim in C++ or Rust defines the public names and calls the allocator's functions by theirs: where\n\
         both are one, it would call itself.\n\
         Rename the functions in the archive (most allocators have an option for a prefix), or let\n\
         `alloc8-gen build` make the library, which hides the archive's names in a private copy.",
    ),
    page(
        "A8210",
        "large alignments are refused",
        "The description names no `memalign`, so that the shim asks `malloc` for a block of 2^k bytes, which\n\
         `natural_align` promises to be aligned at 2^k, up to some size. A request for more than that gets\n\
         NULL, or ENOMEM, or std::bad_alloc. Programs ask for 64 (a cache line), 4096 (a page) and more.\n\
         Name a function `memalign`. If all your programs do without: `waive = [\"natural_align\"]`. On Windows\n\
         hooks align inside of a larger block, and nothing is refused.",
    ),
    page(
        "A8220",
        "not the name of a variable",
        "`thread_created` names a variable of the library, a `volatile int` that the shim sets to 1 before\n\
         it creates the first thread: until then the heap may do without locks.\n\
         Example: `thread_created = \"my_thread_created\"`.",
    ),
    page(
        "A8230",
        "no facts about programs that carry their heap",
        "With `--mode static` the heap is a part of the program. What such a program runs first, and\n\
         what its C library's archive asks of a heap, has been found out for glibc and musl on Linux; on\n\
         macOS a zone does it, on Windows a definition of the functions that the program imports.\n\
         Elsewhere, link the shared library that `--mode interpose` makes before the C library.",
    ),
    page(
        "A8231",
        "a language without this mode",
        "A header in C++ and a module in Rust become part of what includes them: leave out `--mode`, or\n\
         take the shim in C. (On Windows both have every mode.) Link a dynamic program with `-rdynamic`,\n\
         or libraries that it opens later miss the heap. In a static one nothing stands before\n\
         `pthread_create`: hooks for threads want `thread_policy = \"required\"` and no `thread_created`.",
    ),
    page(
        "A8232",
        "not a prefix",
        "`--prefix` is what the names of `--mode prefixed` begin with: letters, digits and underscores, a\n\
         letter first. `alloc8` is how names inside the shim begin.\n\
         Example: `--prefix my` makes `my_malloc`.",
    ),
    page(
        "A8233",
        "a prefix that makes a name which is taken",
        "Under this prefix a function of the shim would bear a name that the allocator's archive or the\n\
         platform has already.\n\
         Choose another prefix: the allocator's own functions stay as they are behind it.",
    ),
    page(
        "A8234",
        "blocks of other heaps have nowhere to go",
        "With `foreign = \"forward\"` a preloaded shim hands blocks of other heaps to the next `free` in the\n\
         order of look-ups. Functions under a prefix stand in nobody's way, so there is no next one.\n\
         Write `foreign = \"trust\"` or `\"abort\"`.",
    ),
    page(
        "A8235",
        "`--prefix` and `--mode prefixed` belong together",
        "The prefix is what the names of that mode begin with; no other mode has names of its own.\n\
         Example: `--mode prefixed --prefix my`.",
    ),
    page(
        "A8236",
        "no dlopen of its own in a program",
        "With `deepbind = \"drop\"` a preloaded shim stands before the C library's `dlopen` and jumps to\n\
         it. A static program has one `dlopen`, its own, and nothing to jump to.\n\
         Leave `deepbind` out of the description that `--mode static` is built from.",
    ),
    page(
        "A8240",
        "dlopen cannot be wrapped in Rust",
        "`deepbind = \"drop\"` puts a function in front of dlopen, which finds libraries by the RPATH of\n\
         whoever called it: only a jump leaves that caller in its place, and stable Rust promises none.\n\
         Render the shim in C or C++, or leave `deepbind` out.",
    ),
    page(
        "A8241",
        "`export` has no effect in Rust",
        "`export` keeps functions of the archive visible in the library that is linked. rustc alone decides\n\
         what a `cdylib` exports: functions that are written in Rust, and nothing of an archive.\n\
         Render the shim in C, or write `#[unsafe(no_mangle)]` functions in the crate that call these.",
    ),
    page(
        "A8250",
        "blocks of a C library come to free, and nobody knows whose a block is",
        "With `--hook iat` or `redirect` the calls that a C library makes inside itself stay its own: what\n\
         `_getcwd` hands out comes from its heap, and then to `free`, which is ours. So do older blocks of\n\
         a C library that is loaded before the hooks: the archive's (A8605), or that of Rust's start-up\n\
         code. Name a function `owns` in the description. An archive that calls no C library can do with\n\
         `--hook minhook` (x86), in a library that is the program's first import.",
    ),
    page(
        "A8251",
        "a heap on Windows that cannot tell its blocks from others",
        "Blocks of a C library's own heap reach `free` as a matter of course on Windows. Where the\n\
         description names no `owns`, that is avoided only if the library is there before the first\n\
         block: as the program's first import. Loaded later, it leaves everything as it was and says\n\
         so in its report.",
    ),
    page(
        "A8252",
        "a heap on Windows that cannot tell the size of a block",
        "`_msize`, `_expand` and `_recalloc` need it, and the C library's own would read a foreign\n\
         block's header.\n\
         Name a function `malloc_usable_size` in the description.",
    ),
    page(
        "A8253",
        "a hook where nothing is hooked",
        "`--hook` says how functions are taken over in a running process of Windows. Other platforms\n\
         take names over, and nothing is chosen there.\n\
         Leave `--hook` out, or name `-p windows` alone.",
    ),
    page(
        "A8254",
        "a zone that cannot tell sizes",
        "On macOS heaps are zones, and a zone is asked how large its blocks are: by `malloc_size`, and by\n\
         the system to find out whose a block is. Name `malloc_usable_size` or `malloc_size` in the\n\
         description.",
    ),
    page(
        "A8255",
        "the system is asked whose a block is",
        "On macOS other zones hand out blocks too, and the system did before the heap came. Without\n\
         `owns` or `malloc_size` the shim asks the system of each block that is freed, resized or measured:\n\
         what none of its zones has is the heap's. That walk costs, the heap is then no zone of its own\n\
         (`leaks` and `heap` do not see it), and what is no block at all is taken for one.\n\
         Example: `malloc_size = \"NAME_malloc_size\"`, which answers 0 for all but live blocks.",
    ),
    page(
        "A8256",
        "a program whose heap is no zone",
        "On macOS a program cannot replace the system's `malloc` inside itself: it registers a zone that\n\
         stands first, from which the system's own functions take. The system finds out whose a block is by\n\
         the zone's answer. Name `malloc_size` or `owns`, and leave out `zone = false`.",
    ),
    page(
        "A8258",
        "functions under a prefix on macOS, and hooks for threads",
        "`--mode prefixed` has no text for `init`, `thread_init` and `thread_cleanup` on macOS yet: the first\n\
         call of a thread would have to run them.\n\
         Leave them out of the description for this mode, if the heap does without.",
    ),
    page(
        "A8260",
        "a description with two languages",
        "`rust = …` says that the functions are methods of a Rust type, `cpp = …` that a C++ class\n\
         answers for them. Keep the one that is true.",
    ),
    page(
        "A8261",
        "a heap class in C++, asked for in another language",
        "The description says `cpp = …`: a class in that file answers for its functions, and no archive\n\
         has them. Render it with `--lang cpp`; `build` and `run` do so by themselves.",
    ),
    page(
        "A8262",
        "the file with the heap class includes another header",
        "The file that `cpp` names was compiled with the folder of the rendered headers among those\n\
         that are searched, and included none of them, or an older copy, whose guards may be those of\n\
         another description. Write `#include \"redirect.hpp\"`.",
    ),
    page(
        "A8270",
        "a law is broken",
        "A program that proves one part of the platform's contract for `malloc` saw something else than\n\
         the contract says, crashed or hung under the library. Its first line says the law, with the\n\
         source.\n\
         `alloc8-gen verify LIB --laws=NAME` runs that law alone; `alloc8-gen laws -p PLATFORM` renders\n\
         its program, to be read and debugged.",
    ),
    page(
        "A8271",
        "no law could be tried",
        "Every law said that it does not apply, or could not be compiled: nothing is known about the\n\
         library.\n\
         The notes say why; most often the compiler lacks headers or makes programs for another\n\
         machine: name one with `--cc`.",
    ),
    page(
        "A8272",
        "no such law",
        "`--laws=NAME` names a law that the platform does not have.\n\
         `alloc8-gen laws -p PLATFORM` renders all that it has; leave the names out to run them all.",
    ),
];

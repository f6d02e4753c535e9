//! What each diagnostic's code means: stable, and told by `explain`.
//!
//! A80.. the spec, A81.. descriptions, A82.. plans, A83.. files, A84.. compilers and archives,
//! A85.. `init` and `verify`, A86.. libraries and the programs they are preloaded into, A87..
//! measurements, A89.. the command line.

/// A code's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `A8001`.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// What causes it and what to do.
    pub text: &'static str,
}

/// The page of a code.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

const fn page(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text }
}

/// All codes, in order.
pub static CODES: &[Code] = &[
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
    page(
        "A8101",
        "not a call",
        "A function is described by its symbol, or by a call that shows another order of arguments.\n\
         Use the names of the standard form's parameters, which the message shows.\n\
         Example: `memalign = \"my_aligned_malloc(size, alignment)\"`.",
    ),
    page(
        "A8102",
        "a function is missing that every allocator needs",
        "An allocator must be able to allocate, to free, to align, and to tell a block's size or\n\
         to resize it; what the shim cannot build from the rest must be named.\n\
         Example: `malloc = \"my_malloc\"` and `free = \"my_free\"`.",
    ),
    page(
        "A8103",
        "not an alignment",
        "Alignments are powers of two.\n\
         Example: `min_align = 16`.",
    ),
    page(
        "A8104",
        "not a limit",
        "A limit is a number of bytes, or \"any\" where there is none.\n\
         Example: `max_align = 1048576` or `max_align = \"any\"`.",
    ),
    page(
        "A8105",
        "a policy has no such value",
        "A policy takes one of a few words, which the message lists.\n\
         Example: `foreign = \"trust\"`.",
    ),
    page(
        "A8106",
        "waiving what is not a promise",
        "`waive` lists promises that neither the allocator nor the shim needs to keep.\n\
         The help lists their names.\n\
         Example: `waive = [\"errno\"]`.",
    ),
    page(
        "A8107",
        "threads must introduce themselves, and no function does it",
        "`thread_policy = \"required\"` says that a thread must call a function before it allocates.\n\
         Name that function.\n\
         Example: `thread_init = \"my_thread_init\"`.",
    ),
    page(
        "A8108",
        "a policy for foreign pointers without a way to tell them",
        "`foreign` says what happens to blocks of another heap; only `owns` can tell whose a block is.\n\
         Name the function, or write `foreign = \"trust\"`.\n\
         Example: `owns = \"my_owns\"`.",
    ),
    page(
        "A8109",
        "a description cannot be read",
        "The file that `-a` or a marker names is not there, or may not be read.\n\
         Correct the path. `check` never goes on without the description: it would compare with\n\
         something else than what was rendered.",
    ),
    page(
        "A8110",
        "not the path of a Rust type",
        "`rust` names the type that implements the trait which a shim in Rust calls. The shim is a\n\
         module of the user's crate, so the path begins with `crate`.\n\
         Example: `rust = \"crate::Heap\"`.",
    ),
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
         another thread allocates may find its locks held for ever.\n\
         Name `malloc_lock`, `malloc_unlock` and `malloc_reinit`, or promise `fork = \"own\"`.",
    ),
    page(
        "A8205",
        "threads are not told apart",
        "The description names functions for a thread's start or end, and the platform's spec does not\n\
         say which functions create threads: nothing calls them.\n\
         What a thread keeps for itself stays there after its end; nothing else is lost.",
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
        "threads must introduce themselves, and Rust has no way to ask",
        "With `thread_policy = \"required\"` each call looks whether its thread has run `thread_init`.\n\
         That needs thread-local storage which is there before the first allocation, and stable Rust\n\
         has none.\n\
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
        "A8220",
        "not the name of a variable",
        "`thread_created` names a variable of the library, a `volatile int` that the shim sets to 1 before\n\
         it creates the first thread: until then the heap may do without locks.\n\
         Example: `thread_created = \"my_thread_created\"`.",
    ),
    page(
        "A8221",
        "threads are not told apart in Rust",
        "The description names functions for a thread's start or end, and the shim in Rust has no hooks that\n\
         call them: what a thread keeps for itself stays there after its end. Nothing else is lost, for such\n\
         functions are advice unless the description says `thread_policy = \"required\"`.\n\
         Render the shim in C or C++.",
    ),
    page(
        "A8230",
        "no facts about programs that carry their heap",
        "With `--mode static` the heap is a part of the program. What such a program runs first, and\n\
         what its C library's archive asks of a heap, has been found out for glibc and musl on Linux.\n\
         Elsewhere, link the shared library that `--mode interpose` makes before the C library.",
    ),
    page(
        "A8231",
        "a language without this mode",
        "A header in C++ and a module in Rust become part of what includes them: a program that has\n\
         one carries its heap, and a library that has one can be preloaded. There is no other text\n\
         for `--mode static`.\n\
         Leave out `--mode`, or take the shim in C.",
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
        "A8237",
        "nobody would tell the heap of new threads",
        "`thread_init` and `thread_cleanup` are run, and `thread_created` is set, by functions that stand\n\
         before the C library's `pthread_create`. Inside a program, and beside the system's malloc, none do.\n\
         Write `thread_policy = \"required\"` and leave out `thread_created`: each call looks then.",
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
        "A8240",
        "dlopen cannot be wrapped in Rust",
        "`deepbind = \"drop\"` puts a function in front of dlopen, which finds libraries by the RPATH of\n\
         whoever called it: only a jump leaves that caller in its place, and stable Rust promises none.\n\
         Render the shim in C or C++, or leave `deepbind` out.",
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
    page(
        "A8301",
        "a folder or file cannot be made",
        "The folder for results or for intermediate files cannot be made or read.\n\
         Check its permissions, or choose another: `-o DIR`, or XDG_CACHE_HOME for the cache.",
    ),
    page(
        "A8302",
        "a file cannot be written",
        "The disk is full, the folder is read-only, or it belongs to somebody else.\n\
         Nothing that was there before has changed. Choose another folder with `-o DIR`.",
    ),
    page(
        "A8303",
        "a file of somebody else's stands where ours should be",
        "Only files with the `@generated` marker are ever overwritten.\n\
         Move the file away, or choose another folder.\n\
         Example: `alloc8-gen generate -p linux -a my_heap -o other/folder`.",
    ),
    page(
        "A8304",
        "a file cannot be read",
        "The file is not there, or may not be read.\n\
         Correct the path or the permissions.",
    ),
    page(
        "A8305",
        "nothing to check",
        "No file below the folder bears our marker: `check` would say yes to nothing.\n\
         Name the folder that holds the rendered files, or render them first.\n\
         Example: `alloc8-gen check third_party/shim`.",
    ),
    page(
        "A8306",
        "one folder, several configurations",
        "The markers in one folder were written for different platforms, allocators or languages,\n\
         so nobody can tell which of the files belong there.\n\
         Render one of them elsewhere with `-o DIR`, and remove its files here.",
    ),
    page(
        "A8307",
        "a marker names an allocator that is not built in",
        "Another version of alloc8-gen, with other built-in descriptions, rendered these files.\n\
         Use that version, or render the files again from a description of your own.\n\
         Example: `alloc8-gen generate -p linux -a ./my_heap.toml`.",
    ),
    page(
        "A8309",
        "no marker of a folder can be read",
        "The folder holds files that begin like ours, and each is cut off before it says what it was\n\
         rendered from: a copy or a checkout was interrupted.\n\
         Render them again; files that begin like ours are overwritten.\n\
         Example: `alloc8-gen generate -p linux -a my_heap -o third_party/shim`.",
    ),
    page(
        "A8310",
        "stale: the inputs have changed since the file was rendered",
        "The description, or the specs of this version of alloc8-gen, say something else than when\n\
         the file was written. The diff shows what.\n\
         Run the command that `check` prints last, and commit the result.",
    ),
    page(
        "A8311",
        "missing: a file that would be rendered is not there",
        "It was never committed, or it was deleted.\n\
         Run the command that `check` prints last, and commit the result.",
    ),
    page(
        "A8312",
        "orphan: a file of ours that nothing renders",
        "It bears our marker, and this configuration has no file of that name any more.\n\
         Remove it: the command that `check` prints last does.",
    ),
    page(
        "A8313",
        "hand-edited: the text is not what was written",
        "The hash in the marker does not fit the text below it, or the marker is gone.\n\
         Move the change into the description, then run the command that `check` prints last: it\n\
         overwrites the file.",
    ),
    page(
        "A8314",
        "other format: an older or newer version rendered the file",
        "The bytes for the same inputs changed on purpose between two versions.\n\
         Run the command that `check` prints last; if the other version is the newer one, use that.",
    ),
    page(
        "A8315",
        "half-written: the file ends before its time",
        "A copy or a checkout was interrupted, or the disk was full; `generate` itself replaces files\n\
         whole.\n\
         Run the command that `check` prints last.",
    ),
    page(
        "A8316",
        "leftover: an interrupted run left a temporary file",
        "`generate` writes every text under a temporary name first, and was stopped before it could\n\
         rename or remove this one.\n\
         Remove it: the command that `check` prints last does.",
    ),
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
        "On macOS interpose tuples and malloc zones replace functions, on Windows hooks do; an export\n\
         alone replaces nothing. This version tells what such a file exports, imports and needs, and\n\
         gives no verdict on what it takes over.\n\
         Look at the list that `verify` printed, or run a program under the library.",
    ),
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
         in .toml.\n\
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Every `"A8…"` in the sources but this file.
    fn used(folder: &Path, codes: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                used(&path, codes);
            } else if !path.ends_with("src/codes.rs") {
                let text = fs::read_to_string(&path).unwrap();
                codes.extend(text.split('"').filter(|word| is_code(word)).map(str::to_owned));
            }
        }
    }

    fn is_code(word: &str) -> bool {
        word.strip_prefix("A8")
            .is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
    }

    #[test]
    fn every_code_has_a_page_and_every_page_is_of_a_code() {
        let mut codes = BTreeSet::new();
        used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut codes);
        let pages: BTreeSet<String> = CODES.iter().map(|c| c.code.to_owned()).collect();
        let without: Vec<_> = codes.difference(&pages).collect();
        assert!(without.is_empty(), "codes without a page: {without:?}");
        let unused: Vec<_> = pages.difference(&codes).collect();
        assert!(unused.is_empty(), "pages that no code uses: {unused:?}");
    }

    #[test]
    fn pages_are_in_order_and_fit_a_terminal() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for page in CODES {
            let lines = page.text.lines().count();
            assert!((2..=5).contains(&lines), "{}: {lines} lines", page.code);
            assert!(page.text.lines().all(|line| line.len() <= 100), "{}", page.code);
            assert!(page.title.len() <= 70 && !page.title.ends_with('.'), "{}", page.code);
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        assert_eq!(find("a8101").map(|c| c.code), Some("A8101"));
        assert_eq!(find("A8000"), None);
        assert_eq!(find("malloc"), None);
    }
}

//! What a platform's C library and dynamic linker offer to a shim, and how they treat it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the dynamic linker runs a preloaded library's constructors: who registers fork handlers first
/// prepares last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Constructors {
    /// After those of others, if the library is not linked with `-z initfirst`.
    #[default]
    AskToBeFirst,
    /// Before those of others: there is nothing to ask for.
    First,
    /// After those of others, and nothing changes that.
    Last,
}

/// What holds in a program that carries the heap inside itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// What of the program runs first: who registers fork handlers first prepares last.
    pub first: First,
    /// A name that the C library's own malloc has beside its public one: who has it carries that.
    pub own: String,
}

/// What of a program runs before all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum First {
    /// The functions of `.preinit_array`, before the constructors of shared libraries too.
    PreinitArray,
    /// Its constructors, after those of shared libraries.
    Constructors,
}

/// What a shim needs that takes functions over in a running process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// What the preprocessor says where the code of functions can be changed in place.
    pub inline: String,
    /// The families that programs link by name: what `--mode static` defines.
    pub linked: Vec<String>,
    /// Each library's function that tells whether malloc asks its new-handler: the first name that it
    /// exports.
    pub new_mode: Vec<String>,
    /// Each library's function that calls its new-handler: 0 says that it found no memory.
    pub new_handler: String,
    /// The C library's parts, as Microsoft's linker is told of them by a library that needs them.
    #[serde(default)]
    pub c_library: Vec<String>,
    /// The system's function that tells the address of a function by its name.
    pub look_up: String,
    /// The system's libraries that export it: one may only lead into another.
    pub look_up_in: Vec<String>,
    /// Where a library without a C library finds what it calls.
    pub imports: Vec<Import>,
    /// How the loader tells each module of threads; without it nobody does.
    pub threads: Option<Tells>,
}

/// How the loader tells a module of the threads that begin and end: in each of them it calls a library's
/// entry, and the callbacks that a program or library lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tells {
    /// The reason that says that the thread begins (DLL_THREAD_ATTACH).
    pub begins: u32,
    /// The reason that says that it ends (DLL_THREAD_DETACH).
    pub ends: u32,
    /// What in a module leads the loader to its callbacks; the C library that is linked has it.
    pub directory: String,
    /// The section of the callback that comes before others: they are called by the names of their sections.
    pub first: String,
    /// The section of the one that comes after others.
    pub last: String,
    /// What the function that hands out slots for each thread's values returns when it has none
    /// (TLS_OUT_OF_INDEXES).
    pub no_slot: u32,
}

/// One of the system's own libraries, which every process has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// `ntdll.dll`.
    pub file: String,
    /// How names begin that come from it; what no library claims comes from the last one.
    #[serde(default)]
    pub begins: Vec<String>,
    /// Functions of a C library's that it has as well.
    #[serde(default)]
    pub lends: Vec<String>,
    /// By which MinGW's linker finds those, where its own name leaves them to the C libraries.
    pub lent_by: Option<String>,
}

/// What the platform's C library offers to a shim.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// The soname of the C library; `*` stands for what differs between machines.
    pub libc: String,
    /// Other sonames of it: some distributions name it differently.
    #[serde(default)]
    pub libc_also: Vec<String>,
    /// How the names of its versions begin; empty if it has none.
    #[serde(default)]
    pub libc_versions: String,
    /// Headers that declare what `<stdlib.h>` leaves out of the malloc family.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Libraries that have what an emitted shim calls and the C library may lack, without `-l`.
    #[serde(default)]
    pub libs: Vec<String>,
    /// What the linker is told of every library here, beside what it is told everywhere.
    #[serde(default)]
    pub link: Vec<String>,
    /// The shell of the script by which the system starts a program with a preload, where nobody can
    /// set that program's environment otherwise.
    #[serde(default)]
    pub wrap: Option<String>,
    /// When a preloaded library's constructors run.
    #[serde(default)]
    pub constructors: Constructors,
    /// Whether programs have POSIX: fork, its threads, dlopen, memory that is mapped.
    #[serde(default = "yes")]
    pub posix: bool,
    /// The function that returns the address of `errno`.
    pub errno_location: String,
    /// The value of ENOMEM.
    pub enomem: u32,
    /// The value of EINVAL.
    pub einval: u32,
    /// The value of ENOSYS.
    pub enosys: u32,
    /// The function that returns the page size as an `int`.
    pub page_size: Option<String>,
    /// The type of the fields of `struct mallinfo`.
    pub mallinfo_field: Option<String>,
    /// The value of RTLD_NOLOAD.
    pub rtld_noload: Option<u32>,
    /// The value of RTLD_DEFAULT, as C.
    pub rtld_default: Option<String>,
    /// The value of RTLD_NEXT, as a number.
    pub rtld_next: Option<i32>,
    /// The same where pointers have 32 bits, if it differs.
    pub rtld_next_32: Option<i32>,
    /// The value of RTLD_DEEPBIND, where libraries can be opened so.
    pub rtld_deepbind: Option<u32>,
    /// The value of EAGAIN.
    pub eagain: Option<u32>,
    /// The value of `thrd_nomem`.
    pub thrd_nomem: Option<u32>,
    /// Whether compilers make a function of thread-local variables, which allocates: a key's value
    /// then says what a thread is.
    #[serde(default)]
    pub emulated_tls: bool,
    /// The function that has a hook called in each new thread before the thread's own function, where
    /// the system makes threads without a call that a shim could take over.
    pub thread_hook: Option<String>,
    /// The event by which that hook is told of a thread that begins.
    pub thread_begins: Option<u32>,
    /// How often at most a thread's end runs the destructors of its keys
    /// (PTHREAD_DESTRUCTOR_ITERATIONS).
    pub destructor_rounds: Option<u32>,
}

fn yes() -> bool {
    true
}

impl Runtime {
    /// Whether a library that a file needs is this platform's C library.
    pub fn is_libc(&self, soname: &str) -> bool {
        let mut names = std::iter::once(&self.libc).chain(&self.libc_also);
        names.any(|name| match name.split_once('*') {
            Some((start, end)) => soname.starts_with(start) && soname.ends_with(end),
            None => soname == name,
        })
    }
}

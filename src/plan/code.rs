//! Other people's libraries that change the code of functions: which hook is whose, and what of it is compiled.

/// One of them.
#[derive(Debug)]
pub(crate) struct CodeLibrary {
    /// As people call it.
    pub(crate) name: &'static str,
    /// The kind of hook that it makes.
    pub(crate) hook: &'static str,
    /// How the names begin that a shim calls of it.
    pub(crate) begins: &'static str,
    /// Where the user says that it is: a variable of the environment, and of build fragments.
    pub(crate) variable: &'static str,
    /// The crate that has it.
    pub(crate) krate: &'static str,
    /// Its folder in the crate.
    pub(crate) inside: &'static str,
    /// Its headers, in that folder.
    pub(crate) includes: &'static str,
    /// What is compiled of it.
    pub(crate) files: &'static [&'static str],
    /// What of ours stands before each file, which is C++ then: a template without anything to fill in.
    pub(crate) prelude: Option<&'static str>,
}

pub(crate) const CODE_LIBRARIES: [CodeLibrary; 2] = [
    CodeLibrary {
        name: "MinHook",
        hook: "minhook",
        begins: "MH_",
        variable: "ALLOC8_MINHOOK",
        krate: "minhook-sys",
        inside: "minhook",
        includes: "include",
        files: &[
            "src/buffer.c",
            "src/hook.c",
            "src/trampoline.c",
            "src/hde/hde32.c",
            "src/hde/hde64.c",
        ],
        prelude: None,
    },
    CodeLibrary {
        name: "Detours",
        hook: "detours",
        begins: "Detour",
        variable: "ALLOC8_DETOURS",
        krate: "detours-sys",
        inside: "deps/detours-src",
        includes: "src",
        files: &["src/detours.cpp", "src/modules.cpp", "src/disasm.cpp"],
        prelude: Some("detours_prelude.h"),
    },
];

/// How what is C++ of them is compiled.
pub(crate) const AS_CXX: [&str; 3] = ["-fpermissive", "-fno-exceptions", "-fno-rtti"];

impl CodeLibrary {
    /// The one that a kind of hook needs; where none is named, that of the platform's default.
    pub(crate) fn of_hook(hook: Option<&str>) -> Option<&'static CodeLibrary> {
        let hook = hook.unwrap_or(CODE_LIBRARIES[0].hook);
        CODE_LIBRARIES.iter().find(|library| library.hook == hook)
    }
}

//! Files of Darwin and Windows, made here by clang and lld: no system of theirs is needed.

use super::toolbox::{Toolbox, have};
use std::process::Command;

/// Whether these can be made.
pub(crate) fn can_build() -> bool {
    have("clang", "clang") && have("lld-link", "lld")
}

const HEAP: &str = r#"
    void *malloc(unsigned long n);
    void outside(void) __attribute__((weak_import));
    __attribute__((visibility("hidden"))) int hidden_one(void) { return 1; }
    void *heap_malloc(unsigned long n) { return malloc(n + hidden_one()); }
    __attribute__((weak)) void heap_free(void *p) { if (outside) outside(); }
    static const struct { void *own, *other; } pairs[]
        __attribute__((used, section("__DATA,__interpose"))) = {{heap_malloc, malloc}};
"#;

const SYSTEM: &str = "--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: /usr/lib/libSystem.B.dylib
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ _malloc, _malloc_zone_register, _free, _outside, dyld_stub_binder ]
...
";

/// A Mach-O object of a small heap.
pub(crate) fn darwin_object(arch: &str) -> Vec<u8> {
    Toolbox::build(HEAP, &format!("clang -w -target {arch}-apple-macos11 -c -o out in.c"))
}

/// The same as a library, with any more arguments for the linker.
pub(crate) fn dylib(linker: &str, arch: &str, more: &str) -> Vec<u8> {
    linked(HEAP, linker, arch, more)
}

/// A library of this text.
pub(crate) fn linked(text: &str, linker: &str, arch: &str, more: &str) -> Vec<u8> {
    let tools = Toolbox::new();
    tools.write("in.c", text).write("libSystem.tbd", SYSTEM);
    tools.run(&format!("clang -w -target {arch}-apple-macos11 -c -o in.o in.c"));
    tools.run(&format!(
        "{linker} -flavor darwin -dylib -arch {arch} -platform_version macos 13.0 13.0 \
         -install_name @rpath/libheap.dylib {more} in.o libSystem.tbd -o out"
    ));
    tools.read("out")
}

/// The linker that rustup brings, which is newer than most systems' own.
pub(crate) fn rust_lld() -> Option<String> {
    let output = Command::new("rustc").args(["--print", "target-libdir"]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    let linker = std::path::Path::new(folder.trim()).parent()?.join("bin/rust-lld");
    linker.exists().then(|| linker.display().to_string())
}

/// A universal file of these parts, each at its own page.
pub(crate) fn universal(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut data = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, parts.len() as u8];
    let mut offset = 0x1000u32;
    for (cpu, part) in parts {
        for word in [*cpu, 0, offset, part.len() as u32, 12] {
            data.extend(word.to_be_bytes());
        }
        offset += (part.len() as u32).next_multiple_of(0x1000);
    }
    for (_, part) in parts {
        data.resize(data.len().next_multiple_of(0x1000), 0);
        data.extend(*part);
    }
    data
}

/// `CPU_TYPE_X86_64` and `CPU_TYPE_ARM64`.
pub(crate) const CPUS: [(&str, u32); 2] = [("x86_64", 0x0100_0007), ("arm64", 0x0100_000c)];

/// A C runtime's library, its import library, and a library that uses it.
pub(crate) struct Windows {
    pub(crate) runtime: Vec<u8>,
    pub(crate) import_library: Vec<u8>,
    pub(crate) user: Vec<u8>,
    pub(crate) object: Vec<u8>,
}

/// For `x86_64` or `i686`.
pub(crate) fn windows(arch: &str) -> Windows {
    let tools = Toolbox::new();
    tools.write(
        "crt.c",
        "void *malloc(unsigned n) { return 0; } void free(void *p) {} int environ_;",
    );
    tools.write(
        "crt.def",
        "LIBRARY ucrtbase.dll\nEXPORTS\n malloc\n free\n forwarded=other.real\n \
         bynumber=free @7 NONAME\n environ_ DATA\n",
    );
    tools.write(
        "in.c",
        "__declspec(dllimport) void *malloc(unsigned n);
         __declspec(dllexport) void *heap_malloc(unsigned n) { return malloc(n); }",
    );
    let link = "lld-link /dll /noentry /nodefaultlib /safeseh:no";
    for name in ["crt", "in"] {
        tools.run(&format!(
            "clang -w -fno-builtin -target {arch}-pc-windows-msvc -c -o {name}.obj {name}.c"
        ));
    }
    tools.run(&format!("{link} /def:crt.def crt.obj /out:ucrtbase.dll /implib:ucrt.lib"));
    tools.run(&format!("{link} in.obj ucrt.lib /out:heap.dll"));
    Windows {
        runtime: tools.read("ucrtbase.dll"),
        import_library: tools.read("ucrt.lib"),
        user: tools.read("heap.dll"),
        object: tools.read("in.obj"),
    }
}

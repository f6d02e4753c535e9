//! Every declaration in a spec is the one in the system's own headers.

use std::{collections::BTreeSet, fs, process::Command};

use alloc8_gen::spec;

use crate::{musl, zig_cc};

/// What the headers do not declare must be known, or a header that went missing would prove nothing.
fn headers_agree(platform: &str, compiler: &dyn Fn() -> Command, head: &str, undeclared: &[&str]) {
    let platform = spec::platform(platform).unwrap();
    let abi = &platform.abis[0];
    let folder = tempfile::tempdir().unwrap();
    let compile = |body: &str| {
        let source = folder.path().join("proof.c");
        fs::write(&source, format!("{head}\n{body}")).unwrap();
        let mut command = compiler();
        command.args(["-std=gnu11", "-c", "-w", "-fno-builtin"]).arg(&source).arg("-o");
        let output = command.arg(folder.path().join("proof.o")).env("LC_ALL", "C").output();
        let output = output.expect("it starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let functions = || platform.symbols_of(abi).filter(|s| !s.operation.is_operator());
    let addresses: String = functions()
        .map(|s| format!("void *a_{0}(void) {{ return (void *){0}; }}\n", s.name(abi)))
        .collect();
    let (_, said) = compile(&addresses);
    let declared = |name: &str| !said.contains(&format!("'{name}'"));
    let missing: BTreeSet<_> =
        functions().map(|s| s.name(abi)).filter(|name| !declared(name)).collect();
    let undeclared: BTreeSet<_> = undeclared.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(missing, undeclared, "what no header of {} declares:\n{said}", platform.title);

    let proofs: String = functions()
        .filter(|s| declared(&s.name(abi)))
        .map(|symbol| {
            let name = symbol.name(abi);
            let ours = symbol.declaration.replacen(&format!("{name}("), &format!("spec_{name}("), 1);
            format!("{ours};\n_Static_assert(__builtin_types_compatible_p(__typeof__({name}), __typeof__(spec_{name})), \"{name}\");\n")
        })
        .collect();
    let (agree, said) = compile(&proofs);
    assert!(agree, "{}:\n{said}", platform.title);
}

/// Without a limit, for each undeclared name is an error.
fn every_error(mut zig: Command) -> Command {
    zig.arg("-ferror-limit=0");
    zig
}

#[test]
fn musl_s_headers_declare_what_the_spec_declares() {
    if musl().is_some() {
        let head = "#define _GNU_SOURCE\n#include <stdlib.h>\n#include <malloc.h>\n\
            #include <pthread.h>\n#include <threads.h>";
        headers_agree("linux-musl", &|| musl().unwrap(), head, &[]);
    }
}

#[test]
fn freebsd_s_headers_declare_what_the_spec_declares() {
    let target = "x86_64-freebsd";
    if zig_cc(target).is_none() {
        return;
    }
    let head = "#include <stdlib.h>\n#include <unistd.h>\n#include <malloc_np.h>\n\
        #include <pthread.h>\n\
        typedef void (*malloc_write_cb)(void *, const char *);";
    // Newer than these headers.
    let undeclared = ["free_sized", "free_aligned_sized", "recallocarray"];
    headers_agree("freebsd", &|| every_error(zig_cc(target).unwrap()), head, &undeclared);
}

#[test]
fn netbsd_s_headers_declare_what_the_spec_declares() {
    let target = "x86_64-netbsd";
    if zig_cc(target).is_none() {
        return;
    }
    let head = "#define _NETBSD_SOURCE\n#define _OPENBSD_SOURCE\n#include <stdlib.h>\n#include <unistd.h>\n#include <pthread.h>";
    let strong = ["_reallocarr", "_valloc"];
    let jemalloc = [
        "__je_mallocx",
        "__je_rallocx",
        "__je_xallocx",
        "__je_sallocx",
        "__je_dallocx",
        "__je_sdallocx",
        "__je_nallocx",
        "__je_malloc_usable_size",
        "__je_mallctl",
        "__je_mallctlnametomib",
        "__je_mallctlbymib",
        "__je_malloc_stats_print",
    ];
    let undeclared: Vec<_> = strong.into_iter().chain(jemalloc).collect();
    headers_agree("netbsd", &|| every_error(zig_cc(target).unwrap()), head, &undeclared);
}

//! Libraries: versions, flags, stack, text relocations, thread-locals.

use super::toolbox::{Toolbox, have};
use alloc8_gen::artifact::*;

const MALLOC: &str = "void *malloc(unsigned long n) { (void)n; return 0; }";

fn object(source: &str, line: &str) -> SharedObject {
    SharedObject::read(&Toolbox::build(source, line)).expect("a library")
}

fn versioned(script: &str) -> SharedObject {
    let tools = Toolbox::new();
    tools.write("in.c", MALLOC).write("map", script);
    tools.run("gcc -shared -fPIC -Wl,--version-script=map -Wl,-soname,libx.so.1 -o out in.c");
    SharedObject::read(&tools.read("out")).expect("a library")
}

#[test]
fn a_plain_library_says_what_it_is() {
    let lib = object(MALLOC, "gcc -shared -fPIC -nostdlib -Wl,-soname,libx.so.1 -o out in.c");
    assert_eq!((lib.class, lib.endian), (Class::Elf64, Endian::Little));
    assert_eq!(lib.soname.as_deref(), Some("libx.so.1"));
    assert_eq!(lib.needed, Vec::<String>::new());
    assert_eq!((lib.interpreter.as_deref(), lib.fixed_address), (None, false));
    assert_eq!(lib.stack, Stack::NotExecutable);
    assert_eq!(lib.tls.model(), TlsModel::None);
    assert!(!lib.has_text_relocations());
    let malloc = lib.export("malloc").expect("exported");
    assert_eq!((malloc.kind, malloc.bind), (SymbolKind::Function, Bind::Global));
    assert!(malloc.size > 0);
    assert_eq!(malloc.version, SymbolVersion::Unversioned);
}

#[test]
fn an_anonymous_version_script_answers_every_reference() {
    let lib = versioned("{ global: malloc; local: *; };");
    let malloc = lib.export("malloc").expect("exported");
    assert!(malloc.answers(None) && malloc.answers(Some("GLIBC_2.2.5")));
    assert!(lib.version_nodes.is_empty());
}

#[test]
fn a_version_node_answers_only_those_who_name_it() {
    let lib = versioned("GLIBC_2.2.5 { global: malloc; local: *; };");
    let malloc = lib.export("malloc").expect("exported");
    let node = "GLIBC_2.2.5".to_owned();
    assert_eq!(malloc.version, SymbolVersion::Defined { node, default: true, first: true });
    assert!(malloc.answers(None) && malloc.answers(Some("GLIBC_2.2.5")));
    assert!(!malloc.answers(Some("GLIBC_2.17")));
    assert_eq!(lib.version_nodes, ["GLIBC_2.2.5"]);
}

#[test]
fn an_old_version_is_told_from_the_default_one() {
    let source = r#"
        void *old(void) { return 0; }
        void *new(void) { return (void *)1; }
        __asm__(".symver old, thing@V1\n.symver new, thing@@V2");
    "#;
    let tools = Toolbox::new();
    tools
        .write("in.c", source)
        .write("map", "V1 { global: thing; local: *; }; V2 { global: thing; } V1;");
    tools.run("gcc -shared -fPIC -Wl,--version-script=map -o out in.c");
    let lib = SharedObject::read(&tools.read("out")).expect("a library");
    let versions: Vec<_> = lib.named("thing").filter(|s| s.defined).collect();
    assert_eq!(versions.len(), 2);
    let answering = |wanted| versions.iter().filter(|s| s.answers(wanted)).count();
    assert_eq!((answering(Some("V1")), answering(Some("V2")), answering(Some("V3"))), (1, 1, 0));
    assert_eq!(lib.version_nodes, ["V1", "V2"]);
}

#[test]
fn an_import_has_the_version_and_library_that_it_wants() {
    let source = "#include <stdlib.h>\nvoid *f(void) { return malloc(1); }";
    let lib = object(source, "gcc -shared -fPIC -o out in.c");
    let malloc = lib.imports().find(|s| s.name == "malloc").expect("imported");
    let SymbolVersion::Wanted { library, node } = &malloc.version else { panic!("{malloc:?}") };
    assert_eq!(library, "libc.so.6");
    assert!(node.starts_with("GLIBC_2."));
    assert!(lib.version_needs.iter().any(|n| &n.node == node));
    assert!(lib.needed.contains(&"libc.so.6".to_owned()));
    let slot = lib.relocations.iter().find(|r| lib.symbol_of(r) == Some(malloc)).expect("a slot");
    assert!(matches!(slot.kind, RelocationKind::JumpSlot | RelocationKind::GlobDat));
}

#[test]
fn a_hidden_definition_is_not_exported() {
    let source = "__attribute__((visibility(\"hidden\"))) void *malloc(unsigned long n)
        { return (void *)n; } void *f(void) { return malloc(1); }";
    let lib = object(source, "gcc -shared -fPIC -O0 -fno-builtin -o out in.c");
    assert_eq!(lib.export("malloc"), None);
    assert_eq!(lib.hidden("malloc").count(), 1);
}

/// gold leaves a hidden alias in the dynamic table, where the loader passes over it.
#[test]
fn a_hidden_alias_in_the_dynamic_table_is_not_exported() {
    if !have("ld.gold", "binutils") {
        return;
    }
    let source = "__attribute__((visibility(\"hidden\"))) void *own(unsigned long n)
        { return (void *)n; } void *f(void) { return own(1); }";
    let line = "gcc -shared -fPIC -fuse-ld=gold -Wl,--defsym=malloc=own -o out in.c";
    let lib = object(source, line);
    assert_eq!(lib.export("malloc"), None);
    assert!(lib.hidden("malloc").count() > 0);
}

#[test]
fn linker_flags_are_read_back() {
    let line = "gcc -shared -fPIC -Wl,-z,now,-z,initfirst,-z,nodelete,-z,interpose,-Bsymbolic,\
        -rpath,/x,--disable-new-dtags -o out in.c";
    let flags = object(MALLOC, line).flags;
    assert!(flags.bind_now && flags.init_first && flags.no_delete);
    assert!(flags.interpose && flags.symbolic && !flags.pie);
    let line = "gcc -shared -fPIC -Wl,-z,lazy,-rpath,/y,--enable-new-dtags -o out in.c";
    let lib = object(MALLOC, line);
    assert_eq!((lib.runpath.as_deref(), lib.rpath.as_deref()), (Some("/y"), None));
    assert!(!lib.flags.bind_now && !lib.flags.symbolic);
}

#[test]
fn an_executable_stack_is_seen() {
    let lib = object(MALLOC, "gcc -shared -fPIC -Wl,-z,execstack -o out in.c");
    assert_eq!(lib.stack, Stack::Executable);
}

#[test]
fn text_relocations_are_seen() {
    let source = "int own; int *f(void) { return &own; }";
    let line = "gcc -shared -fno-pic -mcmodel=large -Wl,-z,notext -o out in.c";
    if cfg!(target_arch = "x86_64") {
        let lib = object(source, line);
        assert!(lib.has_text_relocations() && lib.text_relocations > 0);
    }
    assert!(!object(source, "gcc -shared -fPIC -o out in.c").has_text_relocations());
}

#[test]
fn a_megabyte_of_static_tls_is_measured() {
    let source = "__thread char heap[1 << 20] __attribute__((aligned(64)));
        char *f(void) { return heap; }";
    let lib = object(source, "gcc -shared -fPIC -ftls-model=initial-exec -o out in.c");
    assert_eq!((lib.tls.size, lib.tls.align), (1 << 20, 64));
    assert_eq!(lib.tls.model(), TlsModel::Static);
    assert!(lib.tls.static_flag);
}

#[test]
fn a_dynamic_tls_model_is_told_from_the_static_one() {
    let source = "__thread int n; int *f(void) { return &n; }";
    let lib = object(source, "gcc -shared -fPIC -ftls-model=global-dynamic -o out in.c");
    assert_eq!(lib.tls.model(), TlsModel::Dynamic);
    if cfg!(target_arch = "x86_64") {
        assert!(lib.tls.calls_get_addr);
        let line = "gcc -shared -fPIC -mtls-dialect=gnu2 -o out in.c";
        let lib = object(source, line);
        assert_eq!(lib.tls.model(), TlsModel::Dynamic);
        assert!(lib.tls.descriptors > 0);
    }
    let hidden = "static __thread int n; int f(void) { return n++; }";
    let lib = object(hidden, "gcc -shared -fPIC -ftls-model=initial-exec -o out in.c");
    assert_eq!(lib.tls.model(), TlsModel::Static);
}

#[test]
fn emulated_tls_is_seen() {
    if !have("clang", "clang") {
        return;
    }
    let source = "__thread int n; int *f(void) { return &n; }";
    let lib = object(source, "clang -shared -fPIC -femulated-tls -o out in.c");
    assert_eq!(lib.tls.model(), TlsModel::Emulated);
}

#[test]
fn constructors_are_counted() {
    let source = "__attribute__((constructor)) static void a(void) {}
        __attribute__((constructor(101))) static void b(void) {}";
    let lib = object(source, "gcc -shared -fPIC -nostdlib -o out in.c");
    assert_eq!(lib.constructors, 2);
}

#[test]
fn a_file_without_section_headers_is_read_as_the_loader_reads_it() {
    let source = "#include <stdlib.h>\nvoid *malloc(size_t n) { return realloc(0, n); }";
    let mut bytes = Toolbox::build(source, "gcc -shared -fPIC -o out in.c");
    let whole = SharedObject::read(&bytes).expect("a library");
    // e_shoff, e_shnum, e_shstrndx of a 64-bit header.
    bytes[40..48].fill(0);
    bytes[60..64].fill(0);
    let bare = SharedObject::read(&bytes).expect("a library still");
    assert_eq!(bare.symbols, whole.symbols);
    assert_eq!(bare.relocations, whole.relocations);
    assert_eq!(bare.link_symbols, None);
}

#[test]
fn other_kinds_of_files_are_named() {
    let error = |data: &[u8]| SharedObject::read(data).expect_err("not a library").to_string();
    assert_eq!(error(b"#!/bin/sh\n"), "not an ELF file but a script");
    assert_eq!(error(b""), "not an ELF file but an empty file");
    assert_eq!(error(b"MZ\0\0"), "not an ELF file but a Windows executable or library");
    let relocatable = Toolbox::build(MALLOC, "gcc -c -o out in.c");
    assert_eq!(error(&relocatable), "not a library or program but a relocatable object");
}

#[test]
fn thirty_two_bits_are_read_too() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let source = "void *real(unsigned); void *malloc(unsigned n) { return real(n); }";
    let line = "gcc -m32 -shared -fPIC -nostdlib -O2 -o out in.c";
    let bytes = Toolbox::build(source, line);
    let lib = SharedObject::read(&bytes).expect("a library");
    assert_eq!((lib.class, lib.machine), (Class::Elf32, Machine::X86));
    let bindings = Bindings::new(&lib, &bytes).expect("code");
    let Answer::Body { calls_public, .. } = bindings.code("malloc") else { panic!() };
    assert_eq!(calls_public, ["real"]);
}

//! Programs, for the question whether a preload takes effect in them.

use super::toolbox::Toolbox;
use alloc8_gen::artifact::program::{ElfProgram, Libc, Linkage, Mode};
use alloc8_gen::artifact::*;

const NAMES: [&str; 3] = ["malloc", "free", "calloc"];
const PLAIN: &str = "#include <stdlib.h>\nint main(void) { free(malloc(1)); return 0; }";
const OWN: &str = "#include <stdlib.h>
    static char heap[4096]; static size_t used;
    __attribute__((noinline)) void *malloc(size_t n) { used += n; return heap + used; }
    __attribute__((noinline)) void free(void *p) { (void)p; used--; }
    int main(void) { free(malloc(1)); return 0; }";

fn read(bytes: &[u8]) -> ElfProgram {
    match Program::read(bytes, Mode::default()).expect("a program") {
        Program::Elf(program) => *program,
        other => panic!("{other:?}"),
    }
}

fn program(source: &str, line: &str) -> ElfProgram {
    read(&Toolbox::build(source, line))
}

#[test]
fn an_ordinary_program_can_be_preloaded() {
    for line in ["gcc -O0 -o out in.c", "gcc -O0 -no-pie -o out in.c"] {
        let program = program(PLAIN, line);
        assert_eq!((program.linkage, program.libc), (Linkage::Dynamic, Some(Libc::Glibc)));
        assert_eq!(program.imports(&NAMES), ["malloc", "free"]);
        assert_eq!(program.exports(&NAMES), Vec::<&str>::new());
        assert_eq!(program.hides(&NAMES), Some(vec![]));
        assert!(!program.opens_libraries() && !program.mode.is_privileged());
        assert!(program.object.needed.contains(&"libc.so.6".to_owned()));
    }
}

#[test]
fn static_programs_have_no_loader() {
    let linkage = |line| program(PLAIN, line).linkage;
    assert_eq!(linkage("gcc -static -o out in.c"), Linkage::Static);
    assert_eq!(linkage("gcc -static-pie -o out in.c"), Linkage::StaticPie);
    assert_eq!(linkage("gcc -shared -fPIC -o out in.c"), Linkage::Library);
}

#[test]
fn a_program_that_exports_its_own_wins_over_a_preload() {
    let program = program(OWN, "gcc -O0 -rdynamic -o out in.c");
    assert_eq!(program.exports(&NAMES), ["malloc", "free"]);
    assert_eq!(program.hides(&NAMES), Some(vec![]));
}

#[test]
fn a_program_that_hides_its_own_is_never_reached() {
    let tools = Toolbox::new();
    tools.write("in.c", OWN).write("map", "{ local: *; };");
    tools.run("gcc -O0 -fvisibility=hidden -Wl,--version-script=map -o out in.c");
    let program = read(&tools.read("out"));
    assert_eq!(program.exports(&NAMES), Vec::<&str>::new());
    assert_eq!(program.hides(&NAMES), Some(vec!["malloc", "free"]));
    tools.run("strip out");
    assert_eq!(read(&tools.read("out")).hides(&NAMES), None);
}

#[test]
fn opening_libraries_is_seen() {
    let source = "#include <dlfcn.h>\nint main(void) { return dlopen(\"x\", 1) != 0; }";
    assert!(program(source, "gcc -o out in.c -ldl").opens_libraries());
}

#[test]
fn loaders_are_known_by_their_names() {
    for (path, libc) in [
        ("/lib64/ld-linux-x86-64.so.2", Libc::Glibc),
        ("/lib/ld-linux-aarch64.so.1", Libc::Glibc),
        ("/nix/store/x-glibc-2.40/lib/ld-linux.so.2", Libc::Glibc),
        ("/lib/ld-musl-x86_64.so.1", Libc::Musl),
        ("/system/bin/linker64", Libc::Bionic),
        ("/libexec/ld-elf.so.1", Libc::FreeBsd),
        ("/opt/strange", Libc::Unknown),
    ] {
        assert_eq!(Libc::of_interpreter(path), libc, "{path}");
    }
}

#[test]
fn scripts_name_their_interpreter() {
    let script = |text: &[u8]| Program::read(text, Mode::default()).expect("a script");
    let is = |text: &[u8], path: &str, argument: Option<&str>| {
        let expected =
            Program::Script { interpreter: path.to_owned(), argument: argument.map(str::to_owned) };
        assert_eq!(script(text), expected);
    };
    is(b"#!/bin/sh\necho", "/bin/sh", None);
    is(b"#! /usr/bin/env  python3 -u \necho", "/usr/bin/env", Some("python3 -u"));
    is(b"#!", "", None);
    assert_eq!(script(b"echo"), Program::Other("something else"));
}

#[test]
fn privilege_is_in_the_mode() {
    assert!(Mode::new(0o104_755, false).is_privileged());
    assert!(Mode::new(0o102_755, false).is_privileged());
    assert!(Mode::new(0o100_755, true).is_privileged());
    assert!(!Mode::new(0o100_755, false).is_privileged());
}

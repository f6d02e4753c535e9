//! `--program`: whether a preload would take effect.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use crate::common::skip;
use crate::tool::{Ran, cc, compiled, folder, interposer, program, run};

/// `verify LIBRARY --program EXE`
fn with_program(exe: &Path) -> Ran {
    let place = folder();
    let library = interposer().to_str().unwrap();
    run(place.path(), &["verify", library, "--program", exe.to_str().unwrap()])
}

#[track_caller]
fn no_effect(exe: &Path, code: &str, words: &str) {
    let ran = with_program(exe).exits(1).says(&[code, words]);
    assert!(ran.out.trim_end().ends_with("a preload would take no effect"), "{}", ran.all());
}

#[test]
fn a_plain_program_takes_a_preload() {
    let ran = with_program(&program()).exits(0);
    assert!(ran.out.trim_end().ends_with("a preload takes effect"), "{}", ran.all());
    let place = folder();
    let library = interposer().to_str().unwrap();
    let exe = program();
    let arguments = ["verify", library, "--format", "json", "--program", exe.to_str().unwrap()];
    let objects = run(place.path(), &arguments).exits(0).json();
    assert_eq!(objects.last().unwrap()["takes_effect"], true);
}

#[test]
fn a_static_program_takes_none() {
    no_effect(
        &compiled("static", crate::tool::PROGRAM, &["-static"]),
        "A8651",
        "statically linked",
    );
    no_effect(
        &compiled("pie", crate::tool::PROGRAM, &["-static-pie"]),
        "A8651",
        "statically linked",
    );
}

#[test]
fn a_library_is_no_program() {
    no_effect(interposer(), "A8652", "is a library");
}

#[test]
fn a_set_user_id_program_takes_none() {
    let place = folder();
    let exe = place.path().join("privileged");
    fs::copy(program(), &exe).unwrap();
    if chown(&exe, Some(65534), None).is_err() {
        return skip("verify-setuid", "run as root");
    }
    fs::set_permissions(&exe, fs::Permissions::from_mode(0o4755)).unwrap();
    no_effect(&exe, "A8653", "privileges of its own");
}

#[test]
fn a_program_for_another_machine_takes_none() {
    let place = folder();
    let exe = place.path().join("foreign");
    let mut bytes = fs::read(program()).unwrap();
    // e_machine: RISC-V
    bytes[18..20].copy_from_slice(&243u16.to_ne_bytes());
    fs::write(&exe, bytes).unwrap();
    no_effect(&exe, "A8654", "another machine");
}

#[test]
fn a_program_of_another_c_library_takes_none() {
    let musl = "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1";
    no_effect(&compiled("musl", crate::tool::PROGRAM, &[musl]), "A8655", "another C library");
}

const OWN: &str = r#"
#include <stddef.h>
static char memory[1 << 16];
static size_t used;
VISIBILITY void *malloc(size_t size) { void *p = memory + used; used += (size + 15) & ~(size_t)15; return p; }
VISIBILITY void free(void *p) { (void)p; }
int main(void) { char *volatile p = malloc(3); free(p); return p == NULL; }
"#;

#[test]
fn a_program_that_exports_its_own_malloc_takes_none() {
    let exe = compiled("own", OWN, &["-DVISIBILITY=", "-rdynamic", "-w", "-fno-builtin"]);
    no_effect(&exe, "A8656", "exports its own malloc");
}

#[test]
fn a_program_that_hides_its_own_malloc_takes_none() {
    let hidden = "-DVISIBILITY=__attribute__((visibility(\"hidden\")))";
    let exe = compiled("own", OWN, &[hidden, "-w", "-fno-builtin"]);
    no_effect(&exe, "A8657", "malloc of its own");
}

#[test]
fn a_program_that_needs_another_allocator_is_told_so_and_takes_the_preload() {
    let place = folder();
    let exe = place.path().join("needs");
    let source = place.path().join("needs.c");
    fs::write(&source, crate::tool::PROGRAM).unwrap();
    fs::copy(interposer(), place.path().join("libother.so")).unwrap();
    let library = place.path().join("libother.so");
    let files = [OsStr::new("-o"), exe.as_os_str(), source.as_os_str(), library.as_os_str()];
    cc(&files, &["-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN"]);
    // The program names it by its soname.
    fs::rename(library, place.path().join("libsimple_heap-alloc8.so")).unwrap();
    with_program(&exe).exits(0).says(&["note[A8658]", "brings an allocator of its own"]);
}

#[test]
fn a_program_that_opens_libraries_is_told_so() {
    let source =
        "#include <dlfcn.h>\nint main(void) { return dlopen(\"libm.so.6\", RTLD_NOW) == 0; }";
    let exe = compiled("opens", source, &["-ldl"]);
    with_program(&exe).exits(0).says(&["note[A8659]", "RTLD_DEEPBIND"]);
}

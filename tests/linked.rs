//! Programs that are linked with the interposer, not preloaded.

use std::{fs, path::Path, process::Command};

fn run(command: &mut Command) -> std::process::Output {
    let output = command.output().expect("started");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn build(folder: &Path) {
    run(Command::new(env!("CARGO_BIN_EXE_alloc8-gen"))
        .args(["build", "-o"])
        .arg(folder.join("libheap.so"))
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache")));
}

#[test]
fn a_program_with_the_cxx_runtime_inside_gets_its_handler_called_and_bad_alloc() {
    let folder = tempfile::tempdir().expect("a folder");
    build(folder.path());
    let source = folder.path().join("program.cpp");
    fs::write(
        &source,
        r#"#include <cstdint>
#include <cstdio>
#include <new>
static int calls;
static void handler() { if (++calls == 3) std::set_new_handler(nullptr); }
int main() {
    std::set_new_handler(handler);
    volatile std::size_t size = PTRDIFF_MAX;
    try { char *volatile block = new char[size]; (void)block; }
    catch (const std::bad_alloc &) { std::printf("caught after %d calls\n", calls); }
    try { void *volatile block = ::operator new(size, std::align_val_t(64)); (void)block; }
    catch (const std::bad_alloc &) { std::printf("caught again\n"); }
}
"#,
    )
    .expect("written");
    for options in [&["-static-libstdc++"][..], &["-static-libstdc++", "-static-libgcc"], &[]] {
        let program = folder.path().join("program");
        run(Command::new("c++")
            .args(["-std=c++17", "-O1", "-o"])
            .arg(&program)
            .arg(&source)
            .arg(folder.path().join("libheap.so"))
            .args(options));
        let output = run(Command::new(&program).env("LD_LIBRARY_PATH", folder.path()));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "caught after 3 calls\ncaught again\n",
            "{options:?}"
        );
    }
}

#[test]
fn the_library_needs_nothing_but_libc_and_can_be_loaded_by_a_program_in_c() {
    let folder = tempfile::tempdir().expect("a folder");
    build(folder.path());
    let data = fs::read(folder.path().join("libheap.so")).expect("built");
    let object = alloc8_gen::artifact::SharedObject::read(&data).expect("a library");
    assert_eq!(object.needed, ["libc.so.6"]);
    run(Command::new("/bin/true")
        .env("LD_PRELOAD", folder.path().join("libheap.so"))
        .env("LD_BIND_NOW", "1"));
}

//! A library that is built for musl takes effect under musl's own loader.

use std::{fs, path::Path, process::Command};

use alloc8_gen::{operation::Effect, spec};

use crate::{musl, run};

/// Calls each function of the platform through its address, and asks the allocator whose block it is.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int (*owns)(const void *);
static int failures;

static void check(const char *name, int holds)
{
    if (!holds) {
        printf("%s does not hold\n", name);
        failures++;
    }
}

static void block(const char *name, void *ptr)
{
    check(name, ptr != NULL && owns(ptr) && malloc_usable_size(ptr) >= 100);
    free(ptr);
}

int main(void)
{
    void *ptr = NULL;
    owns = (int (*)(const void *))dlsym(RTLD_DEFAULT, "probe_owns");
    if (owns == NULL)
        return puts("not interposed"), 2;
    block("malloc", malloc(100));
    block("calloc", calloc(10, 10));
    block("realloc", realloc(malloc(10), 100));
    block("reallocarray", reallocarray(malloc(10), 10, 10));
    block("aligned_alloc", aligned_alloc(64, 100));
    block("memalign", memalign(64, 100));
    block("valloc", valloc(100));
    check("posix_memalign", posix_memalign(&ptr, 64, 100) == 0);
    block("posix_memalign's block", ptr);
    block("strdup", strdup("a string that is long enough to make the block one of a hundred bytes "
        "or more, so that one test serves all"));
    /* What musl's callers may rely on, and glibc's may not. */
    ptr = realloc(malloc(10), 0);
    check("realloc(p, 0) is live", ptr != NULL && owns(ptr));
    free(ptr);
    errno = 0;
    ptr = memalign(48, 100);
    check("memalign refuses 48", ptr == NULL && errno == EINVAL);
    errno = 0;
    ptr = aligned_alloc(48, 96);
    check("aligned_alloc refuses 48", ptr == NULL && errno == EINVAL);
    return failures != 0;
}
"#;

/// The description of `simple_heap` that keeps its `owns` visible, so that a program can ask.
fn describe(folder: &Path) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("specs/allocators/simple_heap.toml")).unwrap();
    let source = root.join("examples/simple_heap/simple_heap.c");
    let archive = folder.join("libheap_of_musl.a");
    let object = folder.join("simple_heap.o");
    let owns = folder.join("owns.c");
    fs::write(
        &owns,
        "#include <stdbool.h>\nextern bool simple_heap_owns(const void *);\n\
         int probe_owns(const void *ptr) { return simple_heap_owns(ptr); }\n",
    )
    .unwrap();
    let compile = |file: &Path, object: &Path| {
        let flags = ["-std=gnu11", "-O2", "-fPIC", "-ftls-model=initial-exec", "-c"];
        run(musl().unwrap().args(flags).arg(file).arg("-o").arg(object));
    };
    compile(&source, &object);
    compile(&owns, &folder.join("owns.o"));
    run(Command::new("ar").arg("rcs").arg(&archive).arg(&object).arg(folder.join("owns.o")));
    let text = text
        .lines()
        .filter(|line| !line.starts_with("source") && !line.starts_with("counters"))
        .map(|line| match line.starts_with("archive") {
            true => "archive = \"libheap_of_musl.a\"\nexport = [\"probe_owns\"]".to_owned(),
            false => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    let description = folder.join("heap_of_musl.toml");
    fs::write(&description, text).unwrap();
    description
}

#[test]
fn every_function_of_musl_comes_from_the_allocator_under_its_loader() {
    let Some(mut cc) = musl() else { return };
    let folder = tempfile::tempdir().unwrap();
    let description = describe(folder.path());
    let library = folder.path().join("libheap.so");
    run(Command::new(env!("CARGO_BIN_EXE_alloc8-gen"))
        .args(["build", "--target", "x86_64-unknown-linux-musl", "--cc", "musl-gcc", "-a"])
        .args([&description, Path::new("-o"), &library])
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache")));
    let source = folder.path().join("program.c");
    fs::write(&source, PROGRAM).unwrap();
    let program = folder.path().join("program");
    run(cc.args(["-std=gnu11", "-O1", "-fno-builtin", "-o"]).arg(&program).arg(&source));

    let output = Command::new(&program).env("LD_PRELOAD", &library).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let alone = Command::new(&program).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&alone.stdout), "not interposed\n");
}

/// A function that the spec gains later must be called above as well.
#[test]
fn the_program_for_musl_calls_every_function_of_the_spec() {
    let platform = spec::platform("linux-musl").unwrap();
    // Blocks and what is said of them; tests/threads has programs for the rest.
    let functions = platform
        .symbols
        .iter()
        .filter(|s| !s.operation.is_operator() && s.operation.effect() != Effect::StartsThread);
    for name in functions.map(|s| s.spec_name()) {
        assert!(PROGRAM.contains(&format!("{name}(")), "`{name}` is not called");
    }
}

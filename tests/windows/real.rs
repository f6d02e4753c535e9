//! The DLLs of `examples/real`, each by its one command, under a program whose threads allocate.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::bench::{Wine, X64, folder};
use crate::made::made;

/// Says the sum of what it read back, which no heap may change.
const WORK: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
static DWORD WINAPI work(void *seed)
{
    unsigned random = (unsigned)(size_t)seed, sum = 0;
    char *kept[100] = {0};
    for (int i = 0; i < 20000; i++) {
        random = random * 1103515245u + 12345u;
        char **slot = &kept[random / 65536 % 100];
        if (*slot)
            sum += (unsigned char)**slot;
        free(*slot);
        size_t size = random % 3000 + 1;
        *slot = malloc(size);
        memset(*slot, (int)(size % 251), size);
    }
    for (int i = 0; i < 100; i++)
        free(kept[i]);
    return sum;
}
int main(void)
{
    HANDLE threads[4];
    DWORD sum = 0, part;
    for (size_t i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, work, (void *)(i + 1), 0, NULL);
    for (int i = 0; i < 4; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        GetExitCodeThread(threads[i], &part);
        sum += part;
    }
    printf("sum %lu\n", sum);
    return 0;
}
"#;

fn its_library_runs_on_windows(name: &str) {
    let Some(wine) = Wine::new() else { return };
    let Some(library) = made(name, Some(&X64.target())) else { return };
    takes_effect(wine, &library);
}

/// The program says the same without and with the library, whose hooks were there before its first block.
pub(super) fn takes_effect(wine: &Wine, library: &Path) {
    let file = library.file_name().unwrap().to_str().unwrap();
    let place = tempfile::tempdir_in(folder()).unwrap();
    fs::copy(library, place.path().join(file)).unwrap();
    fs::write(place.path().join("work.c"), WORK).unwrap();
    let mut gcc = Command::new(X64.gcc());
    gcc.current_dir(&place).args(["-O1", "-fno-builtin", "work.c", "-o", "work.exe"]);
    assert!(gcc.status().unwrap().success());
    let alone = wine.run(&place.path().join("work.exe"), &[]);
    assert_eq!(alone.status, Some(0), "{}", alone.text);
    let sum = alone.text.lines().find(|line| line.starts_with("sum ")).expect("its last line");

    let mut under = wine.around(Command::new(env!("CARGO_BIN_EXE_alloc8-gen")));
    under.current_dir(&place).env("XDG_CACHE_HOME", folder().join("cache")).stdin(Stdio::null());
    under.args(["run", "-p", "windows", "--preload", file, "--proof", "--", "work.exe"]);
    let output = under.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), sum.trim_end(), "{said}");
    assert!(said.contains("proof: hooked before"), "{said}");
}

#[test]
fn mimalloc_from_its_crate_runs_on_windows() {
    its_library_runs_on_windows("mimalloc");
}

#[test]
fn rpmalloc_from_its_crate_runs_on_windows() {
    its_library_runs_on_windows("rpmalloc");
}

#[test]
fn snmalloc_from_its_crate_runs_on_windows() {
    its_library_runs_on_windows("snmalloc");
}

/// Its configure script and its many files take minutes.
#[test]
#[ignore = "long; cargo xtask test --all"]
fn jemalloc_from_its_crate_runs_on_windows() {
    its_library_runs_on_windows("jemalloc");
}

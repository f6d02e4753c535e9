//! Who answers malloc, and how programs are started.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tool::{Ran, compiled, folder, tool};

/// Prints whether the preload is in the environment of it and of a child, and who answers malloc.
pub(super) const WITNESS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    Dl_info info;
    void *block = malloc(100);
    const char *preload = getenv("LD_PRELOAD");
    if (!block || !dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info))
        return 9;
    const char *base = strrchr(info.dli_fname, '/');
    printf("malloc %s\n", strstr(base ? base : "", "libc.so") ? "of the C library" : "interposed");
    printf("LD_PRELOAD %s\n", preload ? preload : "unset");
    fflush(stdout);
    free(block);
    return 0;
}
"#;

pub(super) fn witness() -> PathBuf {
    compiled("witness", WITNESS, &["-fno-builtin"])
}

/// A copy under a name of the test's choice.
pub(super) fn copy(of: &Path, to: &Path) -> String {
    fs::copy(of, to).unwrap();
    to.to_str().unwrap().to_owned()
}

pub(super) fn under<S: AsRef<OsStr>>(options: &[&str], command: &[S]) -> Ran {
    let place = folder();
    Ran::new(tool(place.path()).arg("run").args(options).arg("--").args(command))
}

#[track_caller]
pub(super) fn refused(options: &[&str], command: &[&OsStr], words: &[&str]) {
    for proof in [&[][..], &["--proof"]] {
        let options: Vec<&str> = options.iter().chain(proof).copied().collect();
        let ran = under(&options, command).exits(125).says(words);
        assert!(ran.out.is_empty(), "it was started:\n{}", ran.all());
    }
}

//! Libraries over C functions: nothing is in them but what the plan says. Their laws are in the table of
//! tests/laws.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::allocator::{self, Allocator};
use tempfile::TempDir;

use super::toolbox::{compiler, finish, is_bare, listed, rendered, rustc};
use crate::heaps;

/// Nothing in it panics, so that the handler is never linked.
const CRATE: &str = include_str!("../fixtures/shim_crate.rs");

/// All functions, no promise; calloc is left to the shim.
const UNPROMISING: &str = r#"
malloc             = "unpromising_malloc"
free               = "unpromising_free"
realloc            = "unpromising_realloc"
memalign           = "unpromising_memalign"
malloc_usable_size = "unpromising_malloc_usable_size"
malloc_lock        = "unpromising_malloc_lock"
malloc_unlock      = "unpromising_malloc_unlock"
malloc_reinit      = "unpromising_malloc_reinit"
"#;

pub(super) struct Library {
    work: TempDir,
    names: Vec<String>,
}

impl Library {
    pub(super) fn of(allocator: &Allocator, source: &Path) -> Library {
        let work = TempDir::new().unwrap();
        let files = rendered("linux", allocator);
        fs::write(work.path().join("shim.rs"), &files["shim.rs"]).unwrap();
        fs::write(work.path().join("lib.rs"), CRATE).unwrap();
        heaps::archive(&compiler(), &[source], work.path(), &[]);
        Library { work, names: listed(&files) }
    }

    fn rustc(&self, kind: &str, options: &[&str]) -> Command {
        let mut command = rustc();
        command.args(["--edition=2024", "-Cpanic=abort", "--crate-type", kind]).args(options);
        command
            .arg("-L")
            .arg(self.work.path())
            .arg("-lstatic=heap")
            .arg(self.work.path().join("lib.rs"));
        command
    }

    /// A library to preload.
    pub(super) fn shared(&self, options: &[&str]) -> PathBuf {
        let library = self.work.path().join("libshim.so");
        let mut rustc = self.rustc("cdylib", options);
        finish(rustc.arg("-Clink-arg=-Wl,-z,initfirst").arg("-o").arg(&library));
        library
    }
}

#[test]
fn a_library_over_a_heap_that_promises_nothing_is_bare() {
    let folder = TempDir::new().unwrap();
    let description = folder.path().join("unpromising.toml");
    fs::write(&description, UNPROMISING).unwrap();
    let allocator = allocator::read_file(&description).unwrap();
    let heap = Library::of(&allocator, &heaps::heap("unpromising.c"));
    is_bare(&heap.shared(&["-Copt-level=3", "-Clto=fat"]), &heap.names);
}

#[test]
fn a_library_over_functions_with_arguments_of_their_own_order_is_bare() {
    let allocator = allocator::read_file(&heaps::heap("odd.toml")).unwrap();
    let heap = Library::of(&allocator, &heaps::heap("odd_orders.c"));
    is_bare(&heap.shared(&["-Copt-level=2", "-Ccodegen-units=16"]), &heap.names);
}

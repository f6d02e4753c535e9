//! GNU Make makes what changed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::project::{
    EXAMPLE, LIBRARY, MAKE, TOOL, command, copy, edit, failed, finish, have, is_direct, modified,
    succeeded, takes_effect, text, touch,
};

const MAKEFILE: &str = "\
ALLOC8_ARCHIVE = libblock_heap.a
ALLOC8_LIBRARY = out/libblock_heap_preload.so
ALLOC8_LINK = $(CXX)
include ../vendored/alloc8/linux/alloc8.mk
CXXFLAGS = -O2 -fPIC
all: $(ALLOC8_LIBRARY)
libblock_heap.a: block_heap.o
\trm -f $@ && ar rcs $@ $^
block_heap.o: ../vendored/block_heap.cpp
\t$(CXX) -std=c++17 -fno-exceptions -fno-rtti $(CXXFLAGS) -c $< -o $@
";

#[test]
fn gnu_make_makes_what_changed_and_nothing_else() {
    if !have("fragments-gnu-make", &[MAKE]) {
        return;
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().join("project");
    let vendored = temporary.path().join("vendored");
    copy(Path::new(EXAMPLE), &vendored);
    fs::create_dir_all(folder.join("out")).unwrap();
    fs::write(folder.join("Makefile"), MAKEFILE).unwrap();
    let make = |more: &[&str]| finish(command("make").current_dir(&folder).args(more));
    let library = folder.join("out").join(LIBRARY);
    let shim = "out/libblock_heap_preload.so.shim.o";
    let joined = "out/libblock_heap_preload.so.joined.o";
    let so = "out/libblock_heap_preload.so";
    let outputs = || -> BTreeMap<&str, SystemTime> {
        let names = [shim, joined, so, "block_heap.o", "libblock_heap.a"];
        names.into_iter().map(|name| (name, modified(&folder.join(name)))).collect()
    };

    // `all` is made by default, though the fragment came before it.
    succeeded(&make(&[]));
    assert!(is_direct(&library));
    takes_effect(&library, Path::new("/bin/ls"));
    let again = make(&[]);
    assert!(text(&again).contains("Nothing to be done for 'all'"), "{}", text(&again));
    for (input, dependents) in [
        ("alloc8/linux/shim.c", &[shim, joined, so][..]),
        ("alloc8/linux/exports.lp64.map", &[so]),
        ("alloc8/linux/symbols.lp64.txt", &[so]),
        ("alloc8/linux/alloc8.mk", &[shim, joined, so]),
        ("alloc8/linux/alloc8.cmake", &[]),
        ("block_heap.cpp", &["block_heap.o", "libblock_heap.a", joined, so]),
    ] {
        touch(&vendored.join(input));
        let before = outputs();
        succeeded(&make(&[]));
        let after = outputs();
        let rebuilt: BTreeSet<_> = before.keys().filter(|n| before[*n] != after[*n]).collect();
        assert_eq!(rebuilt, dependents.iter().collect(), "touched {input}");
    }

    let map = vendored.join("alloc8/linux/exports.lp64.map");
    edit(&map, "    malloc;\n", "");
    for _ in 0..2 {
        failed(&make(&[]), "does not export, without a version: malloc");
        assert!(!library.exists());
    }
    edit(&map, "    malloc_info;\n", "    malloc;\n    malloc_info;\n");
    succeeded(&make(&[]));

    succeeded(&make(&["-B", "ALLOC8_DIRECT=0"]));
    assert!(!is_direct(&library));
    takes_effect(&library, Path::new("/bin/ls"));
    let flags = "CFLAGS=-O2 -flto -fPIE -fstack-protector-strong";
    let linker = "LDFLAGS=-Wl,--as-needed -Wl,-Bsymbolic-functions";
    succeeded(&make(&["-B", flags, linker]));
    assert!(is_direct(&library));
    takes_effect(&library, Path::new("/bin/ls"));
    for linker in ["bfd", "lld", "mold", "gold"] {
        if have(&format!("fragments-linker-{linker}"), &[(&format!("ld.{linker}"), linker)]) {
            succeeded(&make(&["-B", &format!("LDFLAGS=-fuse-ld={linker}")]));
            assert!(is_direct(&library), "{linker}");
        }
    }

    failed(&make(&["alloc8-check"]), "alloc8-check needs alloc8-gen");
    let tool = format!("ALLOC8_GEN={TOOL}");
    succeeded(&make(&["alloc8-check", &tool]));
    edit(&vendored.join("alloc8/linux/shim.c"), "return", "return ");
    failed(&make(&["alloc8-check", &tool]), "shim.c");
}

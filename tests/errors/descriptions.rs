//! Mistakes in an allocator's description.

use std::fs;

use super::{
    same::{golden, refused},
    tool::{folder, run},
};

/// A description, and what `generate` says to it.
#[track_caller]
fn described(name: &str, text: &str) {
    let place = folder();
    fs::write(place.path().join("heap.toml"), text).unwrap();
    refused(name, place.path(), &["generate", "-p", "linux", "-a", "heap"]);
    assert!(!place.path().join("generated").exists(), "something was written");
}

#[test]
fn wrong_keys_are_told_all_at_once_with_the_right_ones() {
    described(
        "wrong-keys",
        "schema = 1\nmallok = \"heap_malloc\"\nfree = \"heap_free\"\ncolour = \"red\"\n\n[promises]\nerno = true\n",
    );
}

#[test]
fn wrong_types_are_told_all_at_once_with_what_to_write() {
    described(
        "wrong-types",
        "schema = 1\nmalloc = 3\nfree = [\"heap_free\"]\nlibs = \"m\"\narchive = 1\n\n[promises]\nerrno = \"yes\"\nmin_align = \"16\"\n",
    );
}

/// It would be a path out of the folder, or end a comment in the shim.
#[test]
fn a_name_that_is_no_files_name_is_told() {
    for (name, shown) in [("../../evil", "../../evil"), ("", ""), ("a\\n*/", "a\\n*/")] {
        let place = folder();
        fs::write(place.path().join("heap.toml"), format!("schema = 1\nname = \"{name}\"\n"))
            .unwrap();
        let ran = run(place.path(), &["-p", "linux", "-a", "heap"]).exits(2);
        ran.says(&[&format!("error[A8903]: `{shown}` cannot name"), "heap.toml:2:8"]);
        run(place.path(), &["init", "../evil", "--lib", "x.a"]).exits(2).says(&["A8903"]);
    }
}

#[test]
fn a_table_that_is_no_table_is_told() {
    described("wrong-table", "schema = \"1\"\npromises = true\nwaive = [1]\n");
}

#[test]
fn the_place_is_counted_in_characters() {
    described("characters", "title = \"Größe\"; mallöc = \"x\"\n");
    described("characters-in-place", "promises = { \"ä\" = 1, errno = 1 }\n");
}

#[test]
fn what_is_not_toml_is_told_where_it_stops_to_be() {
    described("not-toml", "schema = 1\nmalloc = \"heap_malloc\nfree = heap_free\"\n");
    described("twice", "schema = 1\nmalloc = \"a\"\nfree = \"b\"\nmalloc = \"c\"\n");
}

#[test]
fn wrong_values_are_told_all_at_once() {
    described(
        "wrong-values",
        "schema = 2\nmalloc = \"heap malloc(size\"\nfree = \"heap_free\"\nmemalign = \"heap_memalign(size, alignmnt)\"\nthread_policy = \"required\"\nforeign = \"forwards\"\nwaive = [\"erno\"]\n\n[promises]\nmin_align = 24\nmax_size = \"much\"\nrealloc_zero = \"dead\"\n",
    );
}

#[test]
fn an_allocator_that_cannot_answer_a_symbol_is_refused_for_all_of_them() {
    described("cannot-answer", "schema = 1\nmalloc = \"heap_malloc\"\n");
    described(
        "cannot-answer-others",
        "schema = 1\nmalloc = \"heap_malloc\"\nfree = \"heap_free(ptr, usable)\"\nrealloc = \"heap_realloc\"\nmemalign = \"heap_memalign\"\nmalloc_lock = \"heap_lock\"\nforeign = \"abort\"\n",
    );
    described("nothing-described", "schema = 1\n");
}

#[test]
fn a_policy_against_the_platform_s_own_is_refused() {
    let place = folder();
    let text = "schema = 1\nmalloc = \"m\"\nfree = \"f\"\nrealloc = \"r\"\nmemalign = \"a\"\nmalloc_usable_size = \"u\"\nowns = \"o\"\nforeign = \"abort\"\n";
    fs::write(place.path().join("heap.toml"), text).unwrap();
    refused("policy", place.path(), &["list", "symbols", "-p", "macos", "-a", "heap"]);
}

#[test]
fn a_zone_that_cannot_tell_sizes_is_refused() {
    let place = folder();
    let text = "schema = 1\nmalloc = \"m\"\nfree = \"f\"\nrealloc = \"r\"\nmemalign = \"a\"\nmalloc_lock = \"l\"\nmalloc_unlock = \"u\"\n";
    fs::write(place.path().join("heap.toml"), text).unwrap();
    refused("no-sizes", place.path(), &["-p", "macos", "-a", "heap"]);
}

#[test]
fn alignments_that_nobody_serves_are_told_once_for_all_platforms() {
    let place = folder();
    let text = "schema = 1\nmalloc = \"m\"\nfree = \"f\"\nmalloc_usable_size = \"u\"\n";
    let promises = "[promises]\nfork = \"own\"\nnatural_align = 4096\n";
    let rendered = |platforms: &str, more: &str| {
        fs::write(place.path().join("heap.toml"), format!("{text}{more}{promises}")).unwrap();
        run(place.path(), &["generate", "-p", platforms, "-a", "heap"]).exits(0).err
    };
    golden("alignments", place.path(), &rendered("linux,linux-musl,freebsd", ""));
    let shim = fs::read_to_string(place.path().join("generated/heap/linux/shim.c")).unwrap();
    assert!(shim.contains("if (ALLOC8_UNLIKELY(alignment > 4096))"), "{shim}");
    assert_eq!(rendered("linux", "memalign = \"a\"\n"), "");
    assert_eq!(rendered("linux", "waive = [\"natural_align\"]\n"), "");
    assert!(!rendered("windows", "").contains("A8210"), "hooks align inside of a larger block");
}

#[test]
fn what_is_not_there_is_told_with_what_writes_it() {
    let place = folder();
    refused("no-description", place.path(), &["-p", "linux", "-a", "./heap.toml"]);
    refused("no-allocator", place.path(), &["-p", "linux", "-a", "my-heap"]);
    refused("no-platform", place.path(), &["-p", "linx,linus", "-a", "simple_heap"]);
}

//! `check` tells every way in which a folder can differ, writes nothing, and its last line mends it.
#![cfg(unix)]

mod common;
#[path = "cli/tool.rs"]
mod tool;
#[path = "cli/unprivileged.rs"]
mod unprivileged;

#[path = "check/laws.rs"]
mod laws;
#[path = "check/permissions.rs"]
mod permissions;
#[path = "check/project.rs"]
mod project;
#[path = "check/trouble.rs"]
mod trouble;

use std::{fs, os::unix::fs::symlink};

use project::{MAP, SHIM, check, drifts, edit, mends, project, unchanged};
use tool::{Ran, folder, run, tool};

#[test]
fn a_clean_tree_agrees() {
    let place = project();
    let ran = check(place.path()).exits(0).says(&["everything agrees"]);
    assert!(ran.out.is_empty(), "{}", ran.all());
    unchanged(place.path(), &["check", "-p", "linux", "-a", "heap"]).exits(0);
    unchanged(place.path(), &["check", "generated/heap/linux"]).exits(0);
    unchanged(place.path(), &["check", "."]).exits(0);
}

#[test]
fn a_changed_description_makes_files_stale() {
    let place = project();
    edit(&place.path().join("heap.toml"), "heap_malloc", "heap_allocate");
    drifts(place.path(), &["check"], &[("stale", SHIM)]);
}

#[test]
fn a_missing_file_is_told() {
    let place = project();
    fs::remove_file(place.path().join(MAP)).unwrap();
    drifts(place.path(), &["check"], &[("missing", MAP)]);
}

#[test]
fn an_orphan_is_told_and_removed() {
    let place = project();
    let orphan = "generated/heap/linux/exports.old.map";
    fs::copy(place.path().join(MAP), place.path().join(orphan)).unwrap();
    drifts(place.path(), &["check"], &[("orphan", orphan)]);
    assert!(!place.path().join(orphan).exists());
}

#[test]
fn an_edited_file_is_told() {
    let place = project();
    edit(&place.path().join(SHIM), "#include <stddef.h>", "#include <stdlib.h>");
    drifts(place.path(), &["check"], &[("hand-edited", SHIM)]);
}

#[test]
fn another_format_is_told() {
    let place = project();
    for file in [SHIM, MAP] {
        edit(&place.path().join(file), "format = 1,", "format = 0,");
    }
    drifts(place.path(), &["check"], &[("other format", SHIM), ("other format", MAP)]);
}

#[test]
fn a_removed_marker_is_told_and_the_file_is_rendered_again() {
    let place = project();
    let shim = place.path().join(SHIM);
    let text = fs::read_to_string(&shim).unwrap();
    fs::write(&shim, &text[text.find("*/\n").unwrap() + 3..]).unwrap();
    drifts(place.path(), &["check"], &[("hand-edited", SHIM)]);
}

#[test]
fn all_states_are_told_at_once_and_one_line_mends_them() {
    let place = project();
    let at = |name: &str| place.path().join(name);
    edit(&at("heap.toml"), "heap_malloc", "heap_allocate");
    fs::remove_file(at(MAP)).unwrap();
    let other = "generated/heap/linux/symbols.lp64.txt";
    edit(&at(other), "\ncalloc\n", "\n");
    let orphan = "generated/heap/linux/a name with spaces.map";
    fs::copy(at("generated/heap/linux/exports.ilp32.map"), at(orphan)).unwrap();
    let states = [("stale", SHIM), ("missing", MAP), ("hand-edited", other), ("orphan", orphan)];
    drifts(place.path(), &["check"], &states);
}

#[test]
fn a_checkout_with_crlf_agrees() {
    let place = project();
    for entry in fs::read_dir(place.path().join("generated/heap/linux")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    }
    check(place.path()).exits(0);
}

#[test]
fn the_working_directory_does_not_matter() {
    let place = project();
    run(&place.path().join("generated/heap"), &["check", "linux"]).exits(0);
    run(&place.path().join("generated/heap/linux"), &["check", "."]).exits(0);
    let elsewhere = folder();
    let generated = place.path().join("generated");
    run(elsewhere.path(), &["check", generated.to_str().unwrap()]).exits(0);
    // The line that mends is for the folder in which check was called.
    edit(&place.path().join("heap.toml"), "heap_malloc", "heap_allocate");
    drifts(&place.path().join("generated/heap/linux"), &["check", "."], &[("stale", "./shim.c")]);
    edit(&place.path().join("heap.toml"), "heap_allocate", "heap_malloc");
    let shim = place.path().join(SHIM);
    let states = [("stale", shim.to_str().unwrap())];
    drifts(elsewhere.path(), &["check", generated.to_str().unwrap()], &states);
}

#[test]
fn a_folder_behind_a_link_is_checked_once_and_mended_there() {
    let place = project();
    symlink("generated/heap", place.path().join("vendored")).unwrap();
    run(place.path(), &["check", "vendored"]).exits(0);
    edit(&place.path().join("heap.toml"), "heap_malloc", "heap_allocate");
    drifts(place.path(), &["check", "vendored"], &[("stale", "vendored/linux/shim.c")]);
    edit(&place.path().join("heap.toml"), "heap_allocate", "heap_malloc");
    drifts(place.path(), &["check", "."], &[("stale", "./generated/heap/linux/shim.c")]);
    // The folder itself may be the link: markers hold paths from where it really is.
    symlink("generated/heap/linux", place.path().join("shim")).unwrap();
    edit(&place.path().join("heap.toml"), "heap_malloc", "heap_allocate");
    drifts(place.path(), &["check", "shim"], &[("stale", "shim/shim.c")]);
}

#[test]
fn a_folder_of_another_name_is_mended_where_it_is() {
    let place = folder();
    let at = place.path();
    run(at, &["generate", "-p", "linux", "-a", "simple_heap", "-o", "third party"]).exits(0);
    fs::rename(at.join("third party/linux"), at.join("third party/shim")).unwrap();
    run(at, &["check", "third party"]).exits(0);
    edit(&at.join("third party/shim/shim.c"), "stddef", "stdlib");
    drifts(at, &["check", "third party"], &[("hand-edited", "third party/shim/shim.c")]);
    assert!(!at.join("third party/linux").exists());
}

#[test]
fn nothing_to_check_is_no_agreement() {
    let place = folder();
    check(place.path()).exits(2).says(&["generated"]);
    fs::create_dir(place.path().join("generated")).unwrap();
    fs::write(place.path().join("generated/mine.c"), "int mine;\n").unwrap();
    check(place.path()).exits(2).says(&["error[A8305]", "render them first"]);
}

#[test]
fn a_deleted_description_is_an_error_and_never_the_convention() {
    let place = project();
    run(place.path(), &["generate", "-p", "linux", "-a", "simple_heap"]).exits(0);
    fs::remove_file(place.path().join("heap.toml")).unwrap();
    let shim = "generated/simple_heap/linux/shim.c";
    edit(&place.path().join(shim), "stddef", "stdlib");
    let ran = check(place.path()).exits(2).says(&["error[A8109]", "heap.toml"]);
    assert!(!ran.err.contains("A8904"), "{}", ran.all());
    // The other folder is told about all the same.
    assert!(ran.out.contains(&format!("hand-edited   A8313  {shim}")), "{}", ran.all());
    fs::remove_dir_all(place.path().join("generated/simple_heap")).unwrap();
    let ran = check(place.path()).exits(2);
    assert!(!ran.err.contains("everything agrees"), "{}", ran.all());
}

#[test]
fn a_broken_description_is_an_error_with_its_place() {
    let place = project();
    edit(&place.path().join("heap.toml"), "free =", "fre =");
    check(place.path()).exits(2).says(&["error[A8002]", "did you mean `free`?", "heap.toml:4"]);
}

#[test]
fn the_convention_is_remembered_by_the_marker() {
    let place = folder();
    run(place.path(), &["generate", "-p", "linux", "-a", "anyone"]).exits(0).says(&["A8904"]);
    check(place.path()).exits(0);
    let shim = "generated/anyone/linux/shim.c";
    edit(&place.path().join(shim), "stddef", "stdlib");
    drifts(place.path(), &["check"], &[("hand-edited", shim)]);
}

#[test]
fn one_folder_with_two_configurations_is_refused() {
    let place = project();
    run(place.path(), &["generate", "-p", "linux", "-a", "simple_heap"]).exits(0);
    let other = place.path().join("generated/simple_heap/linux/shim.c");
    fs::copy(other, place.path().join("generated/heap/linux/other.c")).unwrap();
    check(place.path()).exits(2).says(&["error[A8306]", "generated/heap/linux"]);
}

#[test]
fn json_lists_every_file_and_the_command() {
    let place = project();
    let objects = run(place.path(), &["check", "--format", "json"]).exits(0).json();
    assert_eq!((objects.len(), &objects[0]["agrees"]), (1, &true.into()));
    edit(&place.path().join("heap.toml"), "heap_malloc", "heap_allocate");
    fs::remove_file(place.path().join(MAP)).unwrap();
    let objects = run(place.path(), &["check", "--format", "json"]).exits(1).json();
    let of = |file: &str| objects.iter().find(|o| o["file"] == file).unwrap();
    assert_eq!((&of(SHIM)["state"], &of(MAP)["state"]), (&"stale".into(), &"missing".into()));
    assert!(
        of(SHIM)["diff"].as_str().unwrap().contains("+extern void *heap_allocate(size_t size);")
    );
    let last = objects.last().unwrap();
    assert_eq!((&last["agrees"], &last["drifts"]), (&false.into(), &2.into()));
    mends(place.path(), last["mend"][0].as_str().unwrap());
    check(place.path()).exits(0);
}

#[test]
fn github_gets_an_annotation_a_file() {
    let place = project();
    edit(&place.path().join(SHIM), "stddef", "stdlib");
    let ran = run(place.path(), &["check", "--format", "github"]).exits(1);
    let command = "alloc8-gen generate -p linux -a heap.toml";
    let place = format!("title=A8313,file={SHIM},line=");
    assert!(ran.out.starts_with(&format!("::error {place}")), "{}", ran.all());
    assert!(ran.out.ends_with(&format!("::hand-edited: run `{command}`\n")), "{}", ran.all());
}

#[test]
fn paths_in_markers_are_relative_and_portable() {
    let place = project();
    for entry in fs::read_dir(place.path().join("generated/heap/linux")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let marker = text.lines().find(|line| line.contains("alloc8 = {")).unwrap();
        assert!(marker.contains("allocator = \"../../../heap.toml\""), "{marker}");
        assert!(!text.contains(place.path().to_str().unwrap()), "{marker}");
    }
}

#[test]
fn a_moved_project_agrees() {
    let place = project();
    let new = folder();
    for name in ["heap.toml", "generated"] {
        fs::rename(place.path().join(name), new.path().join(name)).unwrap();
    }
    check(new.path()).exits(0);
}

#[test]
fn half_the_options_are_refused() {
    let place = project();
    run(place.path(), &["check", "-p", "linux"]).exits(2).says(&["error[A8909]"]);
}

#[test]
fn quiet_says_nothing_of_agreement() {
    let place = project();
    let ran = Ran::new(tool(place.path()).args(["check", "-q"])).exits(0);
    assert!(ran.out.is_empty() && ran.err.is_empty(), "{}", ran.all());
}

#[test]
fn a_narrowed_rendering_remembers_its_target() {
    let place = project();
    let target = ["--target", "x86_64-linux-gnu"];
    let narrow = ["generate", "-p", "linux", "-a", "heap.toml", "-o", "narrow"];
    run(place.path(), &[&narrow[..], &target].concat()).exits(0);
    assert!(!place.path().join("narrow/linux/symbols.ilp32.txt").exists());
    run(place.path(), &["check", "narrow"]).exits(0);
    fs::remove_file(place.path().join("narrow/linux/symbols.lp64.txt")).unwrap();
    let ran = run(place.path(), &["check", "narrow"]).exits(1);
    let mend = ran.out.lines().last().unwrap();
    assert!(mend.ends_with("--target x86_64-linux-gnu -o narrow"), "{mend}");
    mends(place.path(), mend);
    run(place.path(), &["check", "narrow"]).exits(0);
}

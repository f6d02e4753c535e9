//! CMake makes what changed, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::project::{
    ARCHIVE, CMAKE, JOINED, LIBRARY, MAKE, NINJA, PROGRAM, Project, SHIM, SOURCE, TOOL, command,
    edit, failed, finish, have, is_direct, modified, succeeded, takes_effect, text, touch,
};
use crate::common::skip;

/// Every input and what must be made anew when it changes, no more and no less.
const DEPENDENTS: &[(&str, &[&str])] = &[
    ("alloc8/linux/shim.c", &[SHIM, JOINED, LIBRARY]),
    ("alloc8/linux/exports.lp64.map", &[LIBRARY]),
    ("alloc8/linux/symbols.lp64.txt", &[LIBRARY]),
    ("alloc8/linux/alloc8.cmake", &[JOINED, LIBRARY]),
    ("alloc8/linux/alloc8.mk", &[]),
    ("block_heap.cpp", &[SOURCE, ARCHIVE, JOINED, LIBRARY]),
    ("block_heap.h", &[SOURCE, ARCHIVE, JOINED, LIBRARY]),
    ("block_heap.toml", &[]),
    ("test/strings.cpp", &[PROGRAM]),
    ("CMakeLists.txt", &[]),
];

fn builds_and_rebuilds(generator: &str, nothing_to_do: fn(&str) -> bool) {
    let project = Project::new("made").configured(&["-G", generator]);
    succeeded(&project.build(&[]));
    assert!(is_direct(&project.library()));
    takes_effect(&project.library(), &project.build.join(PROGRAM));
    let test = finish(command("ctest").current_dir(&project.build).arg("--output-on-failure"));
    succeeded(&test);

    let again = project.build(&[]);
    succeeded(&again);
    assert!(nothing_to_do(&text(&again)), "{}", text(&again));
    assert_eq!(project.rebuilt(), BTreeSet::new());
    for (input, dependents) in DEPENDENTS {
        // A 32-bit host has other lists.
        let input = match cfg!(target_pointer_width = "32") {
            true => input.replace("lp64", "ilp32"),
            false => (*input).to_owned(),
        };
        touch(&project.source.join(&input));
        assert_eq!(project.rebuilt(), dependents.iter().copied().collect(), "touched {input}");
        assert_eq!(project.rebuilt(), BTreeSet::new(), "after {input}");
    }
    a_lost_export_fails_the_build(&project);
}

/// It fails each time, not only the first, and passes when the cause is gone.
fn a_lost_export_fails_the_build(project: &Project) {
    let map = project.source.join("alloc8/linux/exports.lp64.map");
    edit(&map, "    malloc;\n", "");
    edit(&map, "    calloc;\n", "");
    for _ in 0..2 {
        let output = project.build(&[]);
        let said = text(&output);
        let names = said.split("without a version,").nth(1).expect("says so").trim_start();
        assert!(!output.status.success() && names.starts_with("calloc malloc."), "{said}");
        assert!(!project.library().exists());
    }
    edit(&map, "    cfree;\n", "    calloc;\n    cfree;\n");
    edit(&map, "    malloc_info;\n", "    malloc;\n    malloc_info;\n");
    succeeded(&project.build(&[]));
    // A version node binds nothing to the references of programs that want another version.
    edit(&map, "{\n  global:", "BLOCK_HEAP_1 {\n  global:");
    failed(&project.build(&[]), "without a version,");
    edit(&map, "BLOCK_HEAP_1 {", "{");
    succeeded(&project.build(&[]));
}

#[test]
fn cmake_with_ninja_makes_what_changed_and_nothing_else() {
    if have("fragments-ninja", &[CMAKE, NINJA]) {
        builds_and_rebuilds("Ninja", |said| said.contains("no work to do"));
    }
}

#[test]
fn cmake_with_make_makes_what_changed_and_nothing_else() {
    if have("fragments-make", &[CMAKE, MAKE]) {
        builds_and_rebuilds("Unix Makefiles", |said| {
            !said.contains("Building") && !said.contains("Linking") && !said.contains("Joining")
        });
    }
}

#[test]
fn each_configuration_of_one_build_has_its_own() {
    if !have("fragments-multi-config", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let output = project.configure(&["-G", "Ninja Multi-Config"]);
    // The generator itself came with CMake 3.17, and output names by configuration with 3.20.
    if !output.status.success() {
        return skip("fragments-multi-config", "CMake 3.20 or newer");
    }
    for configuration in ["Debug", "Release"] {
        succeeded(&project.build(&["--config", configuration]));
        let again = project.build(&["--config", configuration]);
        assert!(text(&again).contains("no work to do"), "{}", text(&again));
        assert!(is_direct(&project.build.join(configuration).join(LIBRARY)));
    }
}

#[test]
fn init_writes_a_cmake_project_that_builds() {
    if !have("fragments-init", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made").configured(&["-G", "Ninja"]);
    succeeded(&project.build(&["--target", "block_heap"]));
    let folder = project.build.parent().expect("there").join("own");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(project.build.join(ARCHIVE), folder.join(ARCHIVE)).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let cache = project.build.join("cache");
        finish(command(program).current_dir(&folder).env("XDG_CACHE_HOME", cache).args(arguments))
    };
    let init = ["init", "block_heap", "--lib", ARCHIVE, "--cmake"];
    succeeded(&run(TOOL, &init));
    succeeded(&run(TOOL, &["generate", "-p", "linux", "-a", "block_heap"]));
    succeeded(&run("cmake", &["-G", "Ninja", "-B", "build", "-DALLOC8_GEN="]));
    succeeded(&run("cmake", &["--build", "build"]));
    let library = folder.join("build").join(LIBRARY);
    assert!(is_direct(&library));
    takes_effect(&library, Path::new("/bin/ls"));
    // The archive is an input too.
    let before = modified(&library);
    touch(&folder.join(ARCHIVE));
    succeeded(&run("cmake", &["--build", "build"]));
    assert_ne!(before, modified(&library));
}

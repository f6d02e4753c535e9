//! Meson makes what changed, and nothing else: `examples/vendored_meson`, copied and built without the tool.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::install::{PKG_CONFIG, is_installed};
use super::project::{
    LIBRARY, MESON, NINJA, PROGRAM, TOOL, command, copy, edit, failed, finish, have, is_direct,
    modified, succeeded, takes_effect, text, touch,
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/vendored_meson");

const SHIM: &str = "alloc8/linux/libblock_heap_preload_shim.a.p/shim.c.o";
const SOURCE: &str = "libblock_heap.a.p/block_heap.cpp.o";
const ARCHIVE: &str = "libblock_heap.a";
const JOINED: &str = "alloc8/linux/block_heap_preload.joined.o";
const BUILT: &str = "alloc8/linux/libblock_heap_preload.so";
const CHECKED: &str = "alloc8/linux/block_heap_preload.checked";

/// Every input and what must be made anew when it changes, no more and no less.
const DEPENDENTS: &[(&str, &[&str])] = &[
    ("alloc8/linux/shim.c", &[SHIM, JOINED, BUILT, CHECKED]),
    ("alloc8/linux/exports.lp64.map", &[BUILT, CHECKED]),
    ("alloc8/linux/symbols.lp64.txt", &[BUILT, CHECKED]),
    ("alloc8/linux/meson.build", &[JOINED, BUILT, CHECKED]),
    ("alloc8/linux/alloc8.mk", &[]),
    ("block_heap.cpp", &[SOURCE, ARCHIVE, JOINED, BUILT, CHECKED]),
    ("block_heap.toml", &[]),
    ("test/strings.cpp", &[PROGRAM]),
];

struct Project {
    _temporary: tempfile::TempDir,
    source: PathBuf,
    build: PathBuf,
}

impl Project {
    /// Below a path that quotes badly.
    fn new() -> Project {
        let temporary = tempfile::tempdir().expect("a folder");
        let root = temporary.path().join("größer als");
        let source = root.join("vendored");
        copy(Path::new(EXAMPLE), &source);
        Project { build: root.join("made by meson"), source, _temporary: temporary }
    }

    fn meson(&self, words: &[&str]) -> Output {
        finish(command("meson").args(words).current_dir(&self.source))
    }

    fn configure(&self, more: &[&str]) -> Output {
        let build = self.build.to_str().expect("UTF-8");
        self.meson(&[&["setup", build][..], more].concat())
    }

    fn build(&self, targets: &[&str]) -> Output {
        finish(command("ninja").arg("-C").arg(&self.build).args(targets))
    }

    fn library(&self) -> PathBuf {
        self.build.join(BUILT)
    }

    fn rebuilt(&self) -> BTreeSet<&'static str> {
        let outputs = [SHIM, SOURCE, ARCHIVE, JOINED, BUILT, CHECKED, PROGRAM];
        let before = outputs.map(|name| modified(&self.build.join(name)));
        succeeded(&self.build(&[]));
        let after = outputs.map(|name| modified(&self.build.join(name)));
        (0..outputs.len()).filter(|at| before[*at] != after[*at]).map(|at| outputs[at]).collect()
    }
}

#[test]
fn meson_makes_what_changed_and_nothing_else() {
    if !have("fragments-meson", &[MESON, NINJA]) {
        return;
    }
    let project = Project::new();
    succeeded(&project.configure(&[]));
    // It makes what its tests depend on, and no more.
    let build = project.build.to_str().expect("UTF-8");
    succeeded(&project.meson(&["test", "-C", build, "--print-errorlogs"]));
    assert!(project.build.join(CHECKED).exists(), "tested unchecked");
    succeeded(&project.build(&[]));
    assert!(is_direct(&project.library()));
    takes_effect(&project.library(), &project.build.join(PROGRAM));

    let again = project.build(&[]);
    assert!(text(&again).contains("no work to do"), "{}", text(&again));
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

    // It fails each time, not only the first, and passes when the cause is gone.
    let map = project.source.join("alloc8/linux/exports.lp64.map");
    edit(&map, "    malloc;\n", "");
    for _ in 0..2 {
        failed(&project.build(&[]), "does not export, without a version: malloc");
        assert!(!project.library().exists());
    }
    edit(&map, "    malloc_info;\n", "    malloc;\n    malloc_info;\n");
    succeeded(&project.build(&[]));
    failed(&project.build(&["alloc8_check_block_heap_linux"]), "needs alloc8-gen");
}

#[test]
fn meson_with_flags_of_the_project_loses_nothing() {
    if !have("fragments-meson", &[MESON, NINJA]) {
        return;
    }
    let project = Project::new();
    let hardening = "-fstack-protector-strong -D_FORTIFY_SOURCE=2";
    succeeded(&project.configure(&[
        "-Db_lto=true",
        "-Db_pie=true",
        "-Dwerror=true",
        "-Dwarning_level=3",
        &format!("-Dc_args={hardening}"),
        &format!("-Dcpp_args={hardening}"),
        "-Dc_link_args=-Wl,-Bsymbolic-functions,--gc-sections",
    ]));
    succeeded(&project.build(&[]));
    assert!(is_direct(&project.library()));
    takes_effect(&project.library(), &project.build.join(PROGRAM));
}

#[test]
fn meson_jumps_and_installs_where_it_is_told_to() {
    if !have("fragments-meson", &[MESON, NINJA, PKG_CONFIG]) {
        return;
    }
    let project = Project::new();
    let subdir = "subdir('alloc8/linux')";
    let more =
        format!("alloc8_direct = false\nalloc8_install = true\nalloc8_version = '1.2.3'\n{subdir}");
    edit(&project.source.join("meson.build"), subdir, &more);
    let options = ["--prefix=/usr", "--libdir=lib", "-Dpkgconfig.relocatable=true"];
    succeeded(&project.configure(&options));
    let root = tempfile::tempdir().expect("a folder");
    succeeded(&finish(
        command("ninja").arg("-C").arg(&project.build).arg("install").env("DESTDIR", root.path()),
    ));
    is_installed(root.path());
    assert!(!is_direct(&root.path().join("usr/lib").join(LIBRARY)));
}

#[test]
fn meson_with_a_sanitizer_keeps_its_malloc() {
    if !have("fragments-meson", &[MESON, NINJA]) {
        return;
    }
    let project = Project::new();
    let output = project.configure(&["-Db_sanitize=address,undefined", "-Db_lundef=false"]);
    succeeded(&output);
    assert!(text(&output).contains("interposes nothing"), "{}", text(&output));
    succeeded(&project.build(&[]));
    let names = finish(command("nm").args(["-D", "--defined-only"]).arg(project.library()));
    assert!(!text(&names).contains(" malloc"), "{}", text(&names));
}

/// As `command` finds no tool, it is put before the rest of PATH.
#[test]
fn meson_has_the_tool_judge_when_it_is_there() {
    if !have("fragments-meson", &[MESON, NINJA]) {
        return;
    }
    let project = Project::new();
    let bin = project.source.join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(TOOL, bin.join("alloc8-gen")).unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin)
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )
    .unwrap();
    let meson = |program: &str, words: &[&str]| {
        finish(Command::new(program).args(words).current_dir(&project.source).env("PATH", &path))
    };
    let build = project.build.to_str().expect("UTF-8");
    succeeded(&meson("meson", &["setup", build]));
    succeeded(&meson("ninja", &["-C", build]));
    let check = ["-C", build, "alloc8_check_block_heap_linux"];
    succeeded(&meson("ninja", &check));
    // nm cannot see this: the stack becomes executable.
    succeeded(&meson("meson", &["configure", build, "-Dc_link_args=-Wl,-z,execstack"]));
    let fragment = project.source.join("alloc8/linux/meson.build");
    edit(&fragment, ",-z,noexecstack", "");
    failed(&meson("ninja", &["-C", build]), "verify found a difference");
    assert!(!project.library().exists());
    failed(&meson("ninja", &check), "meson.build");
}

#[test]
fn the_example_for_meson_agrees_with_its_description() {
    let output = finish(Command::new(TOOL).args(["check", EXAMPLE]));
    succeeded(&output);
    assert!(text(&output).contains("everything agrees"), "{}", text(&output));
}

//! The build fragments in other people's builds: `examples/vendored_cmake` is copied somewhere and
//! built without the tool, and every build of it is asked what it did.
#![cfg(target_os = "linux")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, SystemTime},
};

use common::skip;
use tempfile::TempDir;

const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/vendored_cmake");
const LIBRARY: &str = "libblock_heap_preload.so";
const SHIM: &str = "CMakeFiles/block_heap_preload_shim.dir/alloc8/linux/shim.c.o";
const SOURCE: &str = "CMakeFiles/block_heap.dir/block_heap.cpp.o";
const ARCHIVE: &str = "libblock_heap.a";
const JOINED: &str = "block_heap_preload.joined.o";
const PROGRAM: &str = "strings";

/// A copy of the example, and the folder that it is built in.
struct Project {
    _temporary: TempDir,
    source: PathBuf,
    build: PathBuf,
}

impl Project {
    /// Below a path that quotes badly.
    fn new(build: &str) -> Project {
        let temporary = tempfile::tempdir().expect("a folder");
        let root = temporary.path().join("größer als");
        let source = root.join("vendored");
        copy(Path::new(EXAMPLE), &source);
        Project { build: root.join(build), source, _temporary: temporary }
    }

    fn configure(&self, more: &[&str]) -> Output {
        let mut command = command("cmake");
        // An empty ALLOC8_GEN is not looked for: the tool is not installed.
        command.arg("-S").arg(&self.source).arg("-B").arg(&self.build).arg("-DALLOC8_GEN=");
        finish(command.args(more))
    }

    fn build(&self, more: &[&str]) -> Output {
        finish(command("cmake").arg("--build").arg(&self.build).args(more))
    }

    fn configured(self, more: &[&str]) -> Project {
        succeeded(&self.configure(more));
        self
    }

    fn library(&self) -> PathBuf {
        self.build.join(LIBRARY)
    }

    /// Which of the outputs have been written since.
    fn outputs(&self) -> BTreeMap<&'static str, SystemTime> {
        [SHIM, SOURCE, ARCHIVE, JOINED, LIBRARY, PROGRAM]
            .into_iter()
            .map(|name| (name, modified(&self.build.join(name))))
            .collect()
    }

    fn rebuilt(&self) -> BTreeSet<&'static str> {
        let before = self.outputs();
        succeeded(&self.build(&[]));
        let after = self.outputs();
        before.keys().copied().filter(|name| before[name] != after[name]).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let name = entry.file_name();
        if entry.path().is_dir() {
            if name != "build" {
                copy(&entry.path(), &to.join(name));
            }
        } else {
            fs::copy(entry.path(), to.join(name)).expect("copied");
        }
    }
}

/// A command that finds no alloc8-gen and takes no flags from whoever runs the tests.
fn command(program: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let without = std::env::split_paths(&path).filter(|dir| !dir.join("alloc8-gen").exists());
    let path: OsString = std::env::join_paths(without).expect("as it was");
    let mut command = Command::new(program);
    command.env("PATH", path);
    for name in
        ["CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LD_PRELOAD", "MAKEFLAGS"]
    {
        command.env_remove(name);
    }
    command
}

fn finish(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    // CMake wraps what it says to the width of a terminal.
    String::from_utf8_lossy(&both).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn failed(output: &Output, says: &str) {
    assert!(!output.status.success(), "{}", text(output));
    assert!(text(output).contains(says), "{}", text(output));
}

fn modified(file: &Path) -> SystemTime {
    let data = fs::metadata(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    data.modified().expect("known")
}

fn touch(file: &Path) {
    thread::sleep(Duration::from_millis(20));
    let file = fs::File::options().append(true).open(file).expect("there");
    file.set_modified(SystemTime::now()).expect("set");
}

fn edit(file: &Path, from: &str, to: &str) {
    thread::sleep(Duration::from_millis(20));
    let text = fs::read_to_string(file).expect("there");
    assert!(text.contains(from), "{}", file.display());
    fs::write(file, text.replacen(from, to, 1)).expect("written");
}

/// Whether the programs are there; says how to get them if not.
fn have(test: &str, programs: &[(&str, &str)]) -> bool {
    programs.iter().all(|(program, package)| {
        let there = Command::new(program).arg("--version").output().is_ok();
        if !there {
            skip(test, &format!("apt-get install {package}"));
        }
        there
    })
}

const CMAKE: (&str, &str) = ("cmake", "cmake");
const NINJA: (&str, &str) = ("ninja", "ninja-build");
const MAKE: (&str, &str) = ("make", "make");

/// Runs a program under the library, and has the dynamic linker say who answers `malloc`.
#[track_caller]
fn takes_effect(library: &Path, program: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join(LIBRARY); // LD_PRELOAD splits at spaces
    std::os::unix::fs::symlink(library, &link).expect("linked");
    let output = finish(
        command(program.to_str().expect("UTF-8"))
            .env("LD_PRELOAD", &link)
            .env("LD_BIND_NOW", "1")
            .env("LD_DEBUG", "bindings"),
    );
    succeeded(&output);
    let bindings = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut references = 0;
    for line in bindings.lines().filter(|line| line.contains("normal symbol `malloc'")) {
        // The dynamic linker itself, and whoever looks for the next definition, are not programs.
        assert!(line.contains(&format!("to {} [0]", link.display())), "{line}");
        references += 1;
    }
    assert!(references > 0, "{bindings}");
}

/// The public name is the allocator's function: two names of one address.
fn is_direct(library: &Path) -> bool {
    let output = finish(command("nm").arg(library));
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let address = |name: &str| {
        names
            .lines()
            .find(|line| line.ends_with(&format!(" {name}")))
            .and_then(|line| line.split(' ').next().map(str::to_owned))
            .unwrap_or_else(|| panic!("no {name} in {names}"))
    };
    address("malloc") == address("block_heap_malloc")
}

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
fn the_example_agrees_with_its_description() {
    let output = finish(Command::new(TOOL).args(["check", EXAMPLE]));
    succeeded(&output);
    assert!(text(&output).contains("everything agrees"), "{}", text(&output));
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
fn promises_of_the_example_hold() {
    if !have("fragments-promises", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made").configured(&["-G", "Ninja"]);
    succeeded(&project.build(&["--target", "block_heap"]));
    let output = finish(
        command(TOOL)
            .args(["build", "--allocator"])
            .arg(project.source.join("block_heap.toml"))
            .arg("--lib")
            .arg(project.build.join(ARCHIVE))
            .arg("-o")
            .arg(project.build.join("by_the_tool.so"))
            .env("XDG_CACHE_HOME", &project.build),
    );
    succeeded(&output);
    assert!(!text(&output).contains("not measured"), "{}", text(&output));
}

/// What distributions and projects add to their flags.
const HARDENING: &str =
    "-O2 -g -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -fPIE";

#[test]
fn flags_of_the_project_lose_nothing() {
    if !have("fragments-flags", &[CMAKE, NINJA]) {
        return;
    }
    for (compiler, cxx) in [("gcc", "g++"), ("clang", "clang++")] {
        if !have(&format!("fragments-flags-{compiler}"), &[(compiler, compiler)]) {
            continue;
        }
        for linker in ["bfd", "lld", "mold", "gold"] {
            if !have(&format!("fragments-linker-{linker}"), &[(&format!("ld.{linker}"), linker)]) {
                continue;
            }
            let project = Project::new("made").configured(&[
                "-G",
                "Ninja",
                &format!("-DCMAKE_C_COMPILER={compiler}"),
                &format!("-DCMAKE_CXX_COMPILER={cxx}"),
                "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON",
                &format!("-DCMAKE_C_FLAGS={HARDENING} -flto"),
                &format!("-DCMAKE_CXX_FLAGS={HARDENING} -flto -fvisibility-inlines-hidden"),
                &format!(
                    "-DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld={linker} -Wl,--as-needed -Wl,-Bsymbolic-functions -Wl,--gc-sections -Wl,-z,relro"
                ),
            ]);
            succeeded(&project.build(&["-v"]));
            assert!(is_direct(&project.library()), "{compiler} {linker}");
            takes_effect(&project.library(), &project.build.join(PROGRAM));
            let verify = finish(command(TOOL).arg("verify").arg(project.library()));
            succeeded(&verify);
        }
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
fn hidden_functions_are_jumped_to() {
    if !have("fragments-hidden", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let output = project.configure(&["-G", "Ninja", "-DCMAKE_CXX_VISIBILITY_PRESET=hidden"]);
    succeeded(&output);
    assert!(text(&output).contains("jumps to block_heap"), "{}", text(&output));
    succeeded(&project.build(&[]));
    assert!(!is_direct(&project.library()));
    takes_effect(&project.library(), &project.build.join(PROGRAM));

    // Whoever insists is told by the check after the link.
    let call = "alloc8_interpose(block_heap_preload block_heap";
    edit(&project.source.join("CMakeLists.txt"), call, &format!("{call} DIRECT ON"));
    failed(&project.build(&[]), "say DIRECT OFF");
}

#[test]
fn what_cannot_become_a_shared_library_is_refused_with_words() {
    if !have("fragments-refused", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let output = project.configure(&["-G", "Ninja", "-DCMAKE_POSITION_INDEPENDENT_CODE=OFF"]);
    failed(&output, "POSITION_INDEPENDENT_CODE is off for block_heap");
    let project = Project::new("made");
    edit(&project.source.join("CMakeLists.txt"), "block_heap STATIC", "block_heap SHARED");
    failed(&project.configure(&["-G", "Ninja"]), "must be a STATIC library");
}

#[test]
fn sanitizers_keep_their_own_malloc() {
    if !have("fragments-sanitizer", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let flags = ["-DCMAKE_C_FLAGS=-fsanitize=address", "-DCMAKE_CXX_FLAGS=-fsanitize=address"];
    let output = project.configure(&["-G", "Ninja", flags[0], flags[1]]);
    succeeded(&output);
    assert!(text(&output).contains("interposes nothing"), "{}", text(&output));
    succeeded(&project.build(&[]));
    let names = finish(command("nm").args(["-D", "--defined-only"]).arg(project.library()));
    assert!(!text(&names).contains(" malloc"), "{}", text(&names));
}

#[test]
fn the_check_target_needs_the_tool_and_finds_drift() {
    if !have("fragments-check", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made").configured(&["-G", "Ninja"]);
    let check = || project.build(&["--target", "alloc8_check"]);
    failed(&check(), "alloc8_check needs alloc8-gen");
    succeeded(&project.configure(&[&format!("-DALLOC8_GEN={TOOL}")]));
    succeeded(&check());
    succeeded(&project.build(&[])); // and verify after the link agrees
    edit(&project.source.join("alloc8/linux/shim.c"), "return", "return ");
    failed(&check(), "shim.c");
}

#[test]
fn the_tool_judges_after_the_link_when_it_is_there() {
    if !have("fragments-verify", &[CMAKE, NINJA]) {
        return;
    }
    let tool = format!("-DALLOC8_GEN={TOOL}");
    let project = Project::new("made").configured(&["-G", "Ninja", &tool]);
    // nm cannot see this: the stack becomes executable.
    let call = "alloc8_interpose(block_heap_preload block_heap)";
    let more =
        format!("{call}\ntarget_link_options(block_heap_preload PRIVATE LINKER:-z,execstack)");
    edit(&project.source.join("CMakeLists.txt"), call, &more);
    failed(&project.build(&[]), "verify found a difference");
    assert!(!project.library().exists());
}

#[test]
fn the_macro_and_the_options_go_together() {
    let project = Project::new("by hand");
    fs::create_dir_all(&project.build).unwrap();
    let cc = |arguments: &[&str]| finish(command("cc").current_dir(&project.build).args(arguments));
    let shim = project.source.join("alloc8/linux/shim.c");
    let shim = shim.to_str().expect("UTF-8");
    let source = project.source.join("block_heap.cpp");
    let source = source.to_str().expect("UTF-8");
    let cxx = ["-std=c++17", "-fPIC", "-fno-exceptions", "-fno-rtti", "-c", source, "-o", "heap.o"];
    succeeded(&cc(&cxx));
    succeeded(&cc(&["-fPIC", "-c", shim, "-o", "jump.o"]));
    succeeded(&cc(&["-fPIC", "-DALLOC8_DIRECT", "-c", shim, "-o", "direct.o"]));
    let alias = "-Wl,--defsym=malloc=block_heap_malloc";
    let option = "-Wl,--defsym=alloc8_direct_options=alloc8_direct_macro";

    succeeded(&cc(&["-shared", "-o", "jump.so", "jump.o", "heap.o"]));
    failed(&cc(&["-shared", "-o", "no.so", "direct.o", "heap.o"]), "alloc8_direct_options");
    for linker in ["bfd", "lld", "gold"] {
        if !have(&format!("fragments-linker-{linker}"), &[(&format!("ld.{linker}"), linker)]) {
            continue;
        }
        let join = format!("-fuse-ld={linker}");
        let join = [join.as_str(), "-r", "-nostdlib", alias, option, "heap.o", "-o", "joined.o"];
        succeeded(&cc(&[&join[..], &["direct.o"]].concat()));
        failed(&cc(&[&join[..], &["jump.o"]].concat()), "");
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

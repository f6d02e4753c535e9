//! Functions under a prefix beside the system's malloc (`--mode prefixed`): two such heaps live in one
//! program, nobody's malloc is taken over, and the laws hold by name under the sanitizers.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, unreachable_pub, reason = "shared with the harness of the probe")]
mod heaps;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use alloc8_gen::{
    allocator::{self, Allocator},
    artifact::SharedObject,
    laws::{self, Compilers, Lang, Outcome, Workshop},
    plan::Plan,
    render::{self, Inputs},
    spec,
    toolchain::Compiler,
};
use tempfile::TempDir;

const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

fn tool() -> Command {
    let mut command = Command::new(TOOL);
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command
}

fn fixture(file: &str) -> PathBuf {
    heaps::root().join("tests/fixtures/prefixed").join(file)
}

fn finish(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        common::skip(program, "apt-get install gcc g++ clang");
    }
    found
}

/// The shim and its header, rendered into a folder.
fn rendered(allocator: &Allocator, prefix: &str, folder: &Path) {
    let inputs = Inputs {
        mode: "prefixed".to_owned(),
        prefix: Some(prefix.to_owned()),
        ..Inputs::interposer("linux", &allocator.name)
    };
    let (plan, _) = Plan::new(&spec::platform("linux").unwrap(), allocator).unwrap();
    for (name, text) in render::render(&plan, &inputs).unwrap() {
        fs::write(folder.join(name), text).unwrap();
    }
}

fn simple_heap() -> Allocator {
    allocator::built_in("simple_heap").unwrap().unwrap()
}

#[test]
fn the_shim_and_its_header_are_clean_in_c_and_cpp() {
    let work = TempDir::new().unwrap();
    let all = [simple_heap(), allocator::convention("unpromising").unwrap()];
    for allocator in &all {
        rendered(allocator, "my", work.path());
        let user = work.path().join("user.c");
        fs::write(&user, "#include \"my.h\"\n#include \"my.h\"\nextern int user;\n").unwrap();
        for (driver, standard, file) in [
            ("gcc", "-std=c11", "shim.c"),
            ("clang", "-std=c11", "shim.c"),
            ("gcc", "-std=c11", "user.c"),
            ("g++", "-std=c++17", "user.c"),
            ("g++", "-std=c++20", "user.c"),
            ("clang++", "-std=c++17", "user.c"),
            ("clang++", "-std=c++20", "user.c"),
        ] {
            if !installed(driver) {
                continue;
            }
            let mut command = Command::new(driver);
            command.current_dir(work.path()).args(STRICT).args([standard, "-O2", "-c"]);
            if driver.contains("++") {
                command.args(["-x", "c++"]);
            }
            heaps::run(command.args([file, "-o", "out.o"]));
        }
    }
}

/// One heap as an archive and one as a shared object, or both as archives.
fn two(folder: &Path, second: &str) {
    let mut one = tool();
    one.args(["build", "--mode", "prefixed", "--prefix", "one", "-o", "libone.a"]);
    heaps::run(one.current_dir(folder));
    let gcc = Compiler::find(Some("gcc"), None).unwrap();
    heaps::archive(&gcc, &[&heaps::heap("unpromising.c")], folder, &[]);
    let mut two = tool();
    two.args(["build", "--mode", "prefixed", "--prefix", "two_", "-a", "unpromising"]);
    heaps::run(two.args(["--lib", "libheap.a", "-o", second]).current_dir(folder));
    let mut link = Command::new("g++");
    link.args(["-std=c++17", "-O2", "-fno-builtin"]).args(STRICT).args(["-I.", "-pthread"]);
    link.arg(fixture("two.cpp")).args(["libone.a", second, "-Wl,-rpath,$ORIGIN", "-o", "program"]);
    heaps::run(link.current_dir(folder));
    heaps::run(&mut Command::new(folder.join("program")));
}

#[test]
fn two_heaps_live_beside_the_systems() {
    for second in ["libtwo.a", "libtwo.so"] {
        let work = TempDir::new().unwrap();
        two(work.path(), second);
        let data = fs::read(work.path().join("program")).unwrap();
        let program = SharedObject::read(&data).unwrap();
        assert!(!program.linked("one_malloc").is_empty());
        // The program's malloc is that of its libraries, and no function of a heap but those is seen.
        for name in ["malloc", "free", "realloc", "strdup"] {
            assert!(program.linked(name).is_empty(), "{name} is in the program");
        }
        let seen = |name: &str| {
            program
                .link_symbols
                .iter()
                .flatten()
                .any(|s| s.name == name && s.bind != alloc8_gen::artifact::Bind::Local)
        };
        assert!(!seen("simple_heap_malloc") && !seen("unpromising_malloc"));
    }
}

#[test]
fn a_shared_object_exports_the_names_of_its_list_alone() {
    let work = TempDir::new().unwrap();
    let mut build = tool();
    build.args(["build", "--mode", "prefixed", "--prefix", "my", "-o", "libmy.so"]);
    heaps::run(build.current_dir(work.path()));
    let data = fs::read(work.path().join("libmy.so")).unwrap();
    let library = SharedObject::read(&data).unwrap();
    let mut exported: Vec<_> = library.exports().map(|s| s.name.clone()).collect();
    exported.sort();
    rendered(&simple_heap(), "my", work.path());
    let list = fs::read_to_string(work.path().join("symbols.lp64.txt")).unwrap();
    let listed: Vec<_> = list.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(exported, listed);
    assert!(listed.contains(&"my_malloc") && listed.contains(&"my_strdup"), "{listed:?}");
}

/// Laws that are not about one function by its name, or not for sanitizers.
const WITHOUT: &[(&str, &str)] = &[
    ("calloc_does_not_truncate", "it looks the function up"),
    ("exit_handlers_may_free", "blocks of the C library"),
    (
        "fork_handlers_may_allocate",
        "its constructor registers before the shim's, and prepares after it",
    ),
    (
        "fork_handlers_registered_first_may_allocate",
        "no constructor of a heap beside the system's comes before the program's own",
    ),
    ("forked_children_may_allocate", "a child may wait for a lock of the sanitizer's own"),
    ("free_aligned_sized_frees", "it looks the function up"),
    ("free_keeps_errno", "it looks the functions up"),
    ("free_sized_frees", "it looks the function up"),
    ("libc_aliases_share_the_heap", "names of the C library"),
    ("malloc_info_rejects_options", "it answers for the C library's heap"),
    ("paths_from_libc_can_be_resized_and_freed", "blocks of the C library"),
    ("programs_may_bring_their_own_malloc", "nothing is interposed"),
    ("realloc_of_null_is_malloc", "it looks the function up"),
    ("strings_from_libc_can_be_resized_and_freed", "blocks of the C library"),
];

/// The laws hold by name, and the sanitizer is silent.
fn hold(allocator: &Allocator, source: &Path, sanitizer: &str, wanted: impl Fn(&str) -> bool) {
    let gcc = Compiler::find(Some("gcc"), None).expect("gcc is required");
    let work = TempDir::new().unwrap();
    rendered(allocator, "my", work.path());
    let sanitize = format!("-fsanitize={sanitizer}");
    let mut objects = Vec::new();
    for (number, file) in [&work.path().join("shim.c"), source].iter().enumerate() {
        let object = work.path().join(format!("{number}.o"));
        let mut compile = gcc.command();
        compile.args(["-O1", "-g", "-fno-sanitize-recover=all", "-c", &sanitize]).arg(file);
        heaps::run(compile.arg("-o").arg(&object));
        objects.push(object.display().to_string());
    }
    let by_name = fixture("by_name.h").display().to_string();
    let folder = format!("-I{}", work.path().display());
    let flags =
        ["-O1", "-g", "-fno-sanitize-recover=all", &sanitize, "-include", &by_name, &folder];
    let workshop = Workshop::new(Compilers::beside(&gcc), &flags, work.path()).unwrap();
    let workshop = workshop.carrying(&objects).with_patience(Duration::from_secs(60));
    let mut some = laws::laws(&spec::platform("linux").unwrap()).unwrap();
    some.retain(|law| law.lang == Lang::C && law.plugin.is_none() && wanted(&law.name));
    some.retain(|law| WITHOUT.iter().all(|(name, _)| *name != law.name));
    let judged = laws::check_with(&workshop, some, None, 2).unwrap();
    assert!(judged.len() >= 3, "too few laws: {}", judged.len());
    let wrong: Vec<_> = judged
        .into_iter()
        .filter(|(_, outcome)| *outcome != Outcome::Holds)
        .map(|(law, outcome)| format!("{}: {outcome:?}", law.name))
        .collect();
    assert!(wrong.is_empty(), "{} under {sanitizer}:\n{}", allocator.name, wrong.join("\n"));
}

#[test]
fn the_laws_hold_by_name_and_every_guard_is_clean_under_asan_and_ubsan() {
    let allocator = allocator::convention("unpromising").unwrap();
    hold(&allocator, &heaps::heap("unpromising.c"), "address,undefined", |_| true);
    if common::everything() {
        let source = heaps::root().join("examples/simple_heap/simple_heap.c");
        hold(&simple_heap(), &source, "address,undefined", |_| true);
    }
}

#[test]
fn threads_do_not_race_in_a_heap_under_tsan() {
    let source = heaps::root().join("examples/simple_heap/simple_heap.c");
    hold(&simple_heap(), &source, "thread", |name| {
        common::everything() || name.contains("thread") || name.contains("blocks")
    });
}

fn refused(arguments: &[&str], code: &str, words: &str) {
    let work = TempDir::new().unwrap();
    let output = finish(tool().args(arguments).current_dir(work.path()));
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(&format!("error[{code}]")) && text.contains(words), "{text}");
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0, "something was written");
}

#[test]
fn prefixes_that_make_no_names_or_anothers_are_refused() {
    let with = |prefix| {
        ["generate", "-p", "linux", "-a", "simple_heap", "--mode", "prefixed", "--prefix", prefix]
    };
    for prefix in ["", "_", "1st", "my-heap", "größe", "__libc", "alloc8"] {
        refused(&with(prefix), "A8232", "identifier");
    }
    refused(&with("simple_heap"), "A8233", "`simple_heap_malloc` is the allocator's own name");
    let plain = ["generate", "-p", "linux", "-a", "simple_heap"];
    refused(&[&plain[..], &["--mode", "prefixed"]].concat(), "A8235", "needs a prefix");
    refused(&[&plain[..], &["--prefix", "my"]].concat(), "A8235", "belongs to `--mode prefixed`");
    for lang in ["cpp", "rust"] {
        refused(&[&with("my")[..], &["--lang", lang]].concat(), "A8231", "extern \"C\"");
    }
}

/// What C++ shares between objects (COMDAT groups): the linker keeps one of equal name.
const INLINE: &str = "inline unsigned &turns() { static unsigned turns; return turns; }\n";

const HEAP_IN_CXX: &str = r#"#include <stddef.h>
extern "C" {
void *simple_heap_malloc(size_t size);
void *simple_heap_memalign(size_t alignment, size_t size);
void simple_heap_free(void *ptr);
size_t simple_heap_malloc_usable_size(void *ptr);
void *turning_malloc(size_t size) { turns()++; return simple_heap_malloc(size); }
void *turning_memalign(size_t alignment, size_t size) { return simple_heap_memalign(alignment, size); }
void turning_free(void *ptr) { turns()++; simple_heap_free(ptr); }
size_t turning_malloc_usable_size(void *ptr) { return simple_heap_malloc_usable_size(ptr); }
}
"#;

const USER_IN_CXX: &str = r#"#include "my.h"
int main()
{
    my_free(my_malloc(10));
    return turns() == 0 ? 0 : 1;
}
"#;

#[test]
fn what_a_heap_in_cpp_shares_with_programs_stays_its_own() {
    let work = TempDir::new().unwrap();
    let write = |file: &str, text: &str| {
        fs::write(work.path().join(file), format!("{INLINE}{text}")).unwrap();
    };
    write("heap.cpp", HEAP_IN_CXX);
    write("user.cpp", USER_IN_CXX);
    let here = |program: &str, words: &str| {
        let mut command = if program == TOOL { tool() } else { Command::new(program) };
        heaps::run(command.args(words.split(' ')).current_dir(work.path()));
    };
    let flags = "-O1 -fno-inline -fPIC -fno-exceptions -fno-threadsafe-statics";
    here("g++", &format!("{flags} -c heap.cpp -o heap.o"));
    let simple_heap = heaps::root().join("examples/simple_heap/simple_heap.c");
    heaps::run(
        Command::new("gcc").args(["-O2", "-fPIC", "-c"]).arg(simple_heap).current_dir(work.path()),
    );
    here("ar", "rcs libturning.a heap.o simple_heap.o");
    here(TOOL, "build --mode prefixed --prefix my -a turning --lib libturning.a -o libmy.a");
    here("g++", &format!("{flags} user.cpp libmy.a -o user"));
    heaps::run(&mut Command::new(work.path().join("user")));
}

#[test]
fn a_name_that_the_archive_has_beside_its_heap_is_not_given_twice() {
    let work = TempDir::new().unwrap();
    let source = work.path().join("own.c");
    let text = fs::read_to_string(heaps::heap("unpromising.c")).unwrap();
    fs::write(&source, text + "\nvoid *my_valloc(unsigned long size) { return (void *)size; }\n")
        .unwrap();
    let gcc = Compiler::find(Some("gcc"), None).unwrap();
    let archive = heaps::archive(&gcc, &[&source], work.path(), &[]);
    let lib: OsString = archive.into();
    let mut build = tool();
    build.args(["build", "--mode", "prefixed", "--prefix", "my", "-a", "unpromising", "--lib"]);
    let output = finish(build.arg(lib).arg("-o").arg(work.path().join("libmy.a")));
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("A8233") && text.contains("`my_valloc` is the archive's own"), "{text}");
}

#[test]
fn check_knows_the_prefix_and_mends_with_it() {
    let work = TempDir::new().unwrap();
    let mut generate = tool();
    generate.args(["-p", "linux", "-a", "simple_heap", "--mode", "prefixed", "--prefix", "my_"]);
    heaps::run(generate.args(["-o", "out"]).current_dir(work.path()));
    let check = || finish(tool().args(["check", "out"]).current_dir(work.path()));
    assert_eq!(check().status.code(), Some(0), "{}", said(&check()));
    fs::remove_file(work.path().join("out/linux-prefixed/my.h")).unwrap();
    let output = check();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let line = text.lines().last().unwrap_or_default();
    assert!(line.contains("--mode prefixed --prefix my"), "{text}");
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    heaps::run(tool().args(words).current_dir(work.path()));
    assert_eq!(check().status.code(), Some(0), "{}", said(&check()));
}

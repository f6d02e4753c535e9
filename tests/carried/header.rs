//! Programs that include the header for C++ carry its heap: there is no other text for them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::toolbox::{finish, fixture, said, succeeds, tool, verdict};
use crate::heaps::{heap, root};

/// Without the last, libraries that a dynamic program opens later see what others refer to alone.
const FORMS: [&[&str]; 3] = [&["-static"], &["-static-pie"], &["-pie", "-rdynamic"]];

/// The header for a description, in a file of C++ of the program's own.
fn included(description: &Path, work: &Path, text: &str) -> PathBuf {
    let mut generate = tool();
    generate.args(["generate", "-p", "linux", "--lang", "cpp", "-a"]).arg(description);
    succeeds(generate.arg("-o").arg(work));
    let file = work.join("heap.cpp");
    fs::write(&file, text).unwrap();
    file
}

/// A fixture or example in C, as an object.
fn object(source: &Path, more: &[&str], work: &Path) -> PathBuf {
    let object = work.join("heap.o");
    let mut compile = Command::new("gcc");
    compile.args(["-std=gnu11", "-O2", "-fPIC", "-c"]).args(more).arg(source);
    succeeds(compile.arg("-o").arg(&object));
    object
}

#[test]
fn programs_that_include_the_header_carry_the_heap() {
    let work = TempDir::new().unwrap();
    let include = "#include \"linux-cpp/shim.hpp\"\n";
    let unit = included(Path::new("simple_heap"), work.path(), include);
    let heap = object(&root().join("examples/simple_heap/simple_heap.c"), &[], work.path());
    let program = work.path().join("program");
    let link = |form: &[&str]| {
        let mut command = Command::new("g++");
        command.args(["-std=c++17", "-O2", "-fno-builtin", "-pthread"]).args(form);
        command.arg(&unit).arg(&heap).arg(fixture("everything.cpp")).arg("-o").arg(&program);
        succeeds(&mut command);
        succeeds(&mut Command::new(&program));
        verdict(&program, &["-a", "simple_heap", "--lang", "cpp"])
    };
    for form in FORMS {
        let (status, text) = link(form);
        assert_eq!(status, Some(0), "{form:?}: {text}");
        assert!(text.contains("simple_heap_malloc"), "{text}");
        assert!(text.trim_end().ends_with("complete"), "{text}");
    }
    let (status, text) = link(&["-pie"]);
    assert!(status == Some(1) && text.contains("its libraries do not see it"), "{text}");
}

#[test]
fn programs_that_redirect_to_a_class_carry_it() {
    let work = TempDir::new().unwrap();
    let text = "#include \"free_list.hpp\"\n#include \"linux-cpp/redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";
    let unit = included(&heap("free_list.toml"), work.path(), text);
    for form in FORMS {
        let program = work.path().join("program");
        let mut command = Command::new("g++");
        command.args(["-std=c++17", "-O2", "-fno-builtin", "-pthread", "-I"]).args([heap("")]);
        command.args(form).arg(&unit).arg(fixture("everything.cpp")).arg("-o").arg(&program);
        succeeds(&mut command);
        succeeds(&mut Command::new(&program));
        let (status, text) = verdict(&program, &["-p", "linux"]);
        assert_eq!(status, Some(0), "{form:?}: {text}");
    }
}

/// A program whose threads end in several ways, over a header for the strict heap; what it said.
fn ending_threads(flag: &str) -> (bool, String) {
    let work = TempDir::new().unwrap();
    let text = fs::read_to_string(heap("aware_strict.toml")).unwrap();
    let line = "thread_created     = \"aware_thread_created\"\n";
    assert!(text.contains(line));
    let description = work.path().join("aware.toml");
    fs::write(&description, text.replace(line, flag)).unwrap();
    let unit = included(&description, work.path(), "#include \"linux-cpp/shim.hpp\"\n");
    let heap = object(&heap("thread_aware.c"), &["-DAWARE_STRICT"], work.path());
    succeeds(tool().args(["laws", "-p", "linux", "-o"]).arg(work.path()));
    let test = work.path().join("test.o");
    let mut compile = Command::new("gcc");
    compile.args(["-std=gnu11", "-O1", "-DAWARE_WITHIN", "-c", "-I"]);
    compile.arg(work.path().join("linux/laws")).arg("-o").arg(&test);
    let law = "tests/threads/threads_that_exit_or_are_cancelled_are_seen_off.c";
    succeeds(compile.arg(root().join(law)));
    let program = work.path().join("program");
    let mut link = Command::new("g++");
    link.args(["-std=c++17", "-O2", "-static", "-pthread"]).arg(unit).arg(heap).arg(test);
    succeeds(link.arg("-o").arg(&program));
    let output = finish(Command::new(program).env("AWARE_POLICY", "required"));
    (output.status.success(), said(&output))
}

#[test]
fn threads_of_static_programs_are_told_to_a_header_whose_calls_look() {
    let (held, text) = ending_threads("");
    assert!(held, "{text}");
    // Nothing can stand before the functions that create threads.
    let (held, text) = ending_threads("thread_created = \"aware_thread_created\"\n");
    assert!(!held && text.contains("without thread_created"), "{text}");
}

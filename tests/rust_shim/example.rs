//! `examples/rust_cdylib`, built by cargo as its README says, from this repository's Cargo.lock.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use alloc8_gen::{
    allocator,
    artifact::SharedObject,
    plan::Plan,
    spec,
    verify::{abi_of, verify},
};

use super::{
    crates,
    toolbox::{
        OPERATORS, ROOT, command, finish, folder, is_bare, laws_hold, listed, rendered, text,
    },
};
use crate::common;

const PAGES: &str = "examples/rust_cdylib/pages.toml";

/// Two threads and a child of fork, through operators of C++ and through C.
const PROGRAM: &str = r#"
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

static void work() {
    std::vector<std::string> words;
    for (int i = 0; i < 20000; i++)
        words.push_back(std::string(i % 300, 'x') + std::to_string(i));
    if (words[299].size() != 302)
        std::abort();
}

int main() {
    std::thread other(work);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            work();
            _exit(7);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7)
            return 2;
    }
    other.join();
    char *copy = strdup("eighteen bytes ...");
    bool ours = malloc_usable_size(copy) == 32; // glibc's own would say 24
    free(copy);
    return ours ? 0 : 3;
}
"#;

fn build(options: &[&str]) -> PathBuf {
    crates::build("rust_cdylib", options)
}

/// Cargo has one place for all features, so that what is built without any is copied away.
fn library() -> PathBuf {
    let built = build(&["--lib"]).join("librust_cdylib.so");
    let kept = folder(&format!("kept-{}", std::process::id())).join("libpages.so");
    fs::copy(built, &kept).unwrap();
    kept
}

fn same_output(library: &Path, program: &str, arguments: &[&str]) {
    let run = |preload: Option<&Path>| {
        let mut run = command(program);
        run.args(arguments).env("PYTHONMALLOC", "malloc").current_dir(ROOT);
        if let Some(library) = preload {
            run.env("LD_PRELOAD", library);
        }
        let output = finish(&mut run);
        assert!(output.stderr.is_empty(), "{program}: {}", text(&output.stderr));
        output.stdout
    };
    let alone = run(None);
    assert!(!alone.is_empty());
    assert!(alone == run(Some(library)), "{program}: another output");
}

fn has(program: &str) -> bool {
    let there = command(program).arg("--version").output().is_ok();
    if !there {
        common::skip(program, &format!("apt-get install {program}"));
    }
    there
}

fn compiled(work: &Path, more: &[&Path]) -> PathBuf {
    let (source, program) = (work.join("program.cc"), work.join("program"));
    fs::write(&source, PROGRAM).unwrap();
    let mut cxx = command("g++");
    cxx.args(["-O1", "-pthread"]).arg(source).args(more).arg("-o").arg(&program);
    finish(&mut cxx);
    program
}

#[test]
fn the_example_s_library_is_complete_and_keeps_the_laws() {
    let library = library();
    let pages = allocator::read_file(&Path::new(ROOT).join(PAGES)).unwrap();
    is_bare(&library, &listed(&rendered("linux", &pages)));
    let dynamic = text(&finish(command("readelf").arg("-dW").arg(&library)).stdout);
    assert!(dynamic.contains("INITFIRST"), "{dynamic}");

    let linux = spec::platform("linux").unwrap();
    let (plan, _) = Plan::new(&linux, &pages).unwrap();
    let data = fs::read(&library).unwrap();
    let object = SharedObject::read(&data).unwrap();
    let abi = abi_of(&linux, &object).unwrap();
    let verdict = verify(&data, &object, &linux, abi, Some(&plan)).unwrap();
    assert!(!verdict.has_faults(), "{verdict:#?}");

    laws_hold(&library, OPERATORS);
}

#[test]
fn programs_do_their_jobs_on_the_example_s_heap() {
    let library = library();
    let script = "import json; print(len(json.dumps([str(i) * 9 for i in range(100000)])))";
    if has("python3") {
        same_output(&library, "python3", &["-c", script]);
    }
    if has("git") {
        // Two folders with differences enough; 1 says that there are some.
        let script = "git diff --no-index --no-color --patience src tests; test $? = 1";
        same_output(&library, "sh", &["-c", script]);
    }
    let program = compiled(&folder("preloaded"), &[]);
    finish(Command::new(program).env("LD_PRELOAD", &library));
}

#[test]
fn the_example_is_linked_into_a_program_in_cxx() {
    let archive = build(&["--lib"]).join("librust_cdylib.a");
    let kept = folder(&format!("kept-{}", std::process::id())).join("libpages.a");
    fs::copy(archive, &kept).unwrap();
    let program = compiled(&folder("linked"), &[&kept]);
    finish(&mut Command::new(&program));
    let names = text(&finish(command("nm").arg("--defined-only").arg(&program)).stdout);
    for name in [" T malloc\n", " T free\n", " T aligned_alloc\n"] {
        assert!(names.contains(name), "{name} is not the program's");
    }
}

#[test]
fn a_program_in_rust_has_one_heap_for_both_of_its_languages() {
    let program = build(&["--features", "std", "--bin", "words"]).join("words");
    let mut child =
        Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("to be or not to be\n".repeat(2000).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(text(&output.stdout), "  4000 be\n  2000 not\n  2000 or\n  4000 to\n");
}

//! Programs in C and C++ run clean under Valgrind with our heap in them: its own replacement of malloc is
//! switched off, and the heap's counters show that ours was used.
#![cfg(target_os = "linux")]

mod common;
#[path = "cli/tool.rs"]
mod tool;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{
    laws::{self, Compilers, Program, Workshop},
    spec,
    toolchain::Compiler,
};

/// Laws are programs that use every function; these are short.
const IN_C: &[&str] = &[
    "constructors_may_allocate",
    "paths_from_libc_can_be_resized_and_freed",
    "realloc_failure_keeps_the_block",
    "realloc_of_null_is_malloc",
    "zero_sizes_are_unique_blocks",
];
const IN_CXX: &[&str] = &["new_of_no_bytes_is_unique", "nothrow_new_returns_null"];

/// What memcheck exits with if it found an error.
const FOUND: i32 = 99;

fn installed() -> bool {
    let found = Command::new("valgrind").arg("--version").output().is_ok();
    if !found {
        common::skip("valgrind", "apt-get install valgrind");
    }
    found
}

/// Runs a program under memcheck and a library.
fn memcheck(library: &Path, program: &Program, options: &[&str]) -> Output {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", &format!("--error-exitcode={FOUND}"), "--leak-check=no"])
        .args(options);
    command.arg(&program.path).args(&program.plugin);
    command.env("LD_PRELOAD", library).env("SIMPLE_HEAP_STATS", "1").env("LC_ALL", "C");
    command.current_dir(program.path.parent().unwrap()).output().unwrap()
}

/// Memcheck leaves malloc and its like to the library that is preloaded.
const OURS: &str = "--soname-synonyms=somalloc=nouserintercepts";

fn programs(names: &[&str]) -> Vec<Program> {
    let gcc = Compiler::find(Some("gcc"), None).expect("the tests need gcc");
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws");
    let workshop = Workshop::new(Compilers::beside(&gcc), &[], &work).unwrap();
    let laws = laws::laws(&spec::platform("linux").unwrap()).unwrap();
    let law = |name: &&str| laws.iter().find(|law| law.name == **name).expect("a law");
    names.iter().map(|name| workshop.build(law(name)).unwrap().remove(0)).collect()
}

/// Allocations that the heap counted.
fn counted(output: &Output) -> u64 {
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find_map(|line| line.strip_prefix("simple_heap: allocations "));
    let number = line.and_then(|line| line.split(',').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{output:?}"))
}

fn is_clean(library: &Path, names: &[&str]) {
    for program in programs(names) {
        let output = memcheck(library, &program, &[OURS]);
        assert_eq!(output.status.code(), Some(0), "{}: {output:?}", program.path.display());
        assert!(counted(&output) > 10, "{}: {output:?}", program.path.display());
    }
}

#[test]
fn programs_in_c_are_clean_under_memcheck_and_use_our_heap() {
    if installed() {
        is_clean(tool::interposer(), IN_C);
    }
}

/// Valgrind replaces the C++ runtime's own operators whatever it is told, and a shim in C leaves the derived
/// ones to the runtime: blocks would come from two heaps. One in C++ has them all.
#[test]
fn programs_in_cpp_are_clean_under_memcheck_where_the_shim_has_every_operator() {
    if installed() {
        let folder = tool::folder();
        let library = folder.path().join("libcpp.so");
        let build = ["build", "--lang", "cpp", "-o", "libcpp.so"];
        tool::run(folder.path(), &build).exits(0);
        is_clean(&library, IN_CXX);
        is_clean(&library, &IN_C[..1]);
    }
}

/// Memcheck sees what is wrong with a heap of this kind.
#[test]
fn a_heap_that_reads_what_nobody_wrote_is_not_clean() {
    if !installed() {
        return;
    }
    let text = "#include <stddef.h>\n#include <unistd.h>\nvoid *__libc_malloc(size_t);\n\
                void *malloc(size_t n)\n{\n    int mood;\n    __asm__ volatile(\"\" : : \"r\"(&mood) : \"memory\");\n\
                    if (mood > 3) getppid();\n    return __libc_malloc(n);\n}\n";
    let flags = ["-O1", "-fno-builtin", "-shared", "-fPIC", "-w"];
    let library: PathBuf = tool::compiled("libmoody.so", text, &flags);

    for program in programs(&["zero_sizes_are_unique_blocks"]) {
        let output = memcheck(&library, &program, &[OURS]);
        assert_eq!(output.status.code(), Some(FOUND), "{output:?}");
    }
}

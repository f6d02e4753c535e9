//! What a class lacks is said in one line, by the compiler.

use alloc8_gen::allocator::{self, Role};

use super::headers::{STANDARDS, compile, compilers, free_list, render, said};

const MEMBERS: &[(&str, &str)] = &[
    ("void *malloc(std::size_t);", "no `void *malloc(size_t size)`"),
    ("void free(void *);", "no `void free(void *ptr)`"),
    (
        "void *memalign(std::size_t, std::size_t);",
        "no `void *memalign(size_t alignment, size_t size)`",
    ),
    ("std::size_t getSize(void *);", "no `size_t getSize(void *ptr)`"),
    ("void lock();", "no `void lock()`"),
    ("void unlock();", "no `void unlock()`"),
];

/// The errors that a text gives.
fn errors(cxx: &str, standard: &str, class: &str, macros: &str) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    render(&free_list(), work.path());
    let text = format!("#include <cstddef>\n{class}\n#include \"redirect.hpp\"\n{macros}\n");
    let output = compile(cxx, work.path(), &text, &[standard, "-c"], "class.o");
    assert!(!output.status.success(), "{cxx} {standard}: it compiles");
    said(&output).lines().filter(|line| line.contains("error:")).map(str::to_owned).collect()
}

#[test]
fn a_class_that_lacks_a_function_is_told_so_in_one_line() {
    for (without, wanted) in MEMBERS {
        let others: String = MEMBERS.iter().map(|(m, _)| *m).filter(|m| m != without).collect();
        let class = format!("struct Lacking {{ {others} }};");
        for (cxx, standard) in compilers().into_iter().zip(STANDARDS.iter().cycle()) {
            let errors = errors(cxx, standard, &class, "ALLOC8_REDIRECT(Lacking);");
            assert_eq!(errors.len(), 1, "{cxx}: {errors:#?}");
            assert!(errors[0].contains(wanted), "{cxx}: {errors:#?}");
        }
    }
}

#[test]
fn a_heap_that_is_not_ready_before_the_first_call_is_refused() {
    let members: String = MEMBERS.iter().map(|(m, _)| *m).collect();
    for (special, wanted) in [
        ("Heap();", "constant initializer"),
        ("constexpr Heap() {} ~Heap();", "ALLOC8_REDIRECT_BY(function)"),
    ] {
        let class = format!("struct Heap {{ {special} {members} }};");
        for cxx in compilers() {
            let errors = errors(cxx, "-std=c++17", &class, "ALLOC8_REDIRECT(Heap);");
            assert!(errors[0].contains(wanted), "{cxx}: {errors:#?}");
        }
    }
}

/// The errors that a class gives whose description names functions for threads.
fn thread_errors(cxx: &str, standard: &str, class: &str, macros: &str) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    let mut heap = free_list();
    let xx = allocator::built_in("xx").unwrap().unwrap();
    for role in [Role::ThreadInit, Role::ThreadCleanup] {
        heap.functions.insert(role, xx.functions[&role].clone());
    }
    render(&heap, work.path());
    let text = format!("#include <cstddef>\n{class}\n#include \"redirect.hpp\"\n{macros}\n");
    let output = compile(cxx, work.path(), &text, &[standard, "-c"], "class.o");
    said(&output).lines().filter(|line| line.contains("error:")).map(str::to_owned).collect()
}

#[test]
fn a_class_that_lacks_a_hook_for_threads_is_told_so_in_one_line() {
    let members: String = MEMBERS.iter().map(|(m, _)| *m).collect();
    let hooks = ["void threadInit();", "void threadCleanup();"];
    for (cxx, standard) in compilers().into_iter().zip(STANDARDS.iter().cycle()) {
        for name in ["ALLOC8_THREAD_REDIRECT", "ALLOC8_REDIRECT_WITH_THREADS"] {
            for (has, lacks) in [(hooks[0], "threadCleanup"), (hooks[1], "threadInit")] {
                let class = format!("struct Heap {{ {members} {has} }};");
                let errors = thread_errors(cxx, standard, &class, &format!("{name}(Heap);"));
                assert_eq!(errors.len(), 1, "{cxx}: {errors:#?}");
                let wanted = format!("the heap class has no `void {lacks}()`");
                assert!(errors[0].contains(&wanted), "{cxx}: {errors:#?}");
            }
            let class = format!("struct Heap {{ {members} {} {} }};", hooks[0], hooks[1]);
            let errors = thread_errors(cxx, standard, &class, &format!("{name}(Heap);"));
            assert!(errors.is_empty(), "{cxx}: {errors:#?}");
        }
    }
}

#[test]
fn hooks_for_threads_that_nothing_would_call_are_refused_with_words() {
    let members: String = MEMBERS.iter().map(|(m, _)| *m).collect();
    let class = format!("struct Heap {{ {members} void threadInit(); void threadCleanup(); }};");
    for name in ["ALLOC8_THREAD_REDIRECT", "ALLOC8_REDIRECT_WITH_THREADS"] {
        for cxx in compilers() {
            let errors = errors(cxx, "-std=c++17", &class, &format!("{name}(Heap);"));
            assert!(
                errors.iter().any(|e| e.contains("names no thread_init")),
                "{cxx}: {errors:#?}"
            );
        }
    }
}

#[test]
fn a_file_without_exceptions_is_refused_with_words() {
    let work = tempfile::tempdir().unwrap();
    render(&free_list(), work.path());
    for cxx in compilers() {
        let flags = ["-std=c++17", "-fno-exceptions", "-c"];
        let output = compile(cxx, work.path(), "#include \"shim.hpp\"\n", &flags, "x.o");
        assert!(said(&output).contains("without -fno-exceptions"), "{cxx}: {}", said(&output));
    }
}

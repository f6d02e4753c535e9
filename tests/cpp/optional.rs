//! What a class need not have is called if it has it, and made from the rest if it has not.

use std::{fs, process::Command};

use alloc8_gen::allocator;

use super::headers::{compilers, library, render};
use crate::{heaps, heaps::run};

/// Ends with the status that a member ends it with; 0 if `free` took the blocks back.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

int main(int count, char **names)
{
    typedef void sized(void *ptr, size_t size);
    typedef void aligned_sized(void *ptr, size_t alignment, size_t size);
    for (int i = 1; i < count; i++) {
        void *found = dlsym(RTLD_DEFAULT, names[i]);
        if (found == NULL)
            return 1;
        if (i == 1)
            ((sized *)found)(malloc(48), 48);
        else
            ((aligned_sized *)found)(aligned_alloc(32, 64), 32, 64);
    }
    return 0;
}
"#;

#[test]
fn sized_frees_of_a_class_are_called_with_the_sizes() {
    let work = tempfile::tempdir().unwrap();
    let mut text = fs::read_to_string(heaps::heap("free_list.toml")).unwrap();
    for name in ["free_sized", "free_aligned_sized"] {
        text =
            text.replace("\n[promises]", &format!("{name} = \"free_list_{name}\"\n\n[promises]"));
    }
    let description = work.path().join("free_list.toml");
    fs::write(&description, text).unwrap();
    render(&allocator::read_file(&description).unwrap(), work.path());
    let (source, program) = (work.path().join("program.c"), work.path().join("program"));
    fs::write(&source, PROGRAM).unwrap();
    run(Command::new("cc").args(["-fno-builtin", "-o"]).arg(&program).arg(&source).arg("-ldl"));

    let sized = "void free_sized(void *, std::size_t size) { _exit(static_cast<int>(size)); }";
    let aligned = "void free_aligned_sized(void *, std::size_t alignment, std::size_t size) { _exit(static_cast<int>(alignment + size)); }";
    for cxx in compilers() {
        for (members, status) in [("", 0), (sized, 48), (aligned, 96)] {
            let text = format!(
                "#include <unistd.h>\n#include \"free_list.hpp\"\n#include \"redirect.hpp\"\n\
                 struct Sized : FreeList {{ {members} }};\nALLOC8_REDIRECT(Sized);\n"
            );
            let flags = ["-O2", "-Wall", "-Wextra", "-Werror"];
            let library = library(cxx, work.path(), &text, &flags, None);
            let mut program = Command::new(&program);
            program.args(["free_sized", "free_aligned_sized"]).env("LD_PRELOAD", library);
            assert_eq!(program.status().unwrap().code(), Some(status), "{cxx}: {members}");
        }
    }
}

//! Hooks that fail half-way: all of a library's, or none.

use std::process::Command;

use super::bench::{Crt, Wine, X64, folder, said, simple_heap, source, tool};

/// The calls that fail: among the first come the tables of imports, then, for hooks in code, the functions.
const CALLS: [&str; 8] = ["0", "1", "3", "5", "9", "31", "32", "61"];

fn whole_or_none(hook: &str) {
    let Some(wine) = Wine::new() else { return };
    let place = tempfile::tempdir_in(folder()).unwrap();
    let object = place.path().join("halfway.o");
    let mut compile = Command::new(X64.gcc());
    compile.args(["-std=gnu11", "-O1", "-fno-builtin", "-c", "-o"]).arg(&object);
    assert!(compile.arg(source("halfway_heap.c")).status().unwrap().success());
    let mut build = tool(&["build", "-p", "windows", "--hook", hook, "-a"]);
    build.arg(source("counted_heap.toml")).arg("-o").arg(place.path().join("hooks.dll"));
    for object in X64.heap(&simple_heap(), "simple_heap_", &[]).into_iter().chain([object]) {
        build.arg("--lib").arg(object);
    }
    said(&mut build, 0);
    let program = place.path().join("halfway.exe");
    X64.program(Crt::Msvcrt, "halfway.c", &[], &program);
    let mut undone = 0;
    for call in CALLS {
        let run = wine.run_with(&program, &["hooks.dll"], &[("HALFWAY", call)]);
        assert!(run.counted("failed") == 0 && run.status == Some(0), "{hook} {call}: {}", run.text);
        let hooked = run.counted("hooked") == 1;
        assert!(hooked || run.text.contains("failed"), "{hook} {call}: {}", run.text);
        assert!(hooked || call != "0", "{hook}: {}", run.text);
        undone += usize::from(!hooked);
    }
    assert!(undone >= 3, "{hook}: {undone}");
}

#[test]
fn hooks_in_code_that_fail_half_way_leave_all_as_it_was() {
    whole_or_none("minhook");
    whole_or_none("detours");
}

#[test]
fn hooks_in_imports_that_fail_half_way_leave_all_as_it_was() {
    whole_or_none("iat");
}

//! The conformance program for the user's own CI.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{laws::MODE, render::marker};

use super::{shim, table::compiler};
use crate::common;

fn tool(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.arg("laws").args(arguments).current_dir(folder).output().unwrap()
}

/// Renders the laws below a folder, and says where they are.
fn rendered(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let output = tool(folder, &["-p", "linux", "-o", "."]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    folder.join("linux/laws")
}

#[test]
fn every_file_of_the_laws_bears_the_marker_and_a_second_run_writes_nothing() {
    let work = tempfile::tempdir().unwrap();
    let folder = rendered(work.path());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let marker = marker::read(&text).unwrap_or_else(|| panic!("{}", path.display()));
        let inputs = (marker.inputs.platform.as_str(), marker.inputs.mode.as_str());
        assert!(marker.intact && inputs == ("linux", MODE), "{}", path.display());
    }
    let again = tool(work.path(), &["-p", "linux", "-o", "."]);
    assert!(String::from_utf8_lossy(&again.stdout).contains(" 0 written"), "{again:?}");

    // Where they go by themselves, with an allocator and without.
    for (more, folder) in [(&[][..], "linux"), (&["-a", "simple_heap"], "simple_heap/linux")] {
        let output = tool(work.path(), &[&["-p", "linux"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(work.path().join("generated").join(folder).join("laws/Makefile").is_file());
    }
    for wrong in [&["-p", "linux", "--lang", "c"][..], &["-p", "linux", "-o", "-"], &[]] {
        let output = tool(work.path(), wrong);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{output:?}");
    }
}

fn make(folder: &Path, library: &Path, more: &[&str]) -> (Option<i32>, String) {
    let library = format!("LIB={}", library.display());
    let output = Command::new("make")
        .arg("-C")
        .arg(folder)
        .args(["-s", "-j2", &library])
        .args(more)
        .env_remove("MAKEFLAGS")
        .output()
        .expect("make");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), text)
}

#[test]
fn the_conformance_program_needs_nothing_but_make_and_a_compiler() {
    let Some(gcc) = compiler("gcc") else { return };
    let work = tempfile::tempdir().unwrap();
    let folder = rendered(&work.path().join("with space: and colon"));
    let library = folder.join("lib heap.so");
    fs::copy(shim::interposer(&shim::simple_heap(), &gcc).library, &library).unwrap();
    let (status, text) = make(&folder, &library, &[]);
    assert_eq!(status, Some(0), "{text}");
    let last = text.lines().rfind(|line| line.contains(" passed")).unwrap_or_default();
    assert!(last.ends_with(" passed, 0 failed, 0 skipped"), "{text}");

    let planted = shim::planted(
        &gcc,
        "#include <errno.h>\nvoid __libc_free(void *);\nvoid free(void *p)\n{\n    __libc_free(p);\n    errno = 5;\n}\n",
        work.path(),
    );
    let (status, text) = make(&folder, &planted, &["LAWS=free_keeps_errno calloc_overflow_fails"]);
    assert_eq!(status, Some(2), "make's own for a recipe that failed: {text}");
    assert!(text.contains("FAILED  free_keeps_errno: free_keeps_errno.c:"), "{text}");
    assert!(text.contains("1 passed, 1 failed, 0 skipped"), "{text}");

    let stuck = "#include <stddef.h>\n#include <unistd.h>\nvoid *calloc(size_t n, size_t s)\n{\n    for (;;)\n        pause();\n}\n";
    let library = shim::planted(&gcc, stuck, work.path());
    let laws = "LAWS=calloc_overflow_fails calloc_zeroes_reused_memory failures_set_enomem \
                success_never_clears_errno threads_mix_all_operations";
    let (_, text) = make(&folder, &library, &[laws, "PATIENCE=0.2"]);
    assert_eq!(text.matches(": it did not end within 0.2 seconds").count(), 4, "{text}");
    assert!(text.contains("0 passed, 4 failed, 1 skipped"), "{text}");

    for (library, words) in [("nowhere.so", "is no file"), ("Makefile", "cannot be preloaded")] {
        let (status, text) = make(&folder, &folder.join(library), &["LAWS=free_keeps_errno"]);
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let (status, text) = make(&folder, &library, &["LAWS=no_such_law"]);
    assert!(status == Some(2) && text.contains("no such law: no_such_law"), "{text}");
}

/// Every law in C is one for the headers of systems that nobody here runs. What zig has of their
/// headers suffices; those of Android are in its NDK alone.
#[test]
fn the_laws_compile_against_the_headers_of_other_systems() {
    let (Some(clang), Some(lib)) = (compiler("clang"), common::zig_lib()) else {
        common::skip(common::ZIG.0, common::ZIG.1);
        return;
    };
    let own = PathBuf::from(clang.ask("-print-resource-dir").expect("clang's own headers"));
    let work = tempfile::tempdir().unwrap();
    let mut mistakes = String::new();
    for (platform, system) in [
        ("freebsd", "x86_64-freebsd"),
        ("freebsd", "x86-freebsd"),
        ("netbsd", "x86_64-netbsd"),
        ("linux-musl", "x86_64-linux-musl"),
    ] {
        let output = tool(work.path(), &["-p", platform, "-o", "."]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let laws = fs::read_dir(work.path().join(platform).join("laws")).unwrap();
        let laws: Vec<_> = laws.map(|entry| entry.unwrap().path()).collect();
        let generic = format!("generic-{}", system.rsplit_once('-').unwrap().1);
        let exact =
            if system.ends_with("musl") { system.to_owned() } else { format!("{system}-none") };
        let target = system.replace("x86-", "i386-");
        let mut command = clang.command();
        command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-fno-builtin"]);
        command
            .args(["-nostdinc", &format!("--target={target}"), "-isystem"])
            .arg(own.join("include"));
        for headers in [exact.as_str(), &generic, "any-linux-any"] {
            command.arg("-isystem").arg(lib.join("libc/include").join(headers));
        }
        command.args(laws.iter().filter(|law| law.extension().is_some_and(|e| e == "c")));
        let output = command.output().expect("clang");
        mistakes += &String::from_utf8_lossy(&output.stderr);
        assert!(laws.len() > 50, "{platform}");
    }
    assert_eq!(mistakes, "");
}

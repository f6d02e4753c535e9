//! The conformance program for the user's own CI.

use std::{path::Path, process::Command};

use alloc8_gen::{
    laws::{MODE, suite},
    render::{Inputs, marker},
    spec,
};

use super::{shim, table::compiler};

fn rendered(folder: &Path) {
    let linux = spec::platform("linux").unwrap();
    let inputs = Inputs {
        platform: "linux".into(),
        allocator: String::new(),
        lang: "c".into(),
        mode: MODE.into(),
    };
    for (name, text) in suite(&linux, &inputs).unwrap() {
        let marker = marker::read(&text).unwrap_or_else(|| panic!("{name} has no marker"));
        assert!(marker.intact && marker.inputs == inputs, "{name}: {marker:?}");
        std::fs::write(folder.join(name), text).unwrap();
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
    let folder = work.path().join("with space: and colon/laws");
    std::fs::create_dir_all(&folder).unwrap();
    rendered(&folder);
    let library = folder.join("lib heap.so");
    std::fs::copy(shim::interposer(&shim::simple_heap(), &gcc).library, &library).unwrap();
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

    for (library, words) in [("nowhere.so", "is no file"), ("Makefile", "cannot be preloaded")] {
        let (status, text) = make(&folder, &folder.join(library), &["LAWS=free_keeps_errno"]);
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let (status, text) = make(&folder, &library, &["LAWS=no_such_law"]);
    assert!(status == Some(2) && text.contains("no such law: no_such_law"), "{text}");
}

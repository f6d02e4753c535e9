//! The command line, asked for C++.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn tool(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn headers_have_a_folder_of_their_own_and_check_knows_them() {
    let work = tempfile::tempdir().unwrap();
    let generate = ["-p", "linux", "-a", "simple_heap", "--lang", "cpp", "-o", "out"];
    assert_eq!(tool(work.path(), &generate).status.code(), Some(0));
    let folder = work.path().join("out/linux-cpp");
    assert!(folder.join("shim.hpp").is_file() && folder.join("redirect.hpp").is_file());
    assert_eq!(tool(work.path(), &["check", "out"]).status.code(), Some(0));

    let text = fs::read_to_string(folder.join("shim.hpp")).unwrap();
    fs::write(folder.join("shim.hpp"), text.replace("ENOMEM", "EAGAIN")).unwrap();
    let output = tool(work.path(), &["check", "out"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--lang cpp"), "the mend names the language: {said}");
}

#[test]
fn an_archive_with_public_names_is_refused_for_the_header_would_call_itself() {
    let work = tempfile::tempdir().unwrap();
    let output = tool(work.path(), &["-p", "linux", "-a", "jemalloc-unprefixed", "--lang", "cpp"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("error[A8209]"), "{output:?}");
}

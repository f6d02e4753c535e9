//! What would be a silent no-op, or cannot be made, is refused with words.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::witness::{refused, under, witness};
use crate::common::skip;
use crate::tool::{PROGRAM, Ran, cc, compiled, folder, program, run, tool};

#[test]
fn a_program_that_takes_no_preload_is_refused() {
    let musl = "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1";
    let own = "#include <stddef.h>\nstatic char m[4096];\nVISIBILITY void *malloc(size_t n) { return n < 4096 ? m : NULL; }\nVISIBILITY void free(void *p) { (void)p; }\nint main(void) { char *volatile p = malloc(3); free(p); return 0; }\n";
    let hidden = "-DVISIBILITY=__attribute__((visibility(\"hidden\")))";
    for (program, code) in [
        (compiled("static", PROGRAM, &["-static"]), "A8651"),
        (compiled("musl", PROGRAM, &[musl]), "A8655"),
        (compiled("own", own, &["-DVISIBILITY=", "-rdynamic", "-w", "-fno-builtin"]), "A8656"),
        (compiled("own", own, &[hidden, "-w", "-fno-builtin"]), "A8657"),
    ] {
        refused(&[], &[program.as_os_str()], &[code]);
        // The same behind a script and behind env.
        let place = folder();
        let script = place.path().join("script");
        fs::write(&script, format!("#!{} -x\n", program.display())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        refused(&[], &[script.as_os_str()], &[code]);
        refused(&[], &["env", "A=B", program.to_str().unwrap()].map(OsStr::new), &[code]);
    }
}

#[test]
fn a_set_user_id_program_is_refused() {
    let place = folder();
    let exe = place.path().join("privileged");
    fs::copy(program(), &exe).unwrap();
    if chown(&exe, Some(65534), None).is_err() {
        return skip("run-setuid", "run as root");
    }
    fs::set_permissions(&exe, fs::Permissions::from_mode(0o4755)).unwrap();
    refused(&[], &[exe.as_os_str()], &["A8653"]);
}

#[test]
fn a_library_that_answers_nobody_is_refused() {
    let nothing = compiled("libnothing.so", "int nothing;\n", &["-shared", "-fPIC"]);
    let program = program();
    let program = [program.as_os_str()];
    refused(&["--preload", nothing.to_str().unwrap()], &program, &["A8660", "change nothing"]);
    let place = folder();
    let map = place.path().join("node.map");
    fs::write(&map, "GLIBC_2.2.5 { global: malloc; free; local: *; };\n").unwrap();
    let source = place.path().join("node.c");
    fs::write(
        &source,
        "void *malloc(unsigned long n) { return (void *)n; }\nvoid free(void *p) { (void)p; }\n",
    )
    .unwrap();
    let library = place.path().join("libnode.so");
    let script = format!("-Wl,--version-script={}", map.display());
    let files = [OsStr::new("-o"), library.as_os_str(), source.as_os_str()];
    cc(&files, &["-shared", "-fPIC", "-w", "-fno-builtin", &script]);
    let option = ["--preload", library.to_str().unwrap()];
    refused(&option, &program, &["A8660", "under the version GLIBC_2.2.5 alone"]);
    let text = place.path().join("text.so");
    fs::write(&text, "text\n").unwrap();
    refused(&["--preload", text.to_str().unwrap()], &program, &["A8511"]);
    refused(&["--preload", "/nonexistent.so"], &program, &["A8304"]);
}

#[test]
fn env_that_takes_the_preload_away_is_refused() {
    let witness = witness();
    let witness = witness.to_str().unwrap();
    for words in [
        &["env", "-i", witness][..],
        &["env", "-", witness],
        &["env", "-u", "LD_PRELOAD", witness],
        &["env", "--unset=LD_PRELOAD", witness],
        &["env", "A=B", "LD_PRELOAD=", witness],
        &["env", "A=B", "env", "-i", witness],
    ] {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        refused(&[], &words, &["A8666", "let env come first"]);
    }
    let ran = under(&["--proof"], &["env", "-u", "OTHER", "A=B", witness]).exits(0);
    assert_eq!(ran.line("malloc"), "malloc interposed");
}

#[test]
fn a_missing_compiler_is_told_in_words() {
    let place = folder();
    let words = ["error[A8401]", "`/nonexistent/cc` does not run", "name one with `--cc`"];
    run(place.path(), &["run", "--cc", "/nonexistent/cc", "true"]).exits(125).says(&words);
    run(place.path(), &["build", "--cc", "/nonexistent/cc"]).exits(2).says(&words);
}

#[test]
fn a_cache_that_cannot_be_made_is_told_in_words() {
    let place = folder();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let cannot = |command: &mut Command| {
        let ran = Ran::new(command.args(["run", "--", "true"])).exits(125);
        ran.says(&["error[A8301]", "could not make the folder"]);
    };
    cannot(tool(place.path()).env("XDG_CACHE_HOME", file.join("below")));
    // A folder of somebody else's.
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = tool(Path::new("/"));
    command.env("XDG_CACHE_HOME", &closed);
    if fs::create_dir(closed.join("root may")).is_ok() {
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        command.uid(65534).gid(65534);
        if command.arg("--version").stdout(Stdio::null()).status().is_err() {
            return skip("run-closed-cache", "build where other users may execute programs");
        }
        command = tool(Path::new("/"));
        command.env("XDG_CACHE_HOME", &closed).uid(65534).gid(65534);
    }
    cannot(&mut command);
}

#[test]
fn a_compiler_without_a_word_is_as_if_none_was_named() {
    let place = folder();
    for cc in ["", "  "] {
        let mut build = tool(place.path());
        build.args(["build", "--quiet", "--cc", cc, "-o", "one.so"]).env("CC", " ");
        Ran::new(&mut build).exits(0);
    }
}

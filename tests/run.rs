//! `run` ends as the program ends, says nothing on its standard output, and refuses what would be a
//! silent no-op.
#![cfg(target_os = "linux")]

mod common;
#[path = "cli/tool.rs"]
mod tool;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::skip;
use tool::{PROGRAM, Ran, cc, compiled, folder, interposer, json, program, run, tool};

/// Prints whether the preload is in the environment of it and of a child, and who answers malloc.
const WITNESS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    Dl_info info;
    void *block = malloc(100);
    const char *preload = getenv("LD_PRELOAD");
    if (!block || !dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info))
        return 9;
    const char *base = strrchr(info.dli_fname, '/');
    printf("malloc %s\n", strstr(base ? base : "", "libc.so") ? "of the C library" : "interposed");
    printf("LD_PRELOAD %s\n", preload ? preload : "unset");
    fflush(stdout);
    free(block);
    return 0;
}
"#;

fn witness() -> PathBuf {
    compiled("witness", WITNESS, &["-fno-builtin"])
}

/// A copy under a name of the test's choice.
fn copy(of: &Path, to: &Path) -> String {
    fs::copy(of, to).unwrap();
    to.to_str().unwrap().to_owned()
}

fn under<S: AsRef<OsStr>>(options: &[&str], command: &[S]) -> Ran {
    let place = folder();
    Ran::new(tool(place.path()).arg("run").args(options).arg("--").args(command))
}

#[track_caller]
fn refused(options: &[&str], command: &[&OsStr], words: &[&str]) {
    for proof in [&[][..], &["--proof"]] {
        let options: Vec<&str> = options.iter().chain(proof).copied().collect();
        let ran = under(&options, command).exits(125).says(words);
        assert!(ran.out.is_empty(), "it was started:\n{}", ran.all());
    }
}

#[test]
fn the_status_is_the_programs_own() {
    for status in [0, 1, 3, 255] {
        for options in [&[][..], &["--proof"], &["--no-inherit"]] {
            under(options, &["sh", "-c", &format!("exit {status}")]).exits(status);
        }
    }
}

#[test]
fn a_signal_that_ends_the_program_ends_the_run() {
    for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("PIPE", 13), ("ABRT", 6)] {
        for options in [&[][..], &["--proof"]] {
            let ran = under(options, &["sh", "-c", &format!("kill -s {name} $$")]);
            assert_eq!(ran.status.signal(), Some(number), "{name} {options:?} {}", ran.all());
        }
    }
}

#[test]
fn what_is_not_there_is_127_and_what_cannot_be_executed_is_126() {
    let place = folder();
    let text = place.path().join("text");
    fs::write(&text, "nothing\n").unwrap();
    let text = text.to_str().unwrap();
    let odd = place.path().join("odd");
    fs::write(&odd, "#!/nonexistent/interpreter\n").unwrap();
    fs::set_permissions(&odd, fs::Permissions::from_mode(0o755)).unwrap();
    for options in [&[][..], &["--proof"]] {
        under(options, &["/nonexistent/program"]).exits(127).says(&["A8663", "was not found"]);
        under(options, &["no-such-program-anywhere"]).exits(127).says(&["A8663"]);
        under(options, &[""]).exits(127).says(&["A8663"]);
        under(options, &[text]).exits(126).says(&["A8662", "is not executable"]);
        under(options, &["/"]).exits(126).says(&["A8662"]);
        let ran = under(options, &[odd.to_str().unwrap()]).says(&["/nonexistent/interpreter"]);
        assert!(matches!(ran.status.code(), Some(125..=127)), "{}", ran.all());
    }
}

#[test]
fn no_program_is_a_refusal() {
    let place = folder();
    run(place.path(), &["run"]).exits(125).says(&["error[A8905]", "no program is named"]);
}

#[test]
fn standard_output_is_the_programs_byte_for_byte() {
    let plain = Command::new(program()).arg("wörd").output().unwrap();
    for options in
        [&[][..], &["--proof"], &["--proof", "--format", "json"], &["--no-inherit"], &["-v"]]
    {
        let ran = under(options, &[program().as_os_str(), OsStr::new("wörd")]).exits(0);
        assert_eq!(ran.out.as_bytes(), plain.stdout, "{options:?}");
    }
    let ran = under(&[], &[program().as_os_str()]).exits(0);
    assert!(ran.err.is_empty(), "without a proof nothing is said: {}", ran.all());
}

#[test]
fn standard_input_is_handed_on() {
    let place = folder();
    let input = place.path().join("input");
    fs::write(&input, "one\ntwo\n").unwrap();
    let mut command = tool(place.path());
    command.args(["run", "--proof", "--", "cat"]).stdin(fs::File::open(&input).unwrap());
    assert_eq!(Ran::new(&mut command).exits(0).out, "one\ntwo\n");
}

#[test]
fn the_proof_goes_to_standard_error_or_a_file() {
    let ran = under(&["--proof"], &[program()]).exits(0);
    assert!(ran.err.starts_with("proof: 1 of 1 programs"), "{}", ran.all());
    assert!(ran.err.contains(" malloc"), "{}", ran.all());
    let place = folder();
    let file = place.path().join("the proof");
    let option = format!("--proof={}", file.display());
    let ran = under(&[&option], &[program()]).exits(0);
    assert!(!ran.err.contains("proof:"), "{}", ran.all());
    assert!(fs::read_to_string(file).unwrap().starts_with("proof: 1 of 1 programs"));
}

#[test]
fn the_proof_as_json_is_one_object_a_line() {
    let place = folder();
    let file = place.path().join("proof.json");
    let option = format!("--proof={}", file.display());
    under(&[&option, "--format", "json"], &[program()]).exits(0);
    let objects = json(&fs::read_to_string(&file).unwrap());
    let (image, last) = (&objects[0], objects.last().unwrap());
    assert_eq!((&image["reason"], &image["interposed"]), (&"image".into(), &true.into()));
    assert!(image["bound"]["malloc"].is_array(), "{image}");
    assert_eq!((&last["reason"], &last["holds"]), (&"proof".into(), &true.into()));
    assert!(last["counters"]["allocations"].as_u64().is_some_and(|n| n > 0), "{last}");
}

#[test]
fn a_preload_that_is_there_is_kept_behind_ours() {
    let place = folder();
    let other = compiled("libother.so", "int other_library;\n", &["-shared", "-fPIC"]);
    for options in [&[][..], &["--proof"]] {
        let mut command = tool(place.path());
        command.arg("run").args(options).arg("--").arg(witness()).env("LD_PRELOAD", &other);
        let ran = Ran::new(&mut command).exits(0);
        let preload = ran.line("LD_PRELOAD").trim_start_matches("LD_PRELOAD ");
        let (ours, kept) = preload.split_once(':').unwrap();
        assert!(ours.ends_with("simple_heap-alloc8.so"), "{preload}");
        assert_eq!(Path::new(kept), other);
        assert_eq!(ran.line("malloc"), "malloc interposed");
    }
}

#[test]
fn odd_characters_in_every_path_do_no_harm() {
    let place = folder();
    let odd = place.path().join("a b:c;d $HOME 'ü\" 日本");
    fs::create_dir(&odd).unwrap();
    let exe = copy(&witness(), &odd.join("my prögram:1"));
    for options in [&[][..], &["--proof"], &["--no-inherit"]] {
        // A cache of its own: its path has the odd characters too.
        let mut command = tool(&odd);
        command.arg("run").args(options).args(["--", &exe, "an argument: with $everything 日本"]);
        let ran = Ran::new(command.env("XDG_CACHE_HOME", odd.join("cäche x"))).exits(0);
        assert_eq!(ran.line("malloc"), "malloc interposed", "{}", ran.all());
    }
    let library = copy(interposer(), &odd.join("lib my:heap.so"));
    let ran = under(&["--preload", &library, "--proof"], &[&exe]).exits(0);
    assert_eq!(ran.line("malloc"), "malloc interposed", "{}", ran.all());
}

#[test]
fn no_inherit_interposes_the_program_and_not_its_children() {
    let ran = under(&["--no-inherit"], &[witness()]).exits(0);
    assert_eq!(ran.out, "malloc interposed\nLD_PRELOAD unset\n");
    let child = witness().display().to_string();
    let ran = under(&["--no-inherit"], &["sh", "-c", &format!("{child}; exit 3")]).exits(3);
    assert_eq!(ran.out, "malloc of the C library\nLD_PRELOAD unset\n");
    // Inherited, the child is interposed as well.
    let ran = under(&[], &["sh", "-c", &format!("{child}; exit 3")]).exits(3);
    assert_eq!(ran.line("malloc"), "malloc interposed");
}

#[test]
fn no_inherit_follows_scripts_and_env() {
    let place = folder();
    let script = place.path().join("script with spaces");
    fs::write(&script, format!("#!/usr/bin/env {}\n", witness().display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = under(&["--no-inherit"], &[&script]).exits(0);
    assert_eq!(ran.out, "malloc interposed\nLD_PRELOAD unset\n");
    let witness = witness();
    let command = [OsStr::new("env"), OsStr::new("-i"), OsStr::new("A=B"), witness.as_os_str()];
    let ran = under(&["--no-inherit"], &command).exits(0);
    assert_eq!(ran.out, "malloc interposed\nLD_PRELOAD unset\n");
}

#[test]
fn print_env_prints_what_would_be_set_and_starts_nothing() {
    let ran = under::<&str>(&["--print-env"], &[]).exits(0);
    let library = ran.out.trim_end().strip_prefix("LD_PRELOAD=").unwrap();
    assert!(Path::new(library).is_file(), "{}", ran.all());
    let ran = under(&["--print-env"], &["sh", "-c", "echo started"]).exits(0);
    assert!(!ran.out.contains("started"), "{}", ran.all());
}

#[test]
fn a_library_that_is_named_is_preloaded() {
    let own = interposer().to_str().unwrap();
    let ran = under(&["--preload", own, "--proof"], &[witness()]).exits(0);
    assert_eq!(ran.line("malloc"), "malloc interposed");
    let stranger = "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2";
    if !Path::new(stranger).is_file() {
        return skip("run-strangers", "apt-get install libmimalloc2.0");
    }
    let ran = under(&["--preload", stranger, "--proof"], &[witness()]).exits(0);
    assert_eq!(ran.line("malloc"), "malloc interposed");
    assert!(ran.err.contains("libmimalloc"), "{}", ran.all());
}

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
fn a_script_runs_under_its_interpreter_and_the_proof_shows_that() {
    let place = folder();
    for first in ["#!/bin/sh\n", ""] {
        let script = place.path().join("script");
        fs::write(&script, format!("{first}echo \"$1\"\nexit 4\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        for options in [&[][..], &["--proof"], &["--no-inherit"]] {
            let command = [script.as_os_str(), OsStr::new("a word")];
            assert_eq!(under(options, &command).exits(4).out, "a word\n", "{first:?} {options:?}");
        }
    }
}

#[test]
fn a_program_that_drops_the_preload_and_executes_itself_has_no_proof() {
    let source = r#"
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words)
{
    free(malloc(100));
    if (!getenv("LD_PRELOAD"))
        return 0;
    unsetenv("LD_PRELOAD");
    execv(words[0], words);
    return count;
}
"#;
    let exe = compiled("drops", source, &["-fno-builtin"]);
    let ran = under(&["--proof"], &[&exe]).exits(125).says(&["error[A8665]", "no proof"]);
    assert!(ran.out.is_empty(), "{}", ran.all());
    under(&[], &[&exe]).exits(0);
}

#[test]
fn a_plug_in_that_looks_past_the_preload_is_a_split_heap() {
    let plug_in = "#include <stdlib.h>\nint use(void) { void *volatile p = aligned_alloc(64, 128); free(p); return 0; }\n";
    let plug_in = compiled("plugin.so", plug_in, &["-shared", "-fPIC", "-fno-builtin"]);
    let source = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
int main(int count, char **words)
{
    void *library = dlopen(words[1], RTLD_NOW | RTLD_DEEPBIND);
    int (*use)(void);
    free(malloc(100));
    if (count != 2 || !library)
        return 9;
    *(void **)&use = dlsym(library, "use");
    return use();
}
"#;
    let exe = compiled("deepbind", source, &["-fno-builtin", "-ldl"]);
    let ran = under(&["--proof"], &[&exe, &plug_in]).exits(125);
    ran.says(&["! aligned_alloc of", "is bound to", "error[A8665]", "bound elsewhere", "A8659"]);
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
fn two_runs_at_once_with_a_cold_cache_both_succeed() {
    let place = folder();
    let start = || {
        let mut command = tool(place.path());
        command.args(["run", "--"]).arg(witness()).env("XDG_CACHE_HOME", place.path().join("cold"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()];
    for child in both {
        let output = child.wait_with_output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.starts_with("malloc interposed"), "{out}{err}");
    }
    let left = fs::read_dir(place.path().join("cold/alloc8-gen/work")).unwrap().count();
    assert_eq!(left, 0, "intermediate files are left over");
}

//! The program's own status and streams.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

use super::witness::under;
use crate::tool::{Ran, folder, program, run, tool};

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
        let ran = under(options, &[odd.to_str().unwrap()]).exits(127);
        ran.says(&["A8663", "interpreter of `", "`/nonexistent/interpreter`: "]);
    }
}

#[test]
fn what_a_terminal_sends_is_for_the_program_and_the_proof_comes_in_the_end() {
    let place = folder();
    let program = "trap '' INT; : >ready; while [ ! -e go ]; do sleep 0.1; done; exit 5";
    let mut command = tool(place.path());
    command.args(["run", "--proof=proof", "--", "sh", "-c", program]).process_group(0);
    let mut started = command.spawn().unwrap();
    while !place.path().join("ready").exists() {
        assert!(started.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // As Ctrl-C does: to all of the group.
    let group = format!("-{}", started.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    fs::write(place.path().join("go"), "").unwrap();
    assert_eq!(started.wait().unwrap().code(), Some(5));
    let proof = fs::read_to_string(place.path().join("proof")).unwrap();
    assert!(proof.contains("programs ran with their heap in"), "{proof}");
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

//! What is preloaded, into which processes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use super::witness::{copy, under, witness};
use crate::common::skip;
use crate::tool::{Ran, compiled, folder, interposer, tool};

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

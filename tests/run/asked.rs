//! What the compiler is asked the first time, and never again.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use crate::tool;

/// A driver that writes down its arguments, a line each time, and does what `cc` does.
const RECORDER: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words)
{
    FILE *log = fopen(getenv("ASKED"), "a");
    for (int i = 1; i < count; i++)
        fprintf(log, "%s ", words[i]);
    fprintf(log, "\n");
    fclose(log);
    words[0] = "cc"; // it looks for its parts beside itself
    execvp("cc", words);
    return 127;
}
"#;

/// What `build` of a library of that name starts the compiler with.
fn asked(place: &Path, library: &str) -> Vec<String> {
    let log = place.join("asked.log");
    fs::write(&log, "").unwrap();
    let mut build = tool::tool(place);
    build.env("XDG_CACHE_HOME", place.join("cache")).env("ASKED", &log);
    build.args(["build", "--quiet", "--cc"]).arg(place.join("gcc")).args(["-o", library]);
    tool::Ran::new(&mut build).exits(0);
    fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect()
}

/// How often it must say who it is.
fn introductions(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.starts_with("--version ")).count()
}

#[test]
fn a_second_build_asks_the_compiler_nothing_but_to_compile_and_link() {
    let place = tool::folder();
    let place = place.path();
    // No link: it is the file's own name that tells that it compiles by itself.
    fs::copy(tool::compiled("recorder", RECORDER, &[]), place.join("gcc")).unwrap();
    let first = asked(place, "one.so");
    assert_eq!(introductions(&first), 1, "{first:#?}");
    // Another name, so that the library is made anew.
    let second = asked(place, "two.so");
    assert_eq!(second.len(), 3, "{second:#?}");
    for (line, word) in second.iter().zip(["-c", "-r", "-shared"]) {
        assert!(line.split(' ').any(|w| w == word), "no {word} in {line}");
    }
    assert_eq!(asked(place, "two.so"), [""; 0]);
}

#[test]
fn another_file_is_another_compiler() {
    let place = tool::folder();
    let place = place.path();
    let gcc = place.join("gcc");
    fs::copy(tool::compiled("recorder", RECORDER, &[]), &gcc).unwrap();
    asked(place, "one.so");
    assert_eq!(introductions(&asked(place, "one.so")), 0);
    let later = SystemTime::now() + Duration::from_secs(10);
    File::options().write(true).open(&gcc).unwrap().set_modified(later).unwrap();
    assert_eq!(introductions(&asked(place, "one.so")), 1);
    // What is in a script's place today may be elsewhere tomorrow.
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", place.join("real").display());
    fs::rename(&gcc, place.join("real")).unwrap();
    fs::write(&gcc, script).unwrap();
    fs::set_permissions(&gcc, PermissionsExt::from_mode(0o755)).unwrap();
    for _ in 0..2 {
        assert_eq!(introductions(&asked(place, "one.so")), 1);
    }
}

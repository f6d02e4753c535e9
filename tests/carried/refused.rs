//! What is refused, with words.

use std::{fs, os::unix::fs::PermissionsExt};

use tempfile::TempDir;

use super::toolbox::{finish, said, tool};

fn refused(arguments: &[&str], code: &str, words: &str) {
    let work = TempDir::new().unwrap();
    let output = finish(tool().args(arguments).current_dir(work.path()));
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(&format!("error[{code}]")) && text.contains(words), "{text}");
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0, "something was written");
}

#[test]
fn a_platform_without_facts_about_programs_is_refused() {
    let generate = ["generate", "-a", "simple_heap", "--mode", "static", "-p"];
    for platform in ["android", "freebsd", "netbsd"] {
        refused(&[&generate[..], &[platform]].concat(), "A8230", platform);
    }
}

#[test]
fn a_language_that_is_carried_already_has_no_such_mode() {
    let generate = ["generate", "-p", "linux", "-a", "simple_heap", "--mode", "static", "--lang"];
    refused(&[&generate[..], &["rust"]].concat(), "A8231", "`staticlib`");
    refused(&[&generate[..], &["cpp"]].concat(), "A8231", "includes the header");
}

/// A compiler that leaves out some of what it is told.
fn forgetful(folder: &TempDir, forgets: &str) -> String {
    let path = folder.path().join("forgetful");
    let script = format!(
        "#!/bin/sh\nfor a; do shift\n  case $a in\n    {forgets}) ;;\n    @*) sed '/{forgets}/d' \"${{a#@}}\" >\"$0.args\"; set -- \"$@\" \"@$0.args\" ;;\n    *) set -- \"$@\" \"$a\" ;;\n  esac\ndone\nexec gcc \"$@\"\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn an_object_that_lacks_a_name_is_not_handed_out() {
    let folder = TempDir::new().unwrap();
    let cc = forgetful(&folder, "-Wl,--defsym=calloc=*");
    refused(&["build", "--mode", "static", "--cc", &cc], "A8440", "`calloc` is not defined");
}

#[test]
fn programs_whose_libraries_would_not_see_the_heap_are_not_what_was_promised() {
    let folder = TempDir::new().unwrap();
    let cc = forgetful(&folder, "-Wl,--export-dynamic-symbol=free_sized");
    let words = "`free_sized` is in it, and its libraries do not see it";
    refused(&["build", "--mode", "static", "--cc", &cc], "A8441", words);
}

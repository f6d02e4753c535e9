//! `build`, `run` and `verify -a` know libraries that are made from the headers.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use super::headers::said;
use crate::heaps;

const UNIT: &str =
    "#include \"free_list.hpp\"\n#include \"redirect.hpp\"\nALLOC8_REDIRECT(FreeList);\n";

fn tool(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.args(arguments).current_dir(folder);
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache")).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = tool(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The class of the fixtures, described as its user would, in a path with a space.
fn class(unit: &str, changed: impl Fn(String) -> String) -> tempfile::TempDir {
    let work = tempfile::Builder::new().prefix("a heap ").tempdir().unwrap();
    let description = fs::read_to_string(heaps::heap("free_list.toml")).unwrap();
    let archive = "archive = \"none.a\"";
    assert!(description.contains(archive));
    let description = description.replace(archive, "cpp = \"src/unit.cpp\"");
    fs::write(work.path().join("free_list.toml"), changed(description)).unwrap();
    fs::create_dir(work.path().join("src")).unwrap();
    fs::write(work.path().join("src/unit.cpp"), unit).unwrap();
    fs::copy(heaps::heap("free_list.hpp"), work.path().join("src/free_list.hpp")).unwrap();
    work
}

#[test]
fn a_library_is_built_from_a_class_verified_and_run() {
    let work = class(UNIT, |text| text);
    let built = done(work.path(), &["build", "-a", "free_list", "-o", "l.so", "--depfile", "d"]);
    assert!(built.contains("48 symbols bound, 0 of them directly"), "{built}");
    let depfile = fs::read_to_string(work.path().join("d")).unwrap();
    for input in ["free_list.toml", "src/unit.cpp", "src/free_list.hpp"] {
        assert!(depfile.contains(&format!("  {input}")), "{depfile}");
    }
    let verdict = done(work.path(), &["verify", "-a", "free_list", "l.so"]);
    assert!(verdict.contains("_ZdaPvm ") && verdict.ends_with("complete\n"), "{verdict}");
    let ls = ["run", "-a", "free_list", "--proof=proof.txt", "--", "ls", "src"];
    assert_eq!(done(work.path(), &ls), "free_list.hpp\nunit.cpp\n");
    let proof = fs::read_to_string(work.path().join("proof.txt")).unwrap();
    assert!(proof.contains("1 of 1 programs ran with their heap in"), "{proof}");
}

#[test]
fn a_library_is_built_over_the_functions_of_an_archive() {
    let work = tempfile::tempdir().unwrap();
    done(work.path(), &["build", "--lang", "cpp", "-o", "l.so"]);
    let verify =
        |lang: &str| tool(work.path(), &["verify", "-a", "simple_heap", "--lang", lang, "l.so"]);
    let verdict = verify("cpp");
    assert_eq!(verdict.status.code(), Some(0), "{verdict:?}");
    assert!(
        !String::from_utf8_lossy(&verdict.stdout).contains("the plan leaves it"),
        "{verdict:?}"
    );
    // What a shim in C leaves to the runtime is missed in one that is said to be in C++.
    done(work.path(), &["build", "-o", "c.so"]);
    let verdict = tool(work.path(), &["verify", "-a", "simple_heap", "--lang", "cpp", "c.so"]);
    assert_eq!(verdict.status.code(), Some(1));
    let text = String::from_utf8_lossy(&verdict.stdout);
    assert!(text.lines().any(|l| l.starts_with("! _Znam ")), "{text}");
}

/// The names of an archive are hidden before the header calls them.
#[test]
fn an_archive_with_public_names_is_built_into_a_library() {
    let work = tempfile::tempdir().unwrap();
    let compiler = alloc8_gen::toolchain::Compiler::find(Some("gcc"), None).unwrap();
    heaps::archive(&compiler, &[&heaps::heap("unprefixed.c")], work.path(), &[]);
    done(work.path(), &["init", "unprefixed", "--lib", "libheap.a"]);
    done(work.path(), &["build", "-a", "unprefixed", "--lang", "cpp", "-o", "l.so"]);
    done(work.path(), &["verify", "l.so"]);
}

#[test]
fn a_promise_that_the_class_does_not_keep_is_refused() {
    let lie = |text: String| {
        text.replace(
            "errno     = true",
            "errno     = true\nrealloc_zero = \"live\"\nmin_align = 64\n",
        )
        .replace("min_align = 16\n", "")
    };
    let work = class(UNIT, lie);
    let output = tool(work.path(), &["build", "-a", "free_list"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("min_align"), "{}", said(&output));
}

#[test]
fn a_class_is_refused_in_other_languages() {
    let work = class(UNIT, |text| text);
    for arguments in [
        &["build", "-a", "free_list", "--lang", "c"][..],
        &["-p", "linux", "-a", "free_list"],
        &["-p", "linux", "-a", "free_list", "--lang", "rust"],
    ] {
        let output = tool(work.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains("error[A8261]"), "{}", said(&output));
    }
    let both = class(UNIT, |text| text.replace("cpp =", "rust = \"crate::Heap\"\ncpp ="));
    let output = tool(both.path(), &["build", "-a", "free_list"]);
    assert!(said(&output).contains("error[A8260]"), "{}", said(&output));
}

#[test]
fn a_file_that_includes_another_header_is_refused() {
    let work = class("#include \"old/redirect.hpp\"\n", |text| text);
    done(work.path(), &["-p", "linux", "-a", "free_list", "--lang", "cpp", "-o", "src"]);
    fs::rename(work.path().join("src/linux-cpp"), work.path().join("src/old")).unwrap();
    let output = tool(work.path(), &["build", "-a", "free_list"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = said(&output);
    assert!(said.contains("error[A8262]") && said.contains("old/shim.hpp"), "{said}");
}

#[test]
fn what_the_compiler_says_of_a_class_is_shown() {
    let work = class(&UNIT.replace("(FreeList)", "(NoList)"), |text| text);
    let output = tool(work.path(), &["build", "-a", "free_list"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("NoList"), "{}", said(&output));
}

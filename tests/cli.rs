//! The command line: help, usage errors, exit statuses, JSON, and what `generate` does to a disk.
#![cfg(unix)]

#[path = "cli/tool.rs"]
mod tool;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use tool::{Ran, folder, root, run, tool};

const VERBS: &[&str] =
    &["generate", "check", "build", "run", "verify", "laws", "list", "explain", "init"];

/// Compares with `tests/cli/NAME.txt`; `BLESS=1` writes it.
#[track_caller]
fn golden(name: &str, text: &str) {
    let file = root().join("tests/cli").join(name).with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, wanted, "{} differs; BLESS=1 writes it", file.display());
}

fn bare(arguments: &[&str]) -> Ran {
    run(folder().path(), arguments)
}

#[test]
fn the_help_of_every_verb_is_as_it_was_agreed() {
    let help = bare(&["--help"]).exits(0);
    golden("help", &help.out);
    for verb in VERBS {
        golden(&format!("help-{verb}"), &bare(&[verb, "--help"]).exits(0).out);
        assert!(help.out.contains(&format!("\n  {verb} ")), "{}", help.all());
    }
}

#[test]
fn no_arguments_give_the_help_and_nothing_is_done() {
    let ran = bare(&[]).exits(2);
    let text = format!("{}{}", ran.out, ran.err);
    assert!(text.contains("Usage: alloc8-gen") && text.contains("Verbs:"), "{}", ran.all());
}

#[test]
fn the_version_is_the_packages() {
    let ran = bare(&["--version"]).exits(0);
    assert_eq!(ran.out, format!("alloc8-gen {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn options_before_a_verb_are_refused_in_words() {
    for (option, value) in
        [("--platform", "linux"), ("--allocator", "simple_heap"), ("--output", "x")]
    {
        let ran = bare(&[option, value, "check"]).exits(2);
        ran.says(&["error[A8901]", &format!("`{option}`"), &format!("alloc8-gen check {option}")]);
    }
}

#[test]
fn the_format_may_stand_before_or_after_the_verb() {
    let before = bare(&["--format", "json", "list", "platforms"]).exits(0);
    let after = bare(&["list", "platforms", "--format", "json"]).exits(0);
    assert_eq!(before.out, after.out);
    assert_eq!(before.json()[0]["reason"], "platform");
}

#[test]
fn unknown_names_are_refused_with_a_suggestion() {
    bare(&["-p", "linx", "-a", "simple_heap"]).exits(2).says(&["error[A8003]", "`linux`"]);
    bare(&["--platfrom", "linux"]).exits(2).says(&["--platform"]);
    bare(&["chek"]).exits(2).says(&["check"]);
    bare(&["-p", "linux", "-a", "simple_heap", "--lang", "cpq"]).exits(2).says(&["cpp"]);
    bare(&["-p", "linux", "-a", "no-such-heap"]).exits(2).says(&["error[A8903]", ".toml"]);
    bare(&["-p", "linux", "-a", "./absent.toml"]).exits(2).says(&["error[A8109]", "absent.toml"]);
    bare(&["explain", "Malloc"]).exits(2).says(&["did you mean `malloc`?"]);
    bare(&["explain", "mallok"]).exits(2).says(&["error[A8912]", "did you mean `malloc`?"]);
    bare(&["list", "platform"]).exits(2).says(&["platforms"]);
}

#[test]
fn where_one_platform_is_meant_all_is_no_answer() {
    for line in [&["build", "-p", "all"][..], &["verify", "-p", "all", "x.so"]] {
        let place = folder();
        fs::copy("/proc/self/exe", place.path().join("x.so")).unwrap();
        run(place.path(), line).exits(2).says(&["error[A8910]", "list platforms"]);
    }
    bare(&["run", "-p", "all", "true"]).exits(125).says(&["error[A8910]"]);
}

#[test]
fn hooks_are_refused_where_none_are_made() {
    bare(&["build", "-p", "linux", "--hook", "iat"]).exits(2).says(&["error[A8253]"]);
    bare(&["run", "--hook", "iat", "true"]).exits(125).says(&["error[A8253]"]);
}

#[test]
fn an_answer_that_standard_output_does_not_take_is_none_unless_its_reader_went_away() {
    let lines: [&[&str]; 2] = [
        &["-p", "linux", "-a", "simple_heap", "-o", "-", "--only", "shim.c"],
        &["list", "symbols", "-p", "linux"],
    ];
    for line in lines {
        let place = folder();
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = tool(place.path()).args(line).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        assert!(said.contains("error[A8302]: could not write standard output"), "{said}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = tool(place.path()).args(line).stdout(writer).output().unwrap();
        assert_eq!((ran.status.code(), ran.stderr.is_empty()), (Some(0), true));
    }
}

#[test]
fn what_generate_needs_is_asked_for() {
    bare(&["-p", "linux"]).exits(2).says(&["error[A8905]", "`--allocator` is required"]);
    bare(&["-a", "simple_heap"]).exits(2).says(&["error[A8905]", "`--platform` is required"]);
}

#[test]
fn the_naming_convention_is_never_silent() {
    let place = folder();
    let ran = run(place.path(), &["-p", "linux", "-a", "anyone"]).exits(0);
    ran.says(&["note[A8904]", "anyone_malloc", "no promises", "alloc8-gen init anyone"]);
    assert!(place.path().join("generated/anyone/linux/shim.c").is_file());
}

#[test]
fn a_description_here_comes_before_a_built_in() {
    let place = folder();
    let text =
        "schema = 1\nmalloc = \"my_m\"\nfree = \"my_f\"\nmemalign = \"my_a\"\nrealloc = \"my_r\"\n";
    fs::write(place.path().join("mimalloc.toml"), text).unwrap();
    let ran = run(place.path(), &["-p", "linux", "-a", "mimalloc", "--only", "shim.c", "-o", "-"]);
    assert!(ran.exits(0).out.contains("my_m("));
}

#[test]
fn one_file_can_go_to_standard_output_and_nothing_is_written() {
    let place = folder();
    let line = ["-p", "linux", "-a", "simple_heap", "-o", "-"];
    let ran = run(place.path(), &[&line[..], &["--only", "shim.c"]].concat()).exits(0);
    let file = root().join("generated/simple_heap/linux/shim.c");
    assert_eq!(ran.out, fs::read_to_string(file).unwrap());
    run(place.path(), &line).exits(2).says(&["error[A8906]", "--only"]);
    let none = run(place.path(), &[&line[..], &["--only", "shim.x"]].concat()).exits(2);
    none.says(&["error[A8907]", "shim.c"]);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn lists_are_for_people_and_for_machines() {
    let platforms = bare(&["list", "platforms"]).exits(0);
    assert!(platforms.out.lines().any(|l| l.starts_with("linux ")), "{}", platforms.all());
    let allocators = bare(&["list", "allocators", "--format", "json"]).exits(0).json();
    for name in ["simple_heap", "xx", "mimalloc", "jemalloc", "rpmalloc", "snmalloc"] {
        assert!(allocators.iter().any(|o| o["name"] == name), "{name}");
    }
    let line = ["list", "symbols", "-p", "linux", "-a", "simple_heap"];
    let people = bare(&line).exits(0);
    assert!(people.line("malloc").contains(" direct "), "{}", people.all());
    let machines = bare(&[&line[..], &["--format", "json"]].concat()).exits(0).json();
    let symbols: Vec<_> = machines.iter().filter(|o| o["reason"] == "symbol").collect();
    let malloc = symbols.iter().find(|o| o["name"] == "malloc" && o["abi"] == "lp64").unwrap();
    assert_eq!(
        (&malloc["operation"], &malloc["answer"]["binding"]),
        (&"malloc".into(), &"direct".into())
    );
    assert!(symbols.iter().all(|o| o["answer"]["why"].is_string()));
    assert!(machines.iter().any(|o| o["reason"] == "omission" && o["name"] == "strdup"));
    let one = bare(&[
        "list",
        "symbols",
        "-p",
        "linux",
        "--target",
        "x86_64-unknown-linux-gnu",
        "--format",
        "json",
    ]);
    assert!(one.exits(0).json().iter().all(|o| o["reason"] == "omission" || o["abi"] == "lp64"));
}

#[test]
fn a_symbol_and_a_code_are_explained() {
    let symbol = bare(&["explain", "malloc"]).exits(0);
    for word in ["operation", "without it", "source", "linux"] {
        assert!(symbol.out.contains(word), "no {word} in\n{}", symbol.all());
    }
    golden("explain-A8101", &bare(&["explain", "A8101"]).exits(0).out);
    assert_eq!(bare(&["explain", "a8101"]).exits(0).out, bare(&["explain", "A8101"]).out);
    let objects = bare(&["explain", "A8101", "--format", "json"]).exits(0).json();
    assert_eq!(objects[0]["code"], "A8101");
    bare(&["explain", "nonsense"]).exits(2).says(&["error[A8912]", "list symbols"]);
    bare(&["explain", "A8000"]).exits(2).says(&["error[A8912]"]);
}

const HEAP: &[&str] = &["-p", "linux", "-a", "simple_heap"];
const SHIM: &str = "generated/simple_heap/linux/shim.c";

fn generate(place: &Path) -> Ran {
    run(place, HEAP)
}

/// Names and times of what is in the rendered folder.
fn rendered(place: &Path) -> Vec<(String, std::time::SystemTime)> {
    let entries = fs::read_dir(place.join("generated/simple_heap/linux")).unwrap();
    let mut all: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let time = entry.metadata().unwrap().modified().unwrap();
            (entry.file_name().into_string().unwrap(), time)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_second_run_writes_nothing() {
    let place = folder();
    let first = generate(place.path()).exits(0);
    assert!(first.out.contains("wrote") && first.out.contains(SHIM), "{}", first.all());
    let before = rendered(place.path());
    let second = generate(place.path()).exits(0);
    assert!(second.out.is_empty(), "{}", second.all());
    assert_eq!(rendered(place.path()), before);
    let objects = run(place.path(), &[HEAP, &["--format", "json"]].concat()).exits(0).json();
    assert!(objects.iter().all(|o| o["reason"] == "file" && o["changed"] == false));
    assert_eq!(objects.len(), before.len());
}

#[test]
fn mistakes_in_a_description_are_shown_at_their_place_and_all_at_once() {
    let place = folder();
    let text = "\
schema = 1
mallok = \"heap_malloc\"
free = \"heap_free\"
";
    fs::write(place.path().join("keys.toml"), text).unwrap();
    let keys = run(place.path(), &["-p", "linux", "-a", "keys"]).exits(2);
    golden("mistakes-keys", &keys.err);
    let text = "\
schema = 1
malloc = \"heap malloc(size\"
free = \"heap_free\"
memalign = \"heap_memalign(size, alignmnt)\"
thread_policy = \"required\"
waive = [\"erno\"]

[promises]
min_align = 24
max_size = \"much\"
";
    fs::write(place.path().join("values.toml"), text).unwrap();
    let values = run(place.path(), &["-p", "linux", "-a", "values"]).exits(2);
    golden("mistakes-values", &values.err);
    fs::write(place.path().join("syntax.toml"), "schema = 1\nmalloc = \"x\nfree = 3\n").unwrap();
    let syntax = run(place.path(), &["-p", "linux", "-a", "syntax"]).exits(2);
    golden("mistakes-syntax", &syntax.err);
    assert!(!place.path().join("generated").exists());
    // Machines get the same, with line and column.
    let ran = run(place.path(), &["-p", "linux", "-a", "keys", "--format", "json"]).exits(2);
    let objects = tool::json(&ran.err);
    assert_eq!(
        (&objects[0]["code"], &objects[0]["places"][0]["line"]),
        (&"A8002".into(), &2.into())
    );
    let ran = run(place.path(), &["-p", "linux", "-a", "keys", "--format", "github"]).exits(2);
    assert!(
        ran.err.starts_with("::error title=A8002,file=keys.toml,line=2,col=1::"),
        "{}",
        ran.all()
    );
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let plain = bare(&["-p", "linx", "-a", "x"]).exits(2);
    assert!(!plain.err.contains('\u{1b}'));
    let asked = bare(&["--color", "always", "-p", "linx", "-a", "x"]).exits(2);
    assert!(asked.err.contains('\u{1b}'));
}

#[test]
fn two_at_once_do_not_corrupt() {
    let place = folder();
    let start = || {
        let mut command = tool(place.path());
        command.args(HEAP).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for round in 0..5 {
        let all: Vec<_> = (0..4).map(|_| start()).collect();
        for child in all {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        run(place.path(), &["check"]).exits(0);
        assert!(rendered(place.path()).iter().all(|(name, _)| !name.ends_with(".tmp")), "{round}");
        fs::remove_dir_all(place.path().join("generated")).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_in_words() {
    let place = folder();
    fs::write(place.path().join("file"), "").unwrap();
    let ran = run(place.path(), &[HEAP, &["-o", "file/below"]].concat()).exits(2);
    ran.says(&["error[A8301]", "file/below"]);
    let ran = run(place.path(), &[HEAP, &["--depfile", "absent/d"]].concat()).exits(2);
    ran.says(&["error[A8302]", "absent/d"]);
}

#[test]
fn half_a_file_is_written_again() {
    let place = folder();
    generate(place.path()).exits(0);
    let shim = place.path().join(SHIM);
    let whole = fs::read_to_string(&shim).unwrap();
    fs::write(&shim, &whole[..whole.len() / 2]).unwrap();
    let ran = generate(place.path()).exits(0);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.all());
    assert_eq!(fs::read_to_string(&shim).unwrap(), whole);
    fs::write(&shim, "").unwrap();
    generate(place.path()).exits(0);
    assert_eq!(fs::read_to_string(&shim).unwrap(), whole);
}

#[test]
fn a_file_of_somebody_elses_is_never_overwritten_and_no_other_changes() {
    let place = folder();
    let shim = place.path().join(SHIM);
    fs::create_dir_all(shim.parent().unwrap()).unwrap();
    fs::write(&shim, "int mine;\n").unwrap();
    let before = rendered(place.path());
    generate(place.path()).exits(2).says(&["error[A8303]", SHIM, "no @generated marker"]);
    assert_eq!(rendered(place.path()), before);
}

#[test]
fn if_one_platform_of_a_call_fails_no_file_changes() {
    let place = folder();
    generate(place.path()).exits(0);
    let before = rendered(place.path());
    fs::write(place.path().join(SHIM), "/* @generated by alloc8-gen\n").unwrap();
    let odd = fs::read(place.path().join(SHIM)).unwrap();
    let ran = run(place.path(), &["-p", "linux,nowhere", "-a", "simple_heap"]).exits(2);
    ran.says(&["error[A8003]", "`nowhere`"]);
    assert_eq!(fs::read(place.path().join(SHIM)).unwrap(), odd);
    assert_eq!(rendered(place.path()).len(), before.len());
}

#[test]
fn a_target_of_no_abi_is_refused_with_those_that_there_are() {
    let ran = bare(&[HEAP, &["--target", "sparc-sun-solaris"]].concat()).exits(2);
    ran.says(&["error[A8908]", "lp64", "x86_64"]);
}

#[test]
fn a_depfile_names_the_description_and_every_output() {
    let place = folder();
    let text = "schema = 1\nmalloc = \"m\"\nfree = \"f\"\nmemalign = \"a\"\nrealloc = \"r\"\n";
    fs::write(place.path().join("my heap.toml"), text).unwrap();
    let line = ["-p", "linux", "-a", "./my heap.toml", "-o", "out", "--depfile", "deps.d"];
    run(place.path(), &line).exits(0);
    let deps = fs::read_to_string(place.path().join("deps.d")).unwrap();
    assert!(deps.contains("out/linux/shim.c") && deps.contains("my\\ heap.toml"), "{deps}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = folder();
    let mut command = tool(place.path());
    command.args(["list", "symbols", "-p", "linux"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panic"), "{said}");
}

#[test]
fn rendered_files_can_be_read_by_everyone_whom_the_umask_allows() {
    let place = folder();
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$@\"", "sh", tool::TOOL]).args(HEAP);
    Ran::new(shell.current_dir(place.path())).exits(0);
    let mode = fs::metadata(place.path().join(SHIM)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

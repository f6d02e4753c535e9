//! `run -p windows`: how programs are started, how they end, and what is refused.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::bench::{Run, Wine, X64, X86, folder, said, source, tool};
use super::built::static_program;

/// Says its words, and whose a block is; ends as its first word says.
pub(super) const WORDS: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
int main(int argc, char **argv)
{
    char line[100] = "nothing";
    HMODULE heap = GetModuleHandleA("hooks.dll");
    _Bool (*has)(const void *) = heap ? (_Bool (*)(const void *))(void *)GetProcAddress(heap, "counted_heap_has") : NULL;
    void *block = malloc(10);
    printf("hooked: %d\n", has && has(block));
    free(block);
    for (int i = 2; i < argc; i++)
        printf("word: <%s>\n", argv[i]);
    fprintf(stderr, "to the other stream\n");
    if (argc > 2 && !strcmp(argv[2], "-"))
        printf("read: %s\n", fgets(line, sizeof line, stdin));
    if (argc > 2 && !strcmp(argv[2], "child"))
        return system(argv[3]);
    fflush(stdout);
    ExitProcess(argc > 1 ? strtoul(argv[1], NULL, 0) : 0);
}
"#;

pub(super) fn compile(gcc: &str, text: &str, output: &Path, more: &[&str]) {
    let file = output.with_extension("c");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(gcc);
    let output = command.arg(&file).arg("-o").arg(output).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with the program and with a library whose hooks are in imports.
pub(super) struct Place {
    pub(super) wine: &'static Wine,
    pub(super) folder: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Option<Place> {
        let place = Place { wine: Wine::new()?, folder: tempfile::tempdir_in(folder()).unwrap() };
        compile(&X64.gcc(), WORDS, &place.path("words.exe"), &[]);
        place.library("hooks.dll", &source("counted_heap.toml"), "iat");
        Some(place)
    }

    fn library(&self, name: &str, description: &Path, hook: &str) {
        let mut build = tool(&["build", "-p", "windows", "--hook", hook, "-a"]);
        build.arg(description).arg("-o").arg(self.path(name));
        for object in X64.heap(&super::bench::simple_heap(), "simple_heap_", &[]) {
            build.arg("--lib").arg(object);
        }
        said(&mut build, 0);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.wine.launch(self.folder.path(), arguments)
    }

    /// Under the library.
    fn under(&self, arguments: &[&str]) -> Run {
        self.run(&[&["--preload", "hooks.dll", "--"], arguments].concat())
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str], status: i32, words: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.status, Some(status), "{}", run.text);
        for word in words {
            assert!(run.text.contains(word), "{word}\n{}", run.text);
        }
        assert!(!run.text.contains("hooked: "), "it ran:\n{}", run.text);
    }
}

#[test]
fn a_program_gets_its_words_and_ends_as_it_ends() {
    let Some(place) = Place::new() else { return };
    let run = place.under(&["words.exe", "7", "two words", r#"a"quote\"#, "", "ü"]);
    for line in
        ["hooked: 1", "word: <two words>", r#"word: <a"quote\>"#, "word: <>", "to the other stream"]
    {
        assert!(run.text.contains(line), "{line}\n{}", run.text);
    }
    assert_eq!(run.status, Some(7), "{}", run.text);
    // What would be success if only its lowest bits were seen.
    assert_eq!(place.under(&["words", "256"]).status, Some(255));
    let run = place.under(&["./words.exe", "0xC0000005"]);
    assert!(
        run.text.contains("note[A8687]") && run.text.contains("an access violation"),
        "{}",
        run.text
    );
    assert_eq!(run.status, Some(5));
    // The control: without the library nothing is hooked.
    let run = place.wine.run(&place.path("words.exe"), &["7"]);
    assert!(run.text.contains("hooked: 0"), "{}", run.text);
    assert_eq!(run.status, Some(7));
}

#[test]
fn paths_may_have_spaces_and_letters_of_any_language() {
    let Some(place) = Place::new() else { return };
    let inner = place.path("with späces ж");
    fs::create_dir(&inner).unwrap();
    fs::copy(place.path("words.exe"), inner.join("wörds ж.exe")).unwrap();
    fs::copy(place.path("hooks.dll"), inner.join("hooks ж.dll")).unwrap();
    let words = [
        "--preload",
        "with späces ж/hooks ж.dll",
        "--proof",
        "--",
        "with späces ж/wörds ж.exe",
        "3",
    ];
    let run = place.run(&words);
    assert!(
        run.text.contains("proof: hooked before") && run.text.contains("msvcrt.dll: imports: "),
        "{}",
        run.text
    );
    assert_eq!(run.status, Some(3), "{}", run.text);
}

#[test]
fn a_proof_says_what_was_hooked_before_the_first_instruction() {
    let Some(place) = Place::new() else { return };
    let run = place.run(&[
        "--format",
        "json",
        "--proof=proof.json",
        "--preload",
        "hooks.dll",
        "--",
        "words.exe",
        "4",
    ]);
    assert_eq!(run.status, Some(4), "{}", run.text);
    let text = fs::read_to_string(place.path("proof.json")).unwrap();
    let proof: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&proof["holds"], &proof["ended"]), (&true.into(), &4.into()), "{proof}");
    assert!(proof["hooked"][0].as_str().unwrap().starts_with("msvcrt.dll: imports: "), "{proof}");
}

#[test]
fn a_library_is_built_for_the_programs_cpu() {
    let Some(place) = Place::new() else { return };
    for cpu in [X64, X86] {
        if !place.wine.runs(cpu) {
            continue;
        }
        compile(&cpu.gcc(), WORDS, &place.path("own.exe"), &[]);
        let run = place.run(&["--hook", "iat", "--proof", "--", "own.exe", "5"]);
        assert!(run.text.contains("proof: hooked"), "{}", run.text);
        assert_eq!(run.status, Some(5), "{}", run.text);
    }
}

#[test]
fn a_heap_that_cannot_tell_whose_a_block_is_comes_before_the_first_block() {
    let Some(place) = Place::new() else { return };
    let text = fs::read_to_string(source("counted_heap.toml")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("owns"));
    fs::write(place.path("blind.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    place.library("hooks.dll", &place.path("blind.toml"), "minhook");
    let run = place.under(&["words.exe", "6"]);
    assert!(run.text.contains("hooked: 1"), "{}", run.text);
    assert_eq!(run.status, Some(6), "{}", run.text);
}

#[test]
fn children_are_not_hooked() {
    let Some(place) = Place::new() else { return };
    let run = place.under(&["words.exe", "0", "child", "words.exe 3"]);
    let lines = run.text.lines().map(str::trim).filter(|line| line.starts_with("hooked: "));
    let mut hooked: Vec<_> = lines.collect();
    hooked.sort_unstable();
    assert_eq!(hooked, ["hooked: 0", "hooked: 1"], "{}", run.text);
    assert_eq!(run.status, Some(3), "{}", run.text);
}

#[test]
fn what_hooks_cannot_reach_is_refused_before_anything_runs() {
    let Some(place) = Place::new() else { return };
    let under = |program| ["--preload", "hooks.dll", "--", program];
    place.refuses(&under("absent.exe"), 127, &["error[A8663]", "absent.exe"]);
    place.refuses(&under("words.c"), 125, &["error[A8680]", "no program of Windows"]);
    fs::write(place.path("cut.exe"), &fs::read(place.path("words.exe")).unwrap()[..100]).unwrap();
    place.refuses(&under("cut.exe"), 125, &["error[A8680]"]);
    place.refuses(&under("hooks.dll"), 125, &["error[A8652]"]);
    static_program(X64, place.folder.path());
    place.refuses(&under("alone.exe"), 125, &["error[A8670]", "imports no C library"]);
    place.refuses(&["--print-env"], 125, &["error[A8685]"]);
    place.refuses(
        &["--preload", "words.exe", "--", "words.exe"],
        125,
        &["error[A8660]", "alloc8_report"],
    );
    if place.wine.runs(X86) {
        compile(&X86.gcc(), WORDS, &place.path("narrow.exe"), &[]);
        place.refuses(&under("narrow.exe"), 125, &["error[A8654]", "another machine"]);
    }
}

#[test]
fn a_library_that_a_program_lacks_is_named() {
    let Some(place) = Place::new() else { return };
    compile(&X64.gcc(), "int part(void) { return 1; }", &place.path("part.dll"), &["-shared"]);
    let needs = "#include <stdio.h>\nint part(void);\nint main(void) { puts(\"hooked: never\"); return part(); }";
    let part = place.path("part.dll");
    compile(&X64.gcc(), needs, &place.path("needs.exe"), &[part.to_str().unwrap()]);
    assert_eq!(place.under(&["needs.exe"]).status, Some(1));
    fs::remove_file(part).unwrap();
    place.refuses(
        &["--preload", "hooks.dll", "--", "needs.exe"],
        126,
        &["error[A8683]", "0xC0000135", "it needs `part.dll`"],
    );
}

#[test]
fn a_library_that_hooks_nothing_ends_the_program_before_its_first_instruction() {
    let Some(place) = Place::new() else { return };
    let idle = "__declspec(dllexport) char alloc8_hooks[] = \"malloc\\0\";\n\
                __declspec(dllexport) char alloc8_report[2048] = \"alloc8: idle: left as it was\\n\";\n";
    compile(&X64.gcc(), idle, &place.path("idle.dll"), &["-shared"]);
    place.refuses(
        &["--preload", "idle.dll", "--", "words.exe"],
        125,
        &["error[A8684]", "alloc8: idle: left as it was"],
    );
}

#[test]
fn hooks_are_named_for_windows_alone() {
    let mut run = tool(&["run", "--hook", "iat", "--", "true"]);
    let output = run.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(125) && text.contains("error[A8253]"), "{text}");
}

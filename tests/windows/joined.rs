//! Objects that the tool joins itself: what stays visible, what falls away, and that what is left still runs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{artifact::Archive, toolchain::join_for_windows};

use super::bench::{Wine, folder};
use crate::common;

/// Which compiler makes the parts; the last word is what C's names begin with.
const COMPILERS: [(&[&str], &str); 4] = [
    (&["clang", "--target=x86_64-pc-windows-msvc", "-ffreestanding"], ""),
    (&["clang", "--target=i686-pc-windows-msvc", "-ffreestanding"], "_"),
    (&["clang", "--target=aarch64-pc-windows-msvc", "-ffreestanding"], ""),
    (&["x86_64-w64-mingw32-gcc"], ""),
];

const FIRST: &str = "
__declspec(selectany) int shared = 7;
int tentative;
int inside(int number);
int weak_one(void);
__attribute__((weak)) int absent_one(void);
static int own(void) { return 1; }
static int (*volatile pointer)(void) = own;
int answer(void)
{
    tentative++;
    return pointer() + inside(40) + shared + weak_one() + (absent_one ? 1000 : 0);
}
";

const SECOND: &str = "
__declspec(selectany) int shared = 7;
int tentative[8];
static int own(void) { return 2; }
static int (*volatile pointer)(void) = own;
__declspec(dllexport) int inside(int number) { return number + pointer() + tentative[0]; }
__attribute__((weak)) int weak_one(void) { return 100; }
__declspec(dllexport) int extra(void) { return shared; }
";

/// Nobody wants it.
const THIRD: &str =
    "int nowhere_to_be_found(void);\nint unwanted(void) { return nowhere_to_be_found(); }\n";

fn compiled(place: &Path, words: &[&str], name: &str, text: &str) -> PathBuf {
    let (source, object) = (place.join(format!("{name}.c")), place.join(format!("{name}.o")));
    fs::write(&source, text).unwrap();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["-O1", "-fcommon", "-g", "-c", "-o"]).arg(&object).arg(source);
    assert!(command.status().unwrap().success(), "{command:?}");
    object
}

fn archived(place: &Path, objects: &[PathBuf]) -> PathBuf {
    let archive = place.join("parts.lib");
    let mut command = Command::new("llvm-ar");
    assert!(command.arg("rcsD").arg(&archive).args(objects).status().unwrap().success());
    archive
}

/// What an object shows to others, and what it wants of them.
fn names(object: &Path) -> [BTreeSet<String>; 2] {
    let archive = Archive::read(&fs::read(object).unwrap()).unwrap();
    let defined = archive.members.iter().flat_map(|member| member.defined());
    let wanted = archive.members.iter().flat_map(|member| member.wanted());
    [defined.map(|s| s.name.clone()).collect(), wanted.map(|s| s.name.clone()).collect()]
}

fn strings(names: &[&str], prefix: &str) -> Vec<String> {
    names.iter().map(|name| format!("{prefix}{name}")).collect()
}

#[test]
fn one_object_shows_the_names_that_were_asked_for_and_runs() {
    for (words, prefix) in COMPILERS {
        if Command::new(words[0]).arg("--version").output().is_err() {
            common::skip(words[0], "apt-get install clang lld llvm gcc-mingw-w64");
            continue;
        }
        let place = tempfile::tempdir_in(folder()).unwrap();
        let compiled = |name: &str, text: &str| compiled(place.path(), words, name, text);
        // GNU's assembler knows no name that may be absent.
        let first = match words[0] {
            "clang" => compiled("first", FIRST),
            _ => compiled("first", &FIRST.replace("(absent_one ? 1000 : 0)", "0")),
        };
        let parts = [compiled("third", THIRD), compiled("second", SECOND)];
        let archive = archived(place.path(), &parts);
        let made = place.path().join("made.o");
        let public = strings(&["answer", "extra"], prefix);
        join_for_windows(&first, &[archive], &public, &[], &made).expect("joined");
        let [shown, wanted] = names(&made);
        assert_eq!(shown.into_iter().collect::<Vec<_>>(), ["answer", "extra"], "{words:?}");
        let wanted: Vec<_> = wanted.into_iter().filter(|name| !name.starts_with("__")).collect();
        assert_eq!(wanted, [""; 0], "{words:?}");
        let bytes = fs::read(&made).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!has("unwanted") && !has(".debug"), "{words:?}");
        let asks = |words: [&str; 3], name: &str| words.iter().any(|w| has(&format!("{w}{name}")));
        let exports = |name: &str| asks(["-export:", "-export:\"", "/EXPORT:"], name);
        let spelled = |name: &str| exports(name) || exports(&format!("{prefix}{name}"));
        assert!(spelled("extra") && !spelled("inside"), "{words:?}");
        runs(words, place.path(), &made);
    }
}

/// The names that are hidden are a program's own to define.
fn runs(words: &[&str], place: &Path, made: &Path) {
    let main = "#include <stdio.h>\n\
        int shared = 1, tentative = 2;\n\
        int inside(int number) { return -number; }\n\
        int weak_one(void) { return 5; }\n\
        int answer(void);\n\
        int main(void) { printf(\"%d\\n\", answer() + inside(0)); return shared + tentative; }\n";
    let gcc = match words.iter().find(|word| word.starts_with("--target=")) {
        Some(target) if target.contains("aarch64") => return,
        Some(target) if target.contains("i686") => "i686-w64-mingw32-gcc",
        _ => "x86_64-w64-mingw32-gcc",
    };
    let (source, program) = (place.join("main.c"), place.join("main.exe"));
    fs::write(&source, main).unwrap();
    let mut link = Command::new(gcc);
    link.args(["-O1", "-o"]).arg(&program).arg(source).arg(made);
    let output = link.output().unwrap();
    assert!(output.status.success(), "{words:?} {}", String::from_utf8_lossy(&output.stderr));
    let Some(wine) = Wine::new() else { return };
    if gcc.starts_with("i686") && !wine.runs(super::bench::X86) {
        return;
    }
    let run = wine.run(&program, &[]);
    // 1 of its own, 40 + 2 + 1 inside, 7 shared, 100 of the weak one.
    assert!(run.text.starts_with("151"), "{words:?} {}", run.text);
    assert_eq!(run.status, Some(3));
}

#[test]
fn a_name_that_is_defined_twice_and_another_cpu_are_refused_with_words() {
    let clang = |target: &str, place: &Path, name: &str, text: &str| {
        let target = format!("--target={target}-pc-windows-msvc");
        compiled(place, &["clang", &target, "-ffreestanding"], name, text)
    };
    if Command::new("clang").arg("--version").output().is_err() {
        return common::skip("clang", "apt-get install clang lld llvm");
    }
    let place = tempfile::tempdir_in(folder()).unwrap();
    let place = place.path();
    let one = clang("x86_64", place, "one", "int twice(void) { return 1; }\n");
    let again = clang("x86_64", place, "again", "int twice(void) { return 2; }\n");
    let other = clang("aarch64", place, "other", "int once(void) { return 1; }\n");
    let text = place.join("text.o");
    fs::write(&text, "no object").unwrap();
    let cases = [
        (&again, "`twice` is defined in `one.o` and in `again.o`"),
        (&other, "`other.o` is for another CPU"),
        (&text, "`text.o` is no object of machine code for Windows"),
    ];
    for (second, words) in cases {
        let made = place.join("made.o");
        let report =
            join_for_windows(&one, std::slice::from_ref(second), &[], &[], &made).unwrap_err();
        assert!(format!("{report:?}").contains(words), "{report:?}");
        assert!(!made.exists());
    }
}

/// What stands in for a name that nobody defines, and how a variable without a value is aligned, is said in words
/// for linkers.
#[test]
fn what_objects_ask_of_the_linker_is_kept_to() {
    let gcc = ["x86_64-w64-mingw32-gcc"];
    if Command::new(gcc[0]).arg("--version").output().is_err() {
        return common::skip(gcc[0], "apt-get install gcc-mingw-w64");
    }
    let place = tempfile::tempdir_in(folder()).unwrap();
    let compiled = |name: &str, text: &str| compiled(place.path(), &gcc, name, text);
    // The one that stands in is in a part of the archive that nobody else asks for.
    let first = compiled(
        "first",
        "#include <stdint.h>
        int absent(void), defined(void);
        char far_apart[3] __attribute__((aligned(4096)));
        char apart[100] __attribute__((aligned(64)));
        char near[5];
        int answer(void) { return absent() + defined() + (int)((uintptr_t)far_apart % 4096 + (uintptr_t)apart % 64) + near[4]; }
        __asm__(\".section .drectve,\\\"yn\\\"\\n\\t.ascii \\\" /alternatename:absent=stands_in -alternatename:defined=absent -alternatename:nowhere=neither\\\"\\n\\t.text\");
        ",
    );
    let second = compiled("second", "int stands_in(void) { return 40; }\n");
    let third = compiled("third", "int defined(void) { return 2; }\n");
    let archive = archived(place.path(), &[second, third]);
    let made = place.path().join("made.o");
    join_for_windows(&first, &[archive], &strings(&["answer"], ""), &[], &made).expect("joined");
    let [shown, wanted] = names(&made);
    assert_eq!((shown.len(), wanted.len()), (1, 0), "{shown:?} {wanted:?}");
    let bytes = fs::read(&made).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    // A program's own name of that spelling is not touched; what nobody here has is the linker's.
    assert!(!has("alternatename:absent") && !has("alternatename:defined"));
    assert!(has("alternatename:nowhere=neither"));
    let (main, program) = (place.path().join("main.c"), place.path().join("main.exe"));
    let text = "int answer(void);\nint main(void) { return answer(); }\n";
    fs::write(&main, text).unwrap();
    let mut link = Command::new(gcc[0]);
    assert!(link.arg("-o").arg(&program).args([&main, &made]).status().unwrap().success());
    let Some(wine) = Wine::new() else { return };
    assert_eq!(wine.run(&program, &[]).status, Some(42));
}

#[test]
fn an_alignment_that_no_section_has_is_refused_with_words() {
    let gcc = ["x86_64-w64-mingw32-gcc"];
    if Command::new(gcc[0]).arg("--version").output().is_err() {
        return common::skip(gcc[0], "apt-get install gcc-mingw-w64");
    }
    let place = tempfile::tempdir_in(folder()).unwrap();
    // No compiler says it of a variable.
    let text = "char wide[3];
        char *answer(void) { return wide; }
        __asm__(\".section .drectve,\\\"yn\\\"\\n\\t.ascii \\\" -aligncomm:wide,14\\\"\\n\\t.text\");
        ";
    let object = compiled(place.path(), &gcc, "wide", text);
    let made = place.path().join("made.o");
    let report = join_for_windows(&object, &[], &[], &[], &made).unwrap_err();
    assert!(format!("{report:?}").contains("no section is aligned so"), "{report:?}");
}

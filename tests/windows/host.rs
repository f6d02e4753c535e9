//! The tool itself on Windows: built for it, and run under Wine, with no compiler there. With `ALLOC8_ALL=1` alone: to
//! build it takes a minute and a half of one processor.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{
    bench::{Run, X64, X86},
    built::static_program,
    launched::{Place, WORDS, compile},
};
use crate::common;

const TARGET: &str = "x86_64-pc-windows-gnu";

/// Wine 8 lacks the library from which Rust's own takes its random numbers on Windows.
const RANDOM: &str = include_str!("prng.c");

/// The tool for Windows; `None` where it is not asked for, and said so where it cannot be built.
fn built() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    if common::everything() {
        return BUILT.get_or_init(build).as_deref();
    }
    eprintln!("left to ALLOC8_ALL=1: the tool on Windows");
    None
}

fn build() -> Option<PathBuf> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout).ok()?.trim());
    if !sysroot.join("lib/rustlib").join(TARGET).is_dir() {
        common::skip("rust-std for Windows", "cargo xtask install");
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target);
    cargo.args(["build", "--quiet", "--locked", "--bin", "alloc8-gen", "--target", TARGET]);
    assert!(cargo.status().unwrap().success());
    let folder = target.join(TARGET).join("debug");
    compile(&X64.gcc(), RANDOM, &folder.join("bcryptprimitives.dll"), &["-shared", "-ladvapi32"]);
    Some(folder.join("alloc8-gen.exe"))
}

/// The tool, beside programs and a library with hooks.
struct Bench {
    tool: &'static Path,
    place: Place,
}

impl Bench {
    fn new() -> Option<Bench> {
        Some(Bench { tool: built()?, place: Place::new()? })
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.place.wine.run_in(self.place.folder.path(), self.tool, arguments)
    }

    #[track_caller]
    fn says(&self, arguments: &[&str], status: i32, words: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.status, Some(status), "{}", run.text);
        for word in words {
            assert!(run.text.contains(word), "{word}\n{}", run.text);
        }
        run.text
    }

    /// By Windows' own shell, with the whole of the status in the last line.
    fn status(&self, arguments: &str) -> String {
        let tool = format!("Z:{}", self.tool.display()).replace('/', "\\");
        let temporary = "set TMP=temporary& set TEMP=temporary";
        let line = format!(
            "{temporary}& {tool} run --preload hooks.dll -- {arguments} & echo status !errorlevel!"
        );
        let shell = Path::new("cmd.exe");
        self.place.wine.run_in(self.place.folder.path(), shell, &["/v:on", "/c", &line]).text
    }
}

#[test]
fn what_is_rendered_on_windows_is_what_is_rendered_on_linux() {
    let Some(bench) = Bench::new() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = bench.place.wine.run_in(root, bench.tool, &["check", "generated"]);
    assert!(run.status == Some(0) && run.text.contains("everything agrees"), "{}", run.text);
    // A description by a path with backslashes, whose lines end as they do there.
    let own = bench.place.path("own");
    fs::create_dir(&own).unwrap();
    let text = "name = \"mine\"\nmalloc = \"my_malloc\"\nfree = \"my_free\"\n\
                memalign = \"my_memalign\"\nmalloc_usable_size = \"my_usable\"\n";
    fs::write(own.join("mine.toml"), text.replace('\n', "\r\n")).unwrap();
    let generate = ["generate", "-p", "linux", "-a", r"own\mine.toml", "-o", r"out\one"];
    bench.says(&generate, 0, &[r"out\one\linux\shim.c"]);
    bench.says(&["check", "out"], 0, &["everything agrees"]);
    let shim = bench.place.path("out/one/linux/shim.c");
    let rendered = fs::read_to_string(&shim).unwrap();
    assert!(rendered.contains("../../../own/mine.toml") && !rendered.contains('\r'));
    // A checkout may turn the ends of lines; whoever changes a word is told.
    fs::write(&shim, rendered.replace('\n', "\r\n")).unwrap();
    bench.says(&["check", "out"], 0, &["everything agrees"]);
    fs::write(&shim, rendered.replace("my_free", "free")).unwrap();
    bench.says(&["check", "out"], 1, &["A8313"]);
}

#[test]
fn questions_are_answered_on_windows() {
    let Some(bench) = Bench::new() else { return };
    bench.says(&["list", "platforms"], 0, &["linux ", "windows "]);
    bench.says(&["explain", "_aligned_malloc"], 0, &["_aligned_malloc on windows"]);
    let hooks = bench.place.path("hooks.dll");
    bench.says(&["verify", "hooks.dll"], 0, &["hooks.dll: windows x64-gnu", "complete"]);
    fs::copy(hooks, bench.place.path("böth.dll")).unwrap();
    bench.says(&["verify", "böth.dll", "--program", "words.exe"], 0, &["böth.dll: windows"]);
    bench.says(&["verify", "words.exe"], 2, &["imported    from msvcrt.dll", "error[A8514]"]);
}

#[test]
fn a_program_is_started_on_windows_without_a_compiler() {
    let Some(bench) = Bench::new() else { return };
    let words = ["run", "--preload", "hooks.dll", "--proof", "--", "words", "7", "two words", ""];
    let proof = "proof: hooked before the program's first instruction";
    bench.says(&words, 7, &["hooked: 1", "word: <two words>", "word: <>", proof]);
    // Named as it is named there.
    bench.says(&["run", "--preload", r".\hooks.dll", "--", r".\words.exe", "6"], 6, &["hooked: 1"]);
    // The control.
    let run = bench.place.wine.run(&bench.place.path("words.exe"), &["7"]);
    assert!(run.text.contains("hooked: 0"), "{}", run.text);
    // All bits of a status; and nothing is left behind.
    let temporary = bench.place.path("temporary");
    fs::create_dir(&temporary).unwrap();
    for (status, shown) in [("0x12345", "74565"), ("0xC0000005", "-1073741819"), ("0", "0")] {
        let said = bench.status(&format!("words.exe {status}"));
        let last = format!("status {shown}");
        assert!(said.contains("hooked: 1") && said.lines().any(|l| l.trim_end() == last), "{said}");
    }
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_on_windows_is_refused_in_words() {
    let Some(bench) = Bench::new() else { return };
    let refuses = |arguments: &[&str], status, words: &[&str]| {
        let said = bench.says(&[&["run"], arguments].concat(), status, words);
        assert!(!said.contains("hooked: "), "it ran:\n{said}");
    };
    let elsewhere = &["error[A8676]", "do not run here", TARGET];
    refuses(&["-p", "linux", "--", "words.exe"], 125, elsewhere);
    refuses(&["-p", "macos", "--", "words.exe"], 125, elsewhere);
    let under = |program| ["--preload", "hooks.dll", "--", program];
    refuses(&under("absent.exe"), 127, &["error[A8663]"]);
    refuses(&under("words.c"), 125, &["error[A8680]"]);
    refuses(&["--", "words.exe"], 125, &["error[A8401]", "put MinGW's gcc into PATH"]);
    static_program(X64, bench.place.folder.path());
    refuses(&under("alone.exe"), 125, &["error[A8670]", "imports no C library"]);
    compile(&X86.gcc(), WORDS, &bench.place.path("narrow.exe"), &[]);
    refuses(&under("narrow.exe"), 125, &["error[A8654]", "another machine"]);
    compile(
        &X64.gcc(),
        "int part(void) { return 1; }",
        &bench.place.path("part.dll"),
        &["-shared"],
    );
    let part = bench.place.path("part.dll");
    let needs = "int part(void);\nint main(void) { return part(); }";
    compile(&X64.gcc(), needs, &bench.place.path("needs.exe"), &[part.to_str().unwrap()]);
    fs::remove_file(part).unwrap();
    refuses(&under("needs.exe"), 126, &["error[A8683]", "0xC0000135", "it needs `part.dll`"]);
}

/// Sends Ctrl-C to all on its console, takes it, and ends in its own time.
const INTERRUPTED: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
static volatile LONG seen;
static BOOL WINAPI take(DWORD event) { seen = event == CTRL_C_EVENT; return TRUE; }
int main(int count, char **words)
{
    FILE *said = fopen(words[count - 1], "w");
    SetConsoleCtrlHandler(take, TRUE);
    GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
    for (int i = 0; i < 3000 && !seen; i++)
        Sleep(10);
    Sleep(200);
    fprintf(said, "interrupted: %ld\n", seen);
    fclose(said);
    return 42;
}
"#;

#[test]
fn ctrl_c_is_the_programs_own() {
    let Some(bench) = Bench::new() else { return };
    compile(&X64.gcc(), INTERRUPTED, &bench.place.path("interrupted.exe"), &[]);
    // A console is what Wine makes of a terminal.
    let line = format!(
        "wine '{}' run --preload hooks.dll -- interrupted.exe said.txt",
        bench.tool.display()
    );
    let run = bench.place.wine.in_terminal(bench.place.folder.path(), &line);
    assert_eq!(run.status, Some(42), "{}", run.text);
    let said = fs::read_to_string(bench.place.path("said.txt")).unwrap();
    assert_eq!(said.trim_end(), "interrupted: 1");
}

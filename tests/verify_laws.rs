//! `verify --laws`: the laws as a product, under libraries that keep them and libraries that do not.
#![cfg(target_os = "linux")]

mod common;
#[path = "cli/tool.rs"]
mod tool;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use alloc8_gen::{
    laws::{self, Compilers, Outcome, Workshop},
    spec,
    toolchain::Compiler,
};
use tool::{folder, interposer};

/// What other harnesses compile is used here too: the tool's cache leads to their folder.
fn cache() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let cache = place.join("verify_laws");
    fs::create_dir_all(cache.join("alloc8-gen")).unwrap();
    fs::create_dir_all(place.join("laws")).unwrap();
    let link = cache.join("alloc8-gen/laws");
    if !link.exists() {
        // Another test of this harness may be first.
        let _ = std::os::unix::fs::symlink(place.join("laws"), &link);
    }
    cache
}

fn verify(library: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.arg("verify").arg(library).args(arguments).env("XDG_CACHE_HOME", cache());
    command.env_remove("CC").env_remove("CXX").output().unwrap()
}

/// What both streams say of laws, without the folders of this machine.
fn said(output: &Output, library: &Path) -> String {
    let folder = format!("{}/", library.parent().unwrap().display());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "");
    let out = text(&output.stdout);
    let about = |line: &&str| {
        ["free_keeps_errno", "calloc_overflow_fails", "laws"].iter().any(|word| line.contains(word))
    };
    let lines: Vec<&str> = out.lines().filter(about).collect();
    format!("{}\n{}", lines.join("\n"), text(&output.stderr))
}

/// Compares with `tests/verify_laws/NAME.txt`; `BLESS=1` writes it.
fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_laws").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, wanted, "{} differs; BLESS=1 writes it", file.display());
}

const TWO: &str = "--laws=calloc_overflow_fails,free_keeps_errno";

/// Its free leaves another errno behind; all else is the C library's.
const FORGETFUL: &str = "#include <errno.h>\nvoid __libc_free(void *);\n\
                         void free(void *p)\n{\n    __libc_free(p);\n    errno = 5;\n}\n";

fn planted(text: &str, place: &Path) -> PathBuf {
    let (source, library) = (place.join("planted.c"), place.join("libplanted.so"));
    fs::write(&source, text).unwrap();
    let mut command = Command::new("gcc");
    command.args(["-O1", "-fno-builtin", "-shared", "-fPIC", "-w"]).arg(source).arg("-o");
    let output = command.arg(&library).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    library
}

#[test]
fn a_library_that_keeps_the_laws_is_told_in_each_format() {
    // Where the dynamic linker splits LD_PRELOAD.
    let place = tempfile::Builder::new().prefix("a heap: ").tempdir().unwrap();
    let library = place.path().join("libgood.so");
    fs::copy(interposer(), &library).unwrap();
    for format in ["human", "json", "github"] {
        let output = verify(&library, &[TWO, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = said(&output, &library);
        match format {
            "json" => golden("good.json", &text),
            _ => golden("good.txt", &text),
        }
    }
    for line in String::from_utf8(verify(&library, &[TWO, "--format=json"]).stdout).unwrap().lines()
    {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["reason"].is_string(), "{line}");
    }
}

#[test]
fn a_broken_law_is_told_in_each_format() {
    let place = folder();
    let library = planted(FORGETFUL, place.path());
    for format in ["human", "json", "github"] {
        let output = verify(&library, &[TWO, "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        golden(&format!("broken.{format}.txt"), &said(&output, &library));
    }
}

#[test]
fn a_law_under_which_the_library_crashes_is_broken() {
    let place = folder();
    let library = planted(
        "#include <stddef.h>\nvoid *calloc(size_t n, size_t s)\n{\n    __builtin_trap();\n}\n",
        place.path(),
    );
    let output = verify(&library, &["--laws=calloc_overflow_fails"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output, &library);
    assert!(text.contains("broken    it ended with signal: 4 (SIGILL)"), "{text}");
    assert!(text.contains("0 of 1 laws hold, 1 broken"), "{text}");
}

/// Twenty seconds each are not waited for here.
#[test]
fn laws_that_hang_are_ended_and_after_some_of_them_no_more_are_tried() {
    let place = folder();
    let library = planted(
        "#include <stddef.h>\nvoid *calloc(size_t n, size_t s)\n{\n    for (;;)\n        ;\n}\n",
        place.path(),
    );
    let gcc = Compiler::find(Some("gcc"), None).unwrap();
    let work = cache().join("alloc8-gen/laws");
    let workshop = Workshop::new(Compilers::beside(&gcc), &[], &work).unwrap();
    let workshop = workshop.with_patience(Duration::from_millis(100));
    let law = laws::laws(&spec::platform("linux").unwrap()).unwrap();
    let law = law.into_iter().find(|law| law.name == "calloc_overflow_fails").unwrap();
    let judged = laws::check_with(&workshop, vec![law; 6], Some(&library), 1).unwrap();
    let hung = judged.iter().filter(|(_, outcome)| *outcome == Outcome::Hung).count();
    assert_eq!(hung, 4, "{judged:?}");
    let last = &judged.last().unwrap().1;
    assert!(
        matches!(last, Outcome::NotHere { reason } if reason.contains("not tried")),
        "{last:?}"
    );
}

#[test]
fn the_compiler_can_be_named_and_its_mistakes_are_no_verdict() {
    let library = interposer();
    for (cc, status, words) in [
        ("gcc", 0, "2 of 2 laws hold"),
        ("clang", 0, "2 of 2 laws hold"),
        ("gcc -include no/such/header.h", 2, "error[A8271]"),
        ("false", 2, "error[A8401]"),
    ] {
        if cc == "clang" && Command::new("clang").arg("--version").output().is_err() {
            common::skip("clang", "apt-get install clang lld");
            continue;
        }
        let output = verify(library, &[TWO, "--cc", cc]);
        let text = said(&output, library);
        assert_eq!(output.status.code(), Some(status), "{cc}: {text}");
        assert!(text.contains(words), "{cc}: {text}");
    }
}

#[test]
fn a_law_that_is_none_is_an_error_with_a_suggestion() {
    let output = verify(interposer(), &["--laws=free_keep_errno,nothing_of_the_kind"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    golden("unknown.txt", &String::from_utf8_lossy(&output.stderr));
}

/// The libraries that Debian 12 ships: some laws that each is known to break, and some that hold.
#[test]
fn laws_are_told_of_libraries_of_others() {
    const PASSED_OVER: &str = "replacing_operator_new_replaces_its_forms";
    let cases: [(&str, &str, &[&str], &[&str]); 3] = [
        (
            "libjemalloc.so.2",
            "libjemalloc2",
            // Blocks of glibc's pvalloc and __libc_malloc reach its free.
            &[PASSED_OVER, "valloc_and_pvalloc_give_pages", "libc_aliases_share_the_heap"],
            &["calloc_overflow_fails", "free_keeps_errno", "threads_mix_all_operations"],
        ),
        (
            "libmimalloc.so.2.0",
            "libmimalloc2.0",
            // Built as C, it cannot throw; calloc leaves errno alone; realloc(p, 0) returns a block.
            &[
                PASSED_OVER,
                "new_that_fails_throws_bad_alloc",
                "calloc_overflow_fails",
                "realloc_to_zero_frees",
            ],
            &["free_keeps_errno", "realloc_keeps_content"],
        ),
        (
            "libtcmalloc_minimal.so.4",
            "libtcmalloc-minimal4",
            &[PASSED_OVER, "calloc_overflow_fails", "pvalloc_overflow_fails"],
            &["free_keeps_errno", "threads_mix_all_operations"],
        ),
    ];
    for (file, package, broken, hold) in cases {
        let library = Path::new("/usr/lib/x86_64-linux-gnu").join(file);
        if !library.exists() {
            common::skip(package, &format!("apt-get install {package}"));
            continue;
        }
        let laws = format!("--laws={}", [broken, hold].concat().join(","));
        let output = verify(&library, &[&laws, "--cc", "gcc", "--format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        let objects = text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        let judged: Vec<_> = objects.filter(|object| object["reason"] == "law").collect();
        assert_eq!(judged.len(), broken.len() + hold.len(), "{text}");
        for law in judged {
            let known = broken.iter().any(|name| law["law"] == *name);
            assert_eq!(law["outcome"], if known { "broken" } else { "holds" }, "{file}: {law}");
        }
    }
}

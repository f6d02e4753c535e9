//! Faults of a library as a whole, and what is no library.

use std::fs;
use std::process::Command;

use super::planted::{Planted, object, replace};
use crate::tool::{Ran, folder, interposer, run};

#[test]
fn an_executable_stack_is_a_fault() {
    let planted =
        Planted { link: &["-Wl,-Bno-symbolic", "-Wl,-z,execstack"], ..Planted::default() };
    let ran = planted.verify(false).exits(1);
    assert!(ran.out.contains("! stack") && ran.out.contains("executable"), "{}", ran.all());
}

#[test]
fn a_mebibyte_of_thread_local_storage_is_a_fault() {
    let planted = Planted {
        more: "static _Thread_local char many[1 << 20];\n__attribute__((used)) static char *first(void) { return many; }",
        ..Planted::default()
    };
    let ran = planted.verify(false).exits(1);
    let line = ran.line("thread-local");
    assert!(line.starts_with('!') && line.contains("10485"), "{line}");
}

#[test]
fn relocations_in_code_are_a_fault() {
    let planted = Planted {
        more: "__asm__(\".pushsection .text\\n.p2align 3\\n.quad malloc\\n.popsection\\n\");",
        link: &["-Wl,-Bno-symbolic", "-Wl,-z,notext"],
        ..Planted::default()
    };
    let ran = planted.verify(false).exits(1);
    assert!(ran.line("text").starts_with('!'), "{}", ran.all());
}

#[test]
fn a_name_of_the_allocators_own_that_leaks_is_a_note() {
    let planted = Planted {
        map: replace("    malloc;\n", "    malloc;\n    simple_heap_malloc;\n"),
        ..Planted::default()
    };
    let ran = planted.verify(true).exits(0);
    let line = ran.line("simple_heap_malloc");
    assert!(line.starts_with('-') && line.contains("unexpected"), "{line}");
}

#[test]
fn json_is_one_object_a_line_with_a_reason() {
    let place = folder();
    let file = interposer().to_str().unwrap();
    let objects = run(place.path(), &["verify", "--format", "json", file]).exits(0).json();
    let last = objects.last().unwrap();
    assert_eq!(
        (last["reason"].as_str(), last["complete"].as_bool()),
        (Some("verdict"), Some(true))
    );
    let malloc = objects.iter().find(|o| o["finding"]["symbol"] == "malloc").unwrap();
    assert_eq!(malloc["finding"]["status"], "bound");
    assert_eq!(malloc["finding"]["grade"], "good");
}

#[test]
fn what_is_no_library_is_refused_in_words() {
    let place = folder();
    let at = |name: &str| place.path().join(name);
    fs::write(at("text.so"), "int malloc;\n").unwrap();
    fs::write(at("empty.so"), "").unwrap();
    let whole = fs::read(interposer()).unwrap();
    fs::write(at("cut.so"), &whole[..whole.len() / 3]).unwrap();
    fs::write(at("head.so"), &whole[..40]).unwrap();
    let member = object("heap.o", "int one;", &[]);
    let mut ar = Command::new("ar");
    assert!(Ran::new(ar.arg("rcs").arg(at("lib.a")).arg(&member)).status.success());
    fs::copy(&member, at("one.o")).unwrap();
    for (file, words) in [
        ("text.so", "text"),
        ("empty.so", "empty"),
        ("cut.so", "cut off"),
        ("head.so", ""),
        ("lib.a", "archive"),
        ("one.o", "object"),
    ] {
        let ran =
            run(place.path(), &["verify", file]).exits(2).says(&["error[A8511]", file, words]);
        assert!(!ran.err.contains("panic") && ran.out.is_empty(), "{}", ran.all());
    }
    run(place.path(), &["verify", "absent.so"]).exits(2).says(&["A8304", "absent.so"]);
    // One that cannot be read does not keep the others from being told about.
    let ran = run(place.path(), &["verify", "text.so", interposer().to_str().unwrap()]).exits(2);
    assert!(ran.out.contains("complete"), "{}", ran.all());
}

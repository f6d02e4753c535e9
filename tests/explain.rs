//! `explain` tells a symbol's whole story, and what it says of `verify` is what `verify` says.
#![cfg(target_os = "linux")]

#[path = "cli/tool.rs"]
mod tool;

use std::fs;

use serde_json::Value;
use tool::{compiled, folder, root, run};

/// Compares with `tests/explain/NAME.txt`; `BLESS=1` writes it.
#[track_caller]
fn golden(name: &str, text: &str) {
    let file = root().join("tests/explain").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, wanted, "{} differs; BLESS=1 writes it", file.display());
}

/// What is said of Linux: other platforms come and go.
#[track_caller]
fn on_linux(name: &str) {
    let place = folder();
    let human = run(place.path(), &["explain", name]).exits(0);
    let stories: Vec<_> = human.out.split("\n\n").map(str::trim_end).collect();
    let starts = [format!("{name} on linux ("), format!("{name} is left alone on linux\n")];
    let story = stories.iter().find(|s| starts.iter().any(|start| s.starts_with(start)));
    golden(
        &format!("{name}.txt"),
        &format!("{}\n", story.unwrap_or_else(|| panic!("{}", human.all()))),
    );
    let objects = run(place.path(), &["explain", name, "--format", "json"]).exits(0).json();
    assert_eq!(objects.len(), stories.len(), "{}", human.all());
    let object = objects.iter().find(|o| o["platform"] == "linux").unwrap();
    golden(&format!("{name}.json"), &(serde_json::to_string_pretty(object).unwrap() + "\n"));
}

#[test]
fn malloc_and_what_frees_it() {
    on_linux("malloc");
    on_linux("free");
}

#[test]
fn a_function_that_the_shim_makes_of_another() {
    on_linux("posix_memalign");
}

#[test]
fn an_operator_and_one_that_is_left_to_the_runtime() {
    on_linux("_Znwm");
    on_linux("_ZdaPv");
}

#[test]
fn a_function_that_is_left_alone() {
    on_linux("strdup");
}

#[test]
fn a_function_that_speaks_of_the_heap() {
    on_linux("mallinfo");
}

#[test]
fn a_code_is_told_for_people_and_machines() {
    let place = folder();
    let human = run(place.path(), &["explain", "a8315"]).exits(0);
    golden("A8315.txt", &human.out);
    let objects = run(place.path(), &["explain", "A8315", "--format", "json"]).exits(0).json();
    let text = |key: &str| objects[0][key].as_str().unwrap().to_owned();
    assert_eq!(human.out, format!("{}: {}\n\n{}\n", text("code"), text("title"), text("text")));
}

#[test]
fn every_symbol_has_each_part_of_its_story() {
    let place = folder();
    let list = ["list", "symbols", "-p", "linux", "--format", "json"];
    let symbols = run(place.path(), &list).exits(0).json();
    let library = compiled("empty.so", "int unrelated;\n", &["-shared", "-fPIC", "-nostdlib"]);
    let library = library.to_str().unwrap();
    let verified = run(place.path(), &["verify", "-p", "linux", library]).exits(1);
    for symbol in symbols.iter().filter(|o| o["reason"] == "symbol" && o["abi"] == "lp64") {
        let name = symbol["name"].as_str().unwrap();
        let objects = run(place.path(), &["explain", name, "--format", "json"]).exits(0).json();
        let story = objects.iter().find(|o| o["platform"] == "linux").unwrap();
        for key in ["without", "ref", "operation", "declaration"] {
            assert!(story[key].as_str().is_some_and(|t| !t.is_empty()), "{name}: no {key}");
        }
        assert!(story["called_by"][0].is_string(), "{name}: nobody calls it");
        assert!(story["answer"]["why"].is_string(), "{name}: {story}");
        let effect = |key: &str| story[key].as_array().is_some_and(|names| !names.is_empty());
        let hands_out = |o: &Value| o["freed_by"].as_array().is_some_and(|names| !names.is_empty());
        assert_eq!(effect("freed_by"), hands_out(symbol), "{name}");
        if symbol["abi"] == story["abi"] && symbol["abi"] == "lp64" {
            let row = story["verify"]["row"].as_str().unwrap().trim_end();
            assert!(
                verified.out.lines().any(|l| l.trim_end() == row),
                "verify does not say: {row}"
            );
        }
    }
}

//! What is taken out of macOS's specs is missed by the linter.

use std::{fs, path::Path, sync::Arc};

use alloc8_gen::{
    diagnostic::{Report, Source},
    operation::{Effect, Operation},
    spec::{Platform, platform_from},
};

use crate::macos;

/// A file of the specs: path, text.
type Text = (String, String);

fn texts() -> (Text, Vec<Text>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| (path.to_owned(), fs::read_to_string(root.join(path)).expect("text"));
    let mut families: Vec<_> = fs::read_dir(root.join("specs/families"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    families.sort();
    let families = families.iter().map(|name| read(&format!("specs/families/{name}")));
    (read("specs/platforms/macos.toml"), families.collect())
}

fn load(platform: &Text, families: &[Text]) -> Result<Platform, Report> {
    let source = |(path, text): &Text| Source::new(path.clone(), text.clone());
    let families: Vec<Arc<Source>> = families.iter().map(source).collect();
    platform_from(&source(platform), &families)
}

/// The texts that are left when one table of a kind is taken out, and what was taken out.
fn without_one(text: &str, kind: &str) -> Vec<(String, String)> {
    let head = format!("\n[[{kind}]]");
    let starts: Vec<_> = text.match_indices(&head).map(|(at, _)| at + 1).collect();
    let table = |start: &usize| {
        let end = text[start + 1..].find("\n[").map_or(text.len(), |at| start + 1 + at + 1);
        (format!("{}{}", &text[..*start], &text[end..]), text[*start..end].to_owned())
    };
    starts.iter().map(table).collect()
}

fn codes(report: &Report) -> Vec<&str> {
    report.diagnostics.iter().map(|d| d.code).collect()
}

/// Takes out, one at a time, every table of a kind from all families that macOS uses.
fn each_family_without_one(kind: &str, mut judge: impl FnMut(&str, Result<Platform, Report>)) {
    let (platform, families) = texts();
    let used: Vec<_> = macos().symbols.iter().map(|s| s.family.clone()).collect();
    for index in 0..families.len() {
        let name = Path::new(&families[index].0).file_stem().expect("a name").to_owned();
        let name = name.to_str().expect("UTF-8");
        if kind == "symbol" && !used.iter().any(|family| family == name) {
            continue;
        }
        for (text, taken) in without_one(&families[index].1, kind) {
            let mut mutated = families.clone();
            mutated[index].1 = text;
            judge(&taken, load(&platform, &mutated));
        }
    }
}

#[test]
fn a_field_that_is_taken_out_is_missed() {
    let mut count = 0;
    each_family_without_one("field", |taken, loaded| {
        let report = loaded.expect_err(taken);
        assert!(codes(&report).contains(&"A8018"), "{taken}{report}");
        count += 1;
    });
    assert_eq!(count, macos().zone.expect("a zone").fields.len());
}

#[test]
fn a_version_of_the_zone_that_is_taken_out_is_missed() {
    let (platform, families) = texts();
    let mutated = without_one(&platform.1, "zone.growth");
    assert_eq!(mutated.len(), macos().zone.expect("a zone").growth.len());
    for (text, taken) in mutated {
        let report = load(&(platform.0.clone(), text), &families).expect_err(&taken);
        assert!(codes(&report).contains(&"A8018"), "{taken}{report}");
    }
}

#[test]
fn a_deallocator_that_is_taken_out_is_missed() {
    let platform = macos();
    let mut count = 0;
    each_family_without_one("symbol", |taken, loaded| {
        let op = taken.lines().find_map(|l| l.strip_prefix("op = ")).expect("an operation");
        let op = Operation::named(op.trim_matches('"')).expect("an operation");
        let name = taken.lines().find_map(|l| l.strip_prefix("name = ")).expect("a name");
        let here = platform.symbols.iter().any(|s| s.spec_name() == name.trim_matches('"'));
        if here && op.effect() == Effect::Frees {
            assert!(loaded.is_err(), "nobody misses {taken}");
            count += 1;
        }
    });
    assert!(count >= 15, "only {count}");
}

#[test]
fn a_group_that_is_taken_out_is_missed() {
    let (platform, families) = texts();
    for (text, taken) in without_one(&platform.1, "group") {
        let report = load(&(platform.0.clone(), text), &families).expect_err(&taken);
        assert!(codes(&report).contains(&"A8019"), "{taken}{report}");
    }
}

#[test]
fn the_typed_functions_are_one_group() {
    let platform = macos();
    let group = platform.groups.iter().find(|g| g.name == "typed").expect("a group");
    assert!(group.weak, "older systems lack it");
    for symbol in &platform.symbols {
        let typed = symbol.spec_name().starts_with("malloc_type_");
        assert_eq!(symbol.group.as_deref() == Some("typed"), typed, "{}", symbol.spec_name());
    }
}

#[test]
fn a_mangled_name_that_says_something_else_is_told() {
    let (platform, mut families) = texts();
    let operators = families.iter_mut().find(|(path, _)| path.ends_with("cxx-darwin.toml"));
    let (_, text) = operators.expect("a family");
    *text = text.replacen("_Zna{size_t}St19__type", "_Zna{size_t}PSt19__type", 1);
    let platform =
        (platform.0, platform.1.replace("_Zna{size_t}St19__type", "_Zna{size_t}PSt19__type"));
    let report = load(&platform, &families).expect_err("a pointer is no type");
    assert_eq!(codes(&report), ["A8017"], "{report}");
}

//! Mistakes in Windows' specs that must not pass: the texts are edited and read again.

use std::{fs, path::Path, sync::Arc};

use alloc8_gen::{diagnostic::Source, spec};

use super::toolbox::windows;

fn spec_file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(path);
    fs::read_to_string(path).expect("readable")
}

const FAMILIES: &[&str] = &["crt", "ucrt", "msvcrt", "crt-debug", "cxx-msvc", "cxx-itanium"];

/// The codes of what is wrong with the platform's text and its families' texts, each family's as
/// `edit` leaves it.
fn mistakes(platform: &str, edit: impl Fn(&str, String) -> String) -> Vec<&'static str> {
    let families: Vec<Arc<Source>> = FAMILIES
        .iter()
        .map(|name| Source::new(*name, edit(name, spec_file(&format!("families/{name}.toml")))))
        .collect();
    match spec::platform_from(&Source::new("windows.toml", platform), &families) {
        Ok(_) => Vec::new(),
        Err(report) => report.diagnostics.iter().map(|d| d.code).collect(),
    }
}

fn unedited(_: &str, text: String) -> String {
    text
}

/// The platform's text with one more name that a library lacks.
fn lacking(file: &str, name: &str) -> String {
    let mut table: toml::Table = spec_file("platforms/windows.toml").parse().expect("TOML");
    let libraries = table["library"].as_array_mut().expect("libraries");
    let library = libraries.iter_mut().find(|l| l["file"].as_str() == Some(file)).expect("listed");
    let library = library.as_table_mut().expect("a table");
    for (list, keep) in [("adds", false), ("lacks", true)] {
        let entry = library.entry(list).or_insert_with(|| toml::Value::Array(Vec::new()));
        let names = entry.as_array_mut().expect("a list");
        names.retain(|n| n.as_str() != Some(name));
        if keep {
            names.push(name.into());
        }
    }
    table.to_string()
}

#[test]
fn the_specs_as_they_are_have_no_mistake() {
    assert_eq!(mistakes(&spec_file("platforms/windows.toml"), unedited), [""; 0]);
}

#[test]
fn a_library_that_lost_a_deallocator_is_reported() {
    let alone = [
        "free",
        "_aligned_free",
        "_free_base",
        "_free_dbg",
        "_aligned_free_dbg",
        "??3@YAXP{msvc_ptr64}AX@Z",
        "??_V@YAXP{msvc_ptr64}AX@Z",
    ];
    let mut dropped = 0;
    for library in windows().libraries {
        for name in alone.iter().filter(|n| library.symbols.iter().any(|s| s == *n)) {
            let found = mistakes(&lacking(&library.file, name), unedited);
            assert!(found.contains(&"A8016"), "{} without {name}: {found:?}", library.file);
            dropped += 1;
        }
    }
    assert!(dropped > 40, "only {dropped} deallocators were dropped");
}

#[test]
fn a_family_that_lost_a_deallocator_is_reported() {
    for (family, name) in [
        ("crt", "free"),
        ("crt", "_aligned_free"),
        ("ucrt", "_free_base"),
        ("crt-debug", "_free_dbg"),
        ("crt-debug", "_aligned_free_dbg"),
        ("cxx-msvc", "??3@YAXP{msvc_ptr64}AX@Z"),
        ("cxx-msvc", "??_V@YAXP{msvc_ptr64}AXW4align_val_t@std@@@Z"),
    ] {
        let without = |file: &str, text: String| {
            if file != family {
                return text;
            }
            let mut table: toml::Table = text.parse().expect("TOML");
            let symbols = table["symbol"].as_array_mut().expect("symbols");
            let before = symbols.len();
            symbols.retain(|s| s["name"].as_str() != Some(name));
            assert_eq!(symbols.len(), before - 1, "{name} is in {family}");
            table.to_string()
        };
        // Libraries and versions that name it would hide the mistake behind another.
        let mut table: toml::Table = spec_file("platforms/windows.toml").parse().expect("TOML");
        table.remove("library");
        let found = mistakes(&table.to_string(), without);
        assert!(found.contains(&"A8015"), "{family} without {name}: {found:?}");
    }
}

/// The C++ names that have `from` so many times, and the same with that one made `to`.
fn misspelled(from: &str, to: &str, time: usize) -> Vec<(String, String)> {
    let platform = windows();
    let names = platform.symbols.iter().map(|s| s.spec_name()).filter(|n| n.starts_with('?'));
    let wrong = |name: &str| {
        let (at, _) = name.match_indices(from).nth(time)?;
        Some((name.to_owned(), format!("{}{to}{}", &name[..at], &name[at + from.len()..])))
    };
    names.filter_map(wrong).collect()
}

#[test]
fn pieces_of_x86_and_x64_names_that_change_places_are_reported() {
    let mut table: toml::Table = spec_file("platforms/windows.toml").parse().expect("TOML");
    table.remove("library");
    table.remove("since");
    let platform = table.to_string();
    let mut swapped = 0;
    for (from, to) in [
        ("{msvc_size_t}", "I"),
        ("{msvc_size_t}", "_K"),
        ("{msvc_size_t}", "{msvc_ptr64}"),
        ("{msvc_ptr64}", ""),
        ("{msvc_ptr64}", "E"),
        ("{msvc_ptr64}", "{msvc_size_t}"),
        ("align_val_t@std", "align_val_t"),
        ("??2@", "??_U@"),
        ("??3@", "??_V@"),
    ] {
        for time in 0..3 {
            let names = misspelled(from, to, time);
            // The names themselves, and not where other entries say what frees a block.
            let line = |name: &str| format!("\nname = \"{name}\"\n");
            let edit = |_: &str, text: String| {
                names.iter().fold(text, |t, (name, wrong)| t.replace(&line(name), &line(wrong)))
            };
            let found = mistakes(&platform, edit);
            let reported = found.iter().filter(|code| ["A8017", "A8011"].contains(code)).count();
            assert!(reported >= names.len(), "{to} for {from}: {reported} of {names:#?}");
            swapped += names.len();
        }
    }
    assert!(swapped > 150, "only {swapped} names were misspelled");
}

#[test]
fn an_abi_with_another_s_letters_is_reported() {
    let text = spec_file("platforms/windows.toml");
    for (from, to) in [
        ("msvc_size_t = \"_K\"", "msvc_size_t = \"I\""),
        ("msvc_size_t = \"I\"", "msvc_size_t = \"_K\""),
        ("msvc_ptr64 = \"E\"", "msvc_ptr64 = \"\""),
        ("msvc_ptr64 = \"\"", "msvc_ptr64 = \"E\""),
    ] {
        assert!(text.contains(from), "{from}");
        let found = mistakes(&text.replacen(from, to, 1), unedited);
        assert!(found.contains(&"A8017"), "{to} for {from}: {found:?}");
    }
}

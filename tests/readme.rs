//! Every command of the README does what the README says: each is typed into a shell, in a folder that has
//! what a reader would bring along, and what the page shows of its output must be in its output.
#![cfg(target_os = "linux")]

mod common;

#[path = "readme/page.rs"]
mod page;
#[path = "readme/place.rs"]
mod place;

use std::path::Path;

use page::{blocks, is_shown, text, typed};
use place::Place;

/// Chapters whose commands need more than Linux's own tools; all others are `THIS_SYSTEM`.
const CLASS: &str = "A heap that is a C++ class";
const MACOS: &str = "On macOS";
const WINDOWS: &str = "On Windows";

/// What begins so is not typed here, and where it is instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cargo xtask test", "it is what runs this"),
    ("cargo vendor", "tests/package.rs, in a copy"),
    (
        "DESTDIR=$PWD/stage CARGO_NET_OFFLINE=true cargo xtask dist",
        "xtask/src/dist.rs: a release build takes minutes",
    ),
    ("DYLD_INSERT_LIBRARIES", "macos.yml: only a Mac can; its shell has another linker"),
    ("rustup target add", "xtask/src/install.rs"),
    ("SDKROOT=", "tests/macho/crates.rs, for both processors"),
    ("alloc8-gen verify target/aarch64-apple-darwin", "tests/macho/crates.rs, of what cargo made"),
];

/// Types every command of some chapters, in order.
fn types(place: &Place, chapters: impl Fn(&str) -> bool) {
    let mut count = 0;
    for typed in typed(&text()).iter().filter(|typed| chapters(&typed.under)) {
        if ELSEWHERE.iter().any(|(start, _)| typed.command.starts_with(start)) {
            continue;
        }
        count += 1;
        let (status, written) = place.types(&typed.command);
        let what = format!("{}\n$ {}\n{written}", typed.under, typed.command);
        let fine = if typed.succeeds { status == 0 } else { status < 2 };
        assert!(fine, "{status}: {what}");
        if let Err(why) = is_shown(&typed.shown, &written, typed.succeeds) {
            panic!("{what}\n{why}");
        }
    }
    assert!(count > 1, "{count} commands");
}

#[test]
fn commands_for_this_system_do_what_the_readme_says() {
    if let Some(place) = Place::of_linux() {
        types(&place, |under| ![CLASS, MACOS, WINDOWS].contains(&under));
    }
}

#[test]
fn commands_for_a_heap_class_do_what_the_readme_says() {
    let place = Place::of_class(&of_lang("cpp", CLASS));
    types(&place, |under| under == CLASS);
}

#[test]
fn commands_for_macos_do_what_the_readme_says() {
    if let Some(place) = Place::of_macos() {
        types(&place, |under| under == MACOS);
    }
}

#[test]
fn commands_for_windows_do_what_the_readme_says() {
    if let Some(place) = Place::of_windows() {
        types(&place, |under| under == WINDOWS);
    }
}

/// The text of the only block in a language below a heading.
fn of_lang(lang: &str, under: &str) -> String {
    let mut all = blocks(&text());
    all.retain(|block| block.lang == lang && block.under == under);
    assert_eq!(all.len(), 1, "blocks of {lang} under {under}");
    all.remove(0).text
}

#[test]
fn the_build_script_is_the_one_of_the_example_that_is_built() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rust_cdylib/build.rs");
    let script = std::fs::read_to_string(path).unwrap().replace("pages.toml", "mylib.toml");
    let code = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(code(&of_lang("rust", "In Rust")), code(&script));
}

#[test]
fn the_step_of_a_workflow_names_the_action_and_its_inputs() {
    let step = of_lang("yaml", "Vendoring the shim");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (_, path) = step.split_once("alloc8-gen/").unwrap();
    let action = root.join(path.split_once('@').unwrap().0).join("action.yml");
    let action = std::fs::read_to_string(action).unwrap();
    let (_, inputs) = step.split_once("with: { ").unwrap();
    let (name, _) = inputs.split_once(':').unwrap();
    assert!(action.contains(&format!("\ninputs:\n  {name}:\n")), "{action}");
}

#[test]
fn every_block_is_of_a_kind_that_is_tried() {
    for block in blocks(&text()) {
        let known = ["sh", "console", "text", "cpp", "rust", "yaml"].contains(&&*block.lang);
        assert!(known, "a block of `{}` under {}:\n{}", block.lang, block.under, block.text);
    }
    let typed = typed(&text());
    for (start, _) in ELSEWHERE {
        assert!(
            typed.iter().any(|typed| typed.command.starts_with(start)),
            "no longer there: {start}"
        );
    }
}

/// As pages on the web name a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn every_link_leads_to_a_file_or_a_heading() {
    let text = text();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchors: Vec<String> = headings.map(|h| anchor(h.trim_start_matches(['#', ' ']))).collect();
    let mut count = 0;
    for part in text.split("](").skip(1) {
        let target = part.split(')').next().unwrap();
        let fine = match target.strip_prefix('#') {
            _ if target.contains("://") => continue,
            Some(heading) => anchors.iter().any(|anchor| anchor == heading),
            None => {
                let file = target.split('#').next().unwrap();
                Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists()
            }
        };
        assert!(fine, "{target}");
        count += 1;
    }
    assert!(count > 20, "{count} links");
}

/// `cargo xtask bench` writes both: neither is to be corrected, or made anew, without the other.
#[test]
fn costs_are_those_of_the_benchs_page() {
    let readme = text();
    let (_, rest) = readme.split_once("<!-- cost: made by cargo xtask bench -->").unwrap();
    let (table, _) = rest.split_once("<!-- end of cost -->").unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("xtask/bench/README.md");
    let page = std::fs::read_to_string(page).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    // Instructions are the first table of a chapter.
    let told = |allocator: &str, way: &str| {
        let chapter = format!("{allocator}, per call\n");
        let chapter = page.split("\n## ").find(|text| text.starts_with(&chapter))?;
        let line = chapter.lines().find(|line| line.starts_with(&format!("| {way} |")))?;
        cells(line)[1].split(' ').next().map(str::to_owned)
    };
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    let allocators = &rows[0][1..];
    for row in &rows[2..] {
        for (allocator, cell) in allocators.iter().zip(&row[1..]) {
            assert_eq!(told(allocator, &row[0]).unwrap_or_default(), *cell, "{allocator}: {row:?}");
        }
    }
    assert!(allocators.len() > 1 && rows.len() > 5, "{table}");
}

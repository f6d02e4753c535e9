//! Readers of text: specs, descriptions, prototypes, markers.

use super::cage::Target;
use super::text_seeds::{C, MARKER, TOML, files};
use alloc8_gen::allocator::{self, Call, Origin, Role};
use alloc8_gen::diagnostic::{Diagnostic, Result, Source};
use alloc8_gen::prototype::Prototype;
use alloc8_gen::render::marker;
use alloc8_gen::spec;
use std::sync::{Arc, OnceLock};

#[test]
fn a_broken_platform_is_diagnosed() {
    let seeds = || files("specs/platforms", ".toml");
    let read = |data: &[u8]| {
        placed(spec::platform_from(&text("platform.toml", data), families()));
    };
    Target {
        module: module_path!(),
        name: "a_broken_platform_is_diagnosed",
        inputs: 500,
        words: TOML,
        seeds,
        read,
    }
    .run();
}

#[test]
fn a_broken_family_is_diagnosed() {
    let seeds = || files("specs/families", ".toml");
    let read = |data: &[u8]| {
        let platform = files("specs/platforms", "linux.toml").remove(0);
        let platform = text("linux.toml", &platform);
        // Beside the real families: what the broken one lacks is theirs, or missing.
        let broken = text("family.toml", data);
        let others = families().iter().filter(|f| !same_name(f, &broken)).cloned();
        placed(spec::platform_from(&platform, &others.chain([broken.clone()]).collect::<Vec<_>>()));
    };
    Target {
        module: module_path!(),
        name: "a_broken_family_is_diagnosed",
        inputs: 500,
        words: TOML,
        seeds,
        read,
    }
    .run();
}

#[test]
fn a_broken_description_is_diagnosed() {
    let seeds = || {
        let ours = files("tests/fixtures/heaps", ".toml");
        files("specs/allocators", ".toml").into_iter().chain(ours).collect()
    };
    let read = |data: &[u8]| {
        placed(allocator::read(&text("heap.toml", data), "heap", Origin::File("heap.toml".into())));
    };
    Target {
        module: module_path!(),
        name: "a_broken_description_is_diagnosed",
        inputs: 5000,
        words: TOML,
        seeds,
        read,
    }
    .run();
}

#[test]
fn a_broken_prototype_is_an_error_inside_it() {
    let seeds = || {
        let text = files("specs/families", ".toml").concat();
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| line.starts_with("proto"));
        lines.filter_map(|line| Some(line.split('"').nth(1)?.as_bytes().to_vec())).collect()
    };
    let read = |data: &[u8]| {
        let text = String::from_utf8_lossy(data);
        match Prototype::parse(&text) {
            Err(error) => assert!(error.offset <= text.len(), "{} in {text:?}", error.offset),
            Ok(read) => {
                let again = Prototype::parse(&read.to_string());
                assert_eq!(again.as_ref(), Ok(&read), "{text:?}");
            }
        }
        for role in [Role::Memalign, Role::Owns, Role::FreeSized] {
            if let Err(error) = Call::parse(&text, &role.prototype(), role == Role::Owns) {
                assert!(!error.message.is_empty());
            }
        }
    };
    let name = "a_broken_prototype_is_an_error_inside_it";
    Target { module: module_path!(), name, inputs: 10_000, words: C, seeds, read }.run();
}

#[test]
fn a_broken_marker_is_no_marker_or_another() {
    let seeds = || {
        let all = ["shim.c", ".map", ".txt", ".mk", ".cmake"];
        all.iter().flat_map(|end| files("generated/simple_heap/linux", end)).collect()
    };
    let read = |data: &[u8]| {
        let Some(read) = marker::read(&String::from_utf8_lossy(data)) else { return };
        // What was read can be written, and is read again.
        for comment in [marker::Comment::C, marker::Comment::Hash] {
            let again = marker::read(&marker::mark("body\n", comment, &read.inputs));
            let again = again.expect("a marker that we wrote");
            assert!(again.intact && again.inputs == read.inputs, "{:?}", read.inputs);
        }
    };
    let name = "a_broken_marker_is_no_marker_or_another";
    Target { module: module_path!(), name, inputs: 4000, words: MARKER, seeds, read }.run();
}

fn text(name: &str, data: &[u8]) -> Arc<Source> {
    Source::new(name, String::from_utf8_lossy(data))
}

fn families() -> &'static [Arc<Source>] {
    static ALL: OnceLock<Vec<Arc<Source>>> = OnceLock::new();
    ALL.get_or_init(|| files("specs/families", ".toml").iter().map(|f| text("f", f)).collect())
}

fn same_name(one: &Source, other: &Source) -> bool {
    let name = |source: &Source| {
        source.text.lines().find(|line| line.starts_with("name")).map(str::to_owned)
    };
    name(one) == name(other)
}

/// Each mistake is in words, has a code with a page, and lies inside the text that it is about.
fn placed<T>(read: Result<T>) {
    let Err(report) = read else { return };
    assert!(report.has_errors());
    for mistake in &report.diagnostics {
        assert!(!mistake.message.is_empty() && alloc8_gen::codes::find(mistake.code).is_some());
        inside(mistake);
    }
}

fn inside(mistake: &Diagnostic) {
    for location in &mistake.locations {
        let (span, text) = (&location.span, &location.source.text);
        let is_inside = span.start <= span.end && span.end <= text.len();
        assert!(is_inside, "{span:?} of {} bytes: {mistake:?}", text.len());
    }
}

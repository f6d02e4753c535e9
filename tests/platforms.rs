//! Every platform can be listed; one without templates is refused with words.

use alloc8_gen::{render, spec};

#[path = "cli/tool.rs"]
mod tool;

use tool::{Ran, folder, tool as alloc8};

fn run(arguments: &[&str]) -> Ran {
    let place = folder();
    let ran = Ran::new(alloc8(place.path()).args(arguments));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{arguments:?} wrote a file");
    ran
}

#[test]
fn every_platform_lists_its_symbols_as_json_and_for_an_allocator() {
    for platform in spec::platforms().expect("without a mistake") {
        let name = platform.name.as_str();
        let json = run(&["list", "symbols", "-p", name, "--format", "json"]).exits(0).out;
        let lines: Vec<serde_json::Value> =
            json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let of = |reason: &str| lines.iter().filter(|l| l["reason"] == reason).count();
        let symbols: usize = platform.abis.iter().map(|abi| platform.symbols_of(abi).count()).sum();
        assert_eq!(of("symbol"), symbols, "{name}");
        assert_eq!(of("omission"), platform.omissions.len(), "{name}");
        assert_eq!(of("field"), platform.zone.map_or(0, |zone| zone.fields.len()), "{name}");
        run(&["list", "symbols", "-p", name, "-a", "simple_heap"]).exits(0);
    }
}

#[test]
fn a_platform_without_templates_is_refused_by_name_and_left_out_of_all() {
    for platform in spec::platforms().expect("without a mistake") {
        if render::has_templates(&platform.mechanism) {
            continue;
        }
        let name = platform.name.as_str();
        let ran = run(&["generate", "-p", name, "-a", "simple_heap"]).exits(2);
        let mechanism = format!("mechanism `{}`", platform.mechanism);
        for word in ["error[A8202]", "no templates yet", &mechanism] {
            assert!(ran.err.contains(word), "{}", ran.err);
        }
        let place = folder();
        let ran =
            Ran::new(alloc8(place.path()).args(["generate", "-p", "all", "-a", "simple_heap"]));
        let ran = ran.exits(0);
        assert!(left_out(&ran.err, name), "{}", ran.err);
        assert!(!place.path().join("generated/simple_heap").join(name).exists());
    }
}

/// `left out, no templates yet: macos, windows`
fn left_out(said: &str, name: &str) -> bool {
    said.lines().any(|line| line.starts_with("left out") && line.contains(name))
}

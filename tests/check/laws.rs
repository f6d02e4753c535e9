//! Rendered laws are checked as shims are.

use super::{
    project::{cut, drifts, edit, mends, project, unchanged},
    tool::run,
};

#[test]
fn laws_are_mended_from_every_working_directory() {
    let place = project();
    run(place.path(), &["laws", "-p", "linux", "-o", "suite"]).exits(0);
    let law = place.path().join("suite/linux/laws/law.h");
    for (folder, argument) in
        [("suite/linux/laws", "."), ("suite/linux", "laws"), ("suite", "linux"), (".", "suite")]
    {
        cut(&law, 1000);
        let argued = if argument == "." { "./law.h" } else { &format!("{argument}/law.h") };
        let shown = match argument {
            "linux" => "linux/laws/law.h",
            "suite" => "suite/linux/laws/law.h",
            _ => argued,
        };
        let at = place.path().join(folder);
        drifts(&at, &["check", argument], &[("half-written", shown)]);
    }
    assert!(!place.path().join("suite/linux/laws/linux").exists());
    assert!(!place.path().join("suite/linux/linux").exists());
}

#[test]
fn rendered_laws_are_checked_too() {
    let place = project();
    run(place.path(), &["laws", "-p", "linux", "-a", "heap.toml", "-o", "suite"]).exits(0);
    run(place.path(), &["laws", "-p", "linux", "-o", "plain"]).exits(0);
    run(place.path(), &["check", "suite", "plain"]).exits(0);
    for folder in ["suite", "plain"] {
        edit(&place.path().join(folder).join("linux/laws/law.h"), "static", "static ");
        let ran = unchanged(place.path(), &["check", folder]).exits(1);
        let line = ran.out.lines().last().unwrap();
        mends(place.path(), line.trim_start_matches("help: run "));
        run(place.path(), &["check", folder]).exits(0);
    }
}

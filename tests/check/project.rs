//! A project with rendered files, and what every `check` of one must hold.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::tool::{Ran, TOOL, folder, run};

pub(crate) const DESCRIPTION: &str = r#"schema = 1

malloc = "heap_malloc"
free = "heap_free"
memalign = "heap_memalign"
malloc_usable_size = "heap_size"
"#;

pub(crate) const SHIM: &str = "generated/heap/linux/shim.c";
pub(crate) const MAP: &str = "generated/heap/linux/exports.lp64.map";

/// A project with a description and its rendered files.
pub(crate) fn project() -> tempfile::TempDir {
    let place = folder();
    fs::write(place.path().join("heap.toml"), DESCRIPTION).unwrap();
    run(place.path(), &["generate", "-p", "linux", "-a", "heap"]).exits(0);
    place
}

pub(crate) fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "no `{from}` in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

/// Keeps the first bytes of a file.
pub(crate) fn cut(file: &Path, length: usize) {
    let text = fs::read(file).unwrap();
    fs::write(file, &text[..length]).unwrap();
}

/// All that a check could change of one path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Type and permissions.
    mode: u32,
    owner: (u32, u32),
    inode: u64,
    links: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
    /// Of a file its bytes, of a link its target.
    content: Vec<u8>,
}

/// Every path of a tree, the root included; links are not followed.
pub(crate) fn snapshot(path: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut all = BTreeMap::new();
    let m = fs::symlink_metadata(path).unwrap();
    let content = if m.is_symlink() {
        fs::read_link(path).unwrap().into_os_string().into_encoded_bytes()
    } else if m.is_file() {
        fs::read(path).unwrap()
    } else {
        Vec::new()
    };
    if m.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            all.extend(snapshot(&entry.unwrap().path()));
        }
    }
    let entry = Entry {
        mode: m.mode(),
        owner: (m.uid(), m.gid()),
        inode: m.ino(),
        links: m.nlink(),
        changed: (m.mtime(), m.mtime_nsec()),
        content,
    };
    all.insert(path.to_owned(), entry);
    all
}

/// Runs the tool, and nothing below these folders is another afterwards.
#[track_caller]
pub(crate) fn unchanged(place: &Path, arguments: &[&str]) -> Ran {
    let before = snapshot(place);
    let ran = run(place, arguments);
    assert!(snapshot(place) == before, "check has changed something\n{}", ran.all());
    ran
}

#[track_caller]
pub(crate) fn check(place: &Path) -> Ran {
    unchanged(place, &["check"])
}

/// The code of each state.
pub(crate) fn code(state: &str) -> &'static str {
    match state {
        "stale" => "A8310",
        "missing" => "A8311",
        "orphan" => "A8312",
        "hand-edited" => "A8313",
        "other format" => "A8314",
        "half-written" => "A8315",
        "leftover" => "A8316",
        other => panic!("no such state: {other}"),
    }
}

/// Checks: no, with these states and no others; changes nothing; says the same in every format; and
/// what the last line says mends it.
#[track_caller]
pub(crate) fn drifts(place: &Path, arguments: &[&str], states: &[(&str, &str)]) {
    let ran = unchanged(place, arguments).exits(1);
    for (state, file) in states {
        let row = format!("  {state:<13} {}  {file}", code(state));
        assert!(ran.out.lines().any(|line| line == row), "no `{row}` in\n{}", ran.all());
        if !matches!(*state, "orphan" | "leftover") {
            assert!(ran.out.contains(&format!("--- {file}\n+++ rendered\n@@ ")), "{}", ran.all());
        }
    }
    let count = ran.out.lines().next().unwrap().split(' ').next().unwrap();
    assert_eq!(count, states.len().to_string(), "{}", ran.all());
    let last = ran.out.lines().last().unwrap();
    machines_read_the_same(place, arguments, states, last);
    mends(place, last);
    unchanged(place, arguments).exits(0);
}

#[track_caller]
fn machines_read_the_same(place: &Path, arguments: &[&str], states: &[(&str, &str)], mend: &str) {
    let json = unchanged(place, &[arguments, &["--format", "json"]].concat()).exits(1);
    let objects = json.json();
    let github = unchanged(place, &[arguments, &["--format", "github"]].concat()).exits(1).out;
    for (state, file) in states {
        let object = objects.iter().find(|o| o["file"] == *file).unwrap();
        assert_eq!(object["state"], state.replace(' ', "-"), "{}", json.all());
        assert_eq!(object["code"], code(state), "{}", json.all());
        let start = format!("::error title={},file={file},line={}::", code(state), object["line"]);
        assert!(github.lines().any(|line| line.starts_with(&start)), "no {start} in\n{github}");
    }
    assert_eq!(github.lines().count(), states.len(), "{github}");
    let last = objects.last().unwrap();
    assert_eq!((&last["reason"], &last["agrees"]), (&"check".into(), &false.into()));
    let lines: Vec<_> = last["mend"].as_array().unwrap().iter().map(|l| l.as_str()).collect();
    assert_eq!(lines.into_iter().flatten().collect::<Vec<_>>().join(" && "), mend);
}

/// Runs a line in a shell, as a user would paste it.
#[track_caller]
pub(crate) fn mends(place: &Path, line: &str) {
    let path = std::env::var("PATH").unwrap();
    let own = Path::new(TOOL).parent().unwrap().display();
    let mut shell = Command::new("sh");
    let ran =
        Ran::new(shell.arg("-c").arg(line).current_dir(place).env("PATH", format!("{own}:{path}")));
    assert!(ran.status.success(), "{line}\n{}", ran.all());
}

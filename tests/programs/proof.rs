//! What `run --format json --proof=FILE` says, held against the list.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::list::{Elsewhere, Program};

#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    Image(Image),
    Proof { holds: bool },
}

/// One program in one process.
#[derive(Debug, Deserialize)]
struct Image {
    program: String,
    pid: u32,
    interposed: bool,
    bound: BTreeMap<String, BTreeSet<String>>,
    elsewhere: BTreeMap<String, BTreeSet<(String, String)>>,
    split: Vec<(String, String, String)>,
    counters: Option<BTreeMap<String, u64>>,
}

impl Image {
    /// The base name of the file that was executed, as /proc/PID/exe would have it. The record has
    /// the name that it was started by, which may be a link, or relative to where it was started.
    fn file(&self, folder: &Path, path: &str) -> String {
        let name = Path::new(&self.program);
        let candidates: Vec<PathBuf> = if self.program.contains('/') {
            vec![folder.join(name)]
        } else {
            path.split(':').map(|place| Path::new(place).join(name)).collect()
        };
        let found = candidates.iter().find_map(|file| fs::canonicalize(file).ok());
        base(&found.unwrap_or_else(|| name.to_owned()))
    }
}

fn base(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is wrong with a proof; nothing if it proves what it should. `counted`: the heap counts.
pub(crate) fn faults(
    program: &Program,
    proof: &Path,
    folder: &Path,
    path: &str,
    counted: bool,
    all_bound: bool,
) -> Vec<String> {
    let text = fs::read_to_string(proof).unwrap_or_default();
    let mut images = Vec::new();
    let mut held = false;
    for line in text.lines() {
        match serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")) {
            Line::Image(image) => images.push(image),
            Line::Proof { holds } => held = holds,
        }
    }
    let mut faults = Vec::new();
    if !held {
        faults.push("the proof does not hold".to_owned());
    }
    let files: Vec<String> = images.iter().map(|image| image.file(folder, path)).collect();
    let meant = |file: &str| program.processes.iter().any(|pattern| matches(pattern, file));
    for pattern in &program.processes {
        if !files.iter().any(|file| matches(pattern, file)) {
            let ran: BTreeSet<_> = files.iter().collect();
            faults.push(format!("no process is {pattern:?}; there were {ran:?}"));
        }
    }
    let mut allocations = 0;
    for (image, file) in images.iter().zip(&files) {
        if meant(file) {
            if !image.interposed {
                faults.push(format!("{file} ({}): nothing is bound to us", image.pid));
            }
            let counters = image.counters.iter();
            allocations += counters.filter_map(|c| c.get("allocations")).sum::<u64>();
        }
        for split in &image.split {
            faults.push(format!("{file} ({}): a split heap: {split:?}", image.pid));
        }
        if all_bound {
            faults.extend(elsewhere(program, image, file));
        }
    }
    if counted && allocations < program.minimum {
        faults.push(format!("{allocations} blocks were counted, not {}", program.minimum));
    }
    faults
}

/// References that are bound elsewhere without a reason in the list.
fn elsewhere(program: &Program, image: &Image, file: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (symbol, pairs) in &image.elsewhere {
        let reaches = image.bound.get(symbol).is_some_and(|from| from.contains(&image.program));
        for (from, to) in pairs {
            let to_program = *to == image.program;
            let definer = if to_program { file.to_owned() } else { base(Path::new(to)) };
            let reference = Elsewhere { symbol, to_program, program_reaches_us: reaches, definer };
            if !program.excuses(&reference) {
                let pid = image.pid;
                faults.push(format!("{file} ({pid}): {symbol} of {from} is bound to {to}"));
            }
        }
    }
    faults
}

/// `*` matches anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => name.strip_prefix(before).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|at| tail.is_char_boundary(*at))
                .any(|at| matches(rest, &tail[at..]))
        }),
    }
}

#[test]
fn a_star_matches_anything() {
    let yes = [
        ("git", "git"),
        ("python3*", "python3.11"),
        ("*as", "x86_64-linux-gnu-as"),
        ("*gcc*", "gcc"),
    ];
    let no = [("git", "git-shell"), ("*as", "ash"), ("clang*", "lang")];
    assert!(yes.iter().all(|(pattern, name)| matches(pattern, name)));
    assert!(!no.iter().any(|(pattern, name)| matches(pattern, name)));
}

//! Compares a folder with what would be rendered. Opens nothing for writing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{is_ours, stands_for};
use crate::{
    diagnostic::{Diagnostic, Report},
    file,
    render::{
        Files, Inputs,
        marker::{self, FORMAT},
    },
};

/// What is the matter with one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The inputs have changed since it was written.
    Stale,
    /// It would be rendered, and is not there.
    Missing,
    /// It bears our marker, and nothing renders it.
    Orphan,
    /// A hand has edited it.
    HandEdited,
    /// An older or newer format wrote it.
    OtherFormat,
    /// It ends before its time.
    HalfWritten,
    /// A run that was interrupted left it under its temporary name.
    Leftover,
}

impl State {
    /// For tables.
    pub fn word(self) -> &'static str {
        match self {
            State::Stale => "stale",
            State::Missing => "missing",
            State::Orphan => "orphan",
            State::HandEdited => "hand-edited",
            State::OtherFormat => "other format",
            State::HalfWritten => "half-written",
            State::Leftover => "leftover",
        }
    }

    /// For `explain`.
    pub fn code(self) -> &'static str {
        match self {
            State::Stale => "A8310",
            State::Missing => "A8311",
            State::Orphan => "A8312",
            State::HandEdited => "A8313",
            State::OtherFormat => "A8314",
            State::HalfWritten => "A8315",
            State::Leftover => "A8316",
        }
    }

    /// Whether nothing renders a file of that name.
    pub fn is_litter(self) -> bool {
        matches!(self, State::Orphan | State::Leftover)
    }
}

/// A file that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Where.
    pub file: PathBuf,
    /// How.
    pub state: State,
    /// Whether it still says that it is ours, so that it may be overwritten.
    pub marked: bool,
    /// The first line that differs.
    pub line: usize,
    /// From what is on disk to what would be rendered; empty for what nothing renders.
    pub diff: String,
}

/// Our files in folders and below them: each folder once, however it is named or linked.
#[derive(Debug, Default)]
pub struct Search {
    /// Folder as it was met first, file name, text.
    pub found: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// `A8304` for each folder or file that could not be read.
    pub report: Report,
    seen: BTreeSet<PathBuf>,
}

impl Search {
    /// Looks into a folder and all below it, and says whether anything of ours is there.
    ///
    /// Links to folders are followed last: a folder is known by its own name, if it has one here.
    pub fn look(&mut self, root: &Path) -> bool {
        let before = (self.found.len(), self.report.diagnostics.len());
        let mut met_again = false;
        let mut links = vec![root.to_owned()];
        while !links.is_empty() {
            for folder in std::mem::take(&mut links) {
                met_again |= self.walk(&folder, &mut links);
            }
        }
        met_again || before != (self.found.len(), self.report.diagnostics.len())
    }

    fn walk(&mut self, folder: &Path, links: &mut Vec<PathBuf>) -> bool {
        let entries = match entries(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.report.push(unreadable(folder, &error));
                return false;
            }
        };
        if !self.seen.insert(fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())) {
            return true;
        }
        let mut met_again = false;
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                match path.is_symlink() {
                    _ if name == "target" || name == "node_modules" => {}
                    true => links.push(path),
                    false => met_again |= self.walk(&path, links),
                }
                continue;
            }
            match read_ours(&path) {
                Ok(Some(text)) => {
                    self.found.entry(folder.to_owned()).or_default().insert(name, text);
                }
                Ok(None) => {}
                Err(error) => self.report.push(unreadable(&path, &error)),
            }
        }
        met_again
    }
}

/// What is in a folder, in an order that does not depend on the disk.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("could not read `{}`: {error}", path.display());
    let diagnostic = Diagnostic::error("A8304", message);
    match (error.kind(), path.parent()) {
        (io::ErrorKind::NotFound, _) => diagnostic.help(
            "render it first: `alloc8-gen generate -p PLATFORM -a NAME`, or name the folder that holds the rendered files",
        ),
        (io::ErrorKind::NotADirectory, Some(parent)) => {
            let folder = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            diagnostic.help(format!("name its folder: `alloc8-gen check {}`", folder.display()))
        }
        (io::ErrorKind::IsADirectory, _) => {
            diagnostic.help("a file belongs there: move the folder away")
        }
        (io::ErrorKind::PermissionDenied, _) => {
            diagnostic.help(format!("let it be read: `chmod u+r {}`", path.display()))
        }
        _ => diagnostic,
    }
}

/// The text of a file that begins like ours: no more of a stranger's file is read than its start.
fn read_ours(path: &Path) -> io::Result<Option<String>> {
    use io::Read;
    // A pipe would be waited for, and a link to nowhere is no file.
    if !path.is_file() {
        return Ok(None);
    }
    let mut file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(32).read_to_end(&mut bytes)?;
    if bytes.is_empty() || !is_ours(&bytes) {
        return Ok(None);
    }
    file.read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// What the files of one folder say they were rendered from; several if they disagree.
pub fn inputs(files: &BTreeMap<String, String>) -> Vec<Inputs> {
    let mut all: Vec<Inputs> = Vec::new();
    for marker in files.values().filter_map(|text| marker::read(text)) {
        if !all.contains(&marker.inputs) {
            all.push(marker.inputs);
        }
    }
    all
}

/// Compares one folder; the report has `A8304` for each file that could not be read.
pub fn compare(folder: &Path, rendered: &Files) -> (Vec<Drift>, Report) {
    let mut drifts = Vec::new();
    let mut report = Report::default();
    for (name, wanted) in rendered {
        let file = folder.join(name);
        match file::read(&file) {
            Ok(bytes) => drifts.extend(drift(file, &bytes, wanted)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let diff = diff(&file, "", wanted);
                drifts.push(Drift { file, state: State::Missing, marked: false, line: 1, diff });
            }
            Err(error) => report.push(unreadable(&file, &error)),
        }
    }
    match entries(folder) {
        Ok(entries) => litter(entries, rendered, &mut drifts, &mut report),
        // Then every file is missing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => report.push(unreadable(folder, &error)),
    }
    drifts.sort_by(|a, b| a.file.cmp(&b.file));
    (drifts, report)
}

fn drift(file: PathBuf, bytes: &[u8], wanted: &str) -> Option<Drift> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    if text == *wanted {
        return None;
    }
    let state = match marker::read(&text) {
        _ if wanted.starts_with(&text) => State::HalfWritten,
        // The marker is in the third line.
        None if is_ours(bytes) && text.lines().count() <= 3 => State::HalfWritten,
        None => State::HandEdited,
        Some(marker) if !marker.intact => State::HandEdited,
        Some(marker) if marker.format != FORMAT => State::OtherFormat,
        Some(_) => State::Stale,
    };
    let same = text.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count();
    let line = (same + 1).min(text.lines().count().max(1));
    Some(Drift { diff: diff(&file, &text, wanted), file, state, marked: is_ours(bytes), line })
}

/// Files of ours that nothing renders.
fn litter(entries: Vec<PathBuf>, rendered: &Files, drifts: &mut Vec<Drift>, report: &mut Report) {
    for file in entries {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if rendered.contains_key(&name) {
            continue;
        }
        let state = match stands_for(&name) {
            Some(of) if rendered.contains_key(of) && file.is_file() => State::Leftover,
            _ if name.starts_with('.') => continue,
            _ => match read_ours(&file) {
                Ok(Some(_)) => State::Orphan,
                Ok(None) => continue,
                Err(error) => {
                    report.push(unreadable(&file, &error));
                    continue;
                }
            },
        };
        drifts.push(Drift { file, state, marked: true, line: 1, diff: String::new() });
    }
}

fn diff(file: &Path, old: &str, new: &str) -> String {
    let name = file.display().to_string();
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(name).set_modified_filename("rendered");
    let patch = options.create_patch(old, new);
    diffy::PatchFormatter::new().suppress_blank_empty(false).fmt_patch(&patch).to_string()
}

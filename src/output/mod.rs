//! The edge to the disk: writes rendered files when their bytes change, and compares without writing.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{
    diagnostic::{Diagnostic, Report, Result},
    render::Files,
};

pub mod check;

/// Writes every file whose bytes differ and returns those that were written.
///
/// All new texts are on disk under other names before the first file is replaced, and each is
/// replaced by a rename: another run, or a reader, never sees half a file.
///
/// # Errors
/// `A8301` a folder cannot be made, `A8302` a file cannot be written, `A8303` a file of the user's
/// own stands where ours should be.
pub fn write(folders: &BTreeMap<PathBuf, Files>) -> Result<Vec<PathBuf>> {
    let mut staged = Vec::new();
    let outcome = stage(folders, &mut staged).and_then(|()| {
        for (temporary, file) in &staged {
            fs::rename(temporary, file).map_err(|error| cannot_write(file, &error))?;
        }
        Ok(())
    });
    if let Err(report) = outcome {
        for (temporary, _) in &staged {
            // What is left over is not the news.
            let _ = fs::remove_file(temporary);
        }
        return Err(report);
    }
    Ok(staged.into_iter().map(|(_, file)| file).collect())
}

fn stage(folders: &BTreeMap<PathBuf, Files>, staged: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
    for (folder, files) in folders {
        fs::create_dir_all(folder).map_err(|error| {
            Report::from(Diagnostic::error(
                "A8301",
                format!("could not make the folder `{}`: {error}", folder.display()),
            ))
        })?;
        for (name, text) in files {
            let file = folder.join(name);
            match fs::read(&file) {
                Ok(bytes) if bytes == text.as_bytes() => continue,
                Ok(bytes) => refuse_foreign(&file, &bytes)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(cannot_write(&file, &error)),
            }
            let temporary = temporary(&file);
            staged.push((temporary.clone(), file.clone()));
            fs::write(&temporary, text).map_err(|error| cannot_write(&file, &error))?;
        }
    }
    Ok(())
}

/// A file without our marker was written by somebody else.
fn refuse_foreign(file: &Path, bytes: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(bytes);
    if crate::render::marker::read(&text).is_some() || bytes.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::error(
        "A8303",
        format!("`{}` is not ours: it has no @generated marker", file.display()),
    )
    .help("move it away, or choose another folder with `-o`")
    .into())
}

fn cannot_write(file: &Path, error: &io::Error) -> Report {
    Diagnostic::error("A8302", format!("could not write `{}`: {error}", file.display())).into()
}

/// A name beside the file that no other run uses.
fn temporary(file: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}.{number}.tmp", std::process::id()))
}

/// The path of `target` as seen from inside `folder`, with `/` between parts.
///
/// Both are made absolute first; the folder need not exist yet. Where the two share no root (other
/// drives on Windows), the absolute path is all there is.
pub fn relative(folder: &Path, target: &Path) -> io::Result<String> {
    let folder = absolute(folder)?;
    let target = absolute(target)?;
    let mut from = folder.components().peekable();
    let mut to = target.components().peekable();
    while let (Some(a), Some(b)) = (from.peek(), to.peek()) {
        if a != b {
            break;
        }
        from.next();
        to.next();
    }
    if to.clone().any(|c| matches!(c, Component::Prefix(_))) {
        return Ok(target.display().to_string());
    }
    let mut parts: Vec<String> = from.map(|_| "..".to_owned()).collect();
    parts.extend(to.map(|c| c.as_os_str().to_string_lossy().into_owned()));
    Ok(parts.join("/"))
}

/// Absolute, with links resolved as far as the path exists.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut there = absolute.as_path();
    loop {
        if let Ok(real) = fs::canonicalize(there) {
            return Ok(missing.iter().rev().fold(real, |path, part| path.join(part)));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name.to_owned());
                there = parent;
            }
            _ => return Ok(absolute),
        }
    }
}

/// A rule in the syntax of Make: the outputs depend on the inputs, and a deleted input is no error.
pub fn depfile(outputs: &[PathBuf], inputs: &[PathBuf]) -> String {
    let escape = |path: &PathBuf| {
        path.display().to_string().replace('$', "$$").replace('#', "\\#").replace(' ', "\\ ")
    };
    let outputs: Vec<_> = outputs.iter().map(escape).collect();
    let inputs: Vec<_> = inputs.iter().map(escape).collect();
    let mut text = format!("{}:", outputs.join(" "));
    for input in &inputs {
        text += &format!(" \\\n  {input}");
    }
    text.push('\n');
    for input in &inputs {
        text += &format!("\n{input}:\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        let inputs = crate::render::Inputs::interposer("linux", "x");
        Files::from([(
            "a.c".to_owned(),
            crate::render::marker::mark(text, crate::render::Comment::C, &inputs),
        )])
    }

    #[test]
    fn a_second_run_writes_nothing_and_leaves_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let folders = BTreeMap::from([(folder.path().join("x"), files("one\n"))]);
        assert_eq!(write(&folders).unwrap().len(), 1);
        let before = fs::metadata(folder.path().join("x/a.c")).unwrap().modified().unwrap();
        assert_eq!(write(&folders).unwrap().len(), 0);
        assert_eq!(fs::metadata(folder.path().join("x/a.c")).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read_dir(folder.path().join("x")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_the_users_own_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.c"), "mine\n").unwrap();
        let folders = BTreeMap::from([(folder.path().to_owned(), files("one\n"))]);
        assert_eq!(write(&folders).unwrap_err().diagnostics[0].code, "A8303");
        assert_eq!(fs::read_to_string(folder.path().join("a.c")).unwrap(), "mine\n");
    }

    #[test]
    fn a_relative_path_climbs_out_of_folders_that_do_not_exist_yet() {
        let folder = tempfile::tempdir().unwrap();
        let toml = folder.path().join("x.toml");
        fs::write(&toml, "").unwrap();
        let inside = folder.path().join("generated/x/linux");
        assert_eq!(relative(&inside, &toml).unwrap(), "../../../x.toml");
    }

    #[test]
    fn a_depfile_escapes_what_make_would_split() {
        let text = depfile(&["a b.c".into()], &["x$y.toml".into()]);
        assert_eq!(text, "a\\ b.c: \\\n  x$$y.toml\n\nx$$y.toml:\n");
    }
}

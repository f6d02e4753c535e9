//! The commands that bring a folder into agreement, as a user would paste them into a shell.

use std::path::{Path, PathBuf};

use alloc8_gen::{
    allocator::{Allocator, Origin},
    output::{
        check::{Drift, State},
        relative,
    },
    render::{Inputs, marker::folder_name},
};

use super::Subject;

/// One command after the other; the first that fails ends them.
pub(super) fn mend(subject: &Subject, drifts: &[Drift]) -> Vec<String> {
    let mut lines = Vec::new();
    // Nothing renders litter, and what has lost its marker is not overwritten.
    let doomed = drifts.iter().filter(|d| d.state.is_litter() || !d.marked);
    let doomed: Vec<String> =
        doomed.filter(|d| d.state != State::Missing).map(|d| word(&d.file)).collect();
    if !doomed.is_empty() {
        lines.push(format!("rm {}", doomed.join(" ")));
    }
    if drifts.iter().all(|d| d.state.is_litter()) {
        return lines;
    }
    match &subject.allocator {
        Some(allocator) => lines.extend(shim(subject, allocator)),
        None => lines.push(laws(subject)),
    }
    lines
}

fn laws(subject: &Subject) -> String {
    let Inputs { platform, allocator, .. } = &subject.inputs;
    let named = match allocator.strip_prefix("convention:").unwrap_or(allocator) {
        "" => String::new(),
        path if path.ends_with(".toml") => format!(" -a {}", word(&subject.folder.join(path))),
        name => format!(" -a {}", quote(name)),
    };
    let base = parent(&parent(&subject.folder));
    format!("alloc8-gen laws -p {platform}{named} -o {}", word(&base))
}

fn shim(subject: &Subject, allocator: &Allocator) -> Vec<String> {
    let Inputs { platform, lang, mode, .. } = &subject.inputs;
    let name = &allocator.name;
    let allocator = match &allocator.origin {
        Origin::File(path) => {
            let here = std::env::current_dir().and_then(|here| relative(&here, path));
            here.map_or_else(|_| path.clone(), PathBuf::from)
        }
        _ => PathBuf::from(name),
    };
    let mut line = format!("alloc8-gen generate -p {platform} -a {}", word(&allocator));
    for (option, value, default) in [("--lang", lang, "c"), ("--mode", mode, "interpose")] {
        if value != default {
            line += &format!(" {option} {}", quote(value));
        }
    }
    if let Some(prefix) = &subject.inputs.prefix {
        line += &format!(" --prefix {}", quote(prefix));
    }
    if let Some(hook) = &subject.inputs.hook {
        line += &format!(" --hook {hook}");
    }
    if let Some(target) = &subject.inputs.target {
        line += &format!(" --target {}", quote(target));
    }
    let base = parent(&subject.folder);
    if base != Path::new("generated").join(name) {
        line += &format!(" -o {}", word(&base));
    }
    let usual = base.join(folder_name(platform, lang, mode, subject.inputs.hook.as_deref()));
    let folder = named(&subject.folder);
    if usual.file_name() == folder.file_name() {
        return vec![line];
    }
    // Its name is not the one that `generate` gives: rendered beside it, at the same depth because
    // markers hold relative paths, and moved.
    let mut lines = vec![
        line,
        format!("mv {}/* {}", word(&usual), word(&folder)),
        format!("rmdir {}", word(&usual)),
    ];
    if usual.exists() {
        let mut aside = usual.clone().into_os_string();
        aside.push(".aside");
        let aside = PathBuf::from(aside);
        lines.insert(0, format!("mv {} {}", word(&usual), word(&aside)));
        lines.push(format!("mv {} {}", word(&aside), word(&usual)));
    }
    lines
}

/// `.` and `link/..` have no name of their own, and a link's is not the folder's.
fn named(folder: &Path) -> PathBuf {
    if folder.file_name().is_some() && !folder.is_symlink() {
        return folder.to_owned();
    }
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// The folder above, as it can be reached from here.
fn parent(folder: &Path) -> PathBuf {
    let folder = named(folder);
    match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => PathBuf::from("."),
        Some(above) => above.to_owned(),
        None => folder,
    }
}

/// A path as one word of a POSIX shell that no command takes for an option.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    if text.starts_with('-') { quote(&format!("./{text}")) } else { quote(&text) }
}

/// As a POSIX shell reads one word.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

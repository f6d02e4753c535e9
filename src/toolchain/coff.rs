//! What GNU's `ld -r` does, for the objects of Windows, which neither LLVM's nor Microsoft's linker joins:
//! one object of several, in which only names that were asked for stay visible.
//!
//! Sections stay as they are, side by side, so that no code is read and every CPU is alike; what debuggers
//! read falls away.

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use ::object::read::archive::ArchiveFile;

mod directives;
mod emit;
mod merge;
mod object;
mod write;

use self::{
    emit::Emit,
    merge::Merged,
    object::{Object, Place},
};
use crate::diagnostic::{Diagnostic, Report, Result};

/// Joins a shim's object, every object that is named, and those members of archives that they want or that
/// define one of `public` or `more`, spelled as objects have them: with what the ABI puts before names of C.
///
/// # Errors
/// `A8402` with what cannot be joined, `A8411` if a file cannot be read, `A8302` if the object cannot be
/// written.
pub fn join_for_windows(
    shim: &Path,
    archives: &[PathBuf],
    public: &[String],
    more: &[String],
    made: &Path,
) -> Result<()> {
    let [public, more] = [public, more].map(|names| {
        names.iter().map(|name| name.clone().into_bytes()).collect::<BTreeSet<Vec<u8>>>()
    });
    let mut objects = Vec::new();
    let mut members = Vec::new();
    for file in std::iter::once(shim).chain(archives.iter().map(PathBuf::as_path)) {
        for (is_member, object) in read(file)? {
            if is_member { &mut members } else { &mut objects }.push(object);
        }
    }
    pull(&mut objects, members, public.union(&more));
    let joined = joined(&objects, &public).map_err(|why| {
        let message = "joining the shim and the allocator failed";
        Diagnostic::error("A8402", message).fact(why)
    })?;
    fs::write(made, joined).map_err(|error| {
        let message = format!("could not write `{}`: {error}", made.display());
        Diagnostic::error("A8302", message).into()
    })
}

fn joined(objects: &[Object], public: &BTreeSet<Vec<u8>>) -> std::result::Result<Vec<u8>, String> {
    let machine = objects.first().map_or(0, |object| object.machine);
    if let Some(other) = objects.iter().find(|object| object.machine != machine) {
        return Err(format!("`{}` is for another CPU", other.name));
    }
    let merged = Merged::of(objects)?;
    let emit = Emit::new(objects, &merged, public)?;
    write::bytes(machine, &emit.parts, &emit.entries)
}

/// An object, or the objects of an archive; `true` for members.
fn read(file: &Path) -> Result<Vec<(bool, Object)>> {
    let fail = |why: String| {
        let message = format!("`{}` cannot be joined: {why}", file.display());
        Report::from(Diagnostic::error("A8411", message))
    };
    let io = |error: std::io::Error| fail(error.to_string());
    let malformed = |error: ::object::read::Error| fail(error.to_string());
    let data = fs::read(file).map_err(io)?;
    if !data.starts_with(b"!<arch>\n") && !data.starts_with(b"!<thin>\n") {
        let name = file.file_name().unwrap_or(OsStr::new("")).to_string_lossy();
        return Ok(vec![(false, Object::read(&name, &data).map_err(fail)?)]);
    }
    let archive = ArchiveFile::parse(&*data).map_err(malformed)?;
    let mut objects = Vec::new();
    for member in archive.members() {
        let member = member.map_err(malformed)?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let object = if member.is_thin() {
            let beside = file.parent().unwrap_or(Path::new("")).join(&name);
            Object::read(&name, &fs::read(beside).map_err(io)?)
        } else {
            Object::read(&name, member.data(&*data).map_err(malformed)?)
        };
        objects.push((true, object.map_err(fail)?));
    }
    Ok(objects)
}

/// Takes the members that define what is wanted, until nothing more is.
fn pull<'a>(
    objects: &mut Vec<Object>,
    mut members: Vec<Object>,
    names: impl Iterator<Item = &'a Vec<u8>>,
) {
    let mut defined: HashSet<Vec<u8>> = objects.iter().flat_map(Object::defines).collect();
    let mut wanted: HashSet<Vec<u8>> = objects.iter().flat_map(Object::wants).collect();
    wanted.extend(names.cloned());
    let mut before = usize::MAX;
    while members.len() < before {
        before = members.len();
        for (name, other) in objects.iter().flat_map(directives::alternates) {
            if wanted.contains(&name) && !defined.contains(&name) {
                wanted.insert(other);
            }
        }
        for member in std::mem::take(&mut members) {
            if member.defines().any(|name| wanted.contains(&name) && !defined.contains(&name)) {
                defined.extend(member.defines());
                wanted.extend(member.wants());
                objects.push(member);
            } else {
                members.push(member);
            }
        }
    }
}

impl Object {
    fn defines(&self) -> impl Iterator<Item = Vec<u8>> {
        let at = |index: usize| self.symbols.get(index).and_then(Option::as_ref);
        self.names(move |place| match place {
            Place::Undefined => false,
            // Nothing, where nobody defines it.
            Place::Weak { default } => {
                at(default).is_some_and(|s| matches!(s.place, Place::In { .. }))
            }
            Place::Common(_) | Place::Absolute(_) | Place::In { .. } => true,
        })
    }

    fn wants(&self) -> impl Iterator<Item = Vec<u8>> {
        self.names(|place| place == Place::Undefined)
    }

    fn names(&self, of: impl Fn(Place) -> bool) -> impl Iterator<Item = Vec<u8>> {
        let symbols = self.symbols.iter().flatten();
        symbols.filter(move |s| s.external && of(s.place)).map(|s| s.name.clone())
    }
}

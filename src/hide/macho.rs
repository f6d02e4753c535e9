//! The same for Mach-O: names are changed and made private in each object, and no objcopy is needed,
//! whose archives not every linker for Mach-O reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use object::read::archive::ArchiveFile;

use super::{Copy, Hidden, inspect, read_archive, thin, unwritable};
use crate::{
    allocator::Allocator,
    artifact::{ArtifactError, Machine, make_private, slice_for},
    diagnostic::{Diagnostic, Report, Result},
    file,
    toolchain::{Compiler, make_folder, run},
};

/// The part of each universal archive that is for the compiler's machine, in the folder; the others as
/// they are.
///
/// # Errors
/// `A8406` if there is none, `A8411` if it is no static library, `A8301` if it cannot be written.
pub fn slices(compiler: &Compiler, archives: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let Some((_, machine, _)) = inspect::machine_of(compiler) else { return Ok(archives.to_vec()) };
    let mut parts = Vec::new();
    for (index, path) in archives.iter().enumerate() {
        let data = file::read(path).unwrap_or_default();
        let part = slice_for(&data, machine).map_err(|error| not_read(path, &error))?;
        let Some(part) = part else { return Err(no_part(path, machine)) };
        if part.len() == data.len() {
            parts.push(path.clone());
            continue;
        }
        let folder = folder.join(format!("part-{index}"));
        make_folder(&folder)?;
        let file = folder.join(path.file_name().unwrap_or_default());
        fs::write(&file, part).map_err(|error| unwritable(&file, &error))?;
        parts.push(file);
    }
    Ok(parts)
}

impl Hidden {
    /// Every archive gets a copy, of which nothing is visible but what the description wants to be.
    ///
    /// # Errors
    /// `A8404` for a thin archive.
    pub fn in_private(mut self, allocator: &Allocator, work: &Path) -> Result<Hidden> {
        self.copies.clear();
        for (index, path) in self.originals.iter().enumerate() {
            if read_archive(path)?.thin {
                return Err(thin(path, "its names").into());
            }
            let to =
                work.join(format!("hidden-{index}")).join(path.file_name().unwrap_or_default());
            self.archives[index] = to.clone();
            self.copies.push(Copy { from: path.clone(), to, has_bytecode: false });
        }
        self.visible = Some(allocator.keep.iter().chain(&allocator.export).cloned().collect());
        Ok(self)
    }
}

/// Makes what one object defines private to what it is linked into, but for the visible names; and gives
/// names others.
///
/// # Errors
/// As [`slices`].
pub(crate) fn close(
    object: &Path,
    renamed: &BTreeMap<String, String>,
    visible: &BTreeSet<String>,
) -> Result<()> {
    let data = fs::read(object).map_err(|error| unwritable(object, &error))?;
    let closed = make_private(&data, renamed, |name| visible.contains(name));
    match closed.map_err(|error| not_read(object, &error))? {
        Some(closed) => fs::write(object, closed).map_err(|error| unwritable(object, &error)),
        None => Ok(()),
    }
}

/// An archive is taken apart, each object changed, and put together again.
///
/// # Errors
/// `A8411` if it cannot be read, `A8301` if a part cannot be written, `A8402` if no archiver does it.
pub(super) fn copy(
    compiler: &Compiler,
    path: &Path,
    copy: &Path,
    renamed: &BTreeMap<String, String>,
    visible: &BTreeSet<String>,
) -> Result<()> {
    let folder = copy.parent().unwrap_or(Path::new(""));
    let data = fs::read(path).map_err(|error| {
        let message = format!("could not read `{}`: {error}", path.display());
        Report::from(Diagnostic::error("A8411", message))
    })?;
    let put = |file: &Path, data: &[u8]| {
        let changed = make_private(data, renamed, |name| visible.contains(name));
        let changed = changed.map_err(|error| not_read(path, &error))?;
        // What is no object has no names: a text beside them, an index.
        let changed = changed.as_deref().unwrap_or(data);
        fs::write(file, changed).map_err(|error| unwritable(file, &error))
    };
    if !data.starts_with(b"!<arch>\n") {
        return put(copy, &data);
    }
    let malformed = ArtifactError::Malformed("the archive's table of members");
    let file = ArchiveFile::parse(&*data).map_err(|_| not_read(path, &malformed))?;
    let mut objects: Vec<OsString> = Vec::new();
    for (number, member) in file.members().enumerate() {
        let member = member.map_err(|_| not_read(path, &malformed))?;
        let content = member.data(&*data).map_err(|_| not_read(path, &malformed))?;
        // Two members may have one name.
        let object = folder.join(format!("{number:05}.o"));
        put(&object, content)?;
        objects.push(object.into());
    }
    let mut arguments: Vec<OsString> = vec!["rcs".into(), copy.into()];
    arguments.extend(objects);
    archive(compiler, &arguments)
}

/// Runs an archiver: GNU's writes an index of ELF's names alone.
///
/// # Errors
/// `A8402` or `A8403` with what the last one said.
pub(crate) fn archive(compiler: &Compiler, arguments: &[OsString]) -> Result<()> {
    let mut last = Report::default();
    for words in archivers(compiler) {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments);
        match run(command, "putting an archive together again") {
            Ok(()) => return Ok(()),
            Err(report) => last = report,
        }
    }
    Err(last)
}

fn archivers(compiler: &Compiler) -> Vec<Vec<OsString>> {
    if let Some(zig) = compiler.zig() {
        return vec![zig.iter().cloned().chain(["ar".into()]).collect()];
    }
    let llvm = ["llvm-ar", "llvm-ar-19", "llvm-ar-14"].map(|name| vec![name.into()]);
    let own = vec![compiler.tool("ar")];
    if cfg!(target_os = "macos") { vec![own] } else { llvm.to_vec() }
}

fn not_read(path: &Path, error: &ArtifactError) -> Report {
    let message = format!("`{}` is not a static library: {error}", path.display());
    Diagnostic::error("A8411", message)
        .help("name an archive of objects (`libNAME.a`) or one object file")
        .into()
}

fn no_part(path: &Path, machine: Machine) -> Report {
    let message = format!("`{}` has no part for {machine}", path.display());
    Diagnostic::error("A8406", message)
        .fact("it is universal, and has parts for others")
        .help("build the library for the same target, or name its target with `--target`")
        .into()
}

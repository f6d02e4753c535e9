//! A private copy of an allocator's archives in which their own public names are hidden, so that
//! `malloc = "malloc"` can describe an archive and its `main` or its stand-ins take nobody's place.
//!
//! Separate from `toolchain` because it decides which names; `inspect` says what an archive is.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

mod inspect;
pub mod macho;
mod unseen;

pub use inspect::{ArchiveFacts, inspect, machine_of};
use unseen::WANTED;
pub(crate) use unseen::unseen;

use crate::{
    allocator::Allocator,
    artifact::Archive,
    diagnostic::{Diagnostic, Report, Result},
    file,
    toolchain::{Compiler, make_folder, run},
};

/// What a hidden name begins with.
pub const PREFIX: &str = "alloc8_hidden_";

/// Functions of the C and C++ runtimes that archives bring along for themselves and that would stand
/// in for the real ones in every program: mimalloc's C build has a `get_new_handler` that answers NULL.
const STAND_INS: &[&str] = &[
    "main",
    "_ZSt15get_new_handlerv",
    "_ZSt15set_new_handlerPFvvE",
    "_ZSt17__throw_bad_allocv",
    "_ZSt28__throw_bad_array_new_lengthv",
    "_ZNSt9bad_allocD0Ev",
    "_ZNSt9bad_allocD1Ev",
    "_ZNSt9bad_allocD2Ev",
    "_ZNKSt9bad_alloc4whatEv",
    "_ZTISt9bad_alloc",
    "_ZTSSt9bad_alloc",
    "_ZTVSt9bad_alloc",
];

/// Archives without public names of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// In link order: private copies, or the archives themselves where there was nothing to change.
    pub archives: Vec<PathBuf>,
    /// Old name, new name.
    pub renamed: BTreeMap<String, String>,
    /// What the copies are made of, in the same order.
    originals: Vec<PathBuf>,
    copies: Vec<Copy>,
    /// In Mach-O, where all else becomes private to what the copies are linked into: what stays visible.
    visible: Option<BTreeSet<String>>,
}

/// A copy that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Copy {
    from: PathBuf,
    to: PathBuf,
    /// Beside the machine code lies bytecode, with the old names alone: objcopy refuses both together, and a
    /// linker that knows bytecode would take it for the code, without what was bound to that.
    has_bytecode: bool,
}

impl Hidden {
    /// Archives in which there is nothing to hide.
    pub fn nothing(archives: &[PathBuf]) -> Hidden {
        let [archives, originals] = [archives, archives].map(<[PathBuf]>::to_vec);
        Hidden { archives, originals, renamed: BTreeMap::new(), copies: Vec::new(), visible: None }
    }

    /// All but the first archive.
    pub(crate) fn without_first(&self) -> Hidden {
        let [archives, originals] = [&self.archives, &self.originals].map(|all| all[1..].to_vec());
        Hidden { archives, originals, ..self.clone() }
    }

    /// What decides on the copies' bytes, to be hashed.
    ///
    /// # Errors
    /// `A8304` if an archive cannot be read.
    pub(crate) fn key(&self) -> Result<Vec<Vec<u8>>> {
        let (renamed, visible, copies) = (&self.renamed, &self.visible, self.copies.len());
        let mut parts = vec![format!("{renamed:?} {visible:?} {copies}").into_bytes()];
        for archive in &self.originals {
            parts.push(fs::read(archive).map_err(|error| {
                let message = format!("could not read `{}`: {error}", archive.display());
                Report::from(Diagnostic::error("A8304", message))
            })?);
        }
        Ok(parts)
    }

    /// Makes those copies that are not there yet.
    ///
    /// # Errors
    /// `A8402` or `A8403` if objcopy fails, `A8301` if its input cannot be written.
    pub fn make(&self, compiler: &Compiler) -> Result<()> {
        for copy in self.copies.iter().filter(|copy| !copy.to.is_file()) {
            let folder = copy.to.parent().unwrap_or(Path::new(""));
            make_folder(folder)?;
            if let Some(visible) = &self.visible {
                macho::copy(compiler, &copy.from, &copy.to, &self.renamed, visible)?;
                continue;
            }
            let list = folder.join("hidden-names.txt");
            let prefix = compiler.symbol_prefix();
            let line = |(old, new): (&String, &String)| format!("{prefix}{old} {prefix}{new}\n");
            let lines: String = self.renamed.iter().map(line).collect();
            fs::write(&list, lines).map_err(|error| unwritable(&list, &error))?;
            copy.make(compiler, &list)?;
            let made = read_archive(&copy.to)?;
            let left = made.names().into_iter().find(|name| self.renamed.contains_key(*name));
            if let Some(left) = left {
                return Err(still_public(&copy.from, left).into());
            }
        }
        Ok(())
    }

    /// The description for the copies: its functions under their new names.
    pub fn describe(&self, allocator: &Allocator) -> Allocator {
        let new = |name: &String| self.renamed.get(name).unwrap_or(name).clone();
        let mut allocator = allocator.clone();
        for call in allocator.functions.values_mut() {
            call.symbol = new(&call.symbol);
        }
        allocator.thread_created = allocator.thread_created.as_ref().map(new);
        allocator.indirect = allocator.indirect.iter().map(new).collect();
        allocator
    }
}

/// Makes the copies that [`plan`] decides on.
///
/// # Errors
/// Those of [`plan`] and [`Hidden::make`].
pub fn hide(
    compiler: &Compiler,
    archives: &[PathBuf],
    names: &BTreeSet<String>,
    keep: &[String],
    work: &Path,
) -> Result<Hidden> {
    let hidden = plan(archives, names, keep, work)?;
    hidden.make(compiler)?;
    Ok(hidden)
}

/// Decides on the copies: every global or weak definition of one of these names, or of a stand-in for
/// the runtime's functions, gets a name of its own unless it is in `keep`. References inside the
/// archives follow; references to names that no archive defines stay, and will reach the shim. Bytecode
/// beside machine code is left out of the copies.
///
/// # Errors
/// `A8404` if a member is link-time bytecode, in which names cannot be changed; `A8411` if a file is
/// no static library.
pub fn plan(
    archives: &[PathBuf],
    names: &BTreeSet<String>,
    keep: &[String],
    work: &Path,
) -> Result<Hidden> {
    let read: Vec<(&PathBuf, Archive)> =
        archives.iter().map(|path| Ok((path, read_archive(path)?))).collect::<Result<_>>()?;
    let renamed: BTreeMap<String, String> = read
        .iter()
        .flat_map(|(_, archive)| archive.names())
        .filter(|name| names.contains(*name) || STAND_INS.contains(name))
        .filter(|name| !keep.iter().any(|kept| kept == name))
        .map(|name| (name.to_owned(), format!("{PREFIX}{name}")))
        .collect();
    let bytecode = unseen::bytecode(read.iter().map(|(path, archive)| (path.as_path(), archive)));
    if bytecode.has_errors() {
        return Err(bytecode);
    }
    let mut hidden = Hidden { renamed, ..Hidden::nothing(archives) };
    for (index, (path, archive)) in read.into_iter().enumerate() {
        let mut symbols = archive.members.iter().flat_map(|m| &m.symbols);
        let has_names = symbols.any(|symbol| hidden.renamed.contains_key(&symbol.name));
        let has_bytecode = archive.lto().any(|(_, lto)| lto.has_machine_code());
        if !has_names && !has_bytecode {
            continue;
        }
        if archive.thin {
            return Err(thin(path, if has_names { "its names" } else { "its bytecode" }).into());
        }
        let file = path.file_name().unwrap_or(OsStr::new("archive.a"));
        let to = work.join(format!("hidden-{index}")).join(file);
        hidden.archives[index] = to.clone();
        hidden.copies.push(Copy { from: path.clone(), to, has_bytecode });
    }
    Ok(hidden)
}

impl Copy {
    fn make(&self, compiler: &Compiler, list: &Path) -> Result<()> {
        let mut source = self.from.clone();
        if self.has_bytecode {
            let plain = self.to.with_extension("plain");
            let sections = [".gnu.lto_*", ".gnu.debuglto_*", ".llvm.lto"];
            let mut arguments: Vec<OsString> = vec!["-D".into(), "-w".into()];
            arguments.extend(sections.map(|s| OsString::from(format!("--remove-section={s}"))));
            arguments.push("--strip-symbol=__gnu_lto_v1".into());
            arguments.extend([source.clone().into(), plain.clone().into()]);
            objcopy(compiler, &arguments, "removing bytecode from an archive")?;
            source = plain;
        }
        let mut redefine = OsString::from("--redefine-syms=");
        redefine.push(list);
        let arguments: [OsString; 4] =
            ["-D".into(), redefine, source.into(), self.to.clone().into()];
        objcopy(compiler, &arguments, "hiding an archive's public names")
    }
}

pub(crate) fn objcopy(compiler: &Compiler, arguments: &[OsString], doing: &str) -> Result<()> {
    let mut first = None;
    let mut tools = [compiler.tool("objcopy"), "llvm-objcopy".into()];
    // GNU's knows its own targets alone, and copies an archive's members of others unchanged.
    if compiler.linker().is_some_and(|linker| linker.contains("lld")) {
        tools.reverse();
    }
    for tool in tools {
        let mut command = Command::new(tool);
        command.env("LC_ALL", "C").args(arguments);
        match run(command, doing) {
            Ok(()) => return Ok(()),
            // What the compiler's own objcopy said is what matters.
            Err(report) => _ = first.get_or_insert(report),
        }
    }
    Err(first.unwrap_or_default())
}

/// Reads an archive, with the members that a thin one keeps beside it.
///
/// # Errors
/// `A8411` if it cannot be read or is no static library.
pub fn read_archive(path: &Path) -> Result<Archive> {
    let fail = |why: String| {
        Report::from(
            Diagnostic::error(
                "A8411",
                format!("`{}` is not a static library: {why}", path.display()),
            )
            .help(WANTED),
        )
    };
    let data = file::read(path).map_err(|error| {
        let message = format!("could not read `{}`: {error}", path.display());
        Report::from(Diagnostic::error("A8411", message).help(WANTED))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Archive::read_with(&data, |name| file::read(&folder.join(name)).ok())
        .map_err(|error| fail(error.to_string()))
}

fn thin(path: &Path, what: &str) -> Diagnostic {
    Diagnostic::error(
        "A8404",
        format!("`{}` is a thin archive: {what} cannot be hidden", path.display()),
    )
    .fact("its objects lie beside it, and a private copy would still mean the same files")
    .help("make a whole one: ar without the modifier T, or `ar rcs` over its objects")
}

fn still_public(path: &Path, name: &str) -> Diagnostic {
    Diagnostic::error("A8402", format!("the names of `{}` could not be hidden", path.display()))
        .fact(format!("objcopy left `{name}` as it is, without a word"))
        .help("install an objcopy that knows the target: on Debian, apt-get install llvm")
}

fn unwritable(path: &Path, error: &std::io::Error) -> Report {
    Diagnostic::error("A8301", format!("could not write `{}`: {error}", path.display())).into()
}

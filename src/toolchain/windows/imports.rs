//! Import libraries for what a library for Windows takes of others, where no SDK has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use super::{DOING, Link, SystemLibrary, is_msvc, write};
use crate::{
    artifact::{Archive, Machine, POINTER},
    diagnostic::{Diagnostic, Report, Result},
    toolchain::run,
};

impl Link<'_> {
    /// An import library for what the system lends: those of MinGW leave it to the C libraries.
    pub(super) fn lent(&self) -> Result<Vec<PathBuf>> {
        let lenders = self.dll.system.iter().filter(|library| !library.lends.is_empty());
        lenders.map(|library| self.import(library, library.lends.iter().cloned())).collect()
    }

    /// Import libraries for all that is wanted, where the system's own are not to be had.
    pub(super) fn imports(&self, wanted: &BTreeSet<String>) -> Result<Vec<PathBuf>> {
        let mut by_library: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let last = self.dll.system.len().saturating_sub(1);
        for name in wanted {
            let lends = |l: &SystemLibrary| l.lends.contains(name);
            let imported = name.strip_prefix(POINTER);
            let place = match (self.dll.system.iter().position(lends), imported) {
                (Some(place), _) => (place, name.as_str()),
                (None, Some(name)) => {
                    let claims = |l: &SystemLibrary| l.begins.iter().any(|b| name.starts_with(b));
                    (self.dll.system.iter().position(claims).unwrap_or(last), name)
                }
                (None, None) => continue,
            };
            by_library.entry(place.0).or_default().insert(place.1.to_owned());
        }
        let import = |(place, names): (usize, BTreeSet<String>)| {
            self.import(&self.dll.system[place], names.into_iter())
        };
        by_library.into_iter().map(import).collect()
    }

    /// The same, if nothing is missing.
    ///
    /// # Errors
    /// `A8402` with all that is.
    pub(super) fn all_imports(&self) -> Result<Vec<PathBuf>> {
        let wanted = self.wanted()?;
        refuse_missing(&self.missing(&wanted))?;
        self.imports(&wanted)
    }

    /// What neither objects nor these libraries of Windows' have. Of imports, names of Windows' own begin with
    /// capital letters.
    pub(super) fn missing(&self, wanted: &BTreeSet<String>) -> Vec<String> {
        let system = &self.dll.system;
        let lent = |name: &String| system.iter().any(|l| l.lends.contains(name));
        let claimed = |name: &str| {
            name.starts_with(|letter: char| letter.is_ascii_uppercase())
                || system.iter().any(|l| l.begins.iter().any(|begin| name.starts_with(begin)))
        };
        let has = |name: &&String| lent(name) || name.strip_prefix(POINTER).is_some_and(claimed);
        wanted.iter().filter(|name| !has(name)).cloned().collect()
    }

    /// What objects and archives refer to and none of them defines.
    pub(super) fn wanted(&self) -> Result<BTreeSet<String>> {
        let (mut wanted, mut defined) = (BTreeSet::new(), BTreeSet::new());
        for file in self.dll.objects.iter().chain(&self.dll.archives).chain(&self.dll.first) {
            let unreadable = |why: String| {
                let message = format!("could not read `{}`: {why}", file.display());
                Report::from(Diagnostic::error("A8411", message))
            };
            let data = fs::read(file).map_err(|error| unreadable(error.to_string()))?;
            let archive = Archive::read(&data).map_err(|error| unreadable(error.to_string()))?;
            defined.extend(archive.names().into_iter().map(str::to_owned));
            wanted.extend(archive.imports().map(|(_, symbol)| symbol.name.clone()));
        }
        Ok(wanted.difference(&defined).cloned().collect())
    }

    /// An import library of one of the system's libraries.
    fn import(
        &self,
        library: &SystemLibrary,
        names: impl Iterator<Item = String>,
    ) -> Result<PathBuf> {
        let definition = self.dll.work.join(format!("{}.def", library.stem()));
        let made = self.dll.work.join(format!("{}.lib", library.stem()));
        let names: Vec<_> = names.collect();
        let text = format!("LIBRARY {}\nEXPORTS\n{}\n", library.file, names.join("\n"));
        write(&definition, &text)?;
        let mut command = self.dlltool();
        // Names that it makes up have these in them: they must not tell of the folder.
        command.current_dir(&self.dll.work).arg("-d").args(definition.file_name());
        command.arg("-l").args(made.file_name());
        run(command, "making an import library").map(|()| made)
    }

    fn dlltool(&self) -> Command {
        let mut command = match self.compiler.zig() {
            Some(zig) => {
                let mut command = Command::new(&zig[0]);
                command.args(&zig[1..]).arg("dlltool");
                command
            }
            None if is_msvc(&self.compiler.target) => Command::new("llvm-dlltool"),
            // GNU's is for one target, and strips nothing that the loader has to see.
            None => {
                let mut command = Command::new(self.compiler.tool("dlltool"));
                command.args(["--temp-prefix", "lent"]);
                return command;
            }
        };
        let machine = match self.place.map(|place| place.cpu.machine.0) {
            Some(Machine::X86) => "i386",
            Some(Machine::Aarch64) => "arm64",
            _ => "i386:x86-64",
        };
        // Names of x86 end with the size of their arguments, which no library exports.
        command.args(["-k", "-m", machine]);
        command
    }
}

/// No linker that is told where to look for names would find these.
fn refuse_missing(missing: &[String]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut diagnostic = Diagnostic::error("A8402", format!("{DOING} failed"));
    for name in missing {
        let name = name.strip_prefix(POINTER).unwrap_or(name);
        diagnostic = diagnostic.fact(format!("`{name}` is neither the archive's nor Windows' own"));
    }
    Err(diagnostic
        .help("if it is a C library's, build where Microsoft's tools have set LIB (vcvars64.bat)")
        .into())
}

//! MinHook and Detours, which change the code of functions: their sources, found and compiled.
//!
//! They are not ours to carry: the user names a copy, or cargo has fetched a crate that has them.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Result},
    embedded,
    hide::read_archive,
    plan::code::{AS_CXX, CODE_LIBRARIES, CodeLibrary},
    toolchain::Compiler,
};

use super::{read, write};

/// Sources that are here.
#[derive(Debug)]
pub(crate) struct Sources {
    library: &'static CodeLibrary,
    folder: PathBuf,
}

/// The sources of what an object calls; `None` if it calls neither.
///
/// # Errors
/// `A8604` if they are not here.
pub(crate) fn wanted(object: &Path) -> Result<Option<Sources>> {
    let archive = read_archive(object)?;
    let calls = |library: &&CodeLibrary| {
        archive.imports().any(|(_, symbol)| symbol.name.starts_with(library.begins))
    };
    match CODE_LIBRARIES.iter().find(calls) {
        Some(library) => find(library).map(Some),
        None => Ok(None),
    }
}

fn find(library: &'static CodeLibrary) -> Result<Sources> {
    let is_whole = |folder: &PathBuf| library.files.iter().all(|f| folder.join(f).is_file());
    let named = env::var_os(library.variable).filter(|value| !value.is_empty());
    let folder = match &named {
        Some(folder) => Some(PathBuf::from(folder)).filter(is_whole),
        None => of_cargo(library).into_iter().find(is_whole),
    };
    let Some(folder) = folder else {
        let CodeLibrary { name, variable, krate, .. } = library;
        let message = format!("the sources of {name} are not here");
        let looked = match named {
            Some(folder) => format!(
                "looked for {} in ${variable}, {}",
                library.files[0],
                Path::new(&folder).display()
            ),
            None => {
                format!("looked for the crate `{krate}` among those that cargo has fetched")
            }
        };
        return Err(Diagnostic::error("A8604", message)
            .fact(looked)
            .help(format!(
                "name their folder in ${variable}, or have cargo fetch them (`cargo add {krate}`, `cargo fetch` in any package); or take `--hook iat`, which needs nothing"
            ))
            .into());
    };
    Ok(Sources { library, folder })
}

/// Where cargo unpacks crates, the newest first.
fn of_cargo(library: &CodeLibrary) -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        Some(
            PathBuf::from(env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?)
                .join(".cargo"),
        )
    });
    let entries =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let registries = home.into_iter().flat_map(|home| entries(home.join("registry/src")));
    let begins = format!("{}-", library.krate);
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.and_then(|name| {
            Some(name.strip_prefix(&begins)?.starts_with(|c: char| c.is_ascii_digit()))
        }) == Some(true)
    };
    let mut found: Vec<_> =
        registries.flat_map(entries).filter(is_ours).map(|p| p.join(library.inside)).collect();
    found.sort();
    found.reverse();
    found
}

impl Sources {
    fn files(&self) -> Vec<PathBuf> {
        self.library.files.iter().map(|file| self.folder.join(file)).collect()
    }

    /// All that decides what comes out: the files, every header beside them, and what stands before each.
    ///
    /// # Errors
    /// `A8304` if one cannot be read.
    pub(super) fn parts(&self) -> Result<Vec<Vec<u8>>> {
        let mut files = self.files();
        let mut folders: Vec<PathBuf> = vec![self.folder.join(self.library.includes)];
        folders.extend(files.iter().filter_map(|file| Some(file.parent()?.to_owned())));
        folders.sort();
        folders.dedup();
        for folder in folders {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
            files.extend(entries.filter(|file| file.extension().is_some_and(|e| e == "h")));
        }
        files.sort();
        let mut parts: Vec<Vec<u8>> = files.iter().map(|file| read(file)).collect::<Result<_>>()?;
        parts.push(self.prelude().into_bytes());
        Ok(parts)
    }

    fn prelude(&self) -> String {
        let text = |file| embedded::text(&format!("templates/pe/{file}.tera"));
        self.library.prelude.and_then(text).unwrap_or_default()
    }

    /// The environment variable that may name their folder.
    pub(crate) fn variable(&self) -> &'static str {
        self.library.variable
    }

    /// How cargo's build scripts compile them; the folder is for what of ours stands before them.
    ///
    /// # Errors
    /// `A8302` if that cannot be written.
    pub(crate) fn for_cargo(&self, folder: &Path) -> Result<cc::Build> {
        let mut build = cc::Build::new();
        build.files(self.files()).include(self.folder.join(self.library.includes)).warnings(false);
        build.flag_if_supported("-fno-lto");
        if self.library.prelude.is_some() {
            let file = folder.join("prelude.h");
            write(&file, self.prelude().as_bytes())?;
            build.cpp(true).cpp_link_stdlib(None).flags(AS_CXX).flag("-include").flag(file);
        }
        Ok(build)
    }

    /// Compiles them; gives the objects.
    ///
    /// # Errors
    /// `A8402` with what the compiler said, `A8401` without a C++ compiler for Detours.
    pub(super) fn compile(&self, compiler: &Compiler, work: &Path) -> Result<Vec<PathBuf>> {
        let CodeLibrary { name, includes, prelude, .. } = self.library;
        let mut options: Vec<OsString> =
            ["-O2", "-fno-lto", "-w", "-c", "-I"].map(OsString::from).into();
        options.push(self.folder.join(includes).into());
        let mut compiler = compiler.clone();
        let sources = self.files();
        if prelude.is_some() {
            compiler = compiler.cxx().map_err(|why| {
                Diagnostic::error("A8401", why)
                    .help(format!("{name} is in C++: install a compiler for it"))
            })?;
            let file = work.join("prelude.h");
            write(&file, self.prelude().as_bytes())?;
            options.extend(AS_CXX.map(OsString::from));
            options.extend(["-include".into(), file.into()]);
        }
        let mut objects = Vec::new();
        for (index, source) in sources.into_iter().enumerate() {
            let object = work.join(format!("inline-{index}.o"));
            let mut arguments = options.clone();
            arguments.extend([source.into(), "-o".into(), object.clone().into()]);
            compiler.run(&arguments, &format!("compiling {name}"))?;
            objects.push(object);
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_changes_changes_what_is_built() {
        let folder = tempfile::tempdir().unwrap();
        for library in &CODE_LIBRARIES {
            let folder = folder.path().join(library.name);
            let header = folder.join(library.includes).join("more.h");
            for file in library.files.iter().map(|file| folder.join(file)).chain([header.clone()]) {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, "/* text */").unwrap();
            }
            let sources = Sources { library, folder };
            let before = sources.parts().unwrap();
            assert_eq!(before, sources.parts().unwrap());
            fs::write(header, "/* other text */").unwrap();
            assert_ne!(before, sources.parts().unwrap(), "{}", library.name);
            assert_eq!(library.prelude.is_some(), before.last().is_some_and(|p| !p.is_empty()));
        }
    }
}

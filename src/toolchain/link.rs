//! Compiling a shim and linking it with the allocator into one preloadable library.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Compiler, is_windows, run, windows};
use crate::{
    artifact,
    diagnostic::{Diagnostic, Report, Result},
};

/// Everything that a link needs to know.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// The shim's object.
    pub shim: PathBuf,
    /// The allocator's archives or objects, in link order.
    pub archives: Vec<PathBuf>,
    /// System libraries, without `-l`.
    pub libs: Vec<String>,
    /// Public name, target: bound by the linker.
    pub aliases: Vec<(String, String)>,
    /// Names that must be pulled out of the archives though nothing refers to them.
    pub pull: Vec<String>,
    /// The version script.
    pub map: PathBuf,
    /// The library's file name, of which its own name is made.
    pub soname: String,
    /// Whether its constructors must run before all others (fork handlers).
    pub init_first: bool,
    /// More options for the linker.
    pub options: Vec<String>,
    /// Whether what C++ shares between objects (COMDAT groups) becomes the object's own: names of a
    /// group that are hidden afterwards are lost where another object has the same group.
    pub dissolve_groups: bool,
    /// Where intermediate files may go.
    pub work: PathBuf,
}

/// What a link made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The linker that made the relocatable object, as `-fuse-ld` knows it; empty for the default.
    pub partial_linker: String,
}

/// Compiles one C file into an object for a shared library.
///
/// # Errors
/// `A8402` with what the compiler said.
pub fn compile(compiler: &Compiler, source: &Path, object: &Path, more: &[&str]) -> Result<()> {
    let flags = match is_windows(&compiler.target) {
        true => windows::flags(&compiler.target),
        false => vec!["-std=c11", "-O2", "-fPIC", "-fno-lto", "-fexceptions", "-c"],
    };
    let mut arguments: Vec<OsString> = flags.into_iter().map(OsString::from).collect();
    arguments.extend(more.iter().map(OsString::from));
    arguments.push(source.into());
    arguments.push("-o".into());
    arguments.push(object.into());
    compiler.run(&arguments, &format!("compiling `{}`", source.display()))
}

/// Links a recipe into a shared library.
///
/// First into one relocatable object with real aliases, which no later option can undo: bfd, lld and
/// gold can do that, mold ignores `--defsym` there without a word, so it is asked for last.
///
/// # Errors
/// `A8402` with what the last linker said.
pub fn link(compiler: &Compiler, recipe: &Recipe, library: &Path) -> Result<Linked> {
    let object = recipe.work.join("alloc8.o");
    let partial_linker = join(compiler, recipe, &object)?;
    let mut arguments: Vec<OsString> =
        vec!["-shared".into(), "-o".into(), library.into(), object.into()];
    // -Xlinker: unlike -Wl, it does not split the path at commas.
    arguments.push("-Xlinker".into());
    let mut script = OsString::from("--version-script=");
    script.push(&recipe.map);
    arguments.push(script);
    arguments.extend([
        format!("-Wl,-soname,{}", soname(&recipe.soname)).into(),
        "-Wl,-z,now,-z,relro,-z,noexecstack,-z,nodelete".into(),
        "-Wl,--no-undefined".into(),
    ]);
    arguments.extend(recipe.options.iter().flat_map(|o| ["-Xlinker".into(), o.into()]));
    // Zig's driver knows neither: it adds no -Bsymbolic, and the flag is set below.
    let zig = compiler.zig().is_some();
    if !zig {
        // A distribution's -Bsymbolic-functions would bind what the allocator calls by public names past a program's own.
        arguments.push("-Wl,-Bno-symbolic".into());
    }
    if recipe.init_first && !zig {
        arguments.push("-Wl,-z,initfirst".into());
    }
    arguments.extend(recipe.libs.iter().map(|lib| OsString::from(format!("-l{lib}"))));
    compiler.run(&arguments, &format!("linking `{}`", recipe.soname))?;
    if recipe.init_first && zig {
        ask_to_be_first(library)?;
    }
    Ok(Linked { partial_linker })
}

/// The name by which programs ask for a library that they were linked with: that of its file, of whose
/// version the first number counts (`libNAME.so.1` for `libNAME.so.1.2.3`).
fn soname(file: &str) -> &str {
    const VERSION: &str = ".so.";
    let Some(start) = file.find(VERSION).map(|at| at + VERSION.len()) else { return file };
    let version = &file[start..];
    let is_version =
        version.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    match version.find('.') {
        Some(end) if is_version => &file[..start + end],
        _ => file,
    }
}

/// What `-z initfirst` does, after the link.
fn ask_to_be_first(library: &Path) -> Result<()> {
    let cannot = |why: String| {
        let message = format!("could not mark `{}`: {why}", library.display());
        Report::from(Diagnostic::error("A8302", message))
    };
    let mut data = fs::read(library).map_err(|error| cannot(error.to_string()))?;
    if !artifact::ask_to_be_first(&mut data) {
        return Err(cannot("it has no DT_FLAGS_1".to_owned()));
    }
    fs::write(library, data).map_err(|error| cannot(error.to_string()))
}

/// Joins the shim and the allocator into one relocatable object with real aliases; says which linker
/// made it, as in [`Linked`].
///
/// # Errors
/// `A8402` with what the last linker said.
pub fn join(compiler: &Compiler, recipe: &Recipe, object: &Path) -> Result<String> {
    const DOING: &str = "joining the shim and the allocator (ld -r)";
    if let Some(zig) = compiler.zig() {
        // Its driver has no --defsym; the linker that it brings along has.
        let mut command = Command::new(&zig[0]);
        command.args(&zig[1..]).args(["ld.lld", "-r", "-o"]).arg(object);
        command.args(recipe.names()).args(recipe.objects(""));
        return run(command, DOING).map(|()| "lld".to_owned());
    }
    let mut last = Report::default();
    let merge = match recipe.dissolve_groups && is_windows(&compiler.target) {
        true => Some(windows::merging(&compiler.target, &recipe.work)?),
        false => None,
    };
    // A cross compiler that names its linker has no other that knows the target.
    let own = compiler.linker().filter(|linker| linker.contains("lld"));
    for linker in own.as_deref().into_iter().chain(["bfd", "lld", "gold", ""]) {
        let mut arguments: Vec<OsString> = vec!["-r".into(), "-nostdlib".into(), "-fno-lto".into()];
        if !linker.is_empty() {
            arguments.push(format!("-fuse-ld={linker}").into());
        }
        if let Some(script) = &merge {
            arguments.push("-Wl,-T".into());
            arguments.push(script.into());
        } else if recipe.dissolve_groups && linker == "bfd" {
            arguments.push("-Wl,--force-group-allocation".into());
        }
        arguments.push("-o".into());
        arguments.push(object.into());
        let for_the_linker = |option: String| OsString::from(format!("-Wl,{option}"));
        arguments.extend(recipe.names().into_iter().map(for_the_linker));
        arguments.extend(recipe.objects("-Wl,"));
        match compiler.run(&arguments, DOING) {
            Ok(()) => return Ok(linker.to_owned()),
            Err(report) => last = report,
        }
    }
    Err(last)
}

impl Recipe {
    /// What the linker is told of names when it joins.
    fn names(&self) -> Vec<String> {
        let pull = self.pull.iter().map(|name| format!("--undefined={name}"));
        let bind = self.aliases.iter().map(|(name, target)| format!("--defsym={name}={target}"));
        pull.chain(bind).collect()
    }

    /// What it joins; before its own words, `prefix` brings them through a driver.
    fn objects(&self, prefix: &str) -> Vec<OsString> {
        let mut objects: Vec<OsString> = vec![self.shim.clone().into()];
        objects.push(format!("{prefix}--start-group").into());
        objects.extend(self.archives.iter().map(OsString::from));
        objects.push(format!("{prefix}--end-group").into());
        objects
    }
}

/// Makes a folder, with words if that fails.
///
/// # Errors
/// `A8301`.
pub fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| {
        Diagnostic::error(
            "A8301",
            format!("could not make the folder `{}`: {error}", folder.display()),
        )
        .help("correct its parent's permissions, or name another cache: XDG_CACHE_HOME=/path")
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::soname;

    #[test]
    fn of_a_version_the_first_number_counts() {
        assert_eq!(soname("libheap.so.1.2.3"), "libheap.so.1");
        assert_eq!(soname("libheap.so.12"), "libheap.so.12");
        for file in
            ["libheap.so", "libheap-1.2.so", "libheap.so.old", "libheap.so.1.bak", "heap.1.2"]
        {
            assert_eq!(soname(file), file);
        }
    }
}

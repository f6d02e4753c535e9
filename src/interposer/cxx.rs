//! What is compiled where the shim is a header for C++: the user's file with the heap class, or, for an
//! archive, a line that includes the header.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::{Order, Work, dylib, key, product_key, read, recipe, rename, write};
use crate::{
    allocator::{Allocator, Origin, Role},
    diagnostic::{Diagnostic, Report, Result},
    hide::Hidden,
    parallel,
    plan::Plan,
    render::{self, Files, Inputs, view},
    spec::Abi,
    toolchain::{Compiler, Recipe, link, make_folder},
};

/// A C++ file to compile, the headers for it, and its compiler.
pub(crate) struct Unit {
    pub(crate) compiler: Compiler,
    source: PathBuf,
    /// Where its headers lie, and what else was rendered with them.
    pub(crate) headers: PathBuf,
    throws: bool,
    /// What its headers ask of a class.
    asked: Vec<Role>,
    /// What the compiler sees, hashed.
    pub(crate) key: String,
    /// The file and all that it includes but for rendered headers and the system's.
    pub(crate) inputs: Vec<PathBuf>,
}

/// What is rendered for a library that takes names over.
pub(super) fn inputs(order: &Order<'_>) -> Inputs {
    Inputs {
        lang: "cpp".to_owned(),
        hook: order.hook.map(str::to_owned),
        ..Inputs::interposer(&order.platform.name, &order.allocator.name)
    }
}

impl Unit {
    /// The description's own file; `None` if it names none.
    ///
    /// # Errors
    /// `A8401` without a C++ compiler, `A8402` if the file does not compile, `A8262` if it does not
    /// include the header that was rendered for it.
    pub(crate) fn of_class(
        order: &Order<'_>,
        plan: &Plan,
        inputs: &Inputs,
    ) -> Result<Option<Unit>> {
        let allocator = order.allocator;
        let Some(file) = &allocator.cpp else { return Ok(None) };
        let folder = match &allocator.origin {
            Origin::File(description) => description.parent().unwrap_or(Path::new("")),
            _ => Path::new(""),
        };
        Unit::new(order, plan, inputs, Some(folder.join(file))).map(Some)
    }

    /// A file of ours for functions of an archive.
    ///
    /// # Errors
    /// As [`Unit::of_class`].
    pub(crate) fn of_archive(order: &Order<'_>, plan: &Plan, inputs: &Inputs) -> Result<Unit> {
        Unit::new(order, plan, inputs, None)
    }

    fn new(
        order: &Order<'_>,
        plan: &Plan,
        inputs: &Inputs,
        source: Option<PathBuf>,
    ) -> Result<Unit> {
        let headers = headers(order, plan, inputs)?;
        let source = match source {
            Some(source) => source,
            None => {
                let source = headers.join("shim.cpp");
                if !source.is_file() {
                    write(&source, b"#include \"shim.hpp\"\n")?;
                }
                source
            }
        };
        let compiler = order.compiler.cxx().map_err(|why| {
            Diagnostic::error("A8401", why)
                .help("install one (on Debian: apt-get install g++), or name it in $CXX")
        })?;
        let throws = inputs.mode == "static"; // operators do
        let roles = plan.allocator.functions.keys().copied();
        let asked = roles.filter(|role| view::is_called(plan, *role)).collect();
        let (key, inputs) = (String::new(), Vec::new());
        let mut unit = Unit { compiler, source, headers, throws, asked, key, inputs };
        unit.look(order.cache)?;
        Ok(unit)
    }

    /// Preprocesses: what comes out is what the object depends on.
    fn look(&mut self, cache: &Path) -> Result<()> {
        let work = Work::new(cache)?;
        let (text, depfile) = (work.path.join("unit.ii"), work.path.join("unit.d"));
        let mut arguments = self.arguments(&["-E", "-P", "-MMD"]);
        arguments.extend(["-MF".into(), depfile.clone().into(), "-o".into(), text.clone().into()]);
        self.run(&arguments)?;
        let included = prerequisites(&String::from_utf8_lossy(&read(&depfile)?));
        if !included.iter().any(|file| *file == self.headers.join("shim.hpp")) {
            return Err(self.other_header(&included));
        }
        let compiler = &self.compiler;
        let parts = [
            read(&text)?,
            compiler.name().into_bytes(),
            compiler.target.clone().into_bytes(),
            compiler.version().as_bytes().to_vec(),
        ];
        self.key = key(&parts.each_ref().map(Vec::as_slice));
        self.inputs = included.into_iter().filter(|f| !f.starts_with(&self.headers)).collect();
        Ok(())
    }

    /// A vendored copy may be older than the description.
    fn other_header(&self, included: &[PathBuf]) -> Report {
        let file = self.source.display();
        let mut diagnostic = Diagnostic::error(
            "A8262",
            format!("`{file}` does not include the header that was rendered for it"),
        );
        let other = included.iter().find(|f| f.file_name().is_some_and(|n| n == "shim.hpp"));
        if let Some(other) = other {
            diagnostic = diagnostic.fact(format!("it includes `{}`", other.display()));
        }
        diagnostic
            .help("write `#include \"redirect.hpp\"`: its folder is among those that are searched")
            .into()
    }

    /// The heap's functions alone, under their own names, to be measured.
    pub(crate) fn heap(&self, cache: &Path) -> Result<PathBuf> {
        self.made(cache, "heap", &["-DALLOC8_HEAP_ONLY"])
    }

    /// Leaves of a class's functions those that its file defines here: no platform asks for all that a description may name.
    pub(crate) fn keep_asked(&self, allocator: &mut Allocator) {
        allocator.functions.retain(|role, _| self.asked.contains(role));
    }

    fn made(&self, cache: &Path, what: &str, more: &[&str]) -> Result<PathBuf> {
        let object = cache.join("objects").join(format!("{}-{what}.o", self.key));
        if !object.is_file() {
            make_folder(&cache.join("objects"))?;
            let work = Work::new(cache)?;
            let made = work.path.join("made.o");
            self.compile(more, &made)?;
            rename(&made, &object)?;
        }
        Ok(object)
    }

    /// The shim and the heap.
    pub(crate) fn object(&self, cache: &Path) -> Result<PathBuf> {
        self.made(cache, "shim", &[])
    }

    /// What the measuring program, which is in C, is linked with for it.
    pub(crate) fn cxx_library(&self) -> Option<String> {
        let has = |name: &&str| {
            let files = [format!("lib{name}.so"), format!("lib{name}.a")];
            files.iter().any(|file| self.compiler.library(file).is_some())
        };
        ["stdc++", "c++"].into_iter().find(has).map(str::to_owned)
    }

    /// The same, anew.
    pub(crate) fn compile(&self, more: &[&str], object: &Path) -> Result<()> {
        let mut arguments = self.arguments(&["-c"]);
        arguments.extend(more.iter().map(OsString::from));
        arguments.extend(["-o".into(), object.into()]);
        self.run(&arguments)
    }

    /// As the build fragments compile it.
    fn arguments(&self, first: &[&str]) -> Vec<OsString> {
        let fixed = self.compiler.cxx_flags(self.throws);
        let mut arguments: Vec<OsString> = first.iter().chain(&fixed).map(OsString::from).collect();
        arguments.extend(["-I".into(), self.headers.clone().into(), self.source.clone().into()]);
        arguments
    }

    fn run(&self, arguments: &[OsString]) -> Result<()> {
        self.compiler.run(arguments, &format!("compiling `{}`", self.source.display()))
    }
}

/// Renders the headers into a folder that is named after what is in them.
fn headers(order: &Order<'_>, plan: &Plan, inputs: &Inputs) -> Result<PathBuf> {
    let files = render::render(plan, inputs)?;
    let texts: Vec<&[u8]> = files.values().map(String::as_bytes).collect();
    let cache = fs::canonicalize(order.cache).unwrap_or_else(|_| order.cache.to_owned());
    let folder = cache.join("headers").join(key(&texts));
    make_folder(&folder)?;
    place(&files, &folder)?;
    Ok(folder)
}

fn place(files: &Files, folder: &Path) -> Result<()> {
    for (name, text) in files.iter().filter(|(name, _)| !folder.join(name).is_file()) {
        let made = folder.join(format!(".{name}.{}", std::process::id()));
        write(&made, text.as_bytes())?;
        rename(&made, &folder.join(name))?;
    }
    Ok(())
}

/// Compiles and links, unless the same inputs have been linked before.
pub(super) fn assemble(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    unit: &Unit,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let is_dylib = order.compiler.is_for_darwin();
    let list = if is_dylib { "txt" } else { "map" };
    let map = unit.headers.join(format!("exports.{}.{list}", abi.name));
    let parts = vec![unit.key.clone().into_bytes(), read(&map)?, order.soname.into()];
    let key = product_key(order, plan, parts, archives)?;
    let library = order.cache.join("libraries").join(key).join(order.soname);
    if library.is_file() {
        return Ok(library);
    }
    make_folder(library.parent().unwrap_or(order.cache))?;
    let recipe = Recipe { map, ..recipe(order, abi, plan, &archives.archives, work) };
    let (compiled, made) =
        parallel::both(|| unit.compile(&[], &recipe.shim), || archives.make(order.compiler));
    made.and(compiled)?;
    let made = work.join("made");
    match is_dylib {
        true => dylib::join(order, plan, recipe, &made)?,
        false => link(&unit.compiler, &recipe, &made).map(|_| ())?,
    }
    rename(&made, &library)?;
    Ok(library)
}

/// What a compiler's depfile says after the target: `\ ` is a space in a name, `\` a line's continuation.
fn prerequisites(depfile: &str) -> Vec<PathBuf> {
    const SPACE: &str = "\u{0}";
    let text = depfile.replace("\\\n", " ").replace("\\ ", SPACE);
    let after = text.split_once(": ").map_or("", |(_, after)| after);
    let names = after.split_whitespace().map(|name| name.replace(SPACE, " ").replace("$$", "$"));
    names.map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depfile_names_files_with_spaces() {
        let text = "unit.o: a.cpp /usr/include/b.h \\\n  my\\ heap.hpp\n";
        let wanted: Vec<PathBuf> =
            ["a.cpp", "/usr/include/b.h", "my heap.hpp"].map(PathBuf::from).into();
        assert_eq!(prerequisites(text), wanted);
    }
}

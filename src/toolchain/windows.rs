//! Linking a shim and an allocator into one library for Windows, without a C library unless they need one.

mod imports;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Compiler,
    cpu::{Place, System},
    cross::newest_lld_link,
    run,
};
use crate::{
    artifact::Machine,
    diagnostic::{Diagnostic, Result},
};

/// One of Windows' own libraries, and what is imported from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemLibrary {
    /// `ntdll.dll`.
    pub file: String,
    /// How names begin that come from it; what no library claims comes from the last one.
    pub begins: Vec<String>,
    /// Functions of a C library's that it has as well, for who has no C library.
    pub lends: Vec<String>,
}

impl SystemLibrary {
    /// As linkers name it.
    fn stem(&self) -> &str {
        self.file.strip_suffix(".dll").unwrap_or(&self.file)
    }
}

/// Everything that the link of a library for Windows needs to know.
#[derive(Debug, Clone, Default)]
pub struct Dll {
    /// The shim's object, and those of what it is helped by.
    pub objects: Vec<PathBuf>,
    /// The allocator's archives or objects, in link order.
    pub archives: Vec<PathBuf>,
    /// System libraries of the allocator, without `-l`.
    pub libs: Vec<String>,
    /// Where the rest comes from.
    pub system: Vec<SystemLibrary>,
    /// The C library's parts, which Microsoft's linker is told of.
    pub c_library: Vec<String>,
    /// The import library of what is to be loaded before all other imports.
    pub first: Option<PathBuf>,
    /// What its objects say that it exports, as the object files name it: it may be in a part of an archive that nobody
    /// else asks for.
    pub pull: Vec<String>,
    /// What it exports, beside what its objects say of themselves.
    pub exports: Vec<String>,
    /// Where intermediate files may go.
    pub work: PathBuf,
}

/// What a library is called in the loader's own words when it starts.
const ENTRY: &str = "DllMain";

/// How C is compiled for Windows: every address is good for a library.
pub(super) fn flags(target: &str) -> Vec<&'static str> {
    let mut flags = vec!["-std=c11", "-O2", "-fno-lto", "-c"];
    if is_msvc(target) {
        flags.extend(WITHOUT_SDK);
    }
    flags
}

/// No headers of Microsoft's are needed, and none of its helpers.
pub(super) const WITHOUT_SDK: [&str; 2] = ["-ffreestanding", "-mno-stack-arg-probe"];

pub(super) fn is_msvc(target: &str) -> bool {
    Place::of(target).is_some_and(|place| place.system == System::Msvc)
}

/// Sections of which C++ has one more for each function or variable that files share, of a name that begins so, and
/// what they are to objcopy.
const SHARED: &[(&str, &str)] = &[
    (".text", CODE),
    (".text.hot", CODE),
    (".text.startup", CODE),
    (".text.unlikely", CODE),
    (".data", "contents,alloc,load,data"),
    (".bss", "alloc"),
    (".rdata", CONSTANTS),
    (".eh_frame", CONSTANTS),
    (".gcc_except_table", CONSTANTS),
    (".pdata", CONSTANTS),
    (".pdata.startup", CONSTANTS),
    (".pdata.unlikely", CONSTANTS),
    (".xdata", CONSTANTS),
    (".xdata.startup", CONSTANTS),
    (".xdata.unlikely", CONSTANTS),
];
const CODE: &str = "contents,alloc,load,readonly,code";
const CONSTANTS: &str = "contents,alloc,load,readonly,data";

/// What one is called when it is merged. GNU's linker sorts the table for unwinding by its name, when it joins too, and
/// leaves the relocations where they were (binutils 2.40).
fn merged(name: &str) -> &str {
    if name == ".pdata" { ".pdata$alloc8" } else { name }
}

/// A script by which GNU's linker merges them when it joins objects.
///
/// # Errors
/// `A8301` if it cannot be written.
pub(super) fn merging(target: &str, work: &Path) -> Result<PathBuf> {
    let x86 = Place::of(target).is_some_and(|place| place.cpu.machine.0 == Machine::X86);
    // Without a word it would make a program.
    let format = if x86 { "pe-i386" } else { "pe-x86-64" };
    let section =
        |(name, _): &(&str, &str)| format!("{} : {{ *({name} {name}$*) }}\n", merged(name));
    let sections: String = SHARED.iter().map(section).collect();
    let script = work.join("merge.ld");
    write(&script, &format!("OUTPUT_FORMAT({format})\nSECTIONS\n{{\n{sections}}}\n"))?;
    Ok(script)
}

/// Options of objcopy by which what was merged is the object's own: links drop it no more where another
/// object has the same.
pub fn own_sections() -> Vec<OsString> {
    let option = |(name, flags): &(&str, &str)| {
        ["--set-section-flags".into(), format!("{}={flags}", merged(name)).into()]
    };
    SHARED.iter().flat_map(option).collect()
}

/// Links a library and the import library that goes with it. First without a C library; if names are
/// missing then, with the compiler's own: whether so is the answer.
///
/// # Errors
/// `A8402` with what the last linker said; `A8301` if an intermediate file cannot be written.
pub fn link_dll(
    compiler: &Compiler,
    dll: &Dll,
    library: &Path,
    import_library: &Path,
) -> Result<bool> {
    let link = Link::new(compiler, dll, library, import_library);
    match (link.alone(), link.can_have_c_library()) {
        (Ok(()), _) => Ok(false),
        (Err(report), false) => Err(report),
        (Err(_), true) => link.with_c_library().map(|()| true),
    }
}

/// The same for one that calls a C library in any case: the compiler's own.
///
/// # Errors
/// As [`link_dll`].
pub fn link_dll_with_c_library(
    compiler: &Compiler,
    dll: &Dll,
    library: &Path,
    import_library: &Path,
) -> Result<()> {
    Link::new(compiler, dll, library, import_library).with_c_library()
}

/// Links a program for Microsoft's ABI without a C library, whose first function is `alone`; or, where
/// Microsoft's libraries are and something of them is missing, with those, whose start-up code calls `main`.
/// What is missing where they are not is the answer.
///
/// # Errors
/// As [`link_dll`].
pub fn link_program(compiler: &Compiler, program: &Dll, file: &Path) -> Result<Vec<String>> {
    let link = Link::new(compiler, program, file, Path::new(""));
    let wanted = link.wanted()?;
    let missing = link.missing(&wanted);
    if missing.is_empty() {
        let options = ["/nodefaultlib", "/entry:alone"];
        return link.by_microsofts(&options, &link.imports(&wanted)?).map(|()| missing);
    }
    if !link.can_have_c_library() {
        return Ok(missing);
    }
    link.with_c_library().map(|()| Vec::new())
}

struct Link<'a> {
    compiler: &'a Compiler,
    dll: &'a Dll,
    library: &'a Path,
    /// Empty for a program.
    import_library: &'a Path,
    place: Option<Place>,
}

const DOING: &str = "linking the library";

impl<'a> Link<'a> {
    fn new(
        compiler: &'a Compiler,
        dll: &'a Dll,
        library: &'a Path,
        import_library: &'a Path,
    ) -> Link<'a> {
        Link { compiler, dll, library, import_library, place: Place::of(&compiler.target) }
    }

    fn alone(&self) -> Result<()> {
        if is_msvc(&self.compiler.target) {
            return self.by_microsofts(&["/nodefaultlib", "/entry:DllMain"], &self.all_imports()?);
        }
        let lent = self.lent()?;
        let mut arguments = vec!["-nostdlib".into(), self.entry().into()];
        arguments.extend(self.inputs());
        arguments.extend(lent.into_iter().map(OsString::from));
        arguments.extend(self.libraries());
        if self.compiler.zig().is_none() {
            // The compiler's own helpers: 64-bit arithmetic on x86.
            arguments.push("-lgcc".into());
        }
        self.by_driver(arguments)
    }

    /// Microsoft's is where its own tools say that it is.
    fn can_have_c_library(&self) -> bool {
        !is_msvc(&self.compiler.target) || std::env::var_os("LIB").is_some()
    }

    /// Its start-up code calls DllMain in turn.
    fn with_c_library(&self) -> Result<()> {
        if is_msvc(&self.compiler.target) && !self.can_have_c_library() {
            // Nothing calls it but who is linked with it.
            return self.by_microsofts(&["/nodefaultlib", "/noentry"], &self.all_imports()?);
        }
        if is_msvc(&self.compiler.target) {
            let parts = self.dll.c_library.iter().map(String::as_str);
            let system = self.dll.system.iter().rev().map(SystemLibrary::stem);
            let defaults: Vec<String> =
                parts.chain(system).map(|name| format!("/defaultlib:{name}")).collect();
            let defaults: Vec<&str> = defaults.iter().map(String::as_str).collect();
            return self.by_microsofts(&defaults, &[]);
        }
        // Nothing but Windows' own libraries is everywhere.
        let mut arguments: Vec<OsString> = vec!["-static".into()];
        if self.compiler.zig().is_none() {
            arguments.push("-static-libgcc".into());
        }
        arguments.extend(self.inputs());
        arguments.extend(self.libraries());
        self.by_driver(arguments)
    }

    fn inputs(&self) -> Vec<OsString> {
        let full = |path: &PathBuf| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            OsString::from(path)
        };
        let mut inputs: Vec<OsString> = self.dll.objects.iter().map(full).collect();
        // GNU's linker sorts imports by the paths of their libraries, and `./` comes before all others.
        let first = self.dll.first.as_ref().and_then(|first| first.file_name());
        inputs.extend(first.map(|name| Path::new(".").join(name).into()));
        inputs.extend(self.dll.pull.iter().map(|name| format!("-Wl,-u,{name}").into()));
        inputs.push("-Wl,--start-group".into());
        inputs.extend(self.dll.archives.iter().map(full));
        inputs.push("-Wl,--end-group".into());
        inputs
    }

    fn libraries(&self) -> Vec<OsString> {
        let own = self.dll.libs.iter().map(String::as_str);
        let all = own.chain(self.dll.system.iter().map(SystemLibrary::stem));
        all.map(|name| OsString::from(format!("-l{name}"))).collect()
    }

    /// GNU's linker wants the name as it stands in the object, LLVM's as C has it.
    fn entry(&self) -> String {
        let x86 = self.place.is_some_and(|place| place.cpu.machine.0 == Machine::X86);
        match (x86, self.compiler.zig().is_some()) {
            (false, _) => format!("-Wl,-e,{ENTRY}"),
            (true, false) => format!("-Wl,-e,_{ENTRY}@12"),
            (true, true) => format!("-Wl,-e,{ENTRY}@12"),
        }
    }

    fn by_driver(&self, more: Vec<OsString>) -> Result<()> {
        let mut command = self.compiler.command();
        let mut arguments: Vec<OsString> = vec!["-shared".into(), "-o".into(), self.library.into()];
        if let Some(folder) = self.dll.first.as_ref().and_then(|first| first.parent()) {
            command.current_dir(folder);
        }
        arguments.extend(more);
        arguments.extend(self.definition()?.map(OsString::from));
        let mut implib = OsString::from("-Wl,--out-implib,");
        implib.push(self.import_library);
        arguments.push(implib);
        if self.compiler.zig().is_none() {
            arguments.push("-Wl,--no-insert-timestamp".into());
        }
        command.args(&arguments);
        run(command, DOING)
    }

    /// The file that names what is exported, if anything is to be named.
    fn definition(&self) -> Result<Option<PathBuf>> {
        if self.dll.exports.is_empty() {
            return Ok(None);
        }
        let file = self.dll.work.join("exports.def");
        write(&file, &format!("EXPORTS\n{}\n", self.dll.exports.join("\n"))).map(|()| Some(file))
    }

    fn by_microsofts(&self, options: &[&str], imports: &[PathBuf]) -> Result<()> {
        let linker = newest_lld_link().ok_or_else(|| {
            Diagnostic::error("A8401", "no linker: `lld-link` is not in PATH")
                .help("install it (on Debian: apt-get install lld)")
        })?;
        let mut command = Command::new(linker);
        let named = |option: &str, path: &Path| {
            let mut word = OsString::from(option);
            word.push(path);
            word
        };
        // The same inputs give the same bytes: no time.
        command.args(["/nologo", "/Brepro"]).args(options).arg(named("/out:", self.library));
        match self.import_library.as_os_str().is_empty() {
            true => command.arg("/subsystem:console"),
            false => command.arg("/dll").arg(named("/implib:", self.import_library)),
        };
        command.args(&self.dll.first).args(&self.dll.objects).args(&self.dll.archives);
        command.args(imports).args(self.definition()?.map(|file| named("/def:", &file)));
        command.args(self.dll.libs.iter().map(|name| format!("{name}.lib")));
        run(command, DOING)
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|error| {
        let message = format!("could not write `{}`: {error}", file.display());
        Diagnostic::error("A8301", message).into()
    })
}

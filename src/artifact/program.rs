//! A program, for the question whether a preloaded library would take effect in it.
//!
//! Separate from `shared` because the answer is about loaders (ld.so(8): what LD_PRELOAD does for
//! static, privileged and foreign programs) and because scripts are programs too.

use super::elf::Elf;
use super::machine::{Class, Machine};
use super::{ArtifactError, SharedObject, Symbol, describe};
use serde::Serialize;

/// What the file system says beside the bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// The set-user-ID bit.
    pub setuid: bool,
    /// The set-group-ID bit.
    pub setgid: bool,
    /// It has file capabilities (`security.capability`).
    pub capabilities: bool,
}

impl Mode {
    /// From `st_mode` and the presence of the capability attribute.
    #[must_use]
    pub fn new(st_mode: u32, capabilities: bool) -> Self {
        Self { setuid: st_mode & 0o4000 != 0, setgid: st_mode & 0o2000 != 0, capabilities }
    }

    /// The loader runs it in secure mode and drops preloads that have a slash in their name.
    #[must_use]
    pub fn is_privileged(self) -> bool {
        self.setuid || self.setgid || self.capabilities
    }
}

/// Which C library's loader the program asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Libc {
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
    /// Android's.
    Bionic,
    /// FreeBSD's.
    FreeBsd,
    /// Some other.
    Unknown,
}

impl Libc {
    /// By the loader's path, as PT_INTERP has it.
    #[must_use]
    pub fn of_interpreter(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        match name {
            _ if name.starts_with("ld-musl-") => Self::Musl,
            _ if name.starts_with("ld-elf") && name.contains(".so") => Self::FreeBsd,
            // ld-linux*.so.N, ld64.so.N, ld.so.1
            _ if name.starts_with("ld-linux") || name.starts_with("ld64.so") => Self::Glibc,
            "ld.so.1" | "ld.so.2" | "ld-2.so" => Self::Glibc,
            "linker" | "linker64" | "linker_asan" | "linker_asan64" => Self::Bionic,
            _ => Self::Unknown,
        }
    }
}

/// How the program gets its libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Linkage {
    /// A loader brings them.
    Dynamic,
    /// It has none: nothing can be preloaded.
    Static,
    /// The same, at an address chosen at load time.
    StaticPie,
    /// It is a library without a loader of its own.
    Library,
}

/// What a file that is to be run is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// An ELF file.
    Elf(Box<ElfProgram>),
    /// A script: its interpreter is the program.
    Script {
        /// The interpreter's path.
        interpreter: String,
        /// The one argument that the first line may carry.
        argument: Option<String>,
    },
    /// Neither; the text says what it looks like.
    Other(&'static str),
}

/// An ELF program.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ElfProgram {
    /// How it gets its libraries.
    pub linkage: Linkage,
    /// Whose loader it asks for; `None` without one.
    pub libc: Option<Libc>,
    /// What the file system says.
    pub mode: Mode,
    /// All else.
    pub object: SharedObject,
}

impl Program {
    /// Reads a program.
    pub fn read(data: &[u8], mode: Mode) -> Result<Self, ArtifactError> {
        if let Some(line) = data.strip_prefix(b"#!") {
            return Ok(script(line));
        }
        match Elf::parse(data) {
            Ok(elf) => {
                Ok(Self::Elf(Box::new(ElfProgram::new(SharedObject::from_elf(&elf)?, mode))))
            }
            Err(ArtifactError::NotElf(_)) => Ok(Self::Other(describe(data))),
            Err(error) => Err(error),
        }
    }

    /// The ELF file, if it is one.
    #[must_use]
    pub fn elf(&self) -> Option<&ElfProgram> {
        match self {
            Self::Elf(program) => Some(program),
            _ => None,
        }
    }
}

/// The kernel's reading of the first line (execve(2)): an interpreter and at most one argument,
/// within 256 bytes.
fn script(line: &[u8]) -> Program {
    let line = line.get(..254).unwrap_or(line);
    let line = line.split(|&b| b == b'\n' || b == 0).next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line.trim_matches([' ', '\t']);
    let (interpreter, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let argument = argument.trim_matches([' ', '\t']);
    Program::Script {
        interpreter: interpreter.to_owned(),
        argument: (!argument.is_empty()).then(|| argument.to_owned()),
    }
}

impl ElfProgram {
    fn new(object: SharedObject, mode: Mode) -> Self {
        let linkage = match (&object.interpreter, object.fixed_address) {
            (Some(_), _) => Linkage::Dynamic,
            (None, true) => Linkage::Static,
            (None, false) if object.flags.pie => Linkage::StaticPie,
            (None, false) => Linkage::Library,
        };
        let libc = object.interpreter.as_deref().map(Libc::of_interpreter);
        Self { linkage, libc, mode, object }
    }

    /// 32 or 64 bits.
    #[must_use]
    pub fn class(&self) -> Class {
        self.object.class
    }

    /// The processor.
    #[must_use]
    pub fn machine(&self) -> Machine {
        self.object.machine
    }

    /// Which of these names it defines for all libraries: it wins over any preload.
    #[must_use]
    pub fn exports<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        // A variable of a library copied into the program is a definition too, but no function.
        let own = |s: &Symbol| s.is_exported() && s.is_code();
        self.with(names, |name| self.object.named(name).any(own))
    }

    /// Which of these names it defines for itself alone: its own calls never leave it.
    /// `None` if it is stripped, so that nobody can tell.
    #[must_use]
    pub fn hides<'a>(&self, names: &[&'a str]) -> Option<Vec<&'a str>> {
        self.object.link_symbols.as_ref()?;
        Some(self.with(names, |name| self.object.hidden(name).any(Symbol::is_code)))
    }

    /// Which of these names it wants from its libraries.
    #[must_use]
    pub fn imports<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        self.with(names, |name| self.object.named(name).any(|s| !s.defined))
    }

    /// It opens libraries itself, and may do so apart from all preloads (RTLD_DEEPBIND, dlmopen).
    #[must_use]
    pub fn opens_libraries(&self) -> bool {
        !self.imports(&["dlopen", "dlmopen"]).is_empty()
    }

    fn with<'a>(&self, names: &[&'a str], holds: impl Fn(&str) -> bool) -> Vec<&'a str> {
        names.iter().copied().filter(|name| holds(name)).collect()
    }
}

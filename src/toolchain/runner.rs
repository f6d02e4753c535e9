//! How programs for a target are started here: by the system itself, by qemu's user mode, or by Wine.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    HOST,
    cpu::{Cpu, Place, System},
    cross::in_path,
    wine::Wine,
};

/// Starts programs for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    foreign: bool,
    emulator: Option<Emulator>,
    /// Preloaded before anything else.
    before: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Emulator {
    /// Another CPU's programs.
    Qemu {
        program: PathBuf,
        options: Vec<String>,
        /// Where the target's dynamic linker and libraries are.
        root: PathBuf,
    },
    /// Windows' programs.
    Wine(Wine),
}

impl Emulator {
    fn program(&self) -> &Path {
        match self {
            Emulator::Qemu { program, .. } => program,
            Emulator::Wine(wine) => wine.program(),
        }
    }

    fn command(&self) -> Command {
        match self {
            Emulator::Qemu { program, options, root } => {
                let mut command = Command::new(program);
                command.args(options).arg("-L").arg(root);
                command
            }
            Emulator::Wine(wine) => wine.command(),
        }
    }
}

impl Runner {
    /// `None` if nothing here runs the target's programs.
    pub fn of(target: &str) -> Option<Runner> {
        if target == HOST {
            return Some(Runner::default());
        }
        let place = Place::of(target)?;
        if Place::host() == Some(place) {
            return Some(Runner::default());
        }
        let (loader, root) = match place.system {
            System::Gnu => (PathBuf::from("/lib/ld-linux.so.2"), gnu_root(place.cpu)),
            System::Musl => (Path::new("/").join(musl_loader(place.cpu)), musl_root(place)),
            System::Android | System::FreeBsd | System::NetBsd | System::Darwin => return None,
            System::Mingw | System::Msvc if place.is_native() => return Some(Runner::native()),
            System::Mingw | System::Msvc => return Runner::under_wine(place),
        };
        if place.is_native() && loader.exists() {
            return Some(Runner { foreign: true, ..Runner::default() });
        }
        Runner::emulated(target, &[], &root?)
    }

    /// The target's programs under qemu's user mode with these options, with their dynamic linker and
    /// libraries below a root; `None` if qemu is not here.
    pub fn emulated(target: &str, options: &[&str], root: &Path) -> Option<Runner> {
        let program = in_path(&format!("qemu-{}", Place::of(target)?.cpu.qemu))?;
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let emulator = Emulator::Qemu { program, options, root: root.to_owned() };
        Some(Runner { foreign: true, emulator: Some(emulator), before: Vec::new() })
    }

    fn under_wine(place: Place) -> Option<Runner> {
        let emulator = Some(Emulator::Wine(Wine::of(place)?));
        Some(Runner { foreign: true, emulator, before: Vec::new() })
    }

    /// The target's programs by the host's own processor and kernel, whatever dynamic linker they name.
    pub fn native() -> Runner {
        Runner { foreign: true, ..Runner::default() }
    }

    /// The same with a library that is preloaded before all others, as a C library's missing part; what
    /// is beside it is found by name.
    #[must_use]
    pub fn behind(mut self, library: &Path) -> Runner {
        self.before.push(library.to_owned());
        self
    }

    /// In words: "natively", or the emulator's name.
    pub fn name(&self) -> String {
        let name = |e: &Emulator| e.program().file_name().map(|n| n.to_string_lossy().into_owned());
        self.emulator.as_ref().and_then(name).unwrap_or_else(|| "natively".to_owned())
    }

    /// Whether an emulator stands between the program and the kernel.
    pub fn emulates(&self) -> bool {
        self.emulator.is_some()
    }

    /// Whether the target is another than that of the host's own programs.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// A command that starts a program, for arguments of its own to be added; what the caller's
    /// environment preloads is not preloaded. Windows preloads nothing.
    pub fn command(&self, program: impl AsRef<OsStr>, preload: Option<&Path>) -> Command {
        let mut command = match &self.emulator {
            None => Command::new(&program),
            Some(emulator) => emulator.command(),
        };
        command.env_remove("LD_PRELOAD");
        if let Some(Emulator::Wine(_)) = self.emulator {
            command.arg(program);
            return command;
        }
        let before = self.before.iter().map(PathBuf::as_path);
        let libraries: Vec<&OsStr> = before.chain(preload).map(Path::as_os_str).collect();
        let beside = self.before.iter().filter_map(|library| library.parent());
        let folders: Vec<&OsStr> = beside.map(Path::as_os_str).collect();
        for (name, values) in [("LD_PRELOAD", libraries), ("LD_LIBRARY_PATH", folders)] {
            match (values.is_empty(), &self.emulator) {
                (true, _) => {}
                (false, None) => _ = command.env(name, values.join(OsStr::new(":"))),
                // Not in the environment, where the host's own dynamic linker would obey too.
                (false, Some(_)) => {
                    let mut setting = OsString::from(format!("{name}="));
                    setting.push(values.join(OsStr::new(":")));
                    command.arg("-E").arg(setting);
                }
            }
        }
        if self.emulator.is_some() {
            command.arg(program);
        }
        command
    }
}

/// Where distributions put another CPU's glibc.
fn gnu_root(cpu: &Cpu) -> Option<PathBuf> {
    let root = PathBuf::from(format!("/usr/{}", cpu.gnu));
    root.join("lib").is_dir().then_some(root)
}

/// musl's dynamic linker, which is its libc.so too, relative to a root.
fn musl_loader(cpu: &Cpu) -> String {
    format!("lib/ld-musl-{}.so.1", cpu.musl)
}

/// Where another CPU's musl is: where qemu itself would look, where cross compilers have it, or among
/// the host's own files (Debian's `musl:arm64`).
fn musl_root(place: Place) -> Option<PathBuf> {
    let named = std::env::var_os("QEMU_LD_PREFIX").map(PathBuf::from);
    let usual = [PathBuf::from(format!("/usr/{}", place.triple())), PathBuf::from("/")];
    let mut roots = named.into_iter().chain(usual);
    roots.find(|root| root.join(musl_loader(place.cpu)).exists())
}

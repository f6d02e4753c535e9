//! How programs for a target are started here: by the system itself, or by qemu's user mode.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    HOST,
    cross::{cpu_of, is_narrow_host},
};

/// Starts programs for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    foreign: bool,
    emulator: Option<Emulator>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Emulator {
    program: PathBuf,
    /// Where the target's dynamic linker and libraries are.
    root: PathBuf,
}

impl Runner {
    /// `None` if nothing here runs the target's programs.
    pub fn of(target: &str) -> Option<Runner> {
        if target == HOST {
            return Some(Runner::default());
        }
        let cpu = cpu_of(target)?;
        let loader = Path::new("/lib/ld-linux.so.2");
        if cpu_of(HOST) == Some(cpu) {
            return Some(Runner::default());
        }
        if is_narrow_host(cpu) && loader.exists() {
            return Some(Runner { foreign: true, emulator: None });
        }
        let root = PathBuf::from(format!("/usr/{}", cpu.gnu));
        let name = format!("qemu-{}", cpu.qemu);
        let path = std::env::var_os("PATH")?;
        let mut found = std::env::split_paths(&path).map(|folder| folder.join(&name));
        let program = found.find(|file| file.is_file() && root.join("lib").is_dir())?;
        Some(Runner { foreign: true, emulator: Some(Emulator { program, root }) })
    }

    /// In words: "natively", or the emulator's name.
    pub fn name(&self) -> String {
        let name = |e: &Emulator| e.program.file_name().map(|n| n.to_string_lossy().into_owned());
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
    /// environment preloads is not preloaded.
    pub fn command(&self, program: impl AsRef<OsStr>, preload: Option<&Path>) -> Command {
        let mut command = match &self.emulator {
            None => Command::new(&program),
            Some(emulator) => {
                let mut command = Command::new(&emulator.program);
                command.arg("-L").arg(&emulator.root);
                command
            }
        };
        command.env_remove("LD_PRELOAD");
        match (preload, &self.emulator) {
            (Some(library), None) => _ = command.env("LD_PRELOAD", library),
            // Not in the environment, where the host's own dynamic linker would obey too.
            (Some(library), Some(_)) => {
                let mut setting = OsString::from("LD_PRELOAD=");
                setting.push(library);
                command.arg("-E").arg(setting);
            }
            (None, _) => {}
        }
        if self.emulator.is_some() {
            command.arg(program);
        }
        command
    }
}

//! CPUs and systems as target triples, compilers, emulators and files name them.

use super::{HOST, LEAST_SYSTEM};
use crate::artifact::{Class, Endian, Machine};

/// One CPU.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cpu {
    /// How triples begin that mean it.
    names: &'static [&'static str],
    /// The triple by which GNU's compilers and its folder under `/usr` are named.
    pub(super) gnu: &'static str,
    /// Debian's name for it, in `libc6-dev-NAME-cross`; empty where Debian 12 has none.
    pub(super) debian: &'static str,
    /// What runs its programs elsewhere: `qemu-NAME`.
    pub(super) qemu: &'static str,
    /// How musl names its dynamic linker, `ld-musl-NAME.so.1`.
    pub(super) musl: &'static str,
    /// What its files say.
    pub(super) machine: (Machine, Class),
}

/// EM_LOONGARCH.
const LOONGARCH: Machine = Machine::Other(258);

#[rustfmt::skip]
const CPUS: &[Cpu] = &[
    cpu(&["x86_64"], "x86_64-linux-gnu", "amd64", "x86_64", "x86_64", Machine::X86_64),
    cpu(&["aarch64", "arm64"], "aarch64-linux-gnu", "arm64", "aarch64", "aarch64", Machine::Aarch64),
    cpu(&["i686", "i386", "i486", "i586", "x86"], "i686-linux-gnu", "i386", "i386", "i386", Machine::X86),
    cpu(&["arm", "armv7", "armv7l", "armv7a"], "arm-linux-gnueabihf", "armhf", "arm", "armhf", Machine::Arm),
    cpu(&["riscv64", "riscv64gc"], "riscv64-linux-gnu", "riscv64", "riscv64", "riscv64", Machine::Riscv),
    cpu(&["s390x"], "s390x-linux-gnu", "s390x", "s390x", "s390x", Machine::S390),
    cpu(&["powerpc64le"], "powerpc64le-linux-gnu", "ppc64el", "ppc64le", "powerpc64le", Machine::PowerPc64),
    cpu(&["loongarch64"], "loongarch64-linux-gnu", "", "loongarch64", "loongarch64", LOONGARCH),
];

const fn cpu(
    names: &'static [&'static str],
    gnu: &'static str,
    debian: &'static str,
    qemu: &'static str,
    musl: &'static str,
    machine: Machine,
) -> Cpu {
    let class = match machine {
        Machine::X86 | Machine::Arm => Class::Elf32,
        _ => Class::Elf64,
    };
    Cpu { names, gnu, debian, qemu, musl, machine: (machine, class) }
}

impl Cpu {
    /// How triples of most systems name it.
    pub(super) fn name(&self) -> &'static str {
        self.names[0]
    }

    /// How Apple names it.
    pub(super) fn apple(&self) -> &'static str {
        if self.machine.0 == Machine::Aarch64 { "arm64" } else { self.name() }
    }

    /// How zig names it.
    fn zig(&self) -> &'static str {
        if self.machine.0 == Machine::X86 { "x86" } else { self.name() }
    }
}

/// A C library, and the system around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// Linux with glibc.
    Gnu,
    /// Linux with musl.
    Musl,
    /// Android.
    Android,
    /// FreeBSD.
    FreeBsd,
    /// NetBSD.
    NetBsd,
    /// Windows, with the C++ ABI and the tools of GNU.
    Mingw,
    /// Windows, with those of Microsoft.
    Msvc,
    /// macOS.
    Darwin,
}

impl System {
    /// Whether programs are files of Windows.
    pub(super) fn is_windows(self) -> bool {
        matches!(self, System::Mingw | System::Msvc)
    }
}

/// Words of triples, and what system they mean.
const SYSTEMS: &[(&str, System)] = &[
    ("linux-gnu", System::Gnu),
    ("linux-musl", System::Musl),
    ("linux-android", System::Android),
    ("freebsd", System::FreeBsd),
    ("netbsd", System::NetBsd),
    ("windows-gnu", System::Mingw),
    ("windows-gnullvm", System::Mingw),
    // The 32 of `x86_64-w64-mingw32` is taken for a version.
    ("mingw", System::Mingw),
    ("windows-msvc", System::Msvc),
    ("darwin", System::Darwin),
    ("macos", System::Darwin),
    ("macosx", System::Darwin),
];

/// Where a program runs: a CPU under a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) cpu: &'static Cpu,
    pub(super) system: System,
}

impl Place {
    /// What a triple names, with or without a vendor: `aarch64-unknown-linux-gnu`,
    /// `armv7a-linux-androideabi29`.
    pub(super) fn of(target: &str) -> Option<Place> {
        let (name, rest) = target.split_once('-')?;
        let cpu = CPUS.iter().find(|cpu| cpu.names.contains(&name))?;
        let system = rest.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let named = |word: &str| {
            let word = format!("{word}{}", float_abi(cpu, word));
            system == word || system.ends_with(&format!("-{word}"))
        };
        let (_, system) = SYSTEMS.iter().find(|(word, _)| named(word))?;
        Some(Place { cpu, system: *system })
    }

    /// That of the programs that this tool was built for.
    pub(super) fn host() -> Option<Place> {
        Place::of(HOST)
    }

    /// Its triple without a vendor, as compilers' prefixes have it.
    pub(super) fn triple(self) -> String {
        self.with(self.cpu.name())
    }

    /// Its triple in zig's spelling.
    pub(super) fn zig(self) -> String {
        match self.system {
            System::Darwin => format!("{}-macos.{LEAST_SYSTEM}", self.cpu.zig()),
            _ => self.with(self.cpu.zig()),
        }
    }

    fn with(self, name: &str) -> String {
        let word = SYSTEMS.iter().find(|(_, system)| *system == self.system);
        let word = word.map_or("", |(word, _)| word);
        format!("{name}-{word}{}", float_abi(self.cpu, word))
    }

    /// Whether the host's own processor and kernel run its code, not counting the C library.
    pub(super) fn is_native(self) -> bool {
        let Some(host) = Place::host() else { return false };
        let same_kernel = match self.system {
            System::FreeBsd | System::NetBsd | System::Darwin => false,
            system => system.is_windows() == host.system.is_windows(),
        };
        same_kernel && (host.cpu == self.cpu || self.is_narrow_host())
    }

    /// Whether it is the narrower sister of the host's processor.
    pub(super) fn is_narrow_host(self) -> bool {
        let host = Place::host().map(|host| host.cpu.machine.0);
        self.cpu.machine.0 == Machine::X86 && host == Some(Machine::X86_64)
    }
}

/// How a system's name goes on where a CPU has several ways to pass floating point: the one that
/// distributions use.
fn float_abi(cpu: &Cpu, system: &str) -> &'static str {
    match (cpu.machine.0, system) {
        (Machine::Arm, "linux-gnu" | "linux-musl") => "eabihf",
        (Machine::Arm, "linux-android") => "eabi",
        (Machine::Arm, "freebsd") => "-eabihf",
        _ => "",
    }
}

/// Whether a target's programs are files of Windows.
pub fn is_windows(target: &str) -> bool {
    Place::of(target).is_some_and(|place| place.system.is_windows())
}

/// The target of programs that load a file of this machine under a system (the last words of a
/// triple, as a spec's ABI has them), unless it is the host's own.
pub fn target_of(
    machine: Machine,
    class: Class,
    endian: Endian,
    environments: &[String],
) -> Option<String> {
    let order = if machine == Machine::S390 { Endian::Big } else { Endian::Little };
    let cpu = CPUS.iter().find(|cpu| cpu.machine == (machine, class) && endian == order)?;
    let named = |(word, _): &&(&str, System)| environments.iter().any(|name| name == word);
    let (_, system) = SYSTEMS.iter().find(named)?;
    let place = Place { cpu, system: *system };
    (Place::host() != Some(place)).then(|| place.triple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_name_cpus_and_systems_with_and_without_a_vendor() {
        for (triple, named) in [
            ("aarch64-linux-gnu", Some("aarch64-linux-gnu")),
            ("aarch64-unknown-linux-gnu", Some("aarch64-linux-gnu")),
            ("armv7-unknown-linux-gnueabihf", Some("arm-linux-gnueabihf")),
            ("i386-linux-gnu", Some("i686-linux-gnu")),
            ("s390x-ibm-linux-gnu", Some("s390x-linux-gnu")),
            ("riscv64gc-unknown-linux-gnu", Some("riscv64-linux-gnu")),
            ("loongarch64-unknown-linux-gnu", Some("loongarch64-linux-gnu")),
            ("aarch64-unknown-linux-musl", Some("aarch64-linux-musl")),
            ("armv7-unknown-linux-musleabihf", Some("arm-linux-musleabihf")),
            ("aarch64-linux-android29", Some("aarch64-linux-android")),
            ("armv7a-linux-androideabi21", Some("arm-linux-androideabi")),
            ("x86_64-unknown-freebsd14.0", Some("x86_64-freebsd")),
            ("x86_64-pc-windows-gnu", Some("x86_64-windows-gnu")),
            ("aarch64-pc-windows-gnullvm", Some("aarch64-windows-gnu")),
            ("i686-w64-mingw32", Some("i686-windows-gnu")),
            ("x86_64-pc-windows-msvc", Some("x86_64-windows-msvc")),
            ("x86_64-linux-gnux32", None),
            ("armv7-unknown-linux-gnueabi", None),
            ("aarch64", None),
        ] {
            assert_eq!(Place::of(triple).map(Place::triple).as_deref(), named, "{triple}");
        }
    }

    #[test]
    fn a_files_target_is_of_its_systems_c_library() {
        let of = |machine, class, system: &str| {
            target_of(machine, class, Endian::Little, &[system.to_owned()])
        };
        let aarch64 = of(Machine::Aarch64, Class::Elf64, "linux-musl");
        assert_eq!(aarch64.as_deref(), Some("aarch64-linux-musl"));
        let i686 = of(Machine::X86, Class::Elf32, "linux-gnu");
        assert_eq!(i686.as_deref(), Some("i686-linux-gnu"));
        assert_eq!(of(Machine::X86_64, Class::Elf32, "linux-gnu"), None);
    }
}

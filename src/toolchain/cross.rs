//! Linux with glibc on other CPUs: which compiler makes programs for them, and what to install.
//!
//! The `cc` crate knows prefixes (`aarch64-linux-gnu-gcc`) and stops there. A distribution has two
//! more routes: one gcc for both widths of a CPU, and clang with another CPU's C library.

use std::{ffi::OsString, path::PathBuf};

use super::{Compiler, HOST};
use crate::{
    artifact::{Class, Endian, Machine},
    diagnostic::Diagnostic,
};

/// One CPU under GNU's Linux.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cpu {
    /// How triples begin that mean it.
    names: &'static [&'static str],
    /// The triple by which compilers' prefixes and its folder under `/usr` are named.
    pub(super) gnu: &'static str,
    /// Debian's name for it, in `libc6-dev-NAME-cross`.
    debian: &'static str,
    /// What runs its programs elsewhere: `qemu-NAME`.
    pub(super) qemu: &'static str,
    /// What its files say.
    machine: (Machine, Class),
}

const CPUS: &[Cpu] = &[
    cpu(&["x86_64"], "x86_64-linux-gnu", "amd64", "x86_64", Machine::X86_64),
    cpu(&["aarch64"], "aarch64-linux-gnu", "arm64", "aarch64", Machine::Aarch64),
    cpu(&["i686", "i386", "i486", "i586"], "i686-linux-gnu", "i386", "i386", Machine::X86),
    cpu(&["arm", "armv7", "armv7l"], "arm-linux-gnueabihf", "armhf", "arm", Machine::Arm),
    cpu(&["riscv64"], "riscv64-linux-gnu", "riscv64", "riscv64", Machine::Riscv),
    cpu(&["s390x"], "s390x-linux-gnu", "s390x", "s390x", Machine::S390),
    cpu(&["powerpc64le"], "powerpc64le-linux-gnu", "ppc64el", "ppc64le", Machine::PowerPc64),
];

const fn cpu(
    names: &'static [&'static str],
    gnu: &'static str,
    debian: &'static str,
    qemu: &'static str,
    machine: Machine,
) -> Cpu {
    let class = match machine {
        Machine::X86 | Machine::Arm => Class::Elf32,
        _ => Class::Elf64,
    };
    Cpu { names, gnu, debian, qemu, machine: (machine, class) }
}

/// The CPU that a triple names, if its system is Linux with glibc.
pub(super) fn cpu_of(target: &str) -> Option<&'static Cpu> {
    let (name, rest) = target.split_once('-')?;
    let cpu = CPUS.iter().find(|cpu| cpu.names.contains(&name))?;
    let (_, system) = cpu.gnu.split_once('-')?;
    (rest == system || rest.ends_with(&format!("-{system}"))).then_some(cpu)
}

/// The target of programs that load a file of this machine, unless it is the host's own.
pub fn target_of(machine: Machine, class: Class, endian: Endian) -> Option<&'static str> {
    let order = if machine == Machine::S390 { Endian::Big } else { Endian::Little };
    let found = CPUS.iter().find(|cpu| cpu.machine == (machine, class) && endian == order);
    let cpu = found?;
    (cpu_of(HOST) != Some(cpu)).then_some(cpu.gnu)
}

/// Whether it is Linux with glibc on a CPU that is not the host's.
pub(super) fn is_foreign(target: &str) -> bool {
    cpu_of(target).is_some_and(|cpu| cpu_of(HOST) != Some(cpu))
}

/// The first compiler that is here and finds the target's C library.
pub(super) fn command(target: &str) -> Option<Vec<OsString>> {
    let cpu = cpu_of(target)?;
    let candidates = candidates(cpu).into_iter().map(|words| Compiler {
        command: words.iter().map(OsString::from).collect(),
        target: target.to_owned(),
    });
    let mut complete = candidates.filter(|compiler| compiler.library("libc.so").is_some());
    complete.next().map(|compiler| compiler.command)
}

fn candidates(cpu: &Cpu) -> Vec<Vec<String>> {
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all = vec![words(format!("{}-gcc", cpu.gnu))];
    if is_narrow_host(cpu) {
        // Debian keeps the kernel's headers with the host's own.
        all.push(words("gcc -m32 -idirafter /usr/include/x86_64-linux-gnu".to_owned()));
    } else {
        let linker = newest_lld().unwrap_or_else(|| "lld".to_owned());
        // Its C library's linker script has full paths: with no root, some would be doubled.
        let clang = format!("clang --target={} -fuse-ld={linker} --sysroot=/", cpu.gnu);
        all.push(words(clang));
    }
    all
}

/// Whether the host's own processor and kernel run it.
pub(super) fn is_narrow_host(cpu: &Cpu) -> bool {
    cpu.machine.0 == Machine::X86 && cpu_of(HOST).is_some_and(|h| h.machine.0 == Machine::X86_64)
}

/// Old ones do not know every CPU (14: neither RISC-V's relaxation nor s390x), and the plain name
/// may mean an old one.
fn newest_lld() -> Option<String> {
    const NEWEST: u32 = 30;
    const OLDEST: u32 = 18;
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut names = (OLDEST..=NEWEST).rev().map(|version| format!("lld-{version}"));
    names.find(|name| folders.iter().any(|folder| folder.join(format!("ld.{name}")).is_file()))
}

/// There is no compiler for it: what to install.
pub(super) fn missing(target: &str) -> Option<Diagnostic> {
    let cpu = cpu_of(target)?;
    let tried: Vec<_> =
        candidates(cpu).iter().map(|words| format!("`{}`", words.join(" "))).collect();
    let install = match is_narrow_host(cpu) {
        // The package `gcc-multilib` would remove every compiler for other CPUs.
        true => format!("apt-get install gcc-{0}-multilib g++-{0}-multilib", gcc_version()),
        false => format!(
            "apt-get install gcc-{0} g++-{0}, or clang lld-19 libstdc++-12-dev-{1}-cross",
            cpu.gnu.replace('_', "-"),
            cpu.debian
        ),
    };
    Some(
        Diagnostic::error("A8401", format!("no C compiler for {target}"))
            .fact(format!("no C library is found by {}", tried.join(" or ")))
            .help(format!("on Debian: {install}; or name a compiler with `--cc`")),
    )
}

/// The packages for both widths bear the version of the host's gcc.
fn gcc_version() -> String {
    let gcc = Compiler { command: vec!["gcc".into()], target: HOST.to_owned() };
    gcc.ask("-dumpversion").unwrap_or_else(|| "12".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_name_cpus_with_and_without_a_vendor() {
        for (triple, gnu) in [
            ("aarch64-linux-gnu", Some("aarch64-linux-gnu")),
            ("aarch64-unknown-linux-gnu", Some("aarch64-linux-gnu")),
            ("armv7-unknown-linux-gnueabihf", Some("arm-linux-gnueabihf")),
            ("i386-linux-gnu", Some("i686-linux-gnu")),
            ("s390x-ibm-linux-gnu", Some("s390x-linux-gnu")),
            ("aarch64-unknown-linux-musl", None),
            ("aarch64-linux-android29", None),
            ("x86_64-linux-gnux32", None),
            ("aarch64", None),
        ] {
            assert_eq!(cpu_of(triple).map(|cpu| cpu.gnu), gnu, "{triple}");
        }
    }
}

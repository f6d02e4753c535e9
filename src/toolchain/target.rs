//! Whether a compiler compiles for the target that it was named for.

use super::Compiler;
use crate::diagnostic::{Diagnostic, Result};

/// First parts of target triples, and what a compiler for one of them predefines.
const MACHINES: &[(&str, &str)] = &[
    ("x86_64", "__x86_64__"),
    ("i386", "__i386__"),
    ("i486", "__i386__"),
    ("i586", "__i386__"),
    ("i686", "__i386__"),
    ("aarch64", "__aarch64__"),
    ("arm64", "__aarch64__"),
    ("arm", "__arm__"),
    ("armv7", "__arm__"),
    ("armv7l", "__arm__"),
    ("armv7a", "__arm__"),
    ("riscv32", "__riscv"),
    ("riscv64", "__riscv"),
    ("riscv64gc", "__riscv"),
    ("powerpc64", "__powerpc64__"),
    ("powerpc64le", "__powerpc64__"),
    ("s390x", "__s390x__"),
    ("loongarch64", "__loongarch__"),
];

/// Parts of target triples that name a system, the more special ones first.
const SYSTEMS: &[(&str, &str)] = &[
    ("android", "__ANDROID__"),
    ("linux", "__linux__"),
    ("freebsd", "__FreeBSD__"),
    ("netbsd", "__NetBSD__"),
    ("darwin", "__APPLE__"),
    ("macos", "__APPLE__"),
    ("windows", "_WIN32"),
    ("mingw", "_WIN32"),
];

/// Looks at the macros that the compiler predefines: unlike its name or `-dumpmachine`, they follow
/// options such as `-m32`. A compiler that cannot be asked is not judged.
pub(super) fn check(compiler: &Compiler, said: Option<&str>) -> Result<()> {
    let target = compiler.target.as_str();
    let machine = target.split('-').next().unwrap_or_default();
    let machine = MACHINES.iter().find(|(name, _)| *name == machine);
    let system = SYSTEMS.iter().find(|(name, _)| target.contains(name));
    let wanted: Vec<&str> = machine.into_iter().chain(system).map(|(_, macro_)| *macro_).collect();
    let Some(said) = said else { return Ok(()) };
    let defines = |name: &str| said.lines().any(|l| l.split(' ').nth(1) == Some(name));
    if wanted.iter().all(|name| defines(name)) {
        return Ok(());
    }
    let own: Vec<_> = [MACHINES, SYSTEMS]
        .iter()
        .filter_map(|table| table.iter().find(|(_, name)| defines(name)))
        .map(|(name, _)| *name)
        .collect();
    let message = format!("`{}` does not compile for {target}", compiler.name());
    let mut diagnostic = Diagnostic::error("A8412", message);
    if !own.is_empty() {
        diagnostic = diagnostic.fact(format!("it compiles for {}", own.join(", ")));
    }
    Err(diagnostic
        .help(
            "name a compiler for the target with `--cc`, or its own target with `--target TRIPLE`",
        )
        .into())
}

pub(super) fn predefined(compiler: &Compiler) -> Option<String> {
    let mut command = compiler.command();
    command.args(["-dM", "-E", "-x", "c", "/dev/null"]);
    let output = command.output().ok().filter(|o| o.status.success())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.contains("#define ").then_some(said)
}

//! The kind of machine in words, without its name.

use std::{fs, path::Path};

use crate::shell::{output, program};

/// CPU, system, compilers, and whether it was busy with something else.
pub(super) fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name", ':').unwrap_or("an unknown CPU".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = field("/etc/os-release", "PRETTY_NAME", '=').unwrap_or_default();
    let first = |name: &str| {
        let text = output(program(name).arg("--version")).unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let busy = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let busy = busy.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "{} ({cpu}, {cores} cores), {}, {}, {} (load average at the end: {busy})",
        std::env::consts::ARCH,
        system.trim_matches('"'),
        first("gcc"),
        first("clang"),
    )
}

fn field(path: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(Path::new(path)).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(separator)?.1.trim().to_owned())
}

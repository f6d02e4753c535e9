//! The program that starts another one on Windows with a library as its first import, and under Wine too.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Work, key, rename, write};
use crate::{
    diagnostic::{Diagnostic, Result},
    embedded,
    toolchain::{Compiler, HOST, Runner, make_folder},
};

/// Its source; what it is to be told and what it says stands there.
const SOURCE: &str = "templates/pe/launch.c";

/// The one for the CPU that this tool was built for on Windows, compiled with the tool; put into the cache.
///
/// # Errors
/// `A8301` and `A8302` if the cache cannot be written.
pub fn built_in(target: &str, cache: &Path) -> Result<Option<PathBuf>> {
    let cpu = |target: &str| target.split('-').next().map(str::to_owned);
    if embedded::LAUNCHER.is_empty() || cpu(target) != cpu(HOST) {
        return Ok(None);
    }
    let folder = cache.join("launchers").join(key(&[embedded::LAUNCHER]));
    let launcher = folder.join("launch.exe");
    if !launcher.is_file() {
        make_folder(&folder)?;
        let work = Work::new(cache)?;
        let made = work.path.join("launch.exe");
        write(&made, embedded::LAUNCHER)?;
        rename(&made, &launcher)?;
    }
    Ok(Some(launcher))
}

/// Compiles it for the compiler's CPU, or takes it from the cache.
///
/// # Errors
/// `A8402` if it cannot be compiled, `A8682` for a compiler without Windows' headers; `A8301` and `A8302` if
/// the cache cannot be written.
pub fn launcher(compiler: &Compiler, cache: &Path) -> Result<PathBuf> {
    if compiler.is_msvc() {
        return Err(Diagnostic::error("A8682", "the launcher is compiled by GNU's tools alone")
            .fact(format!("`{}` compiles for {}", compiler.name(), compiler.target))
            .help("leave out `--cc`, or name MinGW's gcc or zig; the library may be of either ABI (`--preload`)")
            .into());
    }
    let text = embedded::text(SOURCE).unwrap_or_default();
    let parts = [text.as_str(), &compiler.name(), &compiler.target, compiler.version()];
    let folder = cache.join("launchers").join(key(&parts.map(str::as_bytes)));
    let launcher = folder.join("launch.exe");
    if launcher.is_file() {
        return Ok(launcher);
    }
    make_folder(&folder)?;
    let work = Work::new(cache)?;
    let (source, made) = (work.path.join("launch.c"), work.path.join("launch.exe"));
    write(&source, text.as_bytes())?;
    let words = ["-std=c11".as_ref(), "-O2".as_ref(), "-s".as_ref(), "-o".as_ref()];
    let files = [made.as_os_str(), source.as_os_str()];
    compiler.run(&[&words[..], &files[..]].concat(), "compiling the launcher")?;
    rename(&made, &launcher)?;
    Ok(launcher)
}

/// How it is started: where it is to write its record, the library and the program. The program's words follow,
/// its own name first.
pub fn command(
    runner: &Runner,
    launcher: &Path,
    record: &Path,
    library: &Path,
    program: &Path,
) -> Command {
    let mut command = runner.command(launcher, None);
    command.args([record, library, program]);
    command
}

/// What it wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What it could not do; the program was not started, or ended before its first instruction.
    pub refused: Option<String>,
    /// The program's status, if it ended before its first instruction.
    pub early: Option<u32>,
    /// The library's report, line by line.
    pub report: Vec<String>,
    /// The program's status.
    pub ended: Option<u32>,
}

impl Record {
    /// Reads what is there of it: Wine may end, with success too, and have run nothing.
    #[must_use]
    pub fn read(text: &str) -> Record {
        let mut record = Record::default();
        for line in text.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("refused", what) => record.refused = Some(what.to_owned()),
                ("early", status) => record.early = status.parse().ok(),
                ("report", said) => record.report.push(said.to_owned()),
                ("ended", status) => record.ended = status.parse().ok(),
                _ => {}
            }
        }
        record
    }
}

/// Errors of the system's own begin here (NTSTATUS).
pub const FATAL: u32 = 0xC000_0000;

/// A status as `run` tells it.
#[must_use]
pub fn in_words(status: u32) -> String {
    let words = match status {
        0xC000_0005 => ", an access violation",
        0xC000_007B => ", a library for another CPU",
        0xC000_00FD => ", a stack overflow",
        0xC000_0135 => ", a library was not found",
        0xC000_0138 | 0xC000_0139 => ", a library lacks a function",
        0xC000_0142 => ", a library could not begin",
        0xC000_0374 => ", a corrupt heap",
        0xC000_0409 => ", abort or a smashed stack",
        _ => "",
    };
    if status >= FATAL { format!("0x{status:08X}{words}") } else { format!("status {status}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_line_by_line() {
        let text = "report alloc8: msvcrt.dll: code: 16 functions\nended 3221225477\n";
        let record = Record::read(text);
        assert_eq!(record.report, ["alloc8: msvcrt.dll: code: 16 functions"]);
        assert_eq!((record.ended, record.early, &record.refused), (Some(0xC000_0005), None, &None));
        assert_eq!(Record::read("early 3221225781\n").early, Some(0xC000_0135));
        assert_eq!(Record::read("refused it 5\n").refused.as_deref(), Some("it 5"));
    }
}

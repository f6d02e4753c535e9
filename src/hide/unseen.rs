//! Members of which nobody can tell what they define and want.

use std::path::Path;

use super::inspect::place;
use crate::{
    artifact::{Archive, Format, Lto},
    diagnostic::{Diagnostic, Report},
};

/// What to name instead.
pub(super) const WANTED: &str = "name a whole archive of objects (`libNAME.a`), or one object file";

/// `A8404` for bytecode, `A8411` for what cannot be read or is not there.
pub(crate) fn unseen<'a>(
    archives: impl Iterator<Item = (&'a Path, &'a Archive)> + Clone,
) -> Report {
    let mut report = bytecode(archives.clone());
    for (path, archive) in archives {
        for member in &archive.members {
            if let Some(problem) = &member.problem {
                let message = format!("{} cannot be read: {problem}", place(path, member));
                report.push(Diagnostic::error("A8411", message).help(WANTED));
            }
        }
        // Its fellows are as likely away: one is enough.
        if let Some(member) = archive.members.iter().find(|m| m.format == Format::Elsewhere) {
            report.push(
                Diagnostic::error("A8411", format!("{} is not there", place(path, member)))
                    .fact("the archive is thin: its objects are files of their own, beside it")
                    .help(
                        "make a whole one: ar without the modifier T, or `ar rcs` over its objects",
                    ),
            );
        }
    }
    report
}

/// Members without machine code: nothing can be renamed in them, and nobody sees what they define.
pub(super) fn bytecode<'a>(archives: impl Iterator<Item = (&'a Path, &'a Archive)>) -> Report {
    let mut report = Report::default();
    for (path, archive) in archives {
        let Some((member, lto)) = archive.lto().find(|(_, lto)| !lto.has_machine_code()) else {
            continue;
        };
        let message = format!("{} is {}", place(path, member), in_words(lto));
        report.push(
            Diagnostic::error("A8404", message)
                .fact(
                    "names cannot be hidden in it, and a link without the optimizer finds nothing",
                )
                .help("compile the library with -fno-lto (or -ffat-lto-objects)"),
        );
    }
    report
}

fn in_words(lto: Lto) -> &'static str {
    match lto {
        Lto::GccSlim => "GCC's bytecode (-flto)",
        Lto::Llvm => "LLVM's bitcode (-flto)",
        Lto::GccFat | Lto::LlvmFat => "machine code and bytecode",
    }
}

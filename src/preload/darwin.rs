//! Whether `DYLD_INSERT_LIBRARIES` would take effect in a program of macOS, or why not.
//!
//! Pure: from what was read of both files and of the file system. Each refusal is something that the
//! kernel, AMFI or dyld passes over in silence, or ends the program for (dyld `DyldProcessConfig.cpp`,
//! xnu `bsd/kern/kern_cs.c`, SIP).

use std::path::{Path, PathBuf};

use crate::{
    artifact::{Darwin, darwin::Signature, image::ImageKind, program::Mode},
    diagnostic::Diagnostic,
};

/// What matters of one slice of a program or library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slice {
    /// `arm64`, `arm64e`, `x86_64`.
    pub cpu: String,
    /// It is a program.
    pub program: bool,
    /// `__RESTRICT,__restrict` is there.
    pub restricted: bool,
    /// How it is signed.
    pub signature: Option<Signature>,
}

impl From<&Darwin<'_>> for Slice {
    fn from(image: &Darwin<'_>) -> Slice {
        Slice {
            cpu: image.cpu().to_owned(),
            program: image.image.kind == ImageKind::Program,
            restricted: image.restricted,
            signature: image.signature.clone(),
        }
    }
}

/// A program as the file system has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Its full path.
    pub path: PathBuf,
    /// Whose rights it runs with.
    pub mode: Mode,
    /// Its slices.
    pub slices: Vec<Slice>,
}

/// Where the system's own programs are, which System Integrity Protection keeps from all `DYLD_` variables,
/// and what is the user's own below.
const PROTECTED: &[&str] = &["/System", "/usr", "/bin", "/sbin"];
const NOT_PROTECTED: &[&str] = &["/usr/local", "/System/Volumes/Data"];

const ALLOWS_DYLD: &str = "com.apple.security.cs.allow-dyld-environment-variables";
const ALLOWS_LIBRARIES: &str = "com.apple.security.cs.disable-library-validation";

/// Judges a program for a library's slices; errors mean that nothing would take effect, or that the
/// program would be ended. `cpu` is the machine's own where it is known: the program's best slice for it runs.
pub fn judge(program: &Program, library: &[Slice], cpu: Option<&str>) -> Vec<Diagnostic> {
    let name = program.path.display();
    let mut found = Vec::new();
    let mut refuse = |code, message: String, fact: &str, help: &str| {
        found.push(Diagnostic::error(code, message).fact(fact.to_owned()).help(help.to_owned()));
    };
    let slices = running(&program.slices, cpu);
    if slices.iter().any(|slice| !slice.program) {
        refuse(
            "A8652",
            format!("`{name}` is a library, not a program"),
            "nothing starts it",
            "name a program that uses it",
        );
    }
    if is_protected(&program.path) || any(&slices, |signature| signature.platform) {
        refuse(
            "A8671",
            format!("`{name}` is part of the system"),
            "System Integrity Protection keeps DYLD_INSERT_LIBRARIES from it, and from all that it starts",
            "name the program that it would start, or one of your own (Homebrew's, or a copy built by you)",
        );
    }
    if program.mode.setuid || program.mode.setgid {
        refuse(
            "A8653",
            format!("`{name}` runs with privileges of its own (set-user-ID or set-group-ID)"),
            "the dynamic linker drops DYLD_INSERT_LIBRARIES for it",
            "run it as the user that owns it, or without the privileges",
        );
    }
    if slices.iter().any(|s| s.restricted) || any(&slices, |signature| signature.restrict) {
        refuse(
            "A8672",
            format!(
                "`{name}` is restricted (a section __RESTRICT,__restrict, or its signature says so)"
            ),
            "the dynamic linker drops DYLD_INSERT_LIBRARIES for it",
            "link it without the section, or sign it without the flag",
        );
    }
    let deaf = |signature: &Signature| signature.hardened && !signature.may(ALLOWS_DYLD);
    if any(&slices, deaf) {
        refuse(
            "A8673",
            format!("`{name}` has the hardened runtime"),
            "without an entitlement for it, the dynamic linker drops DYLD_INSERT_LIBRARIES",
            "sign a copy without the runtime (`codesign --force -s - PROGRAM`), or with the entitlement com.apple.security.cs.allow-dyld-environment-variables",
        );
    }
    if slices.iter().any(|slice| !accepts(slice, library)) {
        refuse(
            "A8674",
            format!("`{name}` takes libraries of its own team's signature alone"),
            "the kernel refuses to map the inserted one, and the dynamic linker ends the program",
            "sign both with one identity, or the program with the entitlement com.apple.security.cs.disable-library-validation",
        );
    }
    found.extend(without_slice(&name.to_string(), &slices, library));
    found
}

/// A slice that runs, and that the library has none for.
fn without_slice(name: &str, slices: &[&Slice], library: &[Slice]) -> Option<Diagnostic> {
    let slice = slices.iter().find(|slice| !library.iter().any(|of| of.cpu == slice.cpu))?;
    let has: Vec<_> = library.iter().map(|slice| slice.cpu.as_str()).collect();
    let (code, help) = match slice.cpu.as_str() {
        "arm64e" => (
            "A8675",
            "only Apple's own compiler builds for arm64e: add such a slice, or build the program for arm64",
        ),
        _ => ("A8654", "build the library for it too: `--target universal2-apple-darwin`"),
    };
    let message =
        format!("`{name}` runs as {}, and the library is for {}", slice.cpu, has.join(" and "));
    let fact = "the dynamic linker ends a program that an inserted library has no slice for";
    Some(Diagnostic::error(code, message).fact(fact).help(help))
}

/// Which of the slices run on a processor: the best one; where it is not known, all.
fn running<'a>(slices: &'a [Slice], cpu: Option<&str>) -> Vec<&'a Slice> {
    let order: &[&str] = match cpu {
        Some("arm64") => &["arm64e", "arm64", "x86_64"],
        Some(cpu) => &[cpu],
        None => return slices.iter().collect(),
    };
    let best = order.iter().find_map(|cpu| slices.iter().find(|slice| slice.cpu == *cpu));
    best.map_or_else(|| slices.iter().collect(), |best| vec![best])
}

fn any(slices: &[&Slice], holds: impl Fn(&Signature) -> bool) -> bool {
    slices.iter().filter_map(|slice| slice.signature.as_ref()).any(holds)
}

fn is_protected(path: &Path) -> bool {
    let below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    below(PROTECTED) && !below(NOT_PROTECTED)
}

/// Whether library validation lets the library in: the hardened runtime brings it along.
fn accepts(slice: &Slice, library: &[Slice]) -> bool {
    let Some(signature) = &slice.signature else { return true };
    let validates = signature.library_validation || signature.hardened;
    let own = |of: &Slice| {
        let theirs = of.signature.as_ref().and_then(|signature| signature.team.as_ref());
        theirs.is_some() && theirs == signature.team.as_ref()
    };
    !validates || signature.may(ALLOWS_LIBRARIES) || library.iter().all(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(change: impl Fn(&mut Signature)) -> Option<Signature> {
        let mut signature = Signature::default();
        change(&mut signature);
        Some(signature)
    }

    fn slice(cpu: &str, signature: Option<Signature>) -> Slice {
        Slice { cpu: cpu.to_owned(), program: true, restricted: false, signature }
    }

    fn program(path: &str, slices: Vec<Slice>) -> Program {
        Program { path: path.into(), mode: Mode::default(), slices }
    }

    fn library() -> Vec<Slice> {
        let of = |cpu| Slice { program: false, ..slice(cpu, signed(|s| s.ad_hoc = true)) };
        vec![of("x86_64"), of("arm64")]
    }

    fn codes(program: &Program, cpu: Option<&str>) -> Vec<&'static str> {
        judge(program, &library(), cpu).iter().map(|found| found.code).collect()
    }

    #[test]
    fn a_program_of_ones_own_takes_an_inserted_library() {
        for path in ["/Users/me/bin/job", "/usr/local/bin/git", "/opt/homebrew/bin/git"] {
            assert_eq!(codes(&program(path, vec![slice("arm64", None)]), None), [""; 0], "{path}");
        }
    }

    #[test]
    fn programs_of_the_system_are_refused_by_their_path_and_by_their_signature() {
        for path in ["/bin/sh", "/usr/bin/env", "/System/Applications/Mail.app/Mail", "/sbin/ping"]
        {
            assert_eq!(
                codes(&program(path, vec![slice("arm64", None)]), None),
                ["A8671"],
                "{path}"
            );
        }
        let own = slice("arm64", signed(|s| s.platform = true));
        assert_eq!(codes(&program("/Users/me/copy-of-sh", vec![own]), None), ["A8671"]);
    }

    #[test]
    fn what_keeps_the_variable_from_a_program_is_told_each_by_itself() {
        let mut privileged = program("/p", vec![slice("arm64", None)]);
        privileged.mode.setuid = true;
        assert_eq!(codes(&privileged, None), ["A8653"]);
        let section = Slice { restricted: true, ..slice("arm64", None) };
        assert_eq!(codes(&program("/p", vec![section]), None), ["A8672"]);
        let flag = slice("arm64", signed(|s| s.restrict = true));
        assert_eq!(codes(&program("/p", vec![flag]), None), ["A8672"]);
    }

    #[test]
    fn the_hardened_runtime_wants_both_entitlements() {
        let with = |entitlements: String| {
            let of = |s: &mut Signature| {
                s.hardened = true;
                s.entitlements.clone_from(&entitlements);
            };
            codes(&program("/p", vec![slice("arm64", signed(of))]), None)
        };
        let entry = |name: &str| format!("<key>{name}</key>\n\t<true/>");
        assert_eq!(with(String::new()), ["A8673", "A8674"]);
        assert_eq!(with(entry(ALLOWS_DYLD)), ["A8674"]);
        assert_eq!(with(entry(ALLOWS_DYLD) + &entry(ALLOWS_LIBRARIES)), [""; 0]);
        assert_eq!(with(format!("<key>{ALLOWS_DYLD}</key><false/>")), ["A8673", "A8674"]);
    }

    #[test]
    fn a_library_of_the_same_team_passes_its_validation() {
        let of = |s: &mut Signature| {
            s.library_validation = true;
            s.team = Some("TEAM".to_owned());
        };
        let strict = program("/p", vec![slice("arm64", signed(of))]);
        assert_eq!(codes(&strict, None), ["A8674"]);
        let own = [Slice { program: false, ..slice("arm64", signed(of)) }];
        assert!(judge(&strict, &own, None).is_empty());
    }

    #[test]
    fn the_slice_that_runs_decides() {
        let both = program("/p", vec![slice("x86_64", None), slice("arm64e", None)]);
        assert_eq!(codes(&both, Some("arm64")), ["A8675"]);
        assert_eq!(codes(&both, Some("x86_64")), [""; 0]);
        assert_eq!(codes(&both, None), ["A8675"]);
        assert_eq!(codes(&program("/p", vec![slice("i386", None)]), None), ["A8654"]);
    }
}

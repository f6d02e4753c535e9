//! Whether a shim can be linked with these archives, and what to know about them before.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{read_archive, unseen::unseen};
use crate::{
    allocator::{Allocator, Origin, Role, fork_evidence},
    artifact::{Archive, Bind, Class, Format, Machine, Member, Visibility},
    diagnostic::{Diagnostic, Report, nearest},
    operation::{Effect, Operation},
    toml_text::key_span,
    toolchain::{Compiler, is_windows},
};

/// What the archives of one allocator are together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// All that they define for others.
    pub defined: BTreeSet<String>,
    /// The allocator's functions that no linker exports: a public name cannot be bound to them, a
    /// shim's jump can.
    pub hidden_targets: BTreeSet<String>,
    /// Public names that they want from outside: member, name.
    pub imports: Vec<(String, String)>,
    /// What they want of the C++ runtime: member, name.
    pub cxx_runtime: Vec<(String, String)>,
    /// How their code reaches thread-local variables, in words.
    pub tls: BTreeSet<String>,
    /// Bytes of thread-local variables.
    pub tls_size: u64,
}

/// Looks at all archives of one allocator together.
///
/// `names` are those that the shim may export. Errors: `A8404` bytecode, `A8405` a member that
/// cannot go into a shared library, `A8406` another machine or system, `A8407` Rust's standard library,
/// `A8409` a C++ runtime that `libs` does not name, `A8410` a described function that is missing,
/// `A8411` no archive, `A8413` emulated thread-local variables; `A8408` warns of public names that the archives call themselves, `A8204` of
/// a library of a built-in allocator that does not look after fork.
pub fn inspect(
    archives: &[PathBuf],
    allocator: &Allocator,
    names: &BTreeSet<String>,
    machine: Option<(Format, Machine, Class)>,
) -> (ArchiveFacts, Report) {
    let mut report = Report::default();
    let mut read: Vec<(&Path, Archive)> = Vec::new();
    for path in archives {
        match read_archive(path) {
            Ok(archive) => read.push((path, archive)),
            Err(errors) => report.diagnostics.extend(errors.diagnostics),
        }
    }
    let whole = Whole { read: &read, allocator, names };
    report.diagnostics.extend(unseen(whole.pairs()).diagnostics);
    let is_unseen = report.has_errors();
    whole.members(machine, &mut report);
    let facts = whole.facts();
    whole.runtimes(&facts, &mut report);
    whole.emulation(&facts, &mut report);
    // What such members define, and want, nobody knows.
    if !is_unseen {
        whole.forks(&mut report);
        whole.missing(&facts, &mut report);
    }
    (facts, report)
}

/// For which system's format and machine a compiler's objects are, as far as its target's name tells.
pub fn machine_of(compiler: &Compiler) -> Option<(Format, Machine, Class)> {
    let target = &compiler.target;
    let format = match is_windows(target) {
        true => Format::Coff,
        false if compiler.is_for_darwin() => Format::MachO,
        false => Format::Elf,
    };
    let (machine, class) = match target.split('-').next()? {
        "x86_64" if target.ends_with("x32") => (Machine::X86_64, Class::Elf32),
        "x86_64" => (Machine::X86_64, Class::Elf64),
        "i386" | "i486" | "i586" | "i686" => (Machine::X86, Class::Elf32),
        "aarch64" | "arm64" => (Machine::Aarch64, Class::Elf64),
        arm if arm.starts_with("arm") || arm.starts_with("thumb") => (Machine::Arm, Class::Elf32),
        riscv if riscv.starts_with("riscv64") => (Machine::Riscv, Class::Elf64),
        riscv if riscv.starts_with("riscv32") => (Machine::Riscv, Class::Elf32),
        "s390x" => (Machine::S390, Class::Elf64),
        "powerpc64" | "powerpc64le" => (Machine::PowerPc64, Class::Elf64),
        _ => return None,
    };
    Some((format, machine, class))
}

struct Whole<'a> {
    read: &'a [(&'a Path, Archive)],
    allocator: &'a Allocator,
    names: &'a BTreeSet<String>,
}

impl<'a> Whole<'a> {
    fn pairs(&self) -> impl Iterator<Item = (&'a Path, &'a Archive)> + Clone + use<'a> {
        self.read.iter().map(|(path, archive)| (*path, archive))
    }

    fn members(&self, machine: Option<(Format, Machine, Class)>, report: &mut Report) {
        for (path, archive) in self.pairs() {
            let other = machine.and_then(|machine| elsewhere(path, archive, machine));
            if let Some(other) = other {
                report.push(other);
                continue;
            }
            if let Some((member, fault)) = archive.pic_faults().find(|(_, f)| f.reason.is_final()) {
                let message = format!("{} cannot go into a shared library", place(path, member));
                let fact =
                    format!("{} against `{}` in {}", fault.relocation, fault.symbol, fault.section);
                report.push(
                    Diagnostic::error("A8405", message)
                        .fact(fact)
                        .help("compile the library with -fPIC (thread-local variables: -ftls-model=initial-exec)"),
                );
            }
            if let Some((member, name)) = archive.rust_std().first() {
                let member = if member.is_empty() { "it" } else { member };
                let message = format!("`{}` contains Rust's standard library", path.display());
                report.push(
                    Diagnostic::error("A8407", message)
                        .fact(format!("{member} has `{name}`; std allocates before an allocator that needs it can be ready"))
                        .help("write the heap with `#![no_std]` and a `#[panic_handler]`, set panic = \"abort\" in its profile, and build it with `-C panic=abort`"),
                );
            }
        }
    }

    fn facts(&self) -> ArchiveFacts {
        let mut facts = ArchiveFacts::default();
        for (_, archive) in self.pairs() {
            facts.defined.extend(archive.names().into_iter().map(str::to_owned));
            facts.tls.extend(archive.tls().iter().map(|access| format!("{access:?}")));
            facts.tls_size = facts.tls_size.saturating_add(archive.tls_size());
        }
        let wanted: BTreeSet<&str> = self.allocator.symbols().into_iter().collect();
        for (_, archive) in self.pairs() {
            let hidden = archive.definitions().filter(|(member, symbol)| {
                let binds = match member.format {
                    // A tuple takes a hidden function, and no weak one.
                    Format::MachO => symbol.bind != Bind::Weak,
                    _ => matches!(symbol.visibility, Visibility::Default | Visibility::Protected),
                };
                !binds && wanted.contains(symbol.name.as_str())
            });
            facts.hidden_targets.extend(hidden.map(|(_, symbol)| symbol.name.clone()));
            let runtime: BTreeSet<&str> =
                archive.cxx_runtime().into_iter().map(|(_, n)| n).collect();
            for (member, symbol) in archive.imports() {
                let name = symbol.name.as_str();
                if facts.defined.contains(name) || symbol.bind == Bind::Weak {
                    continue;
                }
                let entry = (member.name.clone(), name.to_owned());
                // The unwinder belongs to the C compiler's own runtime.
                if self.names.contains(name) && !starts_threads(name) {
                    facts.imports.push(entry);
                } else if runtime.contains(name)
                    && !name.starts_with("_Unwind_")
                    // Every Mac has the one C++ runtime, and a link for it names that by itself.
                    && member.format != Format::MachO
                {
                    facts.cxx_runtime.push(entry);
                }
            }
        }
        facts
    }

    fn runtimes(&self, facts: &ArchiveFacts, report: &mut Report) {
        if !facts.imports.is_empty() {
            let message = format!(
                "the library of `{}` calls public functions that the shim answers: {}",
                self.allocator.name,
                listed(&facts.imports)
            );
            report.push(
                Diagnostic::warning("A8408", message)
                    .fact("they will come back to the allocator: make sure that it cannot wait for itself there"),
            );
        }
        let named = self.allocator.libs.iter().any(|lib| lib.contains("c++"));
        if !facts.cxx_runtime.is_empty() && !named {
            let message = format!(
                "the library of `{}` needs a C++ runtime: {}",
                self.allocator.name,
                listed(&facts.cxx_runtime)
            );
            let diagnostic =
                Diagnostic::error("A8409", message).help("write `libs = [\"stdc++\"]`");
            report.push(self.at_key(diagnostic, "libs"));
        }
    }

    /// What brings an emulation of its own has no need of the compiler's, which allocates: by names that the shim
    /// answers. Where the archives' own calls never come to it, variables are gone before a thread's cleanup.
    fn emulation(&self, facts: &ArchiveFacts, report: &mut Report) {
        const EMULATION: &str = "__emutls_get_address";
        let wants = |archive: &'a Archive| archive.imports().find(|(_, s)| s.name == EMULATION);
        let found = self.pairs().find_map(|(path, archive)| Some((path, wants(archive)?.0)));
        let Some((path, member)) = found.filter(|_| !facts.defined.contains(EMULATION)) else {
            return;
        };
        let message = format!("{} has emulated thread-local variables", place(path, member));
        if !self.names.contains("malloc") {
            report.diagnostics.extend(self.gone_before_cleanup(message));
            return;
        }
        report.push(
            Diagnostic::error("A8413", message)
                .fact("a thread's first look at one allocates: the heap would call itself without end")
                .help("compile the library with -fno-emulated-tls -ftls-model=initial-exec (on Android from API 29 on), or keep what belongs to a thread under a pthread key"),
        );
    }

    fn gone_before_cleanup(&self, message: String) -> Option<Diagnostic> {
        let cleanup = Role::ThreadCleanup;
        self.allocator.call(cleanup)?;
        let diagnostic = Diagnostic::warning("A8413", message)
            .fact("a key's destructor takes them away before `thread_cleanup` runs, which then sees new ones")
            .help("keep what belongs to a thread in a slot (TlsAlloc)");
        Some(self.at_key(diagnostic, cleanup.key()))
    }

    /// A description of ours was measured with a library that registers handlers; one that was configured
    /// otherwise hangs so seldom that no measurement need see it.
    fn forks(&self, report: &mut Report) {
        let of_ours = self.allocator.origin == Origin::BuiltIn && self.allocator.promises.fork_own;
        let elf = |archive: &Archive| archive.members.iter().any(|m| m.format == Format::Elf);
        if !of_ours || !self.pairs().any(|(_, archive)| elf(archive)) {
            return;
        }
        let evidence = fork_evidence();
        let wants = |archive: &Archive| archive.imports().any(|(_, s)| evidence.contains(&s.name));
        if !self.pairs().any(|(_, archive)| wants(archive)) {
            let message =
                format!("fork: this library of `{}` registers no handlers", self.allocator.name);
            let help = match &self.allocator.installed.install {
                Some(install) => install.clone(),
                None => "build the library with its protection for fork".to_owned(),
            };
            let diagnostic = Diagnostic::warning("A8204", message)
                .fact("a child forked while another thread allocates may hang")
                .help(help);
            let text = &self.allocator.source.text;
            report.push(match key_span(text, Some("promises"), "fork") {
                Some(span) => {
                    diagnostic.at(&self.allocator.source, span, "promised for another one")
                }
                None => diagnostic,
            });
        }
    }

    fn missing(&self, facts: &ArchiveFacts, report: &mut Report) {
        let functions = &self.allocator.functions;
        let described = functions.iter().map(|(role, call)| (role.key(), &call.symbol));
        let flag = self.allocator.thread_created.iter().map(|name| ("thread_created", name));
        for (key, symbol) in described.chain(flag) {
            if facts.defined.contains(symbol) {
                continue;
            }
            let message = format!("no archive defines `{symbol}`");
            let mut diagnostic = Diagnostic::error("A8410", message);
            let near = nearest(symbol, facts.defined.iter().map(String::as_str));
            let likely = || likely(&facts.defined, key);
            diagnostic = match (near, self.allocator.origin == Origin::Convention) {
                (Some(near), false) => diagnostic.help(format!("did you mean `{near}`?")),
                (_, true) => diagnostic.help(format!(
                    "describe the library: `alloc8-gen init {} --lib LIBRARY.a` reads its functions",
                    self.allocator.name
                )),
                (None, false) => match likely() {
                    Some(names) => diagnostic.help(format!("it defines {names}")),
                    None => diagnostic,
                },
            };
            report.push(self.at_key(diagnostic, key));
        }
    }

    fn at_key(&self, diagnostic: Diagnostic, key: &str) -> Diagnostic {
        match key_span(&self.allocator.source.text, None, key) {
            Some(span) => diagnostic.at(&self.allocator.source, span, ""),
            None => diagnostic,
        }
    }
}

/// A heap that has threads of its own does not allocate by that.
fn starts_threads(name: &str) -> bool {
    Operation::named(name).is_some_and(|op| op.effect() == Effect::StartsThread)
}

/// Names that end as the role's key does.
fn likely(defined: &BTreeSet<String>, key: &str) -> Option<String> {
    let names: Vec<_> = defined
        .iter()
        .filter(|name| name.ends_with(key))
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The first member for another machine or system than the shim is compiled for.
fn elsewhere(
    path: &Path,
    archive: &Archive,
    (format, machine, class): (Format, Machine, Class),
) -> Option<Diagnostic> {
    let machines =
        |machine: Machine, class: Class| format!("{machine}, {} bits", class.pointer_size() * 8);
    let report = |member, what: &str, own: &str, wanted: &str| {
        let message = format!("{} is for another {what}", place(path, member));
        Diagnostic::error("A8406", message)
            .fact(format!("it is for {own}; the shim is compiled for {wanted}"))
            .help("build the library for the same target, or name its target with `--target` or `--cc`")
    };
    if let Some(member) = archive.foreign(machine, class).next() {
        let own = member.machine.zip(member.class).map(|(m, c)| machines(m, c)).unwrap_or_default();
        return Some(report(member, "machine", &own, &machines(machine, class)));
    }
    archive.members.iter().find_map(|member| {
        let own = system(member.format).filter(|own| Some(*own) != system(format))?;
        Some(report(member, "system", own, system(format)?))
    })
}

/// Whose objects have this format; `None` if it tells nothing.
fn system(format: Format) -> Option<&'static str> {
    match format {
        Format::Elf => Some("systems with ELF"),
        Format::MachO => Some("macOS (Mach-O)"),
        Format::Coff | Format::Import => Some("Windows (COFF)"),
        Format::Bitcode | Format::Elsewhere | Format::Other(_) => None,
    }
}

pub(super) fn place(path: &Path, member: &Member) -> String {
    match member.name.as_str() {
        "" => format!("`{}`", path.display()),
        name => format!("member `{name}` of `{}`", path.display()),
    }
}

/// Each name once, with the first member that wants it; not more than a reader wants to read.
fn listed(wants: &[(String, String)]) -> String {
    let mut by_name: BTreeMap<&str, &str> = BTreeMap::new();
    for (member, name) in wants {
        by_name.entry(name).or_insert(member);
    }
    let mut parts: Vec<_> = by_name
        .iter()
        .take(4)
        .map(|(name, member)| match *member {
            "" => format!("`{name}`"),
            member => format!("`{name}` ({member})"),
        })
        .collect();
    if by_name.len() > parts.len() {
        parts.push(format!("and {} more", by_name.len() - parts.len()));
    }
    parts.join(", ")
}

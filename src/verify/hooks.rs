//! What a library for Windows takes over: read from the table that it exports, not believed of its shim.
//!
//! And of a program: whether hooks would find anything there.

use super::{Fact, Finding, Grade, Status};
use crate::{
    allocator,
    artifact::{Image, Machine, image::LibraryUse},
    operation::Effect,
    plan::{Binding, Plan},
    spec::{Abi, Platform, Symbol},
    verify::{Verdict, machine_named},
};

/// The export behind which a shim of ours has the names that it hooks, as libraries export them.
pub const TABLE: &str = "alloc8_hooks";

/// What a library exports whose heap is in a library of its own, which calls it. Until then nothing is answered.
pub const REGISTER: &str = "alloc8_register";

/// The ABIs of a platform that a file may be built for: its header tells machines apart, not Microsoft's
/// tools from GNU's.
pub fn abis_of<'a>(platform: &'a Platform, image: &Image) -> Vec<&'a Abi> {
    let bits = u32::try_from(image.class.pointer_size() * 8).unwrap_or_default();
    let runs = |abi: &Abi, machine: Machine| {
        abi.machines.iter().any(|name| machine_named(name) == Some(machine))
    };
    let fits = |abi: &&Abi| abi.pointer_bits == bits && image.machine.is_some_and(|m| runs(abi, m));
    platform.abis.iter().filter(fits).collect()
}

/// Judges a library by its table; with a plan, against what was promised for it, else against what
/// the plan of a heap is that has every function.
pub fn judge_hooks(
    image: &Image,
    table: &[String],
    platform: &Platform,
    abi: &Abi,
    plan: Option<&Plan>,
) -> Verdict {
    let usual = || Plan::new(platform, &allocator::built_in("simple_heap")?.ok()?).ok();
    let usual = if plan.is_some() { None } else { usual().map(|(plan, _)| plan) };
    let plan = plan.or(usual.as_ref());
    let mut symbols: Vec<Finding> =
        platform.symbols_of(abi).map(|s| finding(s, table, platform, abi, plan)).collect();
    let known = platform.names(abi);
    symbols.extend(table.iter().filter(|name| !known.contains(name)).map(|name| Finding {
        symbol: name.clone(),
        operation: String::new(),
        status: Status::Unexpected,
        grade: Grade::Note,
        how: String::new(),
        remark: "in the library's table, and in no spec".to_owned(),
    }));
    Verdict {
        platform: platform.name.clone(),
        abi: abi.name.clone(),
        slice: None,
        symbols,
        facts: facts(image, platform),
    }
}

fn finding(
    symbol: &Symbol,
    table: &[String],
    platform: &Platform,
    abi: &Abi,
    plan: Option<&Plan>,
) -> Finding {
    let name = symbol.name(abi);
    let planned = plan.and_then(|p| p.answers.iter().find(|a| a.symbol.name(abi) == name));
    let planned = planned.map(|answer| &answer.binding);
    let mut finding = Finding {
        operation: symbol.operation.name(),
        status: Status::Bound,
        grade: Grade::Good,
        how: String::new(),
        remark: String::new(),
        symbol: name.clone(),
    };
    if table.contains(&name) {
        finding.how = "hooked".to_owned();
        return finding;
    }
    if planned.is_none_or(|binding| *binding == Binding::Left) {
        finding.status = Status::Left;
        finding.remark = match is_exported(platform, symbol) {
            false => "no library exports it: each module has its own, which calls malloc or free",
            true => "the library's own, which calls its malloc",
        }
        .to_owned();
        return finding;
    }
    finding.status = Status::Missing;
    finding.grade = Grade::Fault;
    finding.remark = match symbol.operation.effect() {
        Effect::Allocates => "its blocks come from another heap, and reach this library's free",
        Effect::Frees => "this library's blocks reach another heap's free",
        _ => "another heap is asked about this library's blocks",
    }
    .to_owned();
    finding
}

fn is_exported(platform: &Platform, symbol: &Symbol) -> bool {
    let exports = |names: &[String]| names.iter().any(|name| name == symbol.spec_name());
    platform.libraries.iter().any(|library| exports(&library.symbols))
}

/// The C libraries that a file imports, as it names them.
pub fn c_libraries<'a>(image: &'a Image, platform: &Platform) -> Vec<&'a str> {
    let is_one = |name: &str| {
        let name = name.to_ascii_lowercase();
        platform.runtime.is_libc(&name) || platform.libraries.iter().any(|l| l.file == name)
    };
    image.libraries.iter().map(|library| library.name.as_str()).filter(|n| is_one(n)).collect()
}

/// What holds for the file as a whole.
fn facts(image: &Image, platform: &Platform) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |subject: &str, grade: Grade, text: String| {
        facts.push(Fact { subject: subject.to_owned(), grade, code: None, text });
    };
    let needed: Vec<_> = image.libraries.iter().map(|l| l.name.as_str()).collect();
    add("needs", Grade::Good, needed.join(", "));
    match c_libraries(image, platform).as_slice() {
        [] => add("C library", Grade::Good, "none: it may be loaded before all of them".to_owned()),
        some => add(
            "C library",
            Grade::Note,
            format!(
                "{}: loaded before this library, so it has blocks from before the hooks",
                some.join(", ")
            ),
        ),
    }
    if image.tls_directory {
        add("thread-local", Grade::Good, "it has a directory for the loader".to_owned());
    }
    add(
        "not seen",
        Grade::Note,
        "modules with a static C library (/MT); and, where tables of imports are changed, what a C library calls inside itself".to_owned(),
    );
    facts
}

/// What a library meets in a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meeting {
    /// It is a library itself.
    NoProgram,
    /// Another machine's.
    OtherMachine,
    /// No C library is imported: what it has is inside it, where no hook finds it.
    StaticLibrary,
    /// Hooks find these C libraries.
    Found {
        /// As the program names them.
        c_libraries: Vec<String>,
        /// Where the library stands among the program's imports, from 1; `None` if it is not there and
        /// must be injected.
        place: Option<usize>,
        /// Where the first C library stands.
        first_c_library: usize,
    },
}

/// What the library, under this file name, meets in a program.
pub fn meet(program: &Image, library: &Image, file: &str, platform: &Platform) -> Meeting {
    if program.kind != crate::artifact::image::ImageKind::Program {
        return Meeting::NoProgram;
    }
    if (program.machine, program.class) != (library.machine, library.class) {
        return Meeting::OtherMachine;
    }
    let at_start = |l: &&crate::artifact::image::NeededLibrary| l.wanted != LibraryUse::Delayed;
    let needed: Vec<_> =
        program.libraries.iter().filter(at_start).map(|l| l.name.as_str()).collect();
    let c_libraries = c_libraries(program, platform);
    let Some(first) = needed.iter().position(|name| c_libraries.contains(name)) else {
        return Meeting::StaticLibrary;
    };
    Meeting::Found {
        place: needed.iter().position(|name| name.eq_ignore_ascii_case(file)).map(|at| at + 1),
        first_c_library: first + 1,
        c_libraries: c_libraries.into_iter().map(str::to_owned).collect(),
    }
}

//! What a built library really interposes: ours or a stranger's, judged against the platform's spec.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    artifact::{
        Answer as Code, ArtifactError, Bindings, Machine, SharedObject, SymbolVersion, reads_code,
    },
    operation::Effect,
    plan::{Binding, Plan},
    spec::{Abi, Platform, Symbol},
};

mod absence;
mod facts;
pub mod hooks;
pub mod image;
pub mod macho;
mod program;

use absence::{absence_is_fault, judge_absence};
use facts::facts;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Interposition is incomplete, or the library does harm.
    Fault,
}

/// What is the case with one symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// References bind here.
    Bound,
    /// Exported under a version that most references will not bind to.
    Versioned(String),
    /// Defined, and seen by nobody.
    Hidden,
    /// Not there.
    Missing,
    /// Not there, and rightly so.
    Left,
    /// There, and not in the plan.
    Unexpected,
}

/// One symbol's finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The name.
    pub symbol: String,
    /// Its operation.
    pub operation: String,
    /// What is the case.
    pub status: Status,
    /// How bad.
    pub grade: Grade,
    /// How its code answers.
    pub how: String,
    /// In words, if there is something to say.
    pub remark: String,
}

/// A finding about the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its page, if it has one: `explain` knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What it is about.
    pub subject: String,
    /// How bad.
    pub grade: Grade,
    /// In words.
    pub text: String,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The platform.
    pub platform: String,
    /// The ABI.
    pub abi: String,
    /// The part of a universal file, by Apple's name for its processor.
    pub slice: Option<String>,
    /// One for each symbol of the platform, and the unexpected ones.
    pub symbols: Vec<Finding>,
    /// The rest.
    pub facts: Vec<Fact>,
}

impl Verdict {
    /// Whether something is wrong.
    pub fn has_faults(&self) -> bool {
        self.worst() == Grade::Fault
    }

    /// How many symbols are bound.
    pub fn bound(&self) -> usize {
        self.symbols.iter().filter(|f| f.status == Status::Bound).count()
    }

    /// Whether dyld or libmalloc would notice it at all.
    pub fn takes_effect(&self) -> bool {
        self.bound() > 0 || !self.facts.iter().any(|fact| fact.code == Some(macho::NO_HEAP))
    }

    fn worst(&self) -> Grade {
        let symbols = self.symbols.iter().map(|f| f.grade);
        symbols.chain(self.facts.iter().map(|f| f.grade)).max().unwrap_or(Grade::Good)
    }
}

/// The ABI of a platform that a file is built for.
pub fn abi_of<'a>(platform: &'a Platform, object: &SharedObject) -> Option<&'a Abi> {
    let machine = object.machine;
    let bits = u32::try_from(object.class.pointer_size() * 8).ok()?;
    platform.abis.iter().find(|abi| {
        abi.pointer_bits == bits
            && abi
                .machines
                .iter()
                .any(|m| machine_named(m) == Some(machine) || machine_named(m).is_none())
    })
}

fn machine_named(name: &str) -> Option<Machine> {
    match name {
        "x86_64" => Some(Machine::X86_64),
        "aarch64" => Some(Machine::Aarch64),
        "i386" | "i486" | "i586" | "i686" => Some(Machine::X86),
        "arm" | "armv7" | "armv7l" => Some(Machine::Arm),
        "riscv32" | "riscv64" => Some(Machine::Riscv),
        "powerpc64" | "powerpc64le" => Some(Machine::PowerPc64),
        "s390x" => Some(Machine::S390),
        _ => None,
    }
}

/// Judges a library; with a plan, against what was promised for it.
///
/// # Errors
/// If the file cannot be read as a loadable ELF file.
pub fn verify(
    data: &[u8],
    object: &SharedObject,
    platform: &Platform,
    abi: &Abi,
    plan: Option<&Plan>,
) -> Result<Verdict, ArtifactError> {
    if !is_whole(data) {
        return Err(ArtifactError::Malformed("it is cut off"));
    }
    let bindings = Bindings::new(object, data)?;
    let of_symbol = |symbol| match object.is_program() {
        true => program::finding(symbol, object, &bindings, platform, abi, plan),
        false => finding(symbol, object, &bindings, platform, abi, plan),
    };
    let mut symbols: Vec<Finding> = platform.symbols_of(abi).map(of_symbol).collect();
    if let Some(plan) = plan.filter(|_| !object.is_program()) {
        symbols.extend(unexpected(object, platform, abi, plan));
    }
    Ok(Verdict {
        platform: platform.name.clone(),
        abi: abi.name.clone(),
        slice: None,
        symbols,
        facts: match object.is_program() {
            true => program::facts(object),
            false => facts(object, plan),
        },
    })
}

/// What is missing at a file's end would look like symbols that it does not have.
fn is_whole(data: &[u8]) -> bool {
    use object::{Object, ObjectSegment};
    let size = data.len() as u64;
    object::File::parse(data).is_ok_and(|file| {
        let ends = file.segments().map(|s| s.file_range()).map(|(at, n)| at.checked_add(n));
        ends.into_iter().all(|end| end.is_some_and(|end| end <= size))
    })
}

fn finding(
    symbol: &Symbol,
    object: &SharedObject,
    bindings: &Bindings<'_>,
    platform: &Platform,
    abi: &Abi,
    plan: Option<&Plan>,
) -> Finding {
    let name = symbol.name(abi);
    let planned = plan.map(|p| p.answers.iter().find(|a| a.symbol.name(abi) == name));
    let planned = planned.flatten().map(|a| &a.binding);
    let mut finding = Finding {
        operation: symbol.operation.name(),
        status: status(object, &name),
        grade: Grade::Good,
        how: String::new(),
        remark: String::new(),
        symbol: name.clone(),
    };
    match &finding.status {
        Status::Bound => {
            finding.how = told(bindings, object, &name);
            judge_code(&mut finding, symbol, bindings, platform, abi, planned);
        }
        Status::Versioned(node) => {
            finding.remark = format!(
                "binds references to version {node} alone: the base version differs from CPU to CPU, and later symbols have later ones"
            );
            finding.grade = Grade::Fault;
        }
        Status::Hidden => {
            finding.remark = "defined, but the dynamic linker does not see it".to_owned();
            finding.grade = if absence_is_fault(symbol, platform, abi, planned) {
                Grade::Fault
            } else {
                Grade::Note
            };
        }
        _ => judge_absence(&mut finding, symbol, platform, abi, planned),
    }
    finding
}

fn status(object: &SharedObject, name: &str) -> Status {
    let exported: Vec<_> = object.named(name).filter(|s| s.is_exported()).collect();
    if exported.iter().any(|s| s.version == SymbolVersion::Unversioned) {
        return Status::Bound;
    }
    if let Some(SymbolVersion::Defined { node, .. }) = exported.first().map(|s| &s.version) {
        return Status::Versioned(node.clone());
    }
    if object.hidden(name).any(|s| s.is_code()) { Status::Hidden } else { Status::Missing }
}

/// How the code behind a name answers, in words.
fn told(bindings: &Bindings<'_>, object: &SharedObject, name: &str) -> String {
    match bindings.answer(name) {
        Code::Unknown if !reads_code(object.machine) => "code not read".to_owned(),
        code => how(&code),
    }
}

fn how(code: &Code) -> String {
    match code {
        Code::Alias { target, .. } => format!("direct: {target}"),
        Code::Jump { target } => format!("jump: {target}"),
        Code::PublicJump { symbol } => format!("public jump: {symbol}"),
        Code::Body { .. } => "code of its own".to_owned(),
        Code::Unknown => "unknown".to_owned(),
    }
}

/// Bound: is it bound as promised, and does a derived form go through its base?
fn judge_code(
    finding: &mut Finding,
    symbol: &Symbol,
    bindings: &Bindings<'_>,
    platform: &Platform,
    abi: &Abi,
    planned: Option<&Binding>,
) {
    compare_with_plan(finding, bindings, planned);
    if symbol.operation.effect() == Effect::Opens && bindings.returns(&finding.symbol) == Some(true)
    {
        finding.remark = "calls the C library's own instead of jumping to it: that then looks for libraries where this one does, not where its caller does".to_owned();
        finding.grade = Grade::Fault;
    }
    let base = symbol.operation.base().filter(|_| symbol.operation.is_operator());
    let Some(base) = base.and_then(|base| platform.bearing(base)) else { return };
    let base = base.name(abi);
    match bindings.goes_through(&finding.symbol, &base) {
        Some(true) => {}
        Some(false) => {
            finding.remark = format!(
                "does not go through `{base}`: a program that replaces that alone is passed over"
            );
            finding.grade = Grade::Fault;
        }
        // Said once, of the whole file.
        None if finding.how == "code not read" => {}
        None => {
            finding.remark =
                format!("whether it goes through `{base}` cannot be told from its code")
        }
    }
}

/// Bound as promised?
fn compare_with_plan(finding: &mut Finding, bindings: &Bindings<'_>, planned: Option<&Binding>) {
    if let Some(Binding::Direct(target)) = planned {
        let direct = match bindings.answer(&finding.symbol) {
            Code::Alias { target: seen, also } => {
                seen == *target
                    || also.contains(target)
                    || seen.starts_with("0x")
                    || bindings.aliases(&finding.symbol).contains(&target.as_str())
            }
            _ => false,
        };
        if !direct {
            finding.remark = format!("the plan binds it directly to `{target}`");
            finding.grade = Grade::Note;
        }
    }
    if planned == Some(&Binding::Left) {
        finding.remark = "the plan leaves it to the runtime".to_owned();
        finding.grade = Grade::Note;
    }
}

/// What a library exports beside the plan: an allocator's own names leak, or clash with a program's.
fn unexpected(object: &SharedObject, platform: &Platform, abi: &Abi, plan: &Plan) -> Vec<Finding> {
    let known: BTreeSet<String> = platform
        .names(abi)
        .into_iter()
        .chain(plan.allocator.export.iter().cloned())
        .chain(plan.allocator.keep.iter().cloned())
        .collect();
    object
        .exports()
        .filter(|s| s.is_code() && !known.contains(&s.name))
        .map(|s| Finding {
            symbol: s.name.clone(),
            operation: String::new(),
            status: Status::Unexpected,
            grade: Grade::Note,
            how: String::new(),
            remark: match platform.omissions.iter().find(|omission| omission.name == s.name) {
                Some(omission) => format!("exported, and left alone elsewhere: {}", omission.why),
                None => "exported, and in no spec: the allocator's own names should be hidden"
                    .to_owned(),
            },
        })
        .collect()
}

//! What a Mach-O image takes over, as dyld and libmalloc see it: tuples, and zones.
//!
//! Separate from ELF's judgement because an export replaces nothing here. The rules are those of
//! dyld's and libmalloc's sources; no Mac has tried this reader.

use std::collections::BTreeMap;

use super::{Fact, Finding, Grade, Status, Verdict, absence_is_fault};
use crate::{
    artifact::{Darwin, image::ImageKind},
    operation::Effect,
    plan::{Binding, Plan},
    spec::{Abi, Platform, Symbol},
};

mod facts;
mod tuples;
mod zones;

use tuples::Taken;
use zones::Found;

/// The code of a file that would change nothing.
pub(super) const NO_HEAP: &str = "A8535";

/// A fact that has a page: `alloc8-gen explain CODE`.
fn fault(code: &'static str, subject: impl Into<String>, text: impl Into<String>) -> Fact {
    Fact { code: Some(code), ..fact(Grade::Fault, subject, text) }
}

fn fact(grade: Grade, subject: impl Into<String>, text: impl Into<String>) -> Fact {
    Fact { code: None, subject: subject.into(), grade, text: text.into() }
}

/// The ABI of a platform that an image is built for.
pub fn abi_of<'a>(platform: &'a Platform, image: &Darwin<'_>) -> Option<&'a Abi> {
    platform.abis.iter().find(|abi| abi.machines.iter().any(|machine| machine == image.cpu()))
}

/// Judges an image; with a plan, against what was promised for it.
pub fn verify(image: &Darwin<'_>, platform: &Platform, abi: &Abi, plan: Option<&Plan>) -> Verdict {
    let mut facts = Vec::new();
    let zones = zones::find(image, platform);
    let registered = zones::is_registered(image, platform) && !zones.is_empty();
    let taken = tuples::read(image, platform, abi, registered, &mut facts);
    let whole = Whole { image, platform, abi, plan, taken: &taken, zones: &zones, registered };
    let symbols = platform.symbols_of(abi).map(|symbol| whole.finding(symbol)).collect();
    zones::judge(image, platform, &zones, registered, &mut facts);
    facts.extend(facts::of(&whole));
    Verdict {
        platform: platform.name.clone(),
        abi: abi.name.clone(),
        slice: Some(image.cpu().to_owned()),
        symbols,
        facts,
    }
}

/// All that is known of an image.
struct Whole<'a> {
    image: &'a Darwin<'a>,
    platform: &'a Platform,
    abi: &'a Abi,
    plan: Option<&'a Plan>,
    /// By the name that is replaced.
    taken: &'a BTreeMap<String, Taken>,
    zones: &'a [Found],
    registered: bool,
}

impl Whole<'_> {
    /// Whether dyld reads tuples of such a file, and whether it may register a zone at all.
    fn is_library(&self) -> bool {
        self.image.image.kind == ImageKind::Library
    }

    fn finding(&self, symbol: &Symbol) -> Finding {
        let name = symbol.name(self.abi);
        let planned =
            self.plan.and_then(|p| p.answers.iter().find(|a| a.symbol.name(self.abi) == name));
        let planned = planned.map(|answer| &answer.binding);
        let mut finding = Finding {
            operation: symbol.operation.name(),
            status: Status::Missing,
            grade: Grade::Good,
            how: String::new(),
            remark: String::new(),
            symbol: name.clone(),
        };
        match self.taken.get(&name) {
            Some(Taken { replacement: Some(address), .. }) if self.is_library() => {
                finding.status = Status::Bound;
                let target = self.image.function(*address).0;
                finding.how = format!("tuple: {target}");
                compare(&mut finding, planned, &target);
            }
            Some(_) => {
                finding.grade = Grade::Fault;
                finding.remark = "its tuple has no effect".to_owned();
            }
            None => self.absence(&mut finding, symbol, planned),
        }
        finding
    }

    fn absence(&self, finding: &mut Finding, symbol: &Symbol, planned: Option<&Binding>) {
        let wanted = planned.is_some_and(|binding| *binding != Binding::Left);
        if wanted && self.is_library() {
            finding.grade = Grade::Fault;
            finding.remark = "in the plan, and no tuple has it".to_owned();
            return;
        }
        if self.registered {
            finding.status = Status::Left;
            finding.remark = match symbol.operation.is_operator() {
                true => "the C++ runtime's own calls malloc and free",
                false => "the system's own, which asks the zone",
            }
            .to_owned();
            return;
        }
        if symbol.group.is_none() && absence_is_fault(symbol, self.platform, self.abi, planned) {
            finding.grade = Grade::Fault;
            finding.remark = match symbol.operation.effect() {
                Effect::Allocates => {
                    "its blocks come from the system's zone, and reach this heap's free"
                }
                Effect::Frees => "this heap's blocks reach the system's free",
                _ => "the system is asked about this heap's blocks",
            }
            .to_owned();
            return;
        }
        finding.status = Status::Left;
        finding.remark = match symbol.group {
            Some(_) => "the system sends it on to the plain name, as long as no other of its group is taken over",
            None if symbol.operation.is_operator() => "the C++ runtime's own calls malloc and free",
            None => "another name that few programs use",
        }
        .to_owned();
    }
}

/// Whether the function is the one that the plan names.
fn compare(finding: &mut Finding, planned: Option<&Binding>, target: &str) {
    let remark = match planned {
        Some(Binding::Direct(direct)) if direct != target && !target.starts_with("0x") => {
            format!("the plan binds it directly to `{direct}`")
        }
        Some(Binding::Left) => "the plan leaves it to the system".to_owned(),
        _ => return,
    };
    finding.remark = remark;
    finding.grade = Grade::Note;
}

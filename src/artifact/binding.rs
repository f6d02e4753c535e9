//! How each exported function is answered: by another name for the same code, by a jump, or by
//! code of its own; and whether a derived operator reaches its base by the public name.
//!
//! Separate because it is a judgement on code, where `shared` only states tables. A reference is
//! public if the loader fills its slot by name (psABI: `JUMP_SLOT`, `GLOB_DAT`, an absolute word):
//! only then can a program's own definition take over ([new.delete] replacement).

use super::code::{Flow, Target, flow};
use super::elf::Elf;
use super::machine::Machine;
use super::{ArtifactError, Bind, RelocationKind, SharedObject, Symbol, SymbolKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A function and its helpers are followed, but not what these call: an allocator that keeps its
/// own records in containers would seem to go through `operator new` for all it does.
const DEPTH: usize = 2;
/// How much code is read of a function whose size nobody states.
const LIMIT: u64 = 1 << 14;

/// How an exported function is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Answer {
    /// It is another name for the same code.
    Alias {
        /// The other name: one that is not exported itself, if there is one.
        target: String,
        /// Further names for the same code.
        also: Vec<String>,
    },
    /// Nothing but a jump to a function of this file that no other object can replace.
    Jump {
        /// The function's name, or its address (`0x…`) in a stripped file.
        target: String,
    },
    /// Nothing but a jump to whatever the process means by a name.
    PublicJump {
        /// The name.
        symbol: String,
    },
    /// Code of its own.
    Body {
        /// What it calls by name.
        calls_public: Vec<String>,
        /// What it calls in this file (names, or addresses in a stripped file).
        calls_local: Vec<String>,
        /// It also calls through pointers that this reader cannot follow.
        calls_unknown: bool,
    },
    /// Not exported, chosen by a resolver at load time, or code for a machine not known here.
    Unknown,
}

/// A target with what it means in this file.
enum Meaning<'a> {
    Public(&'a str),
    Local(u64),
    Unknown,
}

/// What is asked of a function: see [`Bindings::goes_through_any`].
struct Question<'a> {
    base: &'a str,
    own_base: Option<u64>,
    between: &'a [&'a str],
}

/// Answers questions on the code of one shared object.
pub struct Bindings<'a> {
    object: &'a SharedObject,
    elf: Elf<'a>,
    got: u64,
    /// Slots that the loader fills by name.
    by_name: HashMap<u64, &'a Symbol>,
    /// Slots that the loader fills with an address of this file.
    by_address: HashMap<u64, u64>,
    exports: HashMap<&'a str, &'a Symbol>,
    /// Functions by address: from both symbol tables.
    functions: BTreeMap<u64, Vec<&'a Symbol>>,
}

impl<'a> Bindings<'a> {
    /// `data` is what `object` was read from.
    pub fn new(object: &'a SharedObject, data: &'a [u8]) -> Result<Self, ArtifactError> {
        let elf = Elf::parse(data)?;
        let got = elf.dynamic().into_iter().find(|(tag, _)| *tag == object::elf::DT_PLTGOT.0);
        let got = got.map_or(0, |(_, value)| value);
        let mut by_name = HashMap::new();
        let mut by_address = HashMap::new();
        for r in &object.relocations {
            use RelocationKind::{Absolute, GlobDat, JumpSlot, Relative};
            match (r.kind, object.symbol_of(r)) {
                (GlobDat | JumpSlot | Absolute, Some(symbol)) if r.addend == 0 => {
                    by_name.insert(r.slot, symbol);
                }
                (Relative, _) => {
                    by_address.insert(r.slot, r.addend.cast_unsigned());
                }
                _ => {}
            }
        }
        let mut functions: BTreeMap<u64, Vec<&Symbol>> = BTreeMap::new();
        let linked = object.link_symbols.iter().flatten();
        for symbol in object.symbols.iter().chain(linked).filter(|s| names_code(s)) {
            functions.entry(address_of(object.machine, symbol)).or_default().push(symbol);
        }
        let mut exports: HashMap<&str, &Symbol> = HashMap::new();
        if object.is_program() {
            // Its own calls are bound, whether or not libraries see the names.
            let linked = object.link_symbols.iter().flatten();
            let public = linked.filter(|s| s.defined && s.bind != Bind::Local);
            exports.extend(public.map(|s| (s.name.as_str(), s)));
        }
        exports.extend(object.exports().map(|s| (s.name.as_str(), s)));
        Ok(Self { object, elf, got, by_name, by_address, exports, functions })
    }

    /// How an exported function is answered.
    #[must_use]
    pub fn answer(&self, name: &str) -> Answer {
        let mut others = self.aliases(name);
        if others.is_empty() {
            return self.code(name);
        }
        let target = others.remove(0).to_owned();
        Answer::Alias { target, also: others.into_iter().map(str::to_owned).collect() }
    }

    /// What the code behind an exported function does, whatever other names it has:
    /// never [`Answer::Alias`].
    #[must_use]
    pub fn code(&self, name: &str) -> Answer {
        let Some(address) = self.address(name) else { return Answer::Unknown };
        let Some(flow) = self.flow(address) else { return Answer::Unknown };
        if let Some(jump) = flow.jump {
            return match self.meaning(jump) {
                Meaning::Public(symbol) => Answer::PublicJump { symbol: symbol.to_owned() },
                Meaning::Local(target) => Answer::Jump { target: self.place(target) },
                Meaning::Unknown => Answer::Unknown,
            };
        }
        let (mut public, mut local) = (BTreeSet::new(), BTreeSet::new());
        let mut calls_unknown = flow.indirect || flow.broken;
        for target in flow.targets {
            match self.meaning(target) {
                Meaning::Public(symbol) => drop(public.insert(symbol.to_owned())),
                Meaning::Local(address) => drop(local.insert(self.place(address))),
                Meaning::Unknown => calls_unknown = true,
            }
        }
        Answer::Body {
            calls_public: public.into_iter().collect(),
            calls_local: local.into_iter().collect(),
            calls_unknown,
        }
    }

    /// Other names for the code behind an exported function, those not exported first.
    #[must_use]
    pub fn aliases(&self, name: &str) -> Vec<&'a str> {
        let Some(address) = self.address(name) else { return Vec::new() };
        let at = self.functions.get(&address).map(Vec::as_slice).unwrap_or_default();
        let others = at.iter().map(|s| s.name.as_str()).filter(|other| *other != name);
        let mut others: Vec<_> = others.map(|n| (self.exports.contains_key(n), n)).collect();
        others.sort_unstable();
        others.dedup();
        others.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether an exported function comes back to its caller itself; if not, it ends in jumps.
    /// `None` where it cannot be told.
    #[must_use]
    pub fn returns(&self, name: &str) -> Option<bool> {
        let flow = self.flow(self.address(name)?)?;
        (!flow.broken).then_some(flow.returns)
    }

    /// How every exported function is answered.
    #[must_use]
    pub fn all(&self) -> BTreeMap<&'a str, Answer> {
        let code = self.exports.values().filter(|s| names_code(s));
        code.map(|s| (s.name.as_str(), self.answer(&s.name))).collect()
    }

    /// Whether `derived` reaches `base` by its public name, directly or through other exported
    /// functions that are nothing but jumps: then a program that defines `base` is respected.
    ///
    /// `None` where it cannot be told: not exported here, or code that cannot be followed.
    #[must_use]
    pub fn goes_through(&self, derived: &str, base: &str) -> Option<bool> {
        self.goes_through_any(derived, base, &[])
    }

    /// The same, but the functions `between` may stand between the two whatever their code.
    #[must_use]
    pub fn goes_through_any(&self, derived: &str, base: &str, between: &[&str]) -> Option<bool> {
        let from = self.address(derived)?;
        if !self.by_name.values().any(|s| s.name == base) {
            return Some(false);
        }
        let question = Question { base, own_base: self.address(base), between };
        self.reaches(from, &question, DEPTH, &mut BTreeSet::new())
    }

    fn reaches(
        &self,
        from: u64,
        question: &Question<'_>,
        depth: usize,
        seen: &mut BTreeSet<u64>,
    ) -> Option<bool> {
        let Question { base, own_base, between } = question;
        if Some(from) == *own_base || depth == 0 || !seen.insert(from) {
            return Some(false);
        }
        let flow = self.flow(from)?;
        // A call through a pointer reaches the base only if the function gets hold of its address.
        let holds = |&t: &Target| matches!(self.meaning(t), Meaning::Public(s) if s == *base);
        let untold = flow.broken || (flow.indirect && flow.loads.iter().any(holds));
        let mut verdict = (!untold).then_some(false);
        for target in flow.targets {
            let next = match self.meaning(target) {
                Meaning::Public(symbol) if symbol == *base => return Some(true),
                Meaning::Public(symbol) => self
                    .address(symbol)
                    .filter(|&next| between.contains(&symbol) || self.is_jump(next))
                    .map(|next| (next, DEPTH)),
                Meaning::Local(next) => Some((next, depth - 1)),
                Meaning::Unknown => None,
            };
            let Some((next, depth)) = next else { continue };
            match self.reaches(next, question, depth, seen) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => verdict = None,
            }
        }
        verdict
    }

    fn address(&self, name: &str) -> Option<u64> {
        let exported = self.exports.get(name).copied();
        let linked = || {
            self.object
                .is_program()
                .then(|| self.object.linked(name))
                .and_then(|all| all.first().copied())
        };
        let symbol = exported.or_else(linked).filter(|s| names_code(s))?;
        let resolved = symbol.kind == SymbolKind::IndirectFunction;
        (!resolved).then(|| address_of(self.object.machine, symbol))
    }

    fn flow(&self, address: u64) -> Option<Flow> {
        let at = self.functions.get(&address).map(Vec::as_slice).unwrap_or_default();
        let size = at.iter().map(|s| s.size).max().unwrap_or(0);
        let next = self.functions.range(address.checked_add(1)?..).next();
        let limit = next.map_or(LIMIT, |(next, _)| next - address).min(LIMIT);
        flow(&self.elf, self.got, address, size, limit)
    }

    fn is_jump(&self, address: u64) -> bool {
        self.flow(address).is_some_and(|flow| flow.jump.is_some())
    }

    /// What a target means: PLT stubs and filled slots are looked through.
    fn meaning(&self, target: Target) -> Meaning<'a> {
        match target {
            Target::Slot(slot) => self.slot_meaning(slot),
            Target::Code(address) if self.functions.contains_key(&address) => {
                Meaning::Local(address)
            }
            Target::Code(address) => {
                match flow(&self.elf, self.got, address, 0, 32).and_then(|stub| stub.jump) {
                    Some(Target::Slot(slot)) => self.slot_meaning(slot),
                    _ => Meaning::Local(address),
                }
            }
        }
    }

    fn slot_meaning(&self, slot: u64) -> Meaning<'a> {
        if let Some(symbol) = self.by_name.get(&slot) {
            let own = symbol.defined && (self.object.flags.symbolic || !symbol.is_exported());
            return match own {
                true => Meaning::Local(address_of(self.object.machine, symbol)),
                false => Meaning::Public(&symbol.name),
            };
        }
        // A linker that bound the name leaves the address, here or for the loader to relocate.
        let address = self.by_address.get(&slot).copied().filter(|&address| address != 0);
        match address.or_else(|| self.elf.pointer(slot)) {
            Some(address) if self.functions.contains_key(&address) => Meaning::Local(address),
            _ => Meaning::Unknown,
        }
    }

    fn place(&self, address: u64) -> String {
        let at = self.functions.get(&address).map(Vec::as_slice).unwrap_or_default();
        let name =
            at.iter().map(|s| s.name.as_str()).min_by_key(|n| (self.exports.contains_key(n), *n));
        name.map_or_else(|| format!("{address:#x}"), str::to_owned)
    }
}

/// A definition that names a function: no PLT labels, no compilers' and assemblers' helpers.
fn names_code(symbol: &Symbol) -> bool {
    let name = symbol.name.as_str();
    let helper = name.ends_with(".localalias") || name.contains("$plt") || name.starts_with('$');
    symbol.defined && symbol.is_code() && !name.is_empty() && !helper
}

/// 32-bit ARM marks Thumb code in the lowest bit of a function's value.
fn address_of(machine: Machine, symbol: &Symbol) -> u64 {
    match machine {
        Machine::Arm => symbol.address & !1,
        _ => symbol.address,
    }
}

//! A static library: its members and what they define, want and demand together.
//!
//! Separate from `member` because only the whole tells what is missing and what another member
//! answers. Formats: the System V, GNU, BSD and Microsoft `ar`, thin archives and universal files
//! too; a plain object is an archive of one.

use super::machine::{Class, Machine};
use super::macho;
use super::member::{Format, Lto, Member};
use super::pic::{PicFault, PicReason, TlsAccess};
use super::symbol::{Bind, Symbol, SymbolKind, Visibility};
use super::{ArtifactError, describe};
use object::read::archive::ArchiveFile;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A static library, or an import library of Windows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Archive {
    /// Its members lie beside it in files of their own.
    pub thin: bool,
    /// It has the index that linkers look names up in (`ranlib`).
    pub indexed: bool,
    /// Its members, in order.
    pub members: Vec<Member>,
}

impl Archive {
    /// Reads an archive or a single object. Members of a thin archive stay unread.
    pub fn read(data: &[u8]) -> Result<Self, ArtifactError> {
        Self::read_with(data, |_| None)
    }

    /// Reads an archive or a single object; `fetch` gives the files of a thin archive by the names
    /// that it has for them, which are relative to its own folder.
    pub fn read_with(
        data: &[u8],
        mut fetch: impl FnMut(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, ArtifactError> {
        if macho::is_fat(data) {
            return Self::read_universal(data, fetch);
        }
        if !data.starts_with(b"!<arch>\n") && !data.starts_with(b"!<thin>\n") {
            let member = Member::read("", data);
            return match member.format {
                Format::Other(_) => Err(ArtifactError::NotElf(describe(data))),
                _ => Ok(Self::from_members(vec![member], false, true)),
            };
        }
        let malformed = |_| ArtifactError::Malformed("the archive's table of members");
        let file = ArchiveFile::parse(data).map_err(malformed)?;
        let mut members = Vec::new();
        for member in file.members() {
            let member = member.map_err(malformed)?;
            let name = String::from_utf8_lossy(member.name()).into_owned();
            members.push(if member.is_thin() {
                match fetch(&name) {
                    Some(bytes) => Member::read(&name, &bytes),
                    None => Member::unread(&name, Format::Elsewhere),
                }
            } else {
                let bytes = member.data(data).map_err(malformed)?;
                Member::read(&name, bytes)
            });
        }
        let indexed = members.is_empty() || matches!(file.symbols(), Ok(Some(_)));
        Ok(Self::from_members(members, file.is_thin(), indexed))
    }

    /// All processors' members one after the other: `foreign` tells those for another one.
    fn read_universal(
        data: &[u8],
        mut fetch: impl FnMut(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, ArtifactError> {
        let mut members = Vec::new();
        let mut indexed = true;
        for slice in macho::slices(data)? {
            if macho::is_fat(slice) {
                return Err(ArtifactError::Malformed("a universal file inside a universal file"));
            }
            let fetch: &mut dyn FnMut(&str) -> Option<Vec<u8>> = &mut fetch;
            let archive = Self::read_with(slice, fetch)?;
            indexed &= archive.indexed;
            members.extend(archive.members);
        }
        Ok(Self::from_members(members, false, indexed))
    }

    fn from_members(members: Vec<Member>, thin: bool, indexed: bool) -> Self {
        let mut archive = Self { thin, indexed, members };
        archive.settle_pic_faults();
        archive
    }

    /// A reference to a global symbol looks preemptible to the member that makes it; whether it is
    /// depends on the member that defines it.
    fn settle_pic_faults(&mut self) {
        let mut definitions: HashMap<String, bool> = HashMap::new();
        for symbol in self.members.iter().flat_map(Member::defined) {
            let is_local = symbol.visibility != Visibility::Default;
            *definitions.entry(symbol.name.clone()).or_default() |= is_local;
        }
        for fault in self.members.iter_mut().filter_map(|m| m.pic_faults.as_mut()) {
            fault.retain_mut(|fault| {
                if fault.reason != PicReason::Preemptible {
                    return true;
                }
                match definitions.get(&fault.symbol) {
                    Some(true) => return false,
                    Some(false) => {}
                    None => fault.reason = PicReason::Outside,
                }
                true
            });
            fault.sort();
        }
    }

    /// Whether a member defines this name for others.
    #[must_use]
    pub fn defines(&self, name: &str) -> bool {
        self.definition(name).is_some()
    }

    /// The member that a linker would take for this name, and its symbol.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<(&Member, &Symbol)> {
        self.definitions().find(|(_, symbol)| symbol.name == name)
    }

    /// All that members define for others.
    pub fn definitions(&self) -> impl Iterator<Item = (&Member, &Symbol)> {
        self.members.iter().flat_map(|m| m.defined().map(move |s| (m, s)))
    }

    /// Which of these names members want, though no member defines them: `(member, name)`.
    pub fn imports_of<'a>(
        &'a self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<(&'a str, &'a str)> {
        let names: HashSet<&str> = names.into_iter().collect();
        self.imports().filter(|(_, s)| names.contains(s.name.as_str())).map(named).collect()
    }

    /// All that members want and no member defines.
    pub fn imports(&self) -> impl Iterator<Item = (&Member, &Symbol)> {
        let defined: HashSet<&str> = self.definitions().map(|(_, s)| s.name.as_str()).collect();
        let wanted = self.members.iter().flat_map(|m| m.wanted().map(move |s| (m, s)));
        wanted.filter(move |(_, s)| !defined.contains(s.name.as_str()))
    }

    /// What the DLLs of an import library export, under their names for it.
    #[must_use]
    pub fn dll_exports(&self) -> BTreeSet<&str> {
        self.members.iter().filter_map(|m| m.import.as_deref()).collect()
    }

    /// The DLLs that an import library stands for.
    #[must_use]
    pub fn dlls(&self) -> BTreeSet<&str> {
        self.members.iter().filter_map(|m| m.dll.as_deref()).collect()
    }

    /// What it wants of the C++ runtime: `(member, name)`.
    #[must_use]
    pub fn cxx_runtime(&self) -> Vec<(&str, &str)> {
        self.imports().filter(|(_, s)| is_cxx_runtime(&s.name)).map(named).collect()
    }

    /// Rust's standard library inside, or wanted: `(member, name)`, one for each member.
    #[must_use]
    pub fn rust_std(&self) -> Vec<(&str, &str)> {
        let evidence = |m: &Member| m.symbols.iter().position(|s| is_rust_std(&s.name));
        let found = self.members.iter().filter_map(|m| Some((m, m.symbols.get(evidence(m)?)?)));
        found.map(named).collect()
    }

    /// Members with code for the link-time optimizer.
    pub fn lto(&self) -> impl Iterator<Item = (&Member, Lto)> {
        self.members.iter().filter_map(|m| Some((m, m.lto?)))
    }

    /// Relocations that keep members out of a shared object.
    pub fn pic_faults(&self) -> impl Iterator<Item = (&Member, &PicFault)> {
        self.members.iter().flat_map(|m| m.pic_faults.iter().flatten().map(move |f| (m, f)))
    }

    /// The members' machines with how many have each: more than one is a mistake.
    #[must_use]
    pub fn machines(&self) -> Vec<(Machine, Class, usize)> {
        let mut counts: BTreeMap<String, (Machine, Class, usize)> = BTreeMap::new();
        for (machine, class) in self.members.iter().filter_map(|m| m.machine.zip(m.class)) {
            let key = format!("{machine} {class:?}");
            counts.entry(key).or_insert((machine, class, 0)).2 += 1;
        }
        counts.into_values().collect()
    }

    /// Members for another machine or class than this.
    pub fn foreign(&self, machine: Machine, class: Class) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |m| {
            m.machine.is_some_and(|own| own != machine) || m.class.is_some_and(|own| own != class)
        })
    }

    /// How its code reaches thread-local variables.
    #[must_use]
    pub fn tls(&self) -> BTreeSet<TlsAccess> {
        self.members.iter().flat_map(|m| &m.tls).copied().collect()
    }

    /// Bytes of thread-local variables, if all members were linked.
    #[must_use]
    pub fn tls_size(&self) -> u64 {
        self.members.iter().map(|m| m.tls_size).fold(0, u64::saturating_add)
    }

    /// Members with functions that run at load time, with their number.
    pub fn constructors(&self) -> impl Iterator<Item = (&Member, u64)> {
        self.members.iter().filter(|m| m.constructors > 0).map(|m| (m, m.constructors))
    }

    /// Functions that it defines with a visibility that the dynamic table never shows.
    pub fn hidden_functions(&self) -> impl Iterator<Item = (&Member, &Symbol)> {
        self.definitions().filter(|(_, s)| {
            s.kind == SymbolKind::Function
                && matches!(s.visibility, Visibility::Hidden | Visibility::Internal)
        })
    }

    /// The names that it defines for others, in order, each once.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let global = self.definitions().filter(|(_, s)| s.bind != Bind::Local);
        global.map(|(_, s)| s.name.as_str()).collect()
    }
}

fn named<'a>((member, symbol): (&'a Member, &'a Symbol)) -> (&'a str, &'a str) {
    (&member.name, &symbol.name)
}

/// Itanium C++ ABI: mangled names, the `__cxa_` and unwinding entry points.
pub(crate) fn is_cxx_runtime(name: &str) -> bool {
    // glibc has these itself: C programs use them for `atexit` and thread-local destructors.
    const LIBC: [&str; 4] =
        ["__cxa_atexit", "__cxa_finalize", "__cxa_thread_atexit_impl", "__cxa_at_quick_exit"];
    let mangled = name.starts_with("_Z") && !is_rust_legacy(name);
    let runtime = name.starts_with("__cxa_") || name.starts_with("_Unwind_");
    let others = ["__gxx_personality_v0", "__dynamic_cast"];
    (mangled || runtime || others.contains(&name)) && !LIBC.contains(&name)
}

/// Rust's old mangling borrows C++'s and ends in a hash: `17h`, sixteen digits, `E`.
fn is_rust_legacy(name: &str) -> bool {
    let hash = name.strip_suffix('E').and_then(|rest| rest.rsplit_once("17h"));
    hash.is_some_and(|(_, hash)| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A function of the crate `std`, in either mangling.
fn is_rust_std(name: &str) -> bool {
    // v0 names a crate as `C`, a hash `s…_`, its name's length and its name.
    let v0 = name.strip_prefix("_R").and_then(|rest| rest.split_once("_3std"));
    let v0 = v0.is_some_and(|(path, _)| {
        let hash = path.rsplit_once("Cs").map(|(_, hash)| hash);
        hash.is_some_and(|hash| hash.bytes().all(|b| b.is_ascii_alphanumeric()))
    });
    (name.starts_with("_ZN3std") && is_rust_legacy(name)) || v0
}

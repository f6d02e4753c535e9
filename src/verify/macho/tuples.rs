//! Interpose tuples: which of them dyld applies, and which of them do harm (dyld
//! `DyldRuntimeState.cpp`, `Loader.cpp`).

use std::collections::BTreeMap;

use super::{fact, fault};
use crate::{
    artifact::{
        Darwin,
        darwin::{Fixup, From, Tuple},
    },
    spec::{Abi, Platform, Reason, Symbol},
    verify::{Fact, Grade},
};

/// A function that a tuple takes over.
pub(super) struct Taken {
    /// Where the replacement is; `None` if dyld drops the tuple, or may.
    pub(super) replacement: Option<u64>,
    /// The reference is weak: on a system without the function the tuple is passed over.
    weak: bool,
}

/// Reads all tuples; what is wrong with them goes to the facts.
pub(super) fn read(
    image: &Darwin<'_>,
    platform: &Platform,
    abi: &Abi,
    registered: bool,
    facts: &mut Vec<Fact>,
) -> BTreeMap<String, Taken> {
    let mut taken = BTreeMap::new();
    let mut index = 0;
    for section in image.tuples() {
        if !section.read {
            let text = "in no segment of data: dyld does not look there";
            facts.push(fault("A8520", &section.section, text));
        }
        if section.size % 16 != 0 {
            let text = format!("{} bytes, and each tuple has 16", section.size);
            facts.push(fault("A8520", &section.section, text));
        }
        for tuple in &section.tuples {
            one(image, platform, index, tuple, &mut taken, facts);
            index += 1;
        }
    }
    forbidden(platform, registered, &taken, facts);
    groups(platform, abi, &taken, facts);
    age(image, platform, abi, &taken, facts);
    taken
}

fn one(
    image: &Darwin<'_>,
    platform: &Platform,
    index: usize,
    tuple: &Tuple,
    taken: &mut BTreeMap<String, Taken>,
    facts: &mut Vec<Fact>,
) {
    let name = tuple.replacee.iter().find_map(|fixup| match fixup {
        Fixup::Bind { symbol, .. } => Some(symbol.clone()),
        Fixup::Rebase(_) => None,
    });
    let subject = match &name {
        Some(name) => format!("tuple {index}: {name}"),
        None => format!("tuple {index}"),
    };
    let replacement = match replacement(image, tuple) {
        Ok(address) => Some(address),
        Err(why) => {
            facts.push(fault("A8521", &subject, why));
            None
        }
    };
    let (weak, why) = replacee(platform, tuple);
    if let Some(why) = why {
        facts.push(fault("A8522", &subject, why));
        return;
    }
    let Some(name) = name else { return };
    if taken.insert(name, Taken { replacement, weak }).is_some() {
        facts.push(fault("A8523", &subject, "a second tuple for one function: only one can hold"));
    }
}

/// The first word must be an address of this image and nothing else.
fn replacement(image: &Darwin<'_>, tuple: &Tuple) -> Result<u64, String> {
    let rebase = tuple.replacement.iter().find_map(|fixup| match fixup {
        Fixup::Rebase(address) => Some(*address),
        Fixup::Bind { .. } => None,
    });
    let bound = tuple.replacement.iter().find_map(|fixup| match fixup {
        Fixup::Bind { symbol, .. } => Some(symbol),
        Fixup::Rebase(_) => None,
    });
    match (rebase, bound) {
        (_, Some(symbol)) => Err(format!(
            "its replacement is the weak function `{symbol}`, which another image's may stand for: dyld drops the tuple"
        )),
        (None, None) => Err("it has no replacement".to_owned()),
        (Some(address), None) if !image.is_code(address) => {
            Err("its replacement is no code of this file".to_owned())
        }
        (Some(address), None) => Ok(address),
    }
}

/// The second word must be bound to a function of one of the system's libraries. Whether it may be
/// missing, and what is wrong with it.
fn replacee(platform: &Platform, tuple: &Tuple) -> (bool, Option<String>) {
    let [fixup] = tuple.replacee.as_slice() else {
        let why = match tuple.replacee.is_empty() {
            true => "it replaces nothing",
            false => {
                "what it replaces is looked up as a weak symbol too: a program's own would be replaced"
            }
        };
        return (false, Some(why.to_owned()));
    };
    let Fixup::Bind { from, addend, weak, .. } = fixup else {
        return (false, Some("it replaces a function of this file alone".to_owned()));
    };
    let is_system = |file: &str| {
        file.starts_with("/usr/lib/") || platform.libraries.iter().any(|l| l.file == file)
    };
    let why = match from {
        _ if *addend != 0 => Some(format!("what it replaces lies {addend} bytes beside the symbol")),
        From::Library(file) if is_system(file) => None,
        From::Library(file) => Some(format!("it replaces a function of `{file}`, which is no library of the system")),
        From::Flat => Some("what it replaces is looked up in every image (flat namespace): the first that has it is meant".to_owned()),
        From::Weak => Some("what it replaces is looked up as a weak symbol: a program's own would be replaced".to_owned()),
        From::Own | From::Program => Some("what it replaces is not in the system".to_owned()),
    };
    (*weak, why)
}

/// What no tuple may take over. fork's three functions are a heap's own path where it registers no zone, and
/// then all three.
fn forbidden(
    platform: &Platform,
    registered: bool,
    taken: &BTreeMap<String, Taken>,
    facts: &mut Vec<Fact>,
) {
    let fork = platform.zone.as_ref().map(|zone| &zone.fork);
    let fork: Vec<&str> =
        fork.map_or(vec![], |fork| vec![&fork.prepare, &fork.parent, &fork.child]);
    let paths = fork.iter().filter(|name| taken.contains_key(**name)).count();
    if paths > 0 && registered {
        let text = "its functions are taken over though the zone is registered: the heap is locked twice, which ends the program, or the system's zones are not locked";
        facts.push(fault("A8529", "fork", text));
    } else if paths > 0 && paths < fork.len() {
        facts.push(fault("A8529", "fork", "not all of its three functions are taken over"));
    }
    let harmful = platform.omissions.iter().filter(|o| o.reason == Reason::MustNotInterpose);
    for omission in harmful.filter(|o| taken.contains_key(&o.name)) {
        if !fork.contains(&omission.name.as_str()) {
            facts.push(fault(
                "A8524",
                &omission.name,
                format!("must not be replaced: {}", omission.why),
            ));
        }
    }
    let known = |name: &&String| {
        platform.symbol(name).is_none()
            && !platform.omissions.iter().any(|o| o.name == **name)
            && !fork.contains(&name.as_str())
    };
    for name in taken.keys().filter(known) {
        facts.push(fact(Grade::Note, name, "replaced, and in no spec: nobody says what for"));
    }
}

/// Functions that are taken over together or not at all.
fn groups(platform: &Platform, abi: &Abi, taken: &BTreeMap<String, Taken>, facts: &mut Vec<Fact>) {
    for group in &platform.groups {
        let of = |symbol: &&Symbol| symbol.group.as_deref() == Some(group.name.as_str());
        let (there, absent): (Vec<String>, Vec<String>) = platform
            .symbols_of(abi)
            .filter(of)
            .map(|symbol| symbol.name(abi))
            .partition(|name| taken.contains_key(name));
        if !there.is_empty() && !absent.is_empty() {
            let text =
                format!("{}, but not {}: {}", there.join(", "), absent.join(", "), group.why);
            facts.push(fault("A8525", format!("group {}", group.name), text));
        }
    }
}

/// What is younger than the oldest system that the file asks for must be a weak reference.
fn age(
    image: &Darwin<'_>,
    platform: &Platform,
    abi: &Abi,
    taken: &BTreeMap<String, Taken>,
    facts: &mut Vec<Fact>,
) {
    let Some(least) = image.minimum_os else { return };
    for symbol in platform.symbols_of(abi) {
        let name = symbol.name(abi);
        let Some(since) = symbol.since.as_deref().and_then(release) else { continue };
        if since > least && taken.get(&name).is_some_and(|taken| !taken.weak) {
            let text = format!(
                "came with macOS {}.{}, and the reference is not weak: on macOS {}.{} dyld drops every tuple of the file",
                since.0, since.1, least.0, least.1
            );
            facts.push(fault("A8526", name, text));
        }
    }
}

/// The numbers of `macOS 14.4`.
fn release(since: &str) -> Option<(u16, u8)> {
    let (major, minor) = since.strip_prefix("macOS ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

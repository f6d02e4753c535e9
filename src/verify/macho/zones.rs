//! Zones that a file brings along, found by their shape: a statically filled `malloc_zone_t` and its
//! introspection, with what libmalloc calls in them without a look.

use std::collections::BTreeMap;

use super::{fact, fault};
use crate::{
    artifact::Darwin,
    prototype::Prototype,
    spec::{Field, Null, Platform, Zone},
    verify::{Fact, Grade},
};

/// The greatest version that is believed of a structure that looks like a zone.
const BELIEVED: u32 = 64;

/// A zone, by what stands in its fields.
pub(super) struct Found {
    name: String,
    version: u32,
    /// Functions by their field's path; what is missing is NULL.
    functions: BTreeMap<String, u64>,
    introspected: bool,
}

impl Found {
    /// The function in a field of the introspection.
    pub(super) fn asked(&self, zone: &Zone, field: &str) -> Option<u64> {
        self.functions.get(&format!("{}::{field}", zone.introspection)).copied()
    }

    /// All functions in its fields.
    pub(super) fn functions(&self) -> impl Iterator<Item = u64> {
        self.functions.values().copied()
    }
}

/// Fields of a structure with their distance from its start, in the header's order: pointers, but for
/// the numbers.
fn layout<'a>(zone: &'a Zone, structure: &'a str) -> impl Iterator<Item = (&'a Field, u64)> {
    let mut next = 0_u64;
    zone.fields.iter().filter(move |field| field.structure == structure).map(move |field| {
        let size = if is_number(field) { 4 } else { 8 };
        let at = next.next_multiple_of(size);
        next = at + size;
        (field, at)
    })
}

fn is_number(field: &Field) -> bool {
    field.declaration == "unsigned"
}

/// Whether the file hands a zone to libmalloc.
pub(super) fn is_registered(image: &Darwin<'_>, platform: &Platform) -> bool {
    platform.zone.as_ref().is_some_and(|zone| image.image.import(&zone.list.register).is_some())
}

/// Every structure that looks like a zone.
pub(super) fn find(image: &Darwin<'_>, platform: &Platform) -> Vec<Found> {
    let Some(zone) = &platform.zone else { return Vec::new() };
    let first =
        layout(zone, &zone.structure).find(|(field, _)| field.function).map_or(0, |(_, at)| at);
    let starts = image.pointers_to_code().filter_map(|at| at.checked_sub(first));
    starts.filter_map(|start| at(image, zone, start)).collect()
}

/// The zone at an address, if there is one: its first fields as every zone has them, and a version.
fn at(image: &Darwin<'_>, zone: &Zone, start: u64) -> Option<Found> {
    let mut found =
        Found { name: String::new(), version: 0, functions: BTreeMap::new(), introspected: false };
    let mut introspection = None;
    for (field, offset) in layout(zone, &zone.structure) {
        let word = start.checked_add(offset)?;
        let pointer = image.pointer(word);
        let is_code = pointer.is_some_and(|to| image.is_code(to));
        if is_number(field) {
            found.version = image.number(word).filter(|_| image.fixups_at(word).is_empty())?;
        } else if field.version > 0 && field.version > found.version {
            break;
        } else if field.function && is_code {
            found.functions.insert(field.path(), pointer?);
        } else if field.function && field.operation.is_some() && field.version == 0 {
            return None;
        } else if field.version == 0 && !field.function {
            let reserved = field.null == Null::Always;
            if is_code || (reserved && !image.is_null(word)) {
                return None;
            }
            match field.name.as_str() {
                "introspect" => introspection = pointer,
                "zone_name" => {
                    found.name = pointer.and_then(|to| image.text(to)).unwrap_or_default()
                }
                _ => {}
            }
        }
    }
    if found.version > BELIEVED || (found.name.is_empty() && introspection.is_none()) {
        return None;
    }
    for (field, offset) in introspection.into_iter().flat_map(|_| layout(zone, &zone.introspection))
    {
        found.introspected = true;
        let to = image.pointer(introspection?.checked_add(offset)?);
        if let Some(to) = to.filter(|to| image.is_code(*to)) {
            found.functions.insert(field.path(), to);
        }
    }
    Some(found)
}

/// What is the case with each.
pub(super) fn judge(
    image: &Darwin<'_>,
    platform: &Platform,
    zones: &[Found],
    registered: bool,
    facts: &mut Vec<Fact>,
) {
    let Some(zone) = &platform.zone else { return };
    for found in zones {
        // What nobody registers is nobody's but the file's.
        if registered {
            slots(zone, found, facts);
            around_fork(zone, found, facts);
            enumerator(image, zone, found, facts);
        }
        let subject = format!("zone {}", found.name);
        let text = match registered {
            true => format!("version {}, registered", found.version),
            false => format!("version {}, and not registered", found.version),
        };
        facts.push(fact(Grade::Good, subject, text));
    }
    if zones.is_empty() && is_registered(image, platform) {
        let text = "registered, but filled in at run time: its fields are not read";
        facts.push(fact(Grade::Note, "zone", text));
    }
}

fn slots(zone: &Zone, found: &Found, facts: &mut Vec<Fact>) {
    let subject = format!("zone {}", found.name);
    if !found.introspected {
        let text = "its introspection is NULL, and fork reads through it: the program ends there";
        facts.push(fault("A8527", &subject, text));
    }
    for field in zone.fields.iter().filter(|f| f.function && f.version <= found.version) {
        let there = found.functions.contains_key(&field.path());
        if field.structure == zone.introspection && !found.introspected {
            continue;
        }
        let path = field.path();
        if there && field.null == Null::Always {
            facts.push(fault(
                "A8527",
                &subject,
                format!("{path} belongs to the system's own zones"),
            ));
        } else if !there && field.null == Null::Never && !is_for_tools(zone, field) {
            let text = format!("{path} is NULL, and the system calls it without a look");
            facts.push(fault("A8527", &subject, text));
        } else if !there && field.null == Null::Never {
            let text = format!("{path} is NULL: tools do not see this heap as others");
            facts.push(fact(Grade::Note, &subject, text));
        }
    }
    if found.version < zone.version {
        let newer = zone.growth.iter().find(|growth| growth.version > found.version);
        let text =
            newer.map_or(String::new(), |g| format!("version {} brought: {}", g.version, g.why));
        facts.push(fact(Grade::Note, &subject, text));
    }
}

/// leaks, heap and their like call it in their own process, and need not.
fn is_for_tools(zone: &Zone, field: &Field) -> bool {
    field.structure == zone.introspection
        && field.version > 0
        && field.declaration.contains("task_t task")
}

/// The child's only thread has none of the locks that the parent's took: os_unfair_lock knows its owner.
fn around_fork(zone: &Zone, found: &Found, facts: &mut Vec<Fact>) {
    let (unlock, reinit) = (found.asked(zone, "force_unlock"), found.asked(zone, "reinit_lock"));
    if reinit.is_some() && reinit == unlock {
        let text = "its reinit_lock is its force_unlock: fork's child owns no lock, and is ended when it unlocks one";
        facts.push(fault("A8528", format!("zone {}", found.name), text));
    }
}

/// Tools run it on another process's addresses.
fn enumerator(image: &Darwin<'_>, zone: &Zone, found: &Found, facts: &mut Vec<Fact>) {
    let Some(address) = found.asked(zone, "enumerator") else { return };
    let field =
        zone.fields.iter().find(|f| f.structure == zone.introspection && f.name == "enumerator");
    let prototype = field.and_then(|field| Prototype::parse(&field.declaration).ok());
    let reader = prototype.and_then(|p| p.parameters.iter().position(|p| p.name == "reader"));
    let subject = format!("zone {}", found.name);
    if !image.reach([address]).calls_back {
        let text = "its enumerator tells of no block: leaks and heap see none of this heap's";
        facts.push(fact(Grade::Note, subject, text));
    } else if reader.and_then(|reader| image.ignores_argument(address, reader)) == Some(true) {
        let text = "its enumerator does not look at its reader: leaks and heap would read their own memory";
        facts.push(fault("A8531", subject, text));
    }
}

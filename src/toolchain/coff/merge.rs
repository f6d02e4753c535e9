//! Which definition each name has when objects become one, and what of them falls away.

use std::collections::BTreeMap;

use object::pe;

use super::{
    directives,
    object::{Copy, Object, Place, Section},
};

/// A symbol of one of the objects: the object's number, and its place in that one's table.
pub(super) type At = (usize, usize);

/// Names and sections after all objects were looked at.
#[derive(Debug, Default)]
pub(super) struct Merged {
    definitions: BTreeMap<Vec<u8>, At>,
    /// For each object and section: left out.
    dropped: Vec<Vec<bool>>,
}

/// What a reference means in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A place inside of the new object.
    In {
        object: usize,
        section: usize,
        offset: u32,
    },
    /// Bytes of nothing, which the new object has to have.
    Common(At),
    Absolute(u32),
    /// Another object's, of the name that this symbol has.
    Elsewhere(At),
}

/// So many weak names may stand for one another, from object to object.
const MOST_HOPS: u8 = 16;

impl Merged {
    /// Looks at all objects.
    ///
    /// # Errors
    /// In words, which name is defined twice.
    pub(super) fn of(objects: &[Object]) -> Result<Merged, String> {
        let dropped = objects.iter().map(|o| o.sections.iter().map(is_for_others).collect());
        let mut merged = Merged { definitions: BTreeMap::new(), dropped: dropped.collect() };
        for (number, object) in objects.iter().enumerate() {
            for (index, symbol) in object.symbols.iter().enumerate() {
                let Some(symbol) = symbol.as_ref().filter(|symbol| symbol.external) else {
                    continue;
                };
                if rank(symbol.place) > 0 {
                    merged.define(objects, &symbol.name, (number, index))?;
                }
            }
        }
        merged.drop_what_goes_with(objects);
        for (name, other) in objects.iter().flat_map(directives::alternates) {
            if let (None, Some(at)) = (merged.definition(&name), merged.definition(&other)) {
                merged.definitions.insert(name, at);
            }
        }
        Ok(merged)
    }

    fn define(&mut self, objects: &[Object], name: &[u8], new: At) -> Result<(), String> {
        let Some(old) = self.definitions.get(name).copied() else {
            self.definitions.insert(name.to_vec(), new);
            return Ok(());
        };
        let [before, now] = [old, new].map(|at| place(objects, at));
        let better = match (before, now) {
            (Place::Common(before), Place::Common(now)) => now > before,
            _ => rank(now) > rank(before),
        };
        if better {
            self.definitions.insert(name.to_vec(), new);
        } else if let (Place::In { section: first, .. }, Place::In { section, .. }) = (before, now)
        {
            let copies =
                [(old.0, first), (new.0, section)].map(|(o, s)| objects[o].sections[s].copy);
            if !copies.iter().all(|copy| matches!(copy, Some(Copy::Any | Copy::With(_)))) {
                let name = String::from_utf8_lossy(name);
                let [first, second] = [old.0, new.0].map(|object| &objects[object].name);
                return Err(format!("`{name}` is defined in `{first}` and in `{second}`"));
            }
            self.dropped[new.0][section] = true;
        }
        Ok(())
    }

    /// The tables of a function go with it.
    fn drop_what_goes_with(&mut self, objects: &[Object]) {
        for (object, dropped) in objects.iter().zip(&mut self.dropped) {
            let mut more = true;
            while std::mem::take(&mut more) {
                for (number, section) in object.sections.iter().enumerate() {
                    let goes = match section.copy {
                        Some(Copy::With(other)) => dropped.get(other).is_some_and(|d| *d),
                        // GNU's assembler says it by names alone.
                        Some(Copy::Any) => code_of(&section.name).is_some_and(|code| {
                            let mut all = object.sections.iter().zip(dropped.iter());
                            all.any(|(other, dropped)| *dropped && other.name == code)
                        }),
                        _ => false,
                    };
                    if goes && !dropped[number] {
                        dropped[number] = true;
                        more = true;
                    }
                }
            }
        }
    }

    /// Whether a section is left out.
    pub(super) fn drops(&self, object: usize, section: usize) -> bool {
        self.dropped[object][section]
    }

    /// Where a name is defined, as strongly as anywhere.
    pub(super) fn definition(&self, name: &[u8]) -> Option<At> {
        self.definitions.get(name).copied()
    }

    /// The tentative definitions that nobody made definite, and how many bytes each has.
    pub(super) fn commons(&self, objects: &[Object]) -> BTreeMap<At, u32> {
        let size = |at: &At| match place(objects, *at) {
            Place::Common(size) => Some((*at, size)),
            _ => None,
        };
        self.definitions.values().filter_map(size).collect()
    }

    /// What a symbol means.
    pub(super) fn meaning(&self, objects: &[Object], at: At) -> Meaning {
        self.follow(objects, at, 0)
    }

    fn follow(&self, objects: &[Object], at: At, hops: u8) -> Meaning {
        let symbol = objects[at.0].symbols.get(at.1).and_then(Option::as_ref);
        let defined = symbol.filter(|s| s.external).and_then(|s| self.definition(&s.name));
        let at = defined.unwrap_or(at);
        match place(objects, at) {
            // Nothing but debuggers asks for what is in a copy that was left out.
            Place::In { section, .. } if self.drops(at.0, section) => Meaning::Absolute(0),
            Place::In { section, offset } => Meaning::In { object: at.0, section, offset },
            Place::Absolute(value) => Meaning::Absolute(value),
            Place::Common(_) => Meaning::Common(at),
            Place::Undefined => Meaning::Elsewhere(at),
            // One that nobody defines is its own other symbol, whatever a program has of that name.
            Place::Weak { default } => match place(objects, (at.0, default)) {
                Place::Weak { .. } => Meaning::Absolute(0),
                // A circle leads nowhere.
                _ if hops == MOST_HOPS => Meaning::Absolute(0),
                _ => self.follow(objects, (at.0, default), hops + 1),
            },
        }
    }
}

/// Where a symbol is; what is no symbol is nowhere.
pub(super) fn place(objects: &[Object], (object, index): At) -> Place {
    let symbol = objects[object].symbols.get(index).and_then(Option::as_ref);
    symbol.map_or(Place::Undefined, |symbol| symbol.place)
}

/// How strongly a place defines a name.
fn rank(place: Place) -> u8 {
    match place {
        Place::Undefined => 0,
        Place::Weak { .. } => 1,
        Place::Common(_) => 2,
        Place::Absolute(_) | Place::In { .. } => 3,
    }
}

/// Whose a table for unwinding is: `.text$NAME` of `.pdata$NAME`.
fn code_of(table: &[u8]) -> Option<Vec<u8>> {
    let name = [b".pdata$", b".xdata$"].into_iter().find_map(|kind| table.strip_prefix(kind))?;
    Some([&b".text$"[..], name].concat())
}

/// What is for debuggers, whose tables refer to one another, and for linkers.
fn is_for_others(section: &Section) -> bool {
    let flags = pe::IMAGE_SCN_LNK_REMOVE.0 | pe::IMAGE_SCN_MEM_DISCARDABLE.0;
    let asks = section.name == directives::SECTION; // gcc's is marked as data
    section.flags & flags != 0 || section.name.starts_with(b".debug") || asks
}

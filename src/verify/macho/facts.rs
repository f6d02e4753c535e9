//! What holds for the whole image: what it is, for which system, and what its code must not touch.

use super::{Whole, fact, fault};
use crate::{
    artifact::image::ImageKind,
    verify::{Fact, Grade},
};

pub(super) fn of(whole: &Whole<'_>) -> Vec<Fact> {
    let image = whole.image;
    let mut facts = Vec::new();
    let needs: Vec<_> = image.image.libraries.iter().map(|l| l.name.as_str()).collect();
    let needs = if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") };
    facts.push(fact(Grade::Good, "needs", needs));
    kind(whole, &mut facts);
    system(whole, &mut facts);
    signature(whole, &mut facts);
    thread_locals(whole, &mut facts);
    fork(whole, &mut facts);
    facts
}

/// dyld reads the tuples of libraries that a program is launched with.
fn kind(whole: &Whole<'_>, facts: &mut Vec<Fact>) {
    let tuples = !whole.taken.is_empty();
    if tuples && !whole.is_library() {
        let text = match whole.image.image.kind {
            ImageKind::Program => "a program's own do nothing",
            _ => "those of a bundle do nothing: it is opened when all is bound",
        };
        facts.push(fault("A8534", "tuples", text));
    }
    let inserts = tuples && whole.is_library();
    if !inserts && !whole.registered {
        let text = match super::zones::is_registered(whole.image, whole.platform) {
            true => return,
            false => "it has neither tuples nor a registered zone: inserting it changes nothing",
        };
        facts.push(fault(super::NO_HEAP, "heap", text));
    }
    if !whole.image.two_level {
        let text = "linked with -flat_namespace: names that the system has twice may be bound to the wrong one";
        facts.push(fact(Grade::Note, "namespace", text));
    }
}

/// The first system for a CPU, which is also the first that shims are for.
fn system(whole: &Whole<'_>, facts: &mut Vec<Fact>) {
    let image = whole.image;
    if !image.for_macos {
        facts.push(fault("A8532", "system", "for another of Apple's systems than macOS"));
    }
    match image.minimum_os {
        Some((major, minor)) if major < 11 && !whole.zones.is_empty() => {
            let text = format!(
                "macOS {major}.{minor}: before 11 fork writes into whatever zone stands first, as into its own"
            );
            facts.push(fact(Grade::Note, "least system", text));
        }
        Some((major, minor)) => {
            facts.push(fact(Grade::Good, "least system", format!("macOS {major}.{minor}")));
        }
        None => facts.push(fact(Grade::Note, "least system", "not stated")),
    }
}

/// Apple silicon runs nothing unsigned.
fn signature(whole: &Whole<'_>, facts: &mut Vec<Fact>) {
    let text = match &whole.image.signature {
        None if whole.image.cpu().starts_with("arm64") => {
            let text = "none: Apple silicon ends a program that maps it (`codesign -s - FILE`)";
            return facts.push(fault("A8536", "signature", text));
        }
        None => "none, and none is needed on this processor",
        Some(signature) if signature.ad_hoc => {
            "ad hoc: programs with library validation do not take it"
        }
        Some(_) => "by a team: programs with library validation take it if it is theirs",
    };
    facts.push(fact(Grade::Good, "signature", text));
}

/// The first touch of a thread-local in a thread takes its memory from malloc (libdyld
/// `ThreadLocalVariables.cpp`): on malloc's own way that never ends.
fn thread_locals(whole: &Whole<'_>, facts: &mut Vec<Fact>) {
    let image = whole.image;
    let number = image.thread_locals();
    if number == 0 {
        return;
    }
    let replacements = whole.taken.values().filter_map(|taken| taken.replacement);
    let slots = whole.zones.iter().flat_map(super::Found::functions);
    match image.reach(replacements.chain(slots)).thread_local {
        Some(at) => {
            let text = format!(
                "`{}` touches one, and malloc comes there: the first touch in a thread calls malloc, which ends only if that call goes another way",
                image.function(at).0
            );
            facts.push(fault("A8530", "thread-local", text));
        }
        None => {
            let text = format!("{number} variables: no replacement was seen to touch one");
            facts.push(fact(Grade::Note, "thread-local", text));
        }
    }
}

/// A heap that nobody locks around fork may be in any state in the child.
fn fork(whole: &Whole<'_>, facts: &mut Vec<Fact>) {
    let Some(zone) = &whole.platform.zone else { return };
    let by_tuples = whole.taken.contains_key(&zone.fork.prepare);
    let own = whole.image.image.import("pthread_atfork").is_some();
    if !by_tuples && !own && !whole.registered && !whole.taken.is_empty() {
        let text = "nothing locks this heap: it registers no zone, and no tuple takes over the system's own functions for it";
        facts.push(fact(Grade::Note, "fork", text));
    }
}

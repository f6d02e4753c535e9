//! What objects ask of the linker, as one object asks it.

use std::collections::{BTreeMap, BTreeSet};

use super::{merge::Merged, object::Object};

/// The section of these words.
pub(super) const SECTION: &[u8] = b".drectve";

/// The words of all objects, each once, without those about names that nobody sees any more.
pub(super) fn joined(objects: &[Object], merged: &Merged, public: &BTreeSet<Vec<u8>>) -> String {
    let mut kept: Vec<String> = Vec::new();
    for word in objects.iter().flat_map(|object| words(&object.directives)) {
        if stays(&word, merged, public) && !kept.contains(&word) {
            kept.push(word);
        }
    }
    kept.iter().map(|word| format!(" {word}")).collect()
}

/// Pairs of a name and of the one that stands in for it where nobody defines it (`/alternatename:name=other`).
pub(super) fn alternates(object: &Object) -> Vec<(Vec<u8>, Vec<u8>)> {
    let argument = |word: &String| argument_of(word, "alternatename");
    let pairs = words(&object.directives);
    let pairs = pairs.iter().filter_map(argument).filter_map(|pair| {
        let (name, other) = pair.split_once('=')?;
        Some((name.as_bytes().to_vec(), other.as_bytes().to_vec()))
    });
    pairs.collect()
}

/// What tentative definitions are aligned at, by name, where objects say so: gcc does, as a power of two
/// (`-aligncomm:"name",6`).
///
/// # Errors
/// In words, if no section is aligned so.
pub(super) fn alignments(objects: &[Object]) -> Result<BTreeMap<Vec<u8>, u32>, String> {
    let mut all = BTreeMap::new();
    for word in objects.iter().flat_map(|object| words(&object.directives)) {
        let argument = argument_of(&word, "aligncomm");
        let Some((name, power)) = argument.as_ref().and_then(|a| a.split_once(',')) else {
            continue;
        };
        let known = power.parse::<u32>().ok().filter(|power| *power <= MOST_ALIGNED);
        let power = known.ok_or_else(|| format!("`{word}`: no section is aligned so"))?;
        let most = all.entry(name.as_bytes().to_vec()).or_insert(1);
        *most = (1 << power).max(*most);
    }
    Ok(all)
}

/// Two to this is the largest alignment that a section has.
const MOST_ALIGNED: u32 = 13;

/// What comes after an option of this name, without its quotes.
fn argument_of(word: &str, name: &str) -> Option<String> {
    let (option, argument) = word.split_once(':')?;
    let is_it = option.trim_start_matches(['/', '-']).eq_ignore_ascii_case(name);
    is_it.then(|| argument.replace('"', ""))
}

fn stays(word: &str, merged: &Merged, public: &BTreeSet<Vec<u8>>) -> bool {
    let (option, argument) = word.split_once(':').unwrap_or((word, ""));
    let names = argument.split(',').next().unwrap_or_default().replace('"', "");
    // `exported=own`
    let name = names.rsplit('=').next().unwrap_or_default();
    let spellings = [name.as_bytes().to_vec(), format!("_{name}").into_bytes()];
    match option.trim_start_matches(['/', '-']).to_ascii_lowercase().as_str() {
        // What the object has, stands in already, and nobody else's name is touched.
        "alternatename" => {
            let first = names.split('=').next().unwrap_or_default();
            [first, name].iter().all(|name| merged.definition(name.as_bytes()).is_none())
        }
        "export" => spellings.iter().any(|name| public.contains(name)),
        // What the object has is in every program that has the object.
        "include" => merged.definition(name.as_bytes()).is_none(),
        // Tentative definitions have their places already.
        "aligncomm" => false,
        _ => true,
    }
}

/// Words end with spaces, but for those in quotes.
fn words(text: &str) -> Vec<String> {
    let mut quoted = false;
    let ends = |letter: char| {
        quoted ^= letter == '"';
        !quoted && (letter == ' ' || letter == '\0')
    };
    let words = text.trim_start_matches('\u{feff}').split(ends);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

//! What objects ask of the linker, as one object asks it.

use std::collections::BTreeSet;

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

fn stays(word: &str, merged: &Merged, public: &BTreeSet<Vec<u8>>) -> bool {
    let (option, argument) = word.split_once(':').unwrap_or((word, ""));
    let names = argument.split(',').next().unwrap_or_default().replace('"', "");
    // `exported=own`
    let name = names.rsplit('=').next().unwrap_or_default();
    let spellings = [name.as_bytes().to_vec(), format!("_{name}").into_bytes()];
    match option.trim_start_matches(['/', '-']).to_ascii_lowercase().as_str() {
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

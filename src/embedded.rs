//! The files that travel inside the binary: `specs/`, `templates/` and the default allocator.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Whether there is an embedded file of that path in the repository.
pub(crate) fn exists(path: &str) -> bool {
    find(path).is_some()
}

/// The text of one embedded file, by its path in the repository, with LF line ends.
pub(crate) fn text(path: &str) -> Option<String> {
    find(path).map(with_line_feeds)
}

/// All embedded files directly inside `folder` (which ends in `/`): name without the folder, text.
pub(crate) fn folder(folder: &str) -> impl Iterator<Item = (&'static str, String)> {
    names(folder).map(move |name| (name, text(&format!("{folder}{name}")).unwrap_or_default()))
}

/// The names of these files.
pub(crate) fn names(folder: &str) -> impl Iterator<Item = &'static str> {
    FILES
        .iter()
        .filter_map(move |(name, _)| name.strip_prefix(folder).filter(|rest| !rest.contains('/')))
}

fn find(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

/// A checkout may have turned LF into CRLF; what is rendered must not depend on that.
fn with_line_feeds(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n") } else { text.to_owned() }
}

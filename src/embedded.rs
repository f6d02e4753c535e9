//! The files that travel inside the binary: `specs/`, `templates/` and the default allocator.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The text of one embedded file, by its path in the repository, with LF line ends.
///
/// A checkout may have turned LF into CRLF; what is rendered must not depend on that.
pub(crate) fn text(path: &str) -> Option<String> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, text)| text.replace("\r\n", "\n"))
}

/// All embedded files directly inside `folder` (which ends in `/`): name without the folder, text.
pub(crate) fn folder(folder: &str) -> impl Iterator<Item = (&'static str, String)> {
    FILES.iter().filter_map(move |(name, text)| {
        let rest = name.strip_prefix(folder)?;
        (!rest.contains('/')).then(|| (rest, text.replace("\r\n", "\n")))
    })
}

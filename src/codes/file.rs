//! Pages of A83..: files.

use super::{Code, page};

pub(super) static PAGES: &[Code] = &[
    page(
        "A8301",
        "a folder or file cannot be made",
        "The folder for results or for intermediate files cannot be made or read.\n\
         Check its permissions, or choose another: `-o DIR`, or XDG_CACHE_HOME for the cache.",
    ),
    page(
        "A8302",
        "a file cannot be written",
        "The disk is full, the folder is read-only, or it belongs to somebody else.\n\
         Nothing that was there before has changed. Choose another folder with `-o DIR`.",
    ),
    page(
        "A8303",
        "a file of somebody else's stands where ours should be",
        "Only files with the `@generated` marker are ever overwritten.\n\
         Move the file away, or choose another folder.\n\
         Example: `alloc8-gen generate -p linux -a my_heap -o other/folder`.",
    ),
    page(
        "A8304",
        "a file cannot be read",
        "The file is not there, or may not be read.\n\
         Correct the path or the permissions.",
    ),
    page(
        "A8305",
        "nothing to check",
        "No file below the folder bears our marker: `check` would say yes to nothing.\n\
         Name the folder that holds the rendered files, or render them first.\n\
         Example: `alloc8-gen check third_party/shim`.",
    ),
    page(
        "A8306",
        "one folder, several configurations",
        "The markers in one folder were written for different platforms, allocators or languages,\n\
         so nobody can tell which of the files belong there.\n\
         Render one of them elsewhere with `-o DIR`, and remove its files here.",
    ),
    page(
        "A8307",
        "a marker names an allocator that is not built in",
        "Another version of alloc8-gen, with other built-in descriptions, rendered these files.\n\
         Use that version, or render the files again from a description of your own.\n\
         Example: `alloc8-gen generate -p linux -a ./my_heap.toml`.",
    ),
    page(
        "A8309",
        "no marker of a folder can be read",
        "The folder holds files that begin like ours, and each is cut off before it says what it was\n\
         rendered from: a copy or a checkout was interrupted.\n\
         Render them again; files that begin like ours are overwritten.\n\
         Example: `alloc8-gen generate -p linux -a my_heap -o third_party/shim`.",
    ),
    page(
        "A8310",
        "stale: the inputs have changed since the file was rendered",
        "The description, or the specs of this version of alloc8-gen, say something else than when\n\
         the file was written. The diff shows what.\n\
         Run the command that `check` prints last, and commit the result.",
    ),
    page(
        "A8311",
        "missing: a file that would be rendered is not there",
        "It was never committed, or it was deleted.\n\
         Run the command that `check` prints last, and commit the result.",
    ),
    page(
        "A8312",
        "orphan: a file of ours that nothing renders",
        "It bears our marker, and this configuration has no file of that name any more.\n\
         Remove it: the command that `check` prints last does.",
    ),
    page(
        "A8313",
        "hand-edited: the text is not what was written",
        "The hash in the marker does not fit the text below it, or the marker is gone.\n\
         Move the change into the description, then run the command that `check` prints last: it\n\
         overwrites the file.",
    ),
    page(
        "A8314",
        "other format: an older or newer version rendered the file",
        "The bytes for the same inputs changed on purpose between two versions.\n\
         Run the command that `check` prints last; if the other version is the newer one, use that.",
    ),
    page(
        "A8315",
        "half-written: the file ends before its time",
        "A copy or a checkout was interrupted, or the disk was full; `generate` itself replaces files\n\
         whole.\n\
         Run the command that `check` prints last.",
    ),
    page(
        "A8316",
        "leftover: an interrupted run left a temporary file",
        "`generate` writes every text under a temporary name first, and was stopped before it could\n\
         rename or remove this one.\n\
         Remove it: the command that `check` prints last does.",
    ),
];

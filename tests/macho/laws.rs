//! The laws of every platform, as programs for macOS under the rendered shims: those that the model can run.

use std::path::{Path, PathBuf};

use alloc8_gen::{
    laws::{self, Lang, Law},
    spec,
};

use super::{
    bench::{Bench, benches, sources, stored, zig_cc},
    rendered::{built, heap},
    shim::{Heap, has_rust},
};

/// What the model has no system for; each law runs on Linux. What stood in for Apple's functions here would be
/// our own, and prove nothing of theirs.
const LEFT: [(&str, &str); 5] = [
    ("cxx_plugins_of_c_programs_get_bad_alloc", "no C++ runtime"),
    ("paths_from_libc_can_be_resized_and_freed", "no getcwd, glob or scandir"),
    (
        "programs_may_bring_their_own_malloc",
        "a dylib's tuples replace a program's own malloc nowhere",
    ),
    ("strings_from_libc_can_be_resized_and_freed", "no stdio that allocates"),
    ("vfork_and_spawn_leave_the_heap_alone", "no vfork, no posix_spawn"),
];

/// Functions that macOS lacks, and the laws say so.
const NOT_OURS: [&str; 2] = ["free_aligned_sized_frees", "free_sized_frees"];

/// They limit the address space, which qemu-user does not mind, and the laws say so.
const LIMITED: [&str; 3] = [
    "calloc_does_not_truncate",
    "every_function_fails_cleanly_without_memory",
    "the_heap_recovers_from_exhaustion",
];

/// What else is tried under qemu-user, where the client has tried the same text already.
const ELSEWHERE_TOO: [&str; 6] = [
    "calloc_zeroes_reused_memory",
    "ending_threads_may_allocate",
    "every_alignment_holds",
    "exit_handlers_may_free",
    "realloc_keeps_content",
    "threads_mix_all_operations",
];

/// A file of C by these words, with what the laws call beyond the model.
fn compiled(bench: &Bench, law: &Law, file: PathBuf, words: &[&str], name: &str) -> PathBuf {
    let folder = sources("../../templates/laws");
    let shared = std::fs::read_to_string(folder.join("law.h")).unwrap();
    let headers = [stored("platform.h", &law.header), stored("law.h", &shared)];
    let folders = headers.iter().map(|file| file.parent().unwrap()).chain([folder.as_path()]);
    let mut all: Vec<_> = folders.map(|folder| format!("-I{}", folder.display())).collect();
    all.extend(
        ["-D_FORTIFY_SOURCE=0", "-Wno-unused", "-Wno-deprecated-declarations"].map(str::to_owned),
    );
    all.extend(law.flags.iter().filter(|flag| !flag.starts_with("-Wl,")).cloned());
    let words: Vec<_> = all.iter().map(String::as_str).chain(words.iter().copied()).collect();
    let libc = std::fs::read_to_string(sources("laws/libc.c")).unwrap();
    let files = [file, stored("libc.c", &libc)];
    zig_cc(bench.cpu, &words).args(files).built(&bench.cpu.named(name))
}

/// The program of a law and what it is given: its plug-in, if it has one.
fn program(bench: &Bench, law: &Law) -> (PathBuf, Option<PathBuf>) {
    let plugin = law.plugin.as_ref().map(|name| {
        let text = std::fs::read_to_string(sources("../../templates/laws/plugins").join(name));
        let file = stored(name, &text.unwrap());
        compiled(bench, law, file, &["-dynamiclib"], &format!("{}.dylib", law.name))
    });
    (compiled(bench, law, stored(&law.file, &law.text), &[], &law.name), plugin)
}

/// Those that are not kept, and what was seen.
fn broken(bench: &Bench, library: &Path, laws: &[&Law]) -> Vec<String> {
    let emulated = bench.cpu.lld != "x86_64";
    let mut broken = Vec::new();
    for law in laws {
        let name = law.name.as_str();
        let (program, plugin) = program(bench, law);
        let output = bench.program(library, &program).args(plugin).output().unwrap();
        let says_no = NOT_OURS.contains(&name) || emulated && LIMITED.contains(&name);
        if output.status.code() != Some(if says_no { 77 } else { 0 }) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            broken.push(format!("{name}: {:?}\n{said}", output.status));
        }
    }
    broken
}

#[test]
fn the_laws_hold_under_the_rendered_shims() {
    let macos = spec::platform("macos").unwrap();
    let mut laws = laws::laws(&macos).unwrap();
    laws.retain(|law| law.lang == Lang::C);
    let all: Vec<_> = laws.iter().map(|law| law.name.clone()).collect();
    for (name, why) in LEFT {
        assert!(all.iter().any(|law| law == name), "{name} is no law ({why})");
    }
    laws.retain(|law| LEFT.iter().all(|(name, _)| *name != law.name));
    assert_eq!(laws.len(), 33);
    let whole = crate::common::everything();
    for bench in benches() {
        let native = bench.cpu.lld == "x86_64";
        let few = |law: &&Law| whole || native || ELSEWHERE_TOO.contains(&law.name.as_str());
        let laws: Vec<_> = laws.iter().filter(few).collect();
        assert!(laws.len() >= ELSEWHERE_TOO.len());
        let mut libraries = vec![("C", built(&bench, &heap("", &[])))];
        if whole || native {
            libraries.push(("C++", Heap::simple().dylib(bench.cpu, "cpp")));
            if has_rust(bench.cpu) {
                libraries.push(("Rust", Heap::simple().dylib(bench.cpu, "rust")));
            }
        }
        for (lang, library) in libraries {
            let broken = broken(&bench, &library, &laws);
            assert!(broken.is_empty(), "{}, {lang}\n{}", bench.cpu.zig, broken.join("\n"));
        }
    }
}

/// A reason that has gone is none: of what the model has all of, it would load the law.
#[test]
fn the_model_cannot_load_the_laws_that_are_left_out_for_what_it_lacks() {
    let laws = laws::laws(&spec::platform("macos").unwrap()).unwrap();
    for bench in benches() {
        let library = built(&bench, &heap("", &[]));
        for (name, why) in LEFT.iter().filter(|(_, why)| why.starts_with("no ")) {
            let law = laws.iter().find(|law| law.name == *name).expect("a law");
            if law.plugin.is_some() {
                continue; // in C++: no program of the model can be
            }
            let (program, _) = program(&bench, law);
            let output = bench.program(&library, &program).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let vain = said.contains("Symbol not found: _");
            assert!(output.status.code() == Some(127) && vain, "{name}, {why}: {said}");
        }
    }
}

//! `init` describes libraries that nobody has described, and what it writes reads back.
#![cfg(target_os = "linux")]

mod heaps;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use alloc8_gen::{
    allocator::{self, Allocator, Limit, Origin, Promises, Role, ThreadPolicy},
    diagnostic::{Diagnostic, Result, Source},
    init, spec,
    toolchain::Compiler,
};

fn describe(name: &str, source: &Path) -> Result<(String, Vec<Diagnostic>)> {
    describe_with(name, source, &[])
}

fn describe_with(name: &str, source: &Path, more: &[&str]) -> Result<(String, Vec<Diagnostic>)> {
    let compiler = Compiler::find(None, None).expect("a C compiler");
    let linux = spec::platform("linux").unwrap();
    let names: BTreeSet<String> = linux.symbols.iter().map(|s| s.name(&linux.abis[0])).collect();
    let work = tempfile::tempdir().unwrap();
    let archive = heaps::archive(&compiler, &[source], work.path(), more);
    init::describe(name, &[archive], &compiler, work.path(), &names)
}

fn read(name: &str, text: &str) -> Allocator {
    let source = Source::new(format!("{name}.toml"), text);
    allocator::read(&source, name, Origin::BuiltIn).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn simple_heap_is_described_as_we_describe_it() {
    let source = heaps::root().join("examples/simple_heap/simple_heap.c");
    let (text, remarks) = describe("simple_heap", &source).expect("described");
    assert!(remarks.is_empty(), "{remarks:?}");
    let (written, ours) =
        (read("simple_heap", &text), allocator::built_in("simple_heap").unwrap().unwrap());
    // A library for Linux has no zone's functions.
    let ours = ours.on(&spec::platform("linux").unwrap());
    // Ours does not state what the shim for Linux cannot use.
    let measured = Promises { alignment_einval: true, ..ours.promises.clone() };
    assert_eq!(written.promises, measured, "{text}");
    assert_eq!(written.functions, ours.functions, "{text}");
    assert!(text.contains("libheap.a"), "{text}");
}

#[test]
fn what_is_not_kept_is_a_comment_with_what_was_seen() {
    let (text, _) = describe("unpromising", &heaps::heap("unpromising.c")).expect("described");
    let written = read("unpromising", &text);
    assert!(!written.promises.free_null && !written.promises.errno, "{text}");
    assert!(text.contains("# not free_null: free(NULL): killed by SIGSEGV"), "{text}");
    assert!(text.contains("# not zero_size: malloc(0) returned NULL"), "{text}");
    assert_eq!(written.promises.max_align, Limit::Bytes(1 << 20), "{text}");
    assert!(written.call(Role::Lock).is_some(), "{text}");
}

#[test]
fn threads_that_must_introduce_themselves_do() {
    let (text, _) = describe("anything", &heaps::heap("needs_thread_init.c")).expect("described");
    let written = read("anything", &text);
    assert_eq!(written.thread_policy, ThreadPolicy::Required, "{text}");
    assert!(written.call(Role::Init).is_some() && written.call(Role::ThreadCleanup).is_some());
}

#[test]
fn hooks_for_threads_are_described_under_the_convention_s_names() {
    let (text, _) = describe("aware", &heaps::heap("thread_aware.c")).expect("described");
    let written = read("aware", &text);
    assert_eq!(written.thread_policy, ThreadPolicy::Advisory, "{text}");
    assert!(
        written.call(Role::ThreadInit).is_some() && written.call(Role::ThreadCleanup).is_some()
    );
    assert_eq!(written.thread_created.as_deref(), Some("aware_thread_created"), "{text}");
}

/// mimalloc's names: one is the convention's own, the other is not, and it needs neither.
#[test]
fn hooks_for_threads_are_written_together_or_not_at_all() {
    let other = ["-Daware_thread_cleanup=aware_thread_done"];
    let source = heaps::heap("thread_aware.c");
    let (text, _) = describe_with("aware", &source, &other).expect("described");
    let written = read("aware", &text);
    let hooks = [("thread_init", Role::ThreadInit), ("thread_done", Role::ThreadCleanup)];
    for (name, role) in hooks {
        assert!(written.call(role).is_none(), "{text}");
        let line =
            format!("# not needed, all was well without it: {} = \"aware_{name}\"", role.key());
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn unprefixed_functions_are_found_and_hidden_for_the_measurement() {
    let (text, _) = describe("anything", &heaps::heap("unprefixed.c")).expect("described");
    let written = read("anything", &text);
    assert_eq!(written.standard_symbol(Role::Malloc), Some("malloc"), "{text}");
    assert!(written.promises.errno && written.promises.calloc_overflow, "{text}");
}

#[test]
fn another_order_of_arguments_is_found_by_measuring() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("other.c");
    let heap = heaps::heap("minimal.c");
    let text = format!(
        "#include \"{}\"\nvoid *minimal_aligned_malloc(size_t n, size_t a);\nvoid *minimal_aligned_malloc(size_t n, size_t a) {{ return core_memalign(a, n); }}\n",
        heap.display()
    );
    // The convention's own name is there, with its arguments swapped.
    let text = text.replace("#include", "#define minimal_memalign straight\n#include")
        + "#undef minimal_memalign\nvoid *minimal_memalign(size_t n, size_t a);\nvoid *minimal_memalign(size_t n, size_t a) { return core_memalign(a, n); }\n";
    fs::write(&source, text).unwrap();
    let (text, _) = describe("minimal", &source).expect("described");
    let written = read("minimal", &text);
    let call = written.call(Role::Memalign).expect("found").to_string();
    assert_eq!(call, "minimal_aligned_malloc(size, alignment)", "{text}");
    assert!(text.contains("left out: memalign = \"minimal_memalign\""), "{text}");
}

#[test]
fn the_author_of_a_heap_without_memalign_reads_which_alignments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("plain.c");
    let heap = heaps::heap("minimal.c");
    let text = format!("#define minimal_memalign other\n#include \"{}\"\n", heap.display());
    fs::write(&source, text).unwrap();
    let compiler = Compiler::find(None, None).expect("a C compiler");
    let archive = heaps::archive(&compiler, &[&source], folder.path(), &[]);
    let tool = |arguments: &[&str]| {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
        tool.args(arguments).arg("--lib").arg(&archive).current_dir(folder.path());
        let ran = tool.env("XDG_CACHE_HOME", folder.path()).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        String::from_utf8_lossy(&ran.stderr).into_owned()
    };
    tool(&["init", "minimal"]);
    let text = fs::read_to_string(folder.path().join("minimal.toml")).unwrap();
    let described = read("minimal", &text);
    assert!(described.call(Role::Memalign).is_none(), "{text}");
    let line = text.lines().find(|line| line.starts_with("natural_align ")).expect("a promise");
    assert!(line.contains("# beyond: refused, for there is no memalign"), "{text}");
    // And again, once, by whoever builds it.
    let most = described.promises.natural_align;
    let told = tool(&["build", "-a", "minimal"]);
    let warning = format!("warning[A8210]: alignments of more than {most} bytes are refused");
    assert_eq!(told.matches(&warning).count(), 1, "{told}");
}

#[test]
fn a_library_without_an_allocator_is_refused_with_what_it_has() {
    let report = describe("odd", &heaps::heap("odd_orders.c")).expect_err("refused");
    let diagnostic = &report.diagnostics[0];
    assert_eq!(diagnostic.code, "A8501", "{report}");
    assert!(diagnostic.notes[0].contains("`odd_alloc`"), "{diagnostic:?}");
}

//! Forks beside threads that allocate, with a linked library's fork handlers, and in signal handlers: no child
//! hangs, and no heap is damaged. And an allocator that looks after fork itself is left alone.
#![cfg(target_os = "linux")]

#[allow(dead_code, unreachable_pub, reason = "shared with other harnesses")]
mod heaps;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use alloc8_gen::{
    allocator,
    plan::Plan,
    render::{self, Inputs},
    spec,
    toolchain::Compiler,
};
use tempfile::TempDir;

fn program(work: &Path, file: &str, name: &str, more: &[&str]) -> PathBuf {
    let source = heaps::root().join("tests/fixtures/fork").join(file);
    let out = work.join(name);
    let mut gcc = Command::new("gcc");
    gcc.current_dir(work).args(["-O1", "-fno-builtin", "-pthread"]).arg(source).args(more);
    heaps::run(gcc.arg("-o").arg(&out));
    out
}

/// What `alloc8-gen build` makes of a heap.
fn built(work: &Path, words: &[&str]) -> PathBuf {
    let library = work.join("libbuilt.so");
    let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    tool.current_dir(work).args(["build", "-q", "-a"]).args(words).arg("-o").arg(&library);
    heaps::run(tool.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("fork")));
    library
}

fn unpromising(work: &Path) -> PathBuf {
    let gcc = Compiler::find(Some("gcc"), None).expect("the tests need gcc");
    let archive = heaps::archive(&gcc, &[&heaps::heap("unpromising.c")], work, &[]);
    fs::rename(archive, work.join("libunpromising.a")).unwrap();
    built(work, &["unpromising", "--lib", "libunpromising.a"])
}

/// It ends in its time, and says that nothing went wrong.
fn goes_well(library: &Path, program: &Path, words: &[&str]) {
    // Not beside each other: all of them want every processor.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "600"]).arg(program).args(words).env("LD_PRELOAD", library);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{words:?}: {ran:?}");
    assert_eq!(said.trim(), format!("{} forks, 0 went wrong", words[0]));
}

/// Eight threads allocate, and the program is linked with a library whose own constructor has registered
/// handlers that use the heap.
fn a_thousand_forks(work: &Path, library: &Path) {
    let handlers = program(work, "handlers.c", "libhandlers.so", &["-shared", "-fPIC"]);
    let more = [handlers.to_str().unwrap(), "-Wl,-rpath,$ORIGIN"];
    let linked = program(work, "linked.c", "linked", &more);
    goes_well(library, &linked, &["1000"]);
}

#[test]
fn a_thousand_forks_go_well_where_names_are_bound_directly() {
    let work = TempDir::new().unwrap();
    a_thousand_forks(work.path(), &built(work.path(), &["simple_heap"]));
}

#[test]
fn a_thousand_forks_go_well_over_a_lock_without_an_owner() {
    let work = TempDir::new().unwrap();
    a_thousand_forks(work.path(), &unpromising(work.path()));
}

/// The thread that forks holds the heap's lock itself.
#[test]
fn a_signal_handler_may_fork_wherever_it_interrupts_the_heap() {
    let work = TempDir::new().unwrap();
    let library = built(work.path(), &["simple_heap"]);
    let interrupted = program(work.path(), "interrupted.c", "interrupted", &[]);
    for threads in ["0", "4"] {
        goes_well(&library, &interrupted, &["300", threads]);
    }
}

#[test]
fn an_allocator_that_looks_after_fork_itself_gets_nothing() {
    let linux = spec::platform("linux").unwrap();
    let locks = "malloc_lock = \"odd_lock\"\nmalloc_unlock = \"odd_unlock\"\nmalloc_reinit = \"odd_reinit\"\n";
    let text = fs::read_to_string(heaps::heap("odd.toml")).unwrap();
    let text = text.replace("[promises]", &format!("{locks}\n[promises]"));
    for (text, wanted) in [(text.replace("fork      = \"own\"", ""), true), (text, false)] {
        let source = alloc8_gen::diagnostic::Source::new("odd.toml", text);
        let odd = allocator::read(&source, "odd", allocator::Origin::BuiltIn).unwrap();
        let (plan, remarks) = Plan::new(&linux, &odd).unwrap();
        assert_eq!((plan.fork.is_some(), plan.asks_to_be_first()), (wanted, wanted));
        assert!(remarks.is_empty(), "{remarks:?}");
        for lang in ["c", "cpp", "rust"] {
            let inputs = Inputs { lang: lang.to_owned(), ..Inputs::interposer("linux", "odd") };
            let files = render::render(&plan, &inputs).unwrap();
            let says = |words: &str| files.values().any(|text| text.contains(words));
            for words in ["atfork", "initfirst", "odd_lock"] {
                assert_eq!(says(words), wanted, "{lang}: {words}");
            }
        }
    }
}

//! References of every version bind to our names without one, and to no named node: seen from inside
//! the program, so that the harness is known to tell interposition from its absence.

use std::path::{Path, PathBuf};

use alloc8_gen::{
    artifact::{SharedObject, SymbolVersion, reads_code},
    interposer::Interposer,
    laws::Compilers,
};
use tempfile::TempDir;

use super::machines::{SONAME, Tools, read, run, simple_heap_source};

/// A program that says who answers its calls.
pub(super) fn who(tools: &Tools, work: &Path) -> PathBuf {
    let program = work.join("who");
    let new = format!("-DNEW=\"_Znw{}\"", tools.cpu.letter);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpus/who.c");
    let cxx = Compilers::beside(&tools.compiler).cxx.expect("a C++ compiler");
    let object = work.join("who.o");
    tools.compile(&["-O1", "-fPIE", "-fno-builtin", &new, "-c", "-o"], &[&object, &source]);
    let mut link = cxx.command();
    link.args(["-pie", "-o"]).arg(&program).arg(&object).args(["-ldl", "-Wl,-z,now"]);
    run(&mut link);
    program
}

fn answers(text: &str) -> Vec<&str> {
    let mut all: Vec<_> = text.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    all.dedup();
    all
}

/// References of the CPU's base version bind to names without a version, and to no named node.
pub(super) fn references_bind(tools: &Tools, built: &Interposer) {
    let work = TempDir::new().unwrap();
    let (triple, program) = (tools.cpu.triple, who(tools, work.path()));
    let object = SharedObject::read(&read(&program)).unwrap();
    let wanted: Vec<_> = object.named("malloc").map(|symbol| symbol.version.clone()).collect();
    let base = |version: &SymbolVersion| match version {
        SymbolVersion::Wanted { node, .. } => node == tools.cpu.base,
        _ => false,
    };
    assert!(wanted.iter().all(base) && !wanted.is_empty(), "{triple}: {wanted:?}");

    let said = tools.output(&program, Some(&built.library));
    assert_eq!(answers(&said), [SONAME], "{triple}: {said}");
    // The same under a node of its own answers nobody; no library at all, neither.
    let node = tools.by_hand(&built.plan, &simple_heap_source(), "ALLOC8_1.0", work.path());
    for library in [Some(node.as_path()), None] {
        let said = tools.output(&program, library);
        assert!(!said.contains(SONAME), "{triple}: {said}");
        assert!(said.starts_with("malloc libc.so.6\n"), "{triple}: {said}");
    }
    let plain = tools.by_hand(&built.plan, &simple_heap_source(), "", work.path());
    let said = tools.output(&program, Some(&plain));
    assert_eq!(answers(&said), [SONAME], "{triple}: it was the node: {said}");
}

/// The verdict on what was linked for another machine is as good as for the host's own.
pub(super) fn is_read_back(tools: &Tools, built: &Interposer) {
    let (triple, verdict) = (tools.cpu.triple, &built.verdict);
    assert!(verdict.bound() >= 30 && !verdict.has_faults(), "{triple}: {verdict:#?}");
    let direct = verdict.symbols.iter().filter(|f| f.how.starts_with("direct: simple_heap_"));
    assert_eq!(direct.count(), built.plan.direct().count(), "{triple}: {verdict:#?}");
    let object = SharedObject::read(&read(&built.library)).unwrap();
    let unread = verdict.symbols.iter().any(|f| f.how == "code not read");
    assert_eq!(unread, !reads_code(object.machine), "{triple}");
    assert_eq!(verdict.facts.iter().any(|f| f.subject == "code"), unread, "{triple}");
    assert!(built.measured.is_some(), "{triple}: nothing was measured");
}

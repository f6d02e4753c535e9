//! An archive's own public names are hidden on every machine, by an objcopy that knows it.

use std::process::Command;

use alloc8_gen::{
    hide::{PREFIX, hide, read_archive},
    spec,
};
use tempfile::TempDir;

use super::machines::{heap, present, run};

#[test]
fn an_archives_public_names_are_hidden_on_every_machine() {
    let linux = spec::platform("linux").unwrap();
    for tools in present() {
        let triple = tools.cpu.triple;
        let work = TempDir::new().unwrap();
        let (object, archive) = (work.path().join("heap.o"), work.path().join("libx.a"));
        tools.compile(&["-O2", "-fPIC", "-c", "-o"], &[&object, &heap("unprefixed.c")]);
        // Other tools than these may know one machine alone.
        run(Command::new("llvm-ar").arg("rcs").arg(&archive).arg(&object));

        let names = linux.abis.iter().flat_map(|abi| linux.names(abi)).collect();
        let archives = [archive];
        let hidden =
            hide(&tools.compiler, &archives, &names, &[], &work.path().join("hidden")).unwrap();
        let copy = read_archive(&hidden.archives[0]).unwrap();
        let left = copy.names();
        assert!(left.contains(&*format!("{PREFIX}malloc")), "{triple}: {left:?}");
        assert!(!left.contains("malloc"), "{triple}: {left:?}");
    }
}

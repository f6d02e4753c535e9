//! What must not pass: libraries of another machine, or of the other order of bytes. A named version node and no
//! library at all are in `binding`, for each CPU.

use std::fs;

use alloc8_gen::{
    artifact::SharedObject,
    laws::{self, Compilers, Outcome, Workshop},
    spec,
};

use super::{
    binding::who,
    machines::{ALL, SONAME, Tools, folder, heap, read, unpromising},
};

/// Where an ELF file says which order its numbers have.
const EI_DATA: usize = 5;

/// s390x is the one that is big-endian here, and ppc64le, of the same word size, is not.
#[test]
fn a_library_of_another_order_of_bytes_or_machine_is_told_from_ours() {
    let of = |triple: &str| ALL.iter().find(|cpu| cpu.triple == triple).expect("a CPU").tools();
    let (Some(big), Some(little)) = (of("s390x-linux-gnu"), of("powerpc64le-linux-gnu")) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let made = |tools: &Tools, name: &str| {
        let folder = work.path().join(name);
        fs::create_dir(&folder).unwrap();
        tools.by_hand(&unpromising(), &heap("unpromising.c"), "", &folder)
    };
    let right = made(&big, "big");
    let mut bytes = read(&right);
    let right = SharedObject::read(&bytes).unwrap();
    bytes[EI_DATA] = 3 - bytes[EI_DATA];
    let flipped = work.path().join(SONAME);
    fs::write(&flipped, &bytes).unwrap();
    // Not a name of it is believed.
    let believed = SharedObject::read(&bytes).map(|object| object.symbols.len());
    assert!(right.symbols.len() > 30 && believed.is_err(), "{believed:?}");

    let mut laws = laws::laws(&spec::platform("linux").unwrap()).unwrap();
    laws.retain(|law| law.name == "free_keeps_errno");
    let (program, others) = (who(&big, work.path()), made(&little, "little"));
    for library in [&flipped, &others] {
        let output = big.runner.command(&program, Some(library)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.starts_with("malloc libc.so.6\n") && !said.contains(SONAME), "{said}");
        let compilers = Compilers::beside(&big.compiler);
        let workshop = Workshop::new(compilers, &[], &folder()).unwrap();
        let workshop = workshop.run_by(big.runner.clone());
        let judged = laws::check_with(&workshop, laws.clone(), Some(library), 1).unwrap();
        assert!(matches!(judged[0].1, Outcome::Broken { .. }), "{:?}", judged[0].1);
    }
}

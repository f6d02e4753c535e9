//! `thread_policy = "required"`: what the look in each call is made of, in the library.

use std::{fs, path::Path};

use alloc8_gen::{
    allocator,
    artifact::{SharedObject, TlsModel},
};

use super::{
    libraries::Library,
    toolbox::{command, finish, text},
};
use crate::heaps;

/// It promises all there is to the shim, which then has nothing to do but look.
const DESCRIPTION: &str = r#"
malloc             = "strict_malloc"
free               = "strict_free"
memalign           = "strict_memalign"
realloc            = "strict_realloc"
malloc_usable_size = "strict_malloc_usable_size"
init               = "strict_initialize()"
thread_init        = "strict_thread_initialize"
thread_cleanup     = "strict_thread_finalize(1)"
thread_policy      = "required"
[promises]
fork             = "own"
errno            = true
free_null        = true
free_errno       = true
zero_size        = true
max_size         = "any"
min_align        = 16
realloc_null     = true
realloc_zero     = "free"
usable_size_null = true
"#;

/// The mnemonics of a function up to its jump to the heap; what reads the thread's byte is marked.
fn path(library: &Path, name: &str) -> Vec<String> {
    let mut objdump = command("objdump");
    objdump.args(["-d", "-Mintel", "--no-show-raw-insn"]);
    let said = text(&finish(objdump.arg(format!("--disassemble={name}")).arg(library)).stdout);
    let start = said.find(&format!("<{name}>:")).unwrap_or_else(|| panic!("no {name}: {said}"));
    let body = said[start..].lines().skip(1).filter_map(|line| line.split('\t').nth(1));
    let word = |code: &str| code.split_whitespace().next().unwrap_or_default().to_owned();
    let mut path = Vec::new();
    for code in body {
        path.push(if code.contains("fs:") { format!("{} fs", word(code)) } else { word(code) });
        if path.last().is_some_and(|last| last == "jmp") {
            break;
        }
    }
    path
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_look_in_each_call_costs_three_instructions_and_calls_nobody() {
    let folder = tempfile::TempDir::new().unwrap();
    let description = folder.path().join("strict.toml");
    fs::write(&description, DESCRIPTION).unwrap();
    let strict = allocator::read_file(&description).unwrap();
    let heap = Library::of(&strict, &heaps::heap("needs_thread_init.c"));
    for options in [
        &["-Copt-level=2", "-Ccodegen-units=16"][..],
        &["-Copt-level=3", "-Clto=fat"],
        &["-Copt-level=3", "-Ccodegen-units=16", "-Clto=thin"],
    ] {
        let library = heap.shared(options);
        // Code of two names is shown under the first.
        for name in ["__libc_malloc", "__libc_free", "__libc_realloc", "malloc_usable_size"] {
            assert_eq!(
                path(&library, name),
                ["mov", "cmp fs", "jne", "jmp"],
                "{name}, {options:?}"
            );
        }
        let data = fs::read(&library).unwrap();
        let object = SharedObject::read(&data).unwrap();
        assert_eq!(object.tls.model(), TlsModel::Static, "{options:?}: {:?}", object.tls);
        // The shim's byte, and the heap's own int.
        let (size, places) = (object.tls.size, object.tls.thread_offsets);
        assert!((5..=8).contains(&size) && places == 2, "{options:?}: {:?}", object.tls);
        assert!(object.export("alloc8_thread").is_none(), "{options:?}");
    }
}

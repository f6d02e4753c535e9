//! bionic's version nodes under glibc's dynamic linker, whose rule for them is the same: a definition
//! without a version answers them all, one under a node of its own answers nobody. musl's takes no
//! notice of versions, and hides such a mistake.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    machines::{SONAME, build, folder, platform, run, simple_heap},
    ndk::{here, ndk, nodes, symbols},
};
use alloc8_gen::toolchain::Compiler;

/// Libraries of bionic's names and nodes that hand every call to glibc.
fn over_glibc(work: &Path) -> PathBuf {
    let folder = work.join("over-glibc");
    fs::create_dir_all(&folder).unwrap();
    for (library, versions) in symbols() {
        let mut text = String::from(".text\n");
        for (node, names) in &versions {
            for name in names.iter().filter(|name| !name.starts_with("__aeabi_")) {
                let of_glibc = if name == "__errno" { "__errno_location" } else { name };
                // One @: with two, the call would be bound to this very definition.
                writeln!(
                    text,
                    ".globl h_{name}\n.type h_{name}, @function\nh_{name}: jmp *{of_glibc}@GOTPCREL(%rip)\n\
                     .symver h_{name}, {name}@{node}"
                )
                .unwrap();
            }
        }
        text += ".section .note.GNU-stack,\"\",@progbits\n";
        let (source, map) = (work.join("forward.s"), work.join("forward.map"));
        fs::write(&source, text).unwrap();
        let empty = versions.keys().map(|node| (node.clone(), vec![format!("h_{node}_")]));
        fs::write(&map, nodes(&empty.collect())).unwrap();
        let mut gcc = Command::new("gcc");
        gcc.arg("-shared").arg(format!("-Wl,-soname,{library},--version-script={}", map.display()));
        run(gcc.arg(source).arg("-o").arg(folder.join(&library)));
    }
    folder
}

/// The shim and its heap, jumping, with all names under one node.
fn under_node(clang: &Path, node: &str, work: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = root.join("generated/simple_heap/android");
    let script = fs::read_to_string(generated.join("exports.lp64.map")).unwrap();
    let script = &script[script.find("\n{").expect("an anonymous script")..];
    let map = work.join("node.map");
    fs::write(&map, format!("{node} {script}")).unwrap();
    let folder = work.join(format!("node-{node}"));
    fs::create_dir_all(&folder).unwrap();
    let library = folder.join(SONAME);
    let mut link = Command::new(clang);
    link.args(["--target=x86_64-linux-android29", "-O2", "-fPIC", "-shared", "-o"]).arg(&library);
    link.arg(format!("-Wl,-soname,{SONAME},--version-script={}", map.display()));
    run(link.arg(generated.join("shim.c")).arg(root.join("examples/simple_heap/simple_heap.c")));
    library
}

#[test]
fn references_to_bionics_nodes_bind_to_names_without_one_and_to_no_other_node() {
    let Some(ndk) = ndk() else { return };
    let clang = ndk.join("toolchains/llvm/prebuilt/linux-x86_64/bin/clang");
    fs::create_dir_all(folder()).unwrap();
    let work = tempfile::tempdir_in(folder()).unwrap();
    let libraries = over_glibc(work.path());
    let program = work.path().join("who");
    let mut compile = Command::new(&clang);
    compile.args(["--target=x86_64-linux-android29", "-O1", "-fno-builtin", "-fPIE", "-pie"]);
    compile.args(["-nostartfiles", "-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2", "-o"]);
    run(compile.arg(&program).arg(here("who.c")));
    let said = |preload: Option<&Path>| {
        let mut command = Command::new(&program);
        command.env("LD_LIBRARY_PATH", &libraries);
        preload.map(|library| command.env("LD_PRELOAD", library));
        run(&mut command)
    };
    let ours = |said: &str| said.lines().filter(|line| line.ends_with(SONAME)).count();

    let command = format!("{} --target=x86_64-linux-android29", clang.display());
    let compiler = Compiler::find(Some(&command), Some("x86_64-linux-android29")).unwrap();
    let built = build(&platform("android"), &simple_heap(), &[], &compiler);
    let all = said(Some(&built.library));
    assert_eq!((ours(&all), all.lines().count()), (4, 4), "{all}");
    assert_eq!(ours(&said(None)), 0);
    let none = said(Some(&under_node(&clang, "MYALLOC_1.0", work.path())));
    assert_eq!(ours(&none), 0, "{none}");
    // Two heaps: what LIBC_P names stays with the C library, and its blocks come to our free.
    let split = said(Some(&under_node(&clang, "LIBC", work.path())));
    assert_eq!(ours(&split), 3, "{split}");
    assert!(split.contains("aligned_alloc libc.so\n"), "{split}");
}

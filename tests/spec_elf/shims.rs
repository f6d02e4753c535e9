//! Each rendered shim compiles without a warning for every ABI that can be compiled for here, and a
//! library linked from it exports what its list says, each name without a version.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::artifact::SharedObject;

use crate::{common, musl, run, zig_cc};

const WARNINGS: [&str; 6] = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC"];
const BSD_MACHINES: [&str; 2] = ["x86_64", "aarch64"];
/// The target, and its ABI in the spec.
const ANDROID: [(&str, &str); 5] = [
    ("aarch64-linux-android29", "lp64"),
    ("x86_64-linux-android29", "lp64"),
    ("riscv64-linux-android35", "lp64"),
    ("armv7a-linux-androideabi29", "ilp32"),
    ("i686-linux-android29", "ilp32"),
];

fn generated(platform: &str, file: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated/simple_heap");
    folder.join(platform).join(file)
}

/// At each level, jumping and bound directly.
fn compiles_without_warnings(platform: &str, compiler: &dyn Fn() -> Command) {
    let folder = tempfile::tempdir().unwrap();
    for level in ["-O0", "-O2", "-O3"] {
        for direct in [&[][..], &["-DALLOC8_DIRECT"]] {
            let mut command = compiler();
            command.args(WARNINGS).arg(level).args(direct).arg("-c");
            let object = folder.path().join("shim.o");
            run(command.arg(generated(platform, "shim.c")).arg("-o").arg(object));
        }
    }
}

/// The library exports its list and nothing else, to references of any version.
fn exports_its_list(library: &Path, platform: &str, abi: &str) {
    let list = fs::read_to_string(generated(platform, &format!("symbols.{abi}.txt"))).unwrap();
    let listed: BTreeSet<_> = list.lines().filter(|l| !l.starts_with('#')).collect();
    let data = fs::read(library).unwrap();
    let object = SharedObject::read(&data).unwrap();
    let exported: BTreeSet<_> = object.exports().map(|s| s.name.as_str()).collect();
    assert_eq!(exported, listed, "{platform} {abi}");
    assert!(object.version_nodes.is_empty(), "{platform} {abi}: {:?}", object.version_nodes);
}

/// clang without anybody's headers but its own.
fn bare_clang(target: &str) -> Option<Command> {
    let there = Command::new("clang").arg("--version").output().is_ok();
    if !there {
        common::skip("clang", "apt-get install clang");
        return None;
    }
    let mut clang = Command::new("clang");
    clang.args([&format!("--target={target}"), "-ffreestanding", "-nostdlibinc"]);
    Some(clang)
}

#[test]
fn the_shim_for_musl_has_no_warnings() {
    if musl().is_some() {
        compiles_without_warnings("linux-musl", &|| musl().unwrap());
    }
    for machine in ["x86_64", "i686", "aarch64", "s390x", "powerpc64le"] {
        let target = format!("{machine}-linux-musl");
        if bare_clang(&target).is_some() {
            compiles_without_warnings("linux-musl", &|| bare_clang(&target).unwrap());
        }
    }
}

#[test]
fn the_shim_for_android_has_no_warnings() {
    for (target, _) in ANDROID {
        if bare_clang(target).is_some() {
            compiles_without_warnings("android", &|| bare_clang(target).unwrap());
        }
    }
}

#[test]
fn the_shims_for_the_bsds_have_no_warnings() {
    for system in ["freebsd", "netbsd"] {
        for machine in ["x86_64", "aarch64", "x86"] {
            let target = format!("{machine}-{system}");
            if zig_cc(&target).is_some() {
                compiles_without_warnings(system, &|| zig_cc(&target).unwrap());
            }
        }
    }
}

#[test]
fn libraries_for_the_bsds_export_their_lists() {
    let heap = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simple_heap/simple_heap.c");
    let folder = tempfile::tempdir().unwrap();
    for system in ["freebsd", "netbsd"] {
        for machine in BSD_MACHINES {
            let Some(mut zig) = zig_cc(&format!("{machine}-{system}")) else { return };
            let library = folder.path().join(format!("lib{machine}-{system}.so"));
            let map = generated(system, "exports.lp64.map");
            zig.args(["-O2", "-fPIC", "-fno-sanitize=all", "-shared", "-o"]).arg(&library);
            zig.arg(format!("-Wl,--version-script={}", map.display()));
            run(zig.arg(generated(system, "shim.c")).arg(&heap));
            exports_its_list(&library, system, "lp64");
        }
    }
}

/// What the shim takes from the C library and from the allocator, as functions that do nothing:
/// bionic cannot be had, and the loader alone looks at how they are.
const OF_LIBC: &[&str] =
    &["__errno", "getpagesize", "write", "abort", "pthread_atfork", "memcpy", "memset"];
const OF_LIBDL: &[&str] = &["dlopen", "dlsym", "dlclose", "dladdr"];

fn allocator_s_functions() -> Vec<String> {
    let shim = fs::read_to_string(generated("android", "shim.c")).unwrap();
    let declared =
        shim.lines().filter(|line| line.starts_with("extern") && line.contains("simple_heap_"));
    let name = |line: &str| {
        let from = line.find("simple_heap_").unwrap();
        line[from..].split('(').next().unwrap().to_owned()
    };
    declared.map(name).collect()
}

fn stub(folder: &Path, target: &str, name: &str, functions: &[&str]) -> PathBuf {
    let source = folder.join(format!("{name}.c"));
    let object = folder.join(format!("{name}.o"));
    let text: String = functions.iter().map(|f| format!("void {f}(void) {{}}\n")).collect();
    fs::write(&source, text).unwrap();
    let mut clang = bare_clang(target).unwrap();
    run(clang.args(["-w", "-fno-builtin", "-fPIC", "-c"]).arg(&source).arg("-o").arg(&object));
    object
}

#[test]
fn libraries_for_android_export_their_lists_and_need_libc_and_libdl_alone() {
    if Command::new("ld.lld").arg("--version").output().is_err() {
        return common::skip("ld.lld", "apt-get install lld");
    }
    let functions = allocator_s_functions();
    let functions: Vec<_> = functions.iter().map(String::as_str).collect();
    assert!(functions.len() >= 9, "{functions:?}");
    for (target, abi) in ANDROID.into_iter().filter(|(target, _)| !target.starts_with("riscv64")) {
        let Some(mut clang) = bare_clang(target) else { return };
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let link = |soname: &str, objects: &[&Path], more: &[String]| {
            let library = folder.join(soname);
            let mut linker = Command::new("ld.lld");
            linker.args(["-shared", "-soname", soname, "-o"]).arg(&library).args(objects);
            run(linker.args(more));
            library
        };
        let libc = link("libc.so", &[&stub(folder, target, "libc", OF_LIBC)], &[]);
        let libdl = link("libdl.so", &[&stub(folder, target, "libdl", OF_LIBDL)], &[]);
        let heap = stub(folder, target, "heap", &functions);
        let shim = folder.join("shim.o");
        clang.args(WARNINGS).args(["-O2", "-c"]);
        run(clang.arg(generated("android", "shim.c")).arg("-o").arg(&shim));
        let map = generated("android", &format!("exports.{abi}.map"));
        let more = [
            "--no-undefined".to_owned(),
            "--as-needed".to_owned(),
            "-znow".to_owned(),
            "-zmax-page-size=16384".to_owned(),
            format!("--version-script={}", map.display()),
        ];
        let library = link("libheap.so", &[&shim, &heap, &libc, &libdl], &more);
        exports_its_list(&library, "android", abi);
        let data = fs::read(&library).unwrap();
        let mut needed = SharedObject::read(&data).unwrap().needed;
        needed.sort();
        assert_eq!(needed, ["libc.so", "libdl.so"], "{target}");
    }
}

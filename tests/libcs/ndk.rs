//! A folder like an NDK's: Debian's clang and lld behind the names that an NDK has, and libraries of
//! the names that this heap takes, under bionic's version nodes. No NDK can be had here.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::machines::{folder, run};
use crate::common;

/// Target triples without an API level, and the folders of their libraries.
const ABIS: &[(&str, &str)] = &[
    ("aarch64-linux-android", "aarch64-linux-android"),
    ("armv7a-linux-androideabi", "arm-linux-androideabi"),
    ("x86_64-linux-android", "x86_64-linux-android"),
    ("i686-linux-android", "i686-linux-android"),
];

/// What stands in for the NDK's own.
const RUNTIMES: &[(&str, &str)] = &[
    ("armv7a", "/usr/lib/gcc-cross/arm-linux-gnueabihf/12/libgcc.a"),
    ("i686", "/usr/lib/gcc/x86_64-linux-gnu/12/32/libgcc.a"),
];

/// The oldest that NDKs still serve, and the first with thread-locals of the linker's own.
pub(super) const LEVELS: &[u32] = &[21, 29];

pub(super) fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libcs/bionic").join(file)
}

/// `None`, and said so, if clang or lld is missing.
pub(super) fn ndk() -> Option<PathBuf> {
    let starts = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let runtimes = RUNTIMES.iter().all(|(_, archive)| Path::new(archive).is_file());
    if !starts("clang") || !starts("ld.lld-19") || !runtimes {
        let how = "apt-get install clang lld-19 gcc-12-multilib libstdc++-12-dev-armhf-cross";
        common::skip("android", how);
        return None;
    }
    fs::create_dir_all(folder()).unwrap();
    let made = tempfile::tempdir_in(folder()).unwrap();
    let bin = made.path().join("toolchains/llvm/prebuilt/linux-x86_64/bin");
    let sysroot = made.path().join("toolchains/llvm/prebuilt/linux-x86_64/sysroot/usr");
    fs::create_dir_all(&bin).unwrap();
    script(&bin.join("clang"));
    copy(&here("include"), &sysroot.join("include"));
    for (target, libraries) in ABIS {
        for level in LEVELS {
            let lib = sysroot.join("lib").join(libraries).join(level.to_string());
            fill(&format!("{target}{level}"), &lib);
        }
    }
    let ndk = folder().join("ndk");
    // Several tests may make it at once: each makes its own and puts it there whole.
    if fs::rename(made.path(), &ndk).is_ok() {
        std::mem::forget(made);
    }
    Some(ndk)
}

/// What an NDK's own clang does by itself.
fn script(path: &Path) {
    let text = "#!/bin/sh\n\
        root=$(cd \"$(dirname \"$0\")/../sysroot\" && pwd)\n\
        exec clang --sysroot=\"$root\" -isystem \"$root/usr/include\" -fuse-ld=lld-19 \
        -Wno-unused-command-line-argument \"$@\"\n";
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => _ = fs::copy(entry.path(), to).unwrap(),
        }
    }
}

/// Library, node, names.
pub(super) fn symbols() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut all: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for line in fs::read_to_string(here("symbols.txt")).unwrap().lines() {
        let [name, library, node] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let nodes = all.entry(library.to_owned()).or_default();
        nodes.entry(node.to_owned()).or_default().push(name.to_owned());
    }
    all
}

/// A version script with these nodes.
pub(super) fn nodes(nodes: &BTreeMap<String, Vec<String>>) -> String {
    let node = |(name, symbols): (&String, &Vec<String>)| {
        format!("{name} {{ global: {}; }};\n", symbols.join("; "))
    };
    nodes.iter().map(node).collect()
}

/// What the linker takes for one target.
fn fill(target: &str, lib: &Path) {
    fs::create_dir_all(lib).unwrap();
    let compile = |source: &Path, object: &str| {
        let mut clang = Command::new("clang");
        clang.arg(format!("--target={target}"));
        clang.args(["-ffreestanding", "-fno-builtin", "-w", "-O1", "-fPIC", "-c"]);
        run(clang.arg(source).arg("-o").arg(lib.join(object)));
    };
    compile(&here("crtbegin_so.c"), "crtbegin_so.o");
    fs::write(lib.join("none.c"), "").unwrap();
    compile(&lib.join("none.c"), "crtend_so.o");
    // 32-bit CPUs divide by a compiler's runtime, which is linked in; others need nothing of it.
    let runtime = RUNTIMES.iter().find(|(begin, _)| target.starts_with(begin));
    match runtime {
        Some((_, archive)) => _ = fs::copy(archive, lib.join("libgcc.a")).unwrap(),
        None => fs::write(lib.join("libgcc.a"), "!<arch>\n").unwrap(),
    }
    for (library, versions) in symbols() {
        // bionic has the names by which clang copies and clears on arm alone.
        let mut versions = versions;
        if !target.starts_with("armv7a") {
            versions.values_mut().for_each(|names| names.retain(|n| !n.starts_with("__aeabi_")));
        }
        let text: String =
            versions.values().flatten().map(|name| format!("void {name}(void) {{}}\n")).collect();
        let (source, map) = (lib.join("stub.c"), lib.join("stub.map"));
        fs::write(&source, text).unwrap();
        fs::write(&map, nodes(&versions)).unwrap();
        compile(&source, "stub.o");
        let mut link = Command::new("ld.lld-19");
        link.args(["-shared", "-soname", &library])
            .arg(format!("--version-script={}", map.display()));
        run(link.arg(lib.join("stub.o")).arg("-o").arg(lib.join(&library)));
    }
}

/// The NDK is found by its variable, and asked for where it is not set.
#[test]
fn build_finds_the_ndk_or_says_what_to_set() {
    let Some(ndk) = ndk() else { return };
    let work = tempfile::tempdir().unwrap();
    let library = work.path().join("libheap.so");
    let build = |target: &str| {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
        tool.args(["build", "-p", "android", "--target", target, "-o"]).arg(&library);
        tool.env("XDG_CACHE_HOME", folder().join("cache")).env_remove("ANDROID_NDK_ROOT");
        tool
    };
    for target in ["aarch64-linux-android", "armv7-linux-androideabi", "x86_64-linux-android29"] {
        let output = build(target).env("ANDROID_NDK_HOME", &ndk).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{target}: {said}");
        assert!(said.contains("promised, not measured: the target does not run here"), "{said}");
    }
    let output = build("aarch64-linux-android").env_remove("ANDROID_NDK_HOME").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("A8401") && said.contains("set ANDROID_NDK_HOME"), "{said}");
}

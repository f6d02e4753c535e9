//! The direct bindings survive every linker, and the result is read back.

mod common;

use std::{path::Path, process::Command};

const LINKERS: &[(&str, &str)] = &[
    ("bfd", "apt-get install binutils"),
    ("gold", "apt-get install binutils"),
    ("lld", "apt-get install lld"),
    ("mold", "apt-get install mold"),
];

fn cli() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

fn finding<'a>(lines: &'a [serde_json::Value], symbol: &str) -> &'a serde_json::Value {
    let found = lines.iter().find(|l| l["finding"]["symbol"] == symbol);
    &found.unwrap_or_else(|| panic!("{symbol} is not told"))["finding"]
}

#[test]
fn every_linker_binds_directly_and_hides_the_allocators_own_names() {
    let folder = tempfile::tempdir().expect("a folder");
    for compiler in ["gcc", "clang"] {
        if !installed(compiler) {
            common::skip(compiler, &format!("apt-get install {compiler}"));
            continue;
        }
        for (linker, how) in LINKERS {
            let program =
                if *linker == "mold" { "mold".to_owned() } else { format!("ld.{linker}") };
            if !installed(&program) {
                common::skip(linker, how);
                continue;
            }
            check(
                &format!("{compiler} -fuse-ld={linker}"),
                &folder.path().join(format!("lib-{compiler}-{linker}.so")),
            );
        }
    }
}

fn check(cc: &str, library: &Path) {
    let built = cli().args(["build", "--cc", cc, "-o"]).arg(library).output().expect("started");
    assert!(built.status.success(), "{cc}: {}", String::from_utf8_lossy(&built.stderr));
    let told = cli()
        .args(["verify", "--format", "json", "-a", "simple_heap"])
        .arg(library)
        .output()
        .expect("started");
    let text = String::from_utf8(told.stdout).expect("UTF-8");
    assert!(told.status.success(), "{cc}: {text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    for symbol in ["malloc", "free", "calloc", "realloc", "__libc_malloc", "_ZdlPv", "free_sized"] {
        let how = finding(&lines, symbol)["how"].as_str().unwrap_or_default().to_owned();
        assert!(how.starts_with("direct: simple_heap_"), "{cc}: {symbol} is {how}");
    }
    assert_eq!(finding(&lines, "_Znam")["status"], "left", "{cc}");
    assert!(
        !lines.iter().any(|l| l["finding"]["status"] == "unexpected"),
        "{cc}: names leak\n{text}"
    );
    let ran = Command::new("/bin/ls")
        .arg("/")
        .env("LD_PRELOAD", library)
        .env("LD_BIND_NOW", "1")
        .output();
    assert!(ran.expect("started").status.success(), "{cc}");
}

#[test]
fn a_function_that_the_archive_hides_keeps_the_jump() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let object = folder.path().join("hidden.o");
    let status = Command::new("cc")
        .args(["-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-c", "-o"])
        .arg(&object)
        .arg(root.join("examples/simple_heap/simple_heap.c"))
        .status();
    assert!(status.expect("a compiler").success());
    let library = folder.path().join("libhidden.so");
    let built = cli()
        .args(["build", "--lib"])
        .arg(&object)
        .arg("-o")
        .arg(&library)
        .output()
        .expect("started");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let told = cli().args(["verify", "--format", "json"]).arg(&library).output().expect("started");
    let text = String::from_utf8(told.stdout).expect("UTF-8");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(finding(&lines, "malloc")["how"], "jump: simple_heap_malloc");
    assert_eq!(finding(&lines, "malloc")["status"], "bound");
}

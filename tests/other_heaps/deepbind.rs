//! The policy `deepbind = "drop"`: plug-ins that were to look past the preload find its heap, and libraries are
//! found where their opener's RUNPATH says.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::{
    artifact::SharedObject,
    plan::Plan,
    render::{self, Inputs},
    spec,
    verify::{self, Grade, Status},
};

use super::libraries::{By, Library, library, odd, program, simple_heap, under};
use crate::heaps;

const DROP: &str = "deepbind = \"drop\"";
const SIGABRT: i32 = 6;

/// Every compiler but Rust's, with both heaps.
fn everywhere(check: impl Fn(&Library, &str)) {
    for (place, by) in By::ALL.iter().filter(|by| **by != By::Rustc).enumerate() {
        let heap = if place % 2 == 0 { simple_heap() } else { odd() };
        if let Some(library) = library(&heap, DROP, *by) {
            check(&library, &format!("{by:?}"));
        }
    }
}

/// The program frees a block of the plug-in, and the plug-in one of the program.
fn to_and_fro(library: &Path, work: &Path) -> [Output; 2] {
    let exe = program(work, "opens.c", "opens", &[]);
    let plugin = program(work, "plugin.c", "plugin.so", &["-shared", "-fPIC"]);
    ["give", "take"].map(|what| under(library, &exe, &[&plugin, Path::new(what)]))
}

/// A program that opens a library by the name that its own RUNPATH alone leads to.
fn found(library: &Path, work: &Path) -> Output {
    let folder = work.join("program");
    fs::create_dir_all(folder.join("plug-ins")).unwrap();
    program(&folder.join("plug-ins"), "plugin.c", "found_by_runpath.so", &["-shared", "-fPIC"]);
    let flags = ["-Wl,-rpath,$ORIGIN/plug-ins", "-Wl,--enable-new-dtags"];
    let exe = program(&folder, "finds.c", "finds", &flags);
    under(library, &exe, &[Path::new("found_by_runpath.so")])
}

/// What `verify` says of `dlopen`.
fn finding(library: &Path) -> verify::Finding {
    let linux = spec::platform("linux").unwrap();
    let plan = Plan::new(&linux, &simple_heap().with(DROP)).unwrap().0;
    let data = fs::read(library).unwrap();
    let object = SharedObject::read(&data).unwrap();
    let abi = verify::abi_of(&linux, &object).unwrap();
    let verdict = verify::verify(&data, &object, &linux, abi, Some(&plan)).unwrap();
    verdict.symbols.into_iter().find(|f| f.symbol == "dlopen").unwrap()
}

#[test]
fn a_deep_bound_plug_in_and_its_program_share_the_heap() {
    everywhere(|library, cell| {
        for ran in to_and_fro(&library.file, library.work.path()) {
            assert_eq!(ran.status.code(), Some(0), "{cell}: {ran:?}");
        }
    });
}

#[test]
fn without_the_policy_a_deep_bound_plug_in_ends_its_program() {
    let Some(library) = library(&simple_heap(), "", By::Gcc("-O2")) else { return };
    let [_, take] = to_and_fro(&library.file, library.work.path());
    assert_eq!(take.status.signal(), Some(SIGABRT), "{take:?}");
}

#[test]
fn libraries_are_found_where_their_openers_runpath_says() {
    everywhere(|library, cell| {
        let ran = found(&library.file, library.work.path());
        assert_eq!(ran.status.code(), Some(0), "{cell}: {ran:?}");
        let found = finding(&library.file);
        assert_eq!((found.status, found.grade), (Status::Bound, Grade::Good), "{cell}");
    });
}

/// What the jump is for: a call in its place loses the opener, and `verify` sees it.
#[test]
fn a_call_instead_of_the_jump_is_seen() {
    let Some(library) = library(&simple_heap(), DROP, By::Gcc("-O0")) else { return };
    let work = library.work.path();
    let shim = fs::read_to_string(work.join("shim.c")).unwrap();
    let calling = shim.replace("ALLOC8_EXPORT ALLOC8_JUMPS", "ALLOC8_EXPORT");
    let calling = calling.replace("ALLOC8_JUMP return", "return");
    assert_ne!(shim, calling);
    fs::write(work.join("calling.c"), calling).unwrap();
    let file = work.join("libcalling.so");
    let mut gcc = Command::new("gcc");
    gcc.current_dir(work).args(["-O0", "-shared", "-fPIC", "calling.c", "libheap.a"]);
    heaps::run(gcc.arg("-Wl,--version-script=exports.lp64.map").arg("-o").arg(&file));
    let ran = found(&file, work);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let found = finding(&file);
    assert_eq!((found.status, found.grade), (Status::Bound, Grade::Fault));
    assert!(found.remark.contains("instead of jumping"), "{}", found.remark);
}

fn tool(work: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    command.args(words).current_dir(work).env("XDG_CACHE_HOME", cache()).output().unwrap()
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("deepbind")
}

/// `build` makes it, `verify` judges it, and the dynamic linker's record proves that nothing looked past it.
#[test]
fn the_record_of_a_run_shows_the_policy() {
    let Some(library) = library(&simple_heap(), DROP, By::Gcc("-O2")) else { return };
    let work = library.work.path();
    let text = fs::read_to_string(heaps::root().join("specs/allocators/simple_heap.toml")).unwrap();
    let text = text.lines().filter(|l| !l.starts_with("source") && !l.starts_with("archive"));
    let text = text.collect::<Vec<_>>().join("\n");
    let plugin = program(work, "plugin.c", "plugin.so", &["-shared", "-fPIC"]);
    let opens = program(work, "opens.c", "opens", &[]);
    let (plugin, opens) = (plugin.to_str().unwrap(), opens.to_str().unwrap());
    for (policy, status) in [("", 125), (DROP, 0)] {
        let text = text.replace("[promises]", &format!("{policy}\n[promises]"));
        fs::write(work.join("heap.toml"), text).unwrap();
        let heap = ["-a", "./heap.toml", "--lib", "libheap.a"];
        let ran = tool(work, &[&["build"][..], &heap, &["-o", "built.so"]].concat());
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        let ran = tool(work, &[&["verify", "built.so"][..], &heap].concat());
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains(": complete"), "{said}");
        let line = said.lines().find(|line| line.contains(" dlopen ")).unwrap();
        assert_eq!(line.contains("looks past"), policy.is_empty(), "{line}");
        let words = ["--proof", "--", opens, plugin, "give"];
        let ran = tool(work, &[&["run"][..], &heap, &words].concat());
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(status), "{said}");
        assert_eq!(said.contains("is bound to"), policy.is_empty(), "{said}");
    }
}

#[test]
fn a_shim_in_rust_is_refused_with_the_way_out() {
    let linux = spec::platform("linux").unwrap();
    let plan = Plan::new(&linux, &simple_heap().with(DROP)).unwrap().0;
    let inputs = Inputs { lang: "rust".to_owned(), ..Inputs::interposer("linux", "simple_heap") };
    let report = render::render(&plan, &inputs).unwrap_err();
    assert_eq!(report.diagnostics[0].code, "A8240", "{report}");
    assert!(report.diagnostics[0].help.is_some());
}

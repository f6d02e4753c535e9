//! Rendering, compiling, and the laws.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

use alloc8_gen::{
    allocator::Allocator,
    laws::{self, Outcome},
    plan::Plan,
    render::{self, Files, Inputs},
    spec,
    toolchain::Compiler,
};

pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub(super) fn compiler() -> Compiler {
    Compiler::find(Some("gcc"), None).expect("the tests need gcc")
}

pub(super) fn rendered(platform: &str, allocator: &Allocator) -> Files {
    let platform = spec::platform(platform).expect("known");
    let inputs =
        Inputs { lang: "rust".to_owned(), ..Inputs::interposer(&platform.name, &allocator.name) };
    let (plan, _) = Plan::new(&platform, allocator).expect("complete");
    render::render(&plan, &inputs).unwrap_or_else(|report| panic!("{}: {report}", allocator.name))
}

/// The names that `symbols.ABI.txt` has for this machine.
pub(super) fn listed(files: &Files) -> Vec<String> {
    let width = if cfg!(target_pointer_width = "64") { "lp64" } else { "ilp32" };
    let list = &files[&format!("symbols.{width}.txt")];
    list.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Without what cargo sets for the tests themselves.
pub(super) fn command(name: &str) -> Command {
    let mut command = Command::new(name);
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "LD_PRELOAD"] {
        command.env_remove(variable);
    }
    command
}

pub(super) fn rustc() -> Command {
    command(&std::env::var("RUSTC").unwrap_or("rustc".to_owned()))
}

pub(super) fn finish(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{err}", output.status);
    output
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All laws hold but those that the system's C++ runtime does not keep by itself.
pub(super) fn laws_hold(library: &Path, excused: &[&str]) {
    // One library at a time: laws have time limits.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let linux = spec::platform("linux").expect("known");
    let work = folder("laws");
    let judged = laws::check(&linux, &compiler(), library, &work, 2).expect("laws that compile");
    assert!(judged.len() >= 60, "{}", judged.len());
    let mut wrong = Vec::new();
    for (law, outcome) in &judged {
        let excuse = excused.contains(&law.name.as_str());
        if (*outcome == Outcome::Holds) == excuse {
            wrong.push(format!("{}: {outcome:?}, excused: {excuse}", law.name));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", library.display(), wrong.join("\n"));
}

/// The operators are libstdc++'s own, and that law is about ours.
pub(super) const OPERATORS: &[&str] = &["aligned_new_does_not_wrap"];

pub(super) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust_shim").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// What is in the file beside the plan: nothing that panics, unwinds or is thread-local, no version,
/// and exactly the names of the list.
pub(super) fn is_bare(library: &Path, names: &[String]) {
    let all = text(&finish(command("nm").arg(library)).stdout);
    for unwanted in ["panick", "_Unwind_", "eh_personality", "__tls_get_addr"] {
        assert!(!all.contains(unwanted), "{}: {unwanted}\n{all}", library.display());
    }
    let headers = text(&finish(command("readelf").arg("-lW").arg(library)).stdout);
    assert!(!headers.contains(" TLS "), "{headers}");
    let versions = text(&finish(command("readelf").arg("-VW").arg(library)).stdout);
    assert!(!versions.contains(".gnu.version_d"), "{versions}");
    // What the compiler merges must be one function, and not a call of the other by its public name:
    // a program may have that name for itself.
    let relocations = text(&finish(command("readelf").arg("-rW").arg(library)).stdout);
    for line in relocations.lines() {
        let symbol = line.split_whitespace().nth(4).unwrap_or_default();
        assert!(!names.iter().any(|name| name == symbol), "{}: {line}", library.display());
    }
    let exported = finish(command("nm").args(["-D", "--defined-only"]).arg(library));
    let mut exported: Vec<String> = text(&exported.stdout)
        .lines()
        .filter_map(|l| Some(l.split_whitespace().nth(2)?.to_owned()))
        .collect();
    exported.sort();
    assert_eq!(exported, names, "{}", library.display());
}

//! Real allocators behind generated shims: built from their crates' sources or as the distribution has
//! them, measured, bound directly where their promises allow, and under every law.
#![cfg(target_os = "linux")]

#[path = "programs/archives.rs"]
mod archives;
mod common;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    thread::available_parallelism,
};

use alloc8_gen::{
    allocator, interposer,
    laws::{self, Outcome},
    probe, spec,
    toolchain::Compiler,
};
use archives::Library;

/// A law that does not hold under an allocator's shim, and why. One that holds all the same is an error.
type Exception = (&'static str, &'static str);

const OWN_FORK: Exception = (
    "fork_handlers_registered_first_may_allocate",
    "it registers handlers of its own when it is first used: those that were registered before run while it is locked",
);
/// They register handlers: the others promise nothing, and are warned of.
const OWN: [&str; 4] = ["jemalloc", "jemalloc-unprefixed", "snmalloc", "snmalloc-rust"];
const SMALL_ALIGNMENTS: &str = "rpmalloc aligns up to 32 KiB; the shim refuses more";
const RESERVES: Exception = (
    "calloc_does_not_truncate",
    "snmalloc reserves more address space when it starts than the law leaves it, and aborts",
);
const AFTER_MAIN: Exception = (
    "static_destructors_may_free_after_the_main_thread",
    "mimalloc 3 sees the main thread off in a key's destructor; its next allocation there reads a heap that is gone",
);

/// What is expected of one allocator.
struct Real {
    name: &'static str,
    /// The names that are the allocator's own functions; all others go through the shim's text.
    direct: &'static [&'static str],
    exceptions: &'static [Exception],
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn tool(arguments: &[&str], library: &Library) -> Output {
    Command::new(env!("CARGO_BIN_EXE_alloc8-gen"))
        .args(arguments)
        .args(library.options())
        .env("XDG_CACHE_HOME", folder("cache"))
        .output()
        .expect("the tool starts")
}

/// Standard output, if the tool succeeded.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("A8704"), "promised, not measured: {text}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Real {
    fn holds(&self) {
        let Some(library) = archives::library(self.name) else { return };
        let work = tempfile::tempdir().expect("a folder");
        let output = work.path().join(format!("lib{}.so", self.name));
        let output = output.to_str().expect("UTF-8");
        let built = tool(&["build", "-a", self.name, "-o", output], &library);
        said(&built);
        let warned = String::from_utf8_lossy(&built.stderr).contains("A8204");
        assert_eq!(warned, !OWN.contains(&self.name), "{}: of fork", self.name);
        let verdict = match &library {
            // verify measures what it is given.
            Library::Archive(_) => said(&tool(&["verify", "-a", self.name, output], &library)),
            Library::None => {
                let found = tool(&["verify", "-a", self.name, output], &library);
                assert_eq!(found.status.code(), Some(0), "{found:?}");
                String::from_utf8_lossy(&found.stdout).into_owned()
            }
        };
        assert!(verdict.trim_end().ends_with(": complete"), "{verdict}");
        self.is_measured_and_bound(&library);
        self.keeps_the_laws(Path::new(output));
    }

    fn is_measured_and_bound(&self, library: &Library) {
        let platform = spec::platform("linux").expect("linux");
        let allocator = allocator::built_in(self.name).expect("built in").expect("read");
        let compiler = Compiler::find(None, None).expect("a C compiler");
        let order = interposer::Order {
            platform: &platform,
            allocator: &allocator,
            lang: "c",
            libs: &library.archives(),
            compiler: &compiler,
            cache: &folder("cache").join("alloc8-gen"),
            soname: "libreal.so",
            hook: None,
        };
        let built = interposer::build(&order).unwrap_or_else(|report| panic!("{report}"));
        let measured = built.measured.expect("this machine runs what it compiles");
        let report = probe::compare(&allocator, &measured);
        assert!(!report.has_errors(), "{report}");
        let abi = &built.plan.platform.abis[0];
        let direct: Vec<String> = built.plan.direct().map(|(symbol, _)| symbol.name(abi)).collect();
        assert_eq!(direct, self.direct, "bound directly");
    }

    fn keeps_the_laws(&self, library: &Path) {
        let platform = spec::platform("linux").expect("linux");
        let compiler = Compiler::find(None, None).expect("a C compiler");
        let jobs = available_parallelism().map_or(2, |n| n.get().min(8));
        let judged = laws::check(&platform, &compiler, library, &folder("laws"), jobs)
            .unwrap_or_else(|report| panic!("{report}"));
        let mut wrong = Vec::new();
        for (law, outcome) in &judged {
            let excuse = self.exceptions.iter().find(|(name, _)| *name == law.name);
            match (outcome, excuse) {
                (Outcome::Holds, None) => {}
                (Outcome::Holds, Some((name, why))) => {
                    wrong.push(format!("{name} holds; the table excuses it: {why}"));
                }
                (_, Some((name, why))) => println!("  excused: {name}: {why}"),
                (other, None) => wrong.push(format!("{}: {other:?}", law.name)),
            }
        }
        println!("{}: {} laws, {} excused", self.name, judged.len(), self.exceptions.len());
        assert!(wrong.is_empty(), "{}:\n{}", self.name, wrong.join("\n"));
    }
}

#[test]
fn mimalloc() {
    Real { name: "mimalloc", direct: &["malloc_usable_size"], exceptions: &[AFTER_MAIN] }.holds();
}

#[test]
fn jemalloc() {
    Real {
        name: "jemalloc",
        direct: &[
            "malloc",
            "calloc",
            "realloc",
            "aligned_alloc",
            "malloc_usable_size",
            "__libc_malloc",
            "__libc_calloc",
            "__libc_realloc",
        ],
        exceptions: &[OWN_FORK],
    }
    .holds();
}

#[test]
fn jemalloc_of_the_distribution() {
    Real { name: "jemalloc-unprefixed", direct: &["malloc_usable_size"], exceptions: &[OWN_FORK] }
        .holds();
}

#[test]
fn snmalloc() {
    Real {
        name: "snmalloc",
        direct: &[
            "free",
            "malloc_usable_size",
            "cfree",
            "__libc_free",
            "_ZdlPv",
            "_ZdlPvSt11align_val_t",
        ],
        exceptions: &[RESERVES],
    }
    .holds();
}

#[test]
fn snmalloc_for_rust() {
    Real { name: "snmalloc-rust", direct: &["malloc_usable_size"], exceptions: &[RESERVES] }
        .holds();
}

#[test]
fn rpmalloc() {
    Real {
        name: "rpmalloc",
        direct: &[],
        exceptions: &[
            ("every_alignment_holds", SMALL_ALIGNMENTS),
            ("operators_new_and_delete_pair_up", SMALL_ALIGNMENTS),
            ("posix_memalign_returns_the_error", SMALL_ALIGNMENTS),
        ],
    }
    .holds();
}

/// Described, and no registry has its source.
#[test]
fn rpmalloc_2_is_refused_with_words() {
    let nowhere = concat!(env!("CARGO_TARGET_TMPDIR"), "/librpmalloc2.so");
    let output = tool(&["build", "-a", "rpmalloc2", "-o", nowhere], &Library::None);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for words in ["A8602", "was never built", "no package registry has its source", "`--lib`"] {
        assert!(text.contains(words), "{text}");
    }
}

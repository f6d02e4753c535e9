//! What other allocators cover, told by `verify`: the table in the README is this test's.
#![cfg(target_os = "linux")]

#[path = "programs/archives.rs"]
mod archives;
mod common;

use std::{fs, path::Path, process::Command};

use alloc8_gen::{
    artifact::SharedObject,
    operation::{Effect, Operation},
    spec,
    verify::{Finding, Grade, Status, Verdict, abi_of, verify},
};

/// Where the table is in the README.
const BEGIN: &str = "<!-- coverage: made by tests/coverage.rs -->\n";
const END: &str = "<!-- end of coverage -->\n";

/// Debian 12's packages of other allocators, the libraries that are preloaded, and their versions.
const OTHERS: &[(&str, &str, &str)] = &[
    ("libmimalloc2.0", "libmimalloc.so.2", "mimalloc"),
    ("libjemalloc2", "libjemalloc.so.2", "jemalloc"),
    ("libtcmalloc-minimal4", "libtcmalloc_minimal.so.4", "gperftools"),
    ("libtbbmalloc2", "libtbbmalloc_proxy.so.2", "oneTBB"),
];

/// Ours, over the same allocators where there is an archive.
const OURS: &[&str] = &["simple_heap", "mimalloc", "jemalloc", "snmalloc", "rpmalloc"];

fn judge(path: &Path) -> Verdict {
    let data = fs::read(path).expect("a library");
    let object = SharedObject::read(&data).expect("a library");
    let linux = spec::platform("linux").expect("without a mistake");
    let abi = abi_of(&linux, &object).expect("an ABI").clone();
    verify(&data, &object, &linux, &abi, None).expect("judged")
}

fn operation(finding: &Finding) -> Operation {
    Operation::named(&finding.operation).expect("findings name operations")
}

fn row(title: &str, verdict: &Verdict) -> String {
    let all = || verdict.symbols.iter().filter(|f| !f.operation.is_empty());
    let of_c = all().filter(|f| !operation(f).is_operator());
    let heap: Vec<_> = of_c.clone().filter(|f| operation(f).effect().touches_blocks()).collect();
    let bound = heap.iter().filter(|f| f.status == Status::Bound).count();
    let split: Vec<_> = heap
        .iter()
        .filter(|f| f.grade == Grade::Fault)
        .map(|f| format!("`{}`", f.symbol))
        .collect();
    let split = if split.is_empty() { "none".to_owned() } else { split.join(", ") };
    let talk = of_c.filter(|f| operation(f).effect() == Effect::Tunes);
    let (talks, silent): (Vec<_>, Vec<_>) = talk.partition(|f| f.status == Status::Bound);
    let bent = all().filter(|f| operation(f).is_operator() && f.grade == Grade::Fault).count();
    format!(
        "| {title} | {bound} of {} | {split} | {bent} | {} of {} |\n",
        heap.len(),
        talks.len(),
        talks.len() + silent.len()
    )
}

fn version(package: &str) -> String {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
    let text = String::from_utf8(output.expect("dpkg").stdout).expect("UTF-8");
    text.split(['-', '+']).next().unwrap_or_default().to_owned()
}

/// What the tool builds of an allocator; `None`, and said so, where its archive is not to be had.
fn ours(folder: &Path, allocator: &str) -> Option<Verdict> {
    let library = folder.join(format!("lib{allocator}.so"));
    let status = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"))
        .args(["build", "-q", "-a", allocator, "-o"])
        .arg(&library)
        .args(archives::library(allocator)?.options())
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .status();
    assert!(status.expect("started").success());
    Some(judge(&library))
}

#[test]
fn the_readme_s_table_of_other_allocators_is_what_verify_says() {
    let folder = Path::new("/usr/lib/x86_64-linux-gnu");
    let missing = OTHERS.iter().find(|(_, file, _)| !folder.join(file).exists());
    if let Some((package, file, _)) = missing {
        return common::skip(file, &format!("apt-get install {package}"));
    }
    let work = tempfile::tempdir().expect("a folder");
    let mut table = String::from(
        "| preloaded on Debian 12 | malloc family bound | missing, so that two heaps meet | operators that pass over a program's own | tuning and statistics answered |\n|---|---|---|---|---|\n",
    );
    for allocator in OURS {
        let Some(verdict) = ours(work.path(), allocator) else { return };
        table += &row(&format!("**alloc8-gen** over {allocator}"), &verdict);
    }
    for (package, file, name) in OTHERS {
        let title = format!("{name} {} (`{file}`)", version(package));
        table += &row(&title, &judge(&folder.join(file)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).expect("README").replace("\r\n", "\n");
    let begin = text.find(BEGIN).expect("the table's beginning") + BEGIN.len();
    let end = text.find(END).expect("the table's end");
    let wanted = format!("{}\n{table}\n{}", &text[..begin], &text[end..]);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).expect("written");
        return;
    }
    assert!(text == wanted, "README.md is stale (BLESS=1 mends it); verify says:\n{table}");
}

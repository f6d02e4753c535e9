//! What no shim in Rust can do is refused with words, and what it leaves alone is in the plan.

use std::fs;

use alloc8_gen::{
    allocator::{self, Allocator},
    diagnostic::Report,
    plan::{Binding, Plan},
    render::{self, Files, Inputs},
    spec,
};
use tempfile::TempDir;

use super::toolbox::{ROOT, command, finish, rendered, text};
use crate::heaps;

const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");

fn refusal(allocator: &Allocator, lang: &str) -> Report {
    let linux = spec::platform("linux").unwrap();
    let (plan, _) = Plan::new(&linux, allocator).unwrap();
    let inputs = Inputs { lang: lang.to_owned(), ..Inputs::interposer("linux", &allocator.name) };
    render::render(&plan, &inputs).expect_err("refused")
}

fn rendered_for(target: &str, allocator: &Allocator) -> Result<Files, Report> {
    let mut linux = spec::platform("linux").unwrap();
    let abi = linux.abi_of(target).expect("an ABI").name.clone();
    linux.narrow(&abi);
    let (plan, _) = Plan::new(&linux, allocator).unwrap();
    let of_linux = Inputs::interposer("linux", &allocator.name);
    let target = Some(target.to_owned());
    render::render(&plan, &Inputs { lang: "rust".to_owned(), target, ..of_linux })
}

fn code(report: &Report) -> &str {
    report.diagnostics[0].code
}

/// Each CPU has its own way to a thread's byte: the text tells those that Rust's assembler knows.
#[test]
fn threads_that_must_introduce_themselves_are_refused_where_no_way_to_their_byte_is_told() {
    let strict = allocator::read_file(&heaps::heap("strict.toml")).unwrap();
    let refused = rendered_for("powerpc64le-linux-gnu", &strict).expect_err("refused");
    assert_eq!(code(&refused), "A8208");
    let told = spec::platform("linux").unwrap().abis;
    let told = told.iter().flat_map(|abi| &abi.machines).filter(|m| !m.starts_with("powerpc"));
    for machine in told {
        assert!(rendered_for(&format!("{machine}-linux-gnu"), &strict).is_ok(), "{machine}");
    }
    // Who asks nobody needs no way.
    let advisory = allocator::read_file(&heaps::heap("aware.toml")).unwrap();
    assert!(rendered_for("powerpc64le-linux-gnu", &advisory).is_ok());
}

/// What looks whether threads are ready in C, because it looks for `init`, is told by hooks here.
#[test]
fn an_initialized_heap_is_told_of_threads_by_who_creates_them() {
    let work = TempDir::new().unwrap();
    let file = work.path().join("aware.toml");
    let text = fs::read_to_string(heaps::heap("aware.toml")).unwrap();
    let text = text.lines().filter(|line| !line.starts_with("thread_created"));
    let text = text.collect::<Vec<_>>().join("\n");
    fs::write(&file, text.replacen("malloc ", "init = \"aware_init\"\nmalloc ", 1)).unwrap();
    let aware = allocator::read_file(&file).unwrap();
    let linux = spec::platform("linux").unwrap();
    let plan = Plan::new(&linux, &aware).unwrap().0;
    let creates = |plan: &Plan| plan.defined().any(|a| a.symbol.spec_name() == "pthread_create");
    assert!(!creates(&plan) && creates(&plan.in_rust()));
    let shim = &rendered("linux", &aware)["shim.rs"];
    let begins = shim.split_once("fn begin_thread() {").unwrap().1;
    let (before, _) = begins.split_once("unsafe { aware_thread_init() }").unwrap();
    assert!(before.contains("make_ready();"), "{before}");
}

#[test]
fn functions_under_public_names_are_refused() {
    let unprefixed = allocator::built_in("jemalloc-unprefixed").unwrap().unwrap();
    assert_eq!(code(&refusal(&unprefixed, "rust")), "A8209");
}

#[test]
fn a_heap_in_rust_is_refused_in_c_and_by_build() {
    let description = format!("{ROOT}/examples/rust_cdylib/pages.toml");
    let pages = allocator::read_file(description.as_ref()).unwrap();
    assert_eq!(code(&refusal(&pages, "c")), "A8207");
    let output = command(TOOL).args(["build", "-a", &description]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("A8207"), "{}", text(&output.stderr));
}

#[test]
fn the_path_of_a_type_is_no_expression() {
    let work = TempDir::new().unwrap();
    let file = work.path().join("x.toml");
    for path in ["crate::X; fn f() {}", "", "crate::", "1x"] {
        let text = format!(
            "rust = \"{path}\"\nmalloc = \"m\"\nfree = \"f\"\nmemalign = \"a\"\nrealloc = \"r\"\n"
        );
        fs::write(&file, text).unwrap();
        let report = allocator::read_file(&file).expect_err("no path");
        assert_eq!(code(&report), "A8110", "{path}");
    }
}

#[test]
fn operators_and_direct_bindings_are_left_out_of_the_plan() {
    let linux = spec::platform("linux").unwrap();
    let allocator = allocator::built_in("simple_heap").unwrap().unwrap();
    let plan = Plan::new(&linux, &allocator).unwrap().0.in_rust();
    let operators = plan.answers.iter().filter(|a| a.symbol.operation.is_operator());
    assert_eq!(operators.filter(|a| a.binding == Binding::Left).count(), 20);
    assert_eq!(plan.direct().count(), 0);
    let shim = &rendered("linux", &allocator)["shim.rs"];
    assert!(shim.contains("operator new(size_t size)") && !shim.contains("_Znwm"), "{shim}");
}

#[test]
fn check_knows_a_shim_in_rust_by_its_marker() {
    let work = TempDir::new().unwrap();
    let tool =
        |words: &[&str]| command(TOOL).args(words).current_dir(work.path()).output().unwrap();
    let generate = ["-p", "linux", "-a", "simple_heap", "--lang", "rust"];
    assert!(tool(&generate).status.success());
    let folder = work.path().join("generated/simple_heap/linux-rust");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(tool(&["check"]).status.success());
    let shim = folder.join("shim.rs");
    let edited = fs::read_to_string(&shim).unwrap().replace("size.max(1)", "size.max(2)");
    fs::write(&shim, edited).unwrap();
    let drift = tool(&["check"]);
    assert_eq!(drift.status.code(), Some(1));
    let said = text(&drift.stdout);
    assert!(said.contains("alloc8-gen generate -p linux -a simple_heap --lang rust"), "{said}");
    finish(command(TOOL).args(generate).current_dir(work.path()));
    assert!(tool(&["check"]).status.success());
}

#[test]
fn names_that_a_crate_cannot_export_are_told_and_not_listed() {
    let work = TempDir::new().unwrap();
    let mut generate = command(TOOL);
    generate.args(["generate", "-p", "linux", "-a", "jemalloc", "--lang", "rust", "-o"]);
    let output = finish(generate.arg(work.path()));
    let said = text(&output.stderr);
    assert!(said.contains("warning[A8241]") && said.contains("`_rjem_mallctl`"), "{said}");
    let list = fs::read_to_string(work.path().join("linux-rust/symbols.lp64.txt")).unwrap();
    assert!(list.contains("\nmalloc\n") && !list.contains("mallctl"), "{list}");
}

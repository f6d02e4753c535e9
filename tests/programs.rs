//! Real programs do real jobs under a generated interposer, with the same output as without, and the
//! proof shows that it was the interposer who answered. `tests/programs/README.md` tells the rules.
#![cfg(target_os = "linux")]

mod common;

mod programs {
    pub(crate) mod archives;
    pub(crate) mod job;
    pub(crate) mod list;
    pub(crate) mod proof;
}

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use programs::{
    archives,
    job::{self, Done, Under},
    list::{List, Program},
    proof,
};

/// Runs the jobs under one allocator, two at a time.
fn all(allocator: &str, which: impl Fn(&Program) -> bool) {
    let Some(library) = archives::library(allocator) else { return };
    let options = library.options();
    let list = List::read();
    let chosen: Vec<&Program> = list.programs().iter().filter(|p| which(p)).collect();
    let present: Vec<&Program> = chosen.into_iter().filter(|p| has_needs(&list, p)).collect();
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(String, Duration, Vec<String>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(program) = present.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let faults = one(&list, program, allocator, &options);
                    let result = (program.name.clone(), started.elapsed(), faults);
                    results.lock().expect("no job panics").push(result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no job panics");
    assert_eq!(results.len(), present.len());
    for (name, time, faults) in &results {
        let word = if faults.is_empty() { "same" } else { "DIFFERS" };
        println!("{allocator:<20} {name:<24} {word:<8} {:.1} s", time.as_secs_f32());
    }
    let faults: Vec<String> = results
        .iter()
        .flat_map(|(name, _, faults)| faults.iter().map(move |f| format!("{name}: {f}")))
        .collect();
    assert!(faults.is_empty(), "under {allocator}:\n{}", faults.join("\n"));
}

fn has_needs(list: &List, program: &Program) -> bool {
    let path = &list.env["PATH"];
    let there = |name: &String| path.split(':').any(|f| Path::new(f).join(name).is_file());
    let all = program.needs.iter().all(there);
    if !all {
        let how = format!("apt-get install {}", program.debian.join(" "));
        common::skip(&format!("program-{}", program.name), &how);
    }
    all
}

/// The job without the interposer, under it, and under it with every reference bound at once.
fn one(list: &List, program: &Program, allocator: &str, options: &[String]) -> Vec<String> {
    let alone = job::run(list, program, &Under::Nothing);
    if alone.status != "exit status: 0" || alone.stdout.is_empty() {
        return vec![format!("fails by itself: {}\n{}", alone.status, alone.stderr)];
    }
    let mut faults = Vec::new();
    for bind_now in [false, true] {
        let under = Under::Interposer { allocator, options, bind_now };
        let done = job::run(list, program, &under);
        let found = differences(program, list, &alone, &done, allocator, bind_now);
        let how = if bind_now { "bound at once" } else { "bound when used" };
        faults.extend(found.into_iter().map(|fault| format!("{how}: {fault}")));
    }
    faults
}

fn differences(
    program: &Program,
    list: &List,
    alone: &Done,
    done: &Done,
    allocator: &str,
    bind_now: bool,
) -> Vec<String> {
    let mut faults = Vec::new();
    if alone.status != done.status {
        faults.push(format!("{}, standard error:\n{}", done.status, tail(&done.stderr)));
    }
    if alone.stdout != done.stdout {
        let (before, after) =
            (String::from_utf8_lossy(&alone.stdout), String::from_utf8_lossy(&done.stdout));
        let mut options = diffy::DiffOptions::new();
        options.set_original_filename("without").set_modified_filename("under it");
        let diff = options.create_patch(&before, &after).to_string();
        faults.push(format!("another output:\n{}", head(&diff)));
    }
    let counted = allocator == "simple_heap";
    let path = &list.env["PATH"];
    faults.extend(proof::faults(program, &done.proof, &done.folder, path, counted, bind_now));
    faults
}

fn head(text: &str) -> String {
    text.lines().take(30).collect::<Vec<_>>().join("\n")
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[test]
fn all_programs_under_simple_heap() {
    all("simple_heap", |_| true);
}

#[test]
fn all_programs_under_mimalloc() {
    all("mimalloc", |_| true);
}

#[test]
fn six_programs_under_jemalloc() {
    all("jemalloc", |program| program.all_allocators);
}

#[test]
fn six_programs_under_the_distribution_s_jemalloc() {
    all("jemalloc-unprefixed", |program| program.all_allocators);
}

#[test]
fn six_programs_under_snmalloc() {
    all("snmalloc", |program| program.all_allocators);
}

#[test]
fn six_programs_under_snmalloc_for_rust() {
    all("snmalloc-rust", |program| program.all_allocators);
}

#[test]
fn six_programs_under_rpmalloc() {
    all("rpmalloc", |program| program.all_allocators);
}

/// An example, by the path of its description.
fn example(name: &str) {
    let root = env!("CARGO_MANIFEST_DIR");
    let everything = common::everything();
    let description = format!("{root}/examples/{name}/{name}.toml");
    all(&description, |program| everything || program.all_allocators);
}

#[test]
fn six_programs_under_diehard() {
    example("diehard");
}

#[test]
fn six_programs_under_hoard() {
    example("hoard");
}

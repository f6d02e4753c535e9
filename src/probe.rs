//! Measures what an allocator's static library really keeps: each case in a process of its own.
//!
//! Separate from everything that believes a description: `program` writes and compiles the cases,
//! `process` runs them, `judge` reads what they said, `compare` holds it against the description.

mod cache;
mod compare;
mod judge;
mod measured;
mod process;
mod program;

use std::path::{Path, PathBuf};

use crate::{
    allocator::{Allocator, Limit, Role, ThreadPolicy},
    diagnostic::Result,
    toolchain::{Compiler, Runner},
};

pub use cache::measure_cached;
pub use compare::{compare, unmeasured};
pub use measured::{ForkTally, Measured, Measurements, Reach, Refusal};
use process::Case;

/// The cases, beside `sizes` and `threads`; the slow ones first, so that they run beside the rest.
const CASES: &[&str] = &[
    "fork",
    "exhaustion",
    "content",
    "sized_free",
    "realloc_zero",
    "free_errno",
    "min_align",
    "max_align",
    "natural_align",
    "alignment_einval",
    "argument_order",
    "calloc_overflow",
    "zero_size",
    "realloc_null",
    "usable_size_null",
    "free_null",
    "good_size",
    "owns",
];

/// Whether programs for this compiler's target can be started here, and the cases can be linked for it: with
/// Microsoft's ABI there is no C library.
pub fn can_run(compiler: &Compiler) -> bool {
    !compiler.is_msvc() && Runner::of(&compiler.target).is_some()
}

/// Measures everything that can be measured of an allocator in these archives.
///
/// # Errors
/// `A8402` if the cases cannot be compiled and linked with the archives, `A8301` if they cannot be
/// written, `A8403` if they cannot be started.
pub fn measure(
    compiler: &Compiler,
    allocator: &Allocator,
    archives: &[PathBuf],
    work: &Path,
) -> Result<Measurements> {
    let sources = program::render(allocator)?;
    let program = program::compile(compiler, allocator, archives, work, &sources)?;
    measure_with(compiler, allocator, &program, work)
}

/// Runs the cases that are compiled already.
fn measure_with(
    compiler: &Compiler,
    allocator: &Allocator,
    program: &Path,
    work: &Path,
) -> Result<Measurements> {
    let runner = Runner::of(&compiler.target).unwrap_or_default();
    let bits = pointer_bits(compiler);
    let case = |name: &str, ready: bool| Case { name: name.to_owned(), ready, sizes: Vec::new() };
    let run = |cases: Vec<Case>| process::run_all(&runner, program, work, cases);

    // First, whether threads must introduce themselves: all other cases need the answer.
    let plain = run(vec![case("threads", false)])?.remove(0);
    let introduces = allocator.call(Role::ThreadInit).is_some();
    let ready = introduces
        && (allocator.thread_policy == ThreadPolicy::Required
            || judge::verdict(&plain).is_broken());
    let mut cases = Vec::new();
    cases.push(case(CASES[0], ready));
    cases.push(Case { sizes: judge::all_sizes(bits), ..case("sizes", ready) });
    cases.extend(CASES[1..].iter().map(|name| case(name, ready)));
    if introduces {
        cases.push(case("threads", true));
    }
    let mut outcomes = run(cases)?;
    let sizes = outcomes.iter().filter(|o| o.case.name == "sizes");
    if sizes.map(judge::sizes).any(|sizes| !sizes.all_held()) || stated_size(allocator).is_some() {
        let one = |size: &u64| Case { sizes: vec![*size], ..case("sizes", ready) };
        // Upwards until one does harm: those beyond may do more.
        for steps in judge::single_sizes(bits, stated_size(allocator)).chunks(process::AT_ONCE) {
            let ended = run(steps.iter().map(one).collect())?;
            let harmless = ended.iter().map(judge::sizes).all(|sizes| sizes.go_on());
            outcomes.extend(ended);
            if !harmless {
                break;
            }
        }
    }
    Ok(judge::measurements(bits, &plain, &outcomes))
}

/// What the target's addresses have; those of the host if its compiler does not say.
fn pointer_bits(compiler: &Compiler) -> u32 {
    let bytes = compiler.predefined("__SIZEOF_POINTER__").and_then(|value| value.parse().ok());
    bytes.map_or(usize::BITS, |bytes: u32| bytes * 8)
}

fn stated_size(allocator: &Allocator) -> Option<u64> {
    match allocator.promises.max_size {
        Limit::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

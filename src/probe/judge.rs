//! From what the cases said to measurements.

use std::collections::BTreeMap;

use crate::allocator::Role;

use super::{
    measured::{Cause, ForkTally, Measured, Measurements, Reach, Refusal},
    process::{End, Outcome},
};

/// Cases that answer one promise with yes or no, by its key.
const SIMPLE: &[&str] = &[
    "free_null",
    "free_errno",
    "zero_size",
    "alignment_einval",
    "calloc_overflow",
    "realloc_null",
    "usable_size_null",
];

/// Cases of contracts that every allocator keeps, and the key whose function breaks them.
const CONTRACTS: &[(&str, &str)] = &[
    ("argument_order", "memalign"),
    ("content", "malloc"),
    ("sized_free", "free_sized"),
    ("good_size", "malloc_good_size"),
];

/// The errno that cases set before each call: no function sets it.
const UNTOUCHED: i32 = 77;

/// Answers by size; what was wrong with them.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    answers: BTreeMap<u64, Option<String>>,
    /// Why those beyond were not asked for.
    cut: Option<String>,
}

impl Sizes {
    /// Whether every size that was asked for was answered rightly.
    pub(super) fn all_held(&self) -> bool {
        self.answers.values().all(Option::is_none)
    }

    /// Whether larger ones may be asked for.
    pub(super) fn go_on(&self) -> bool {
        self.cut.is_none() && self.all_held()
    }
}

/// Sizes around every limit that arithmetic has, the smallest first.
pub(super) fn all_sizes(bits: u32) -> Vec<u64> {
    let max = u64::MAX >> (64 - bits);
    let mut sizes: Vec<u64> = powers(bits).collect();
    for less in
        [0, 1, 7, 15, 16, 17, 63, 127, 4094, 4095, 4096, 8192, 65535, 65536, 1 << 20, 1 << 22]
    {
        sizes.push(max - less);
        sizes.push(max / 2 - less);
        sizes.push(max / 2 + 1 + less);
    }
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Sizes to ask for in processes of their own, when some size is known to do harm.
pub(super) fn single_sizes(bits: u32, stated: Option<u64>) -> Vec<u64> {
    let mut sizes: Vec<u64> = powers(bits).chain(stated).collect();
    sizes.extend(stated.map(|s| s.saturating_sub(1)));
    sizes.retain(|size| *size <= u64::MAX >> (64 - bits));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

fn powers(bits: u32) -> impl Iterator<Item = u64> {
    (bits / 2 - 2..bits - 1).map(|bit| 1u64 << bit)
}

/// What a case proves: it held, or what was seen instead.
pub(super) fn verdict(outcome: &Outcome) -> Measured {
    if let Some(why) = outcome.said("skip").next() {
        return Measured::Untested { why: why.to_owned() };
    }
    match (outcome.said("bad").next(), fate(outcome)) {
        (Some(bad), _) => Measured::Broken { observed: bad.to_owned() },
        (None, Some(fate)) => Measured::Broken { observed: fate },
        (None, None) => Measured::Held("true".to_owned()),
    }
}

/// How a case ended, if it did not come to its own end.
fn fate(outcome: &Outcome) -> Option<String> {
    if outcome.is_done() {
        return None;
    }
    let how = match outcome.end {
        End::Killed(signal) => format!("killed by {}", signal_name(signal)),
        End::Exited(status) => format!("the process exited with status {status}"),
        End::Hung(patience) => format!("still busy after {} s", patience.as_secs()),
        End::Swelled => "took hundreds of MiB of memory".to_owned(),
    };
    let during = outcome.said("try").last().unwrap_or("the first call");
    Some(match &outcome.complaint {
        Some(complaint) => format!("{during}: {how} (it said: {complaint})"),
        None => format!("{during}: {how}"),
    })
}

fn signal_name(signal: i32) -> String {
    // The numbers that all systems agree on, and SIGBUS where Linux has it.
    match signal {
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        14 => "SIGALRM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        other => return format!("signal {other}"),
    }
    .to_owned()
}

/// Answers by size of one case.
pub(super) fn sizes(outcome: &Outcome) -> Sizes {
    let mut sizes = BTreeMap::new();
    for size in outcome.said("got").filter_map(|g| g.strip_prefix("size ")?.parse().ok()) {
        sizes.entry(size).or_insert(None);
    }
    for wrong in outcome.said("wrong") {
        let Some((size, what)) = wrong.split_once(' ') else { continue };
        let Ok(size) = size.parse() else { continue };
        let entry: &mut Option<String> = sizes.entry(size).or_insert(None);
        entry.get_or_insert_with(|| what.to_owned());
    }
    let cut = outcome.said("skip").next().map(str::to_owned);
    if let (Some(fate), None) = (fate(outcome), &cut) {
        let unfinished = outcome.case.sizes.iter().find(|size| !sizes.contains_key(*size));
        let entry = sizes.entry(unfinished.copied().unwrap_or(u64::MAX)).or_insert(None);
        entry.get_or_insert(fate);
    }
    Sizes { answers: sizes, cut }
}

/// Everything.
pub(super) fn measurements(bits: u32, plain: &Outcome, outcomes: &[Outcome]) -> Measurements {
    let find = |name: &str| outcomes.iter().find(|o| o.case.name == name).expect("every case ran");
    let mut simple: BTreeMap<String, Measured> =
        SIMPLE.iter().map(|name| ((*name).to_owned(), verdict(find(name)))).collect();
    let silent = find("free_null").complaint.as_ref();
    if let (Some(Measured::Held(_)), Some(text)) = (simple.get("free_null"), silent) {
        let observed = format!("it wrote to standard error: {text}");
        simple.insert("free_null".to_owned(), Measured::Broken { observed });
    }
    simple.insert("realloc_zero".to_owned(), realloc_zero(find("realloc_zero")));
    let mut all_sizes = BTreeMap::new();
    let mut sizes_untested = None;
    for outcome in outcomes.iter().filter(|o| o.case.name == "sizes") {
        let Sizes { answers, cut } = sizes(outcome);
        sizes_untested = sizes_untested.or(cut);
        for (size, wrong) in answers {
            let entry: &mut Option<String> = all_sizes.entry(size).or_insert(None);
            *entry = entry.take().or(wrong);
        }
    }
    let mut problems = Vec::new();
    for (name, key) in CONTRACTS {
        if let Measured::Broken { observed } = verdict(find(name)) {
            // One case covers both functions that free a block of known size.
            let aligned = Role::FreeAlignedSized.key();
            let key = if observed.contains(aligned) { aligned } else { key };
            problems.push((key.to_owned(), observed));
        }
    }
    let ready = outcomes.iter().find(|o| o.case.name == "threads");
    Measurements {
        pointer_bits: bits,
        simple,
        sizes: all_sizes,
        sizes_untested,
        min_align: reach(find("min_align"), "min_align", |o| o.got("least").map(str::to_owned)),
        max_align: reach(find("max_align"), "max_align", |_| None),
        natural_align: reach(find("natural_align"), "natural_align", |o| {
            o.got("natural_beyond").map(str::to_owned)
        }),
        refusals: outcomes.iter().flat_map(refusals).collect(),
        exhaustion: exhaustion(find("exhaustion")),
        fork: fork(find("fork")),
        threads_plain: verdict(plain),
        threads_ready: ready.map_or_else(
            || Measured::Untested { why: "there is no thread_init".to_owned() },
            verdict,
        ),
        owns: verdict(find("owns")),
        problems,
    }
}

fn realloc_zero(outcome: &Outcome) -> Measured {
    match (verdict(outcome), outcome.got("realloc_zero")) {
        (Measured::Held(_), Some(which)) => Measured::Held(format!("\"{which}\"")),
        (other, _) => other,
    }
}

fn exhaustion(outcome: &Outcome) -> Measured {
    let reached = outcome.got("exhausted").is_some();
    match verdict(outcome) {
        Measured::Held(_) if !reached => {}
        Measured::Broken { .. } if outcome.end == End::Swelled => {}
        other => return other,
    }
    let why = "memory did not run out: the allocator had reserved enough before";
    Measured::Untested { why: why.to_owned() }
}

fn reach(outcome: &Outcome, key: &str, beyond: impl Fn(&Outcome) -> Option<String>) -> Reach {
    let (untested, broken) = match verdict(outcome) {
        Measured::Untested { why } => (Some(why), None),
        Measured::Broken { observed } => (None, Some(observed)),
        Measured::Held(_) => (None, None),
    };
    Reach {
        value: outcome.number(key).unwrap_or(0),
        beyond: broken.or_else(|| beyond(outcome)),
        untested,
    }
}

fn refusals(outcome: &Outcome) -> Vec<Refusal> {
    outcome.said("null").filter_map(refusal).filter(|r| r.errno != enomem()).collect()
}

fn refusal(line: &str) -> Option<Refusal> {
    let mut words = line.split(' ');
    let function = words.next()?.to_owned();
    let size = words.next()?.parse().ok()?;
    let alignment = words.next()?.parse().ok()?;
    let cause = match words.next()? {
        "size" => Cause::Size,
        "alignment" => Cause::Alignment,
        "overflow" => Cause::Overflow,
        _ => Cause::Exhausted,
    };
    let errno: i32 = words.next()?.parse().ok()?;
    let errno = if errno == UNTOUCHED { 0 } else { errno };
    Some(Refusal { function, size, alignment, cause, errno })
}

/// ENOMEM where the probe runs: 12 on every system that it runs on.
fn enomem() -> i32 {
    12
}

fn fork(outcome: &Outcome) -> ForkTally {
    let number = |key| outcome.number(key).unwrap_or(0);
    let (trouble, untested) = match verdict(outcome) {
        Measured::Untested { why } => (None, Some(why)),
        Measured::Broken { observed } => (Some(observed), None),
        Measured::Held(_) => (None, None),
    };
    // Children's failures tell more than the line that one of them wrote.
    let counted = number("hung") + number("crashed") > 0;
    ForkTally {
        forks: number("forks"),
        hung: number("hung"),
        crashed: number("crashed"),
        trouble: trouble.filter(|_| !counted),
        untested,
    }
}

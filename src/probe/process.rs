//! Runs the probe's cases: each in a process of its own, a few at a time, none for long.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    sync::Mutex,
    thread,
    time::Duration,
};

use crate::{
    diagnostic::{Diagnostic, Report, Result},
    system::{end_group, lead_group, signal},
    toolchain::{Runner, Watch},
};

/// How many cases run at once: some sleep, so more than there are processors.
pub(super) const AT_ONCE: usize = 4;

/// An allocator that does nothing for longer hangs; hung children end by themselves after five seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// No case asks to write into more than a fraction of this.
const MEMORY: u64 = 512 << 20;

/// How Wine begins its last line where it has lost its server, whatever the program does.
const LOST: &str = "wine client error";

/// One run of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// The case's name.
    pub(super) name: String,
    /// Whether threads run `thread_init`.
    pub(super) ready: bool,
    /// Further arguments.
    pub(super) sizes: Vec<u64>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// It did not end, and we ended it.
    Hung(Duration),
    /// It took too much memory, and we ended it.
    Swelled,
}

/// What a case said, and how it ended.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) case: Case,
    pub(super) end: End,
    /// Its lines.
    pub(super) lines: Vec<String>,
    /// The first line that the allocator wrote to standard error.
    pub(super) complaint: Option<String>,
}

impl Outcome {
    /// The rest of all lines that begin with this word.
    pub(super) fn said<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
    }

    /// The last value of a measured key.
    pub(super) fn got(&self, key: &str) -> Option<&str> {
        self.said("got").filter_map(|rest| rest.strip_prefix(key)?.strip_prefix(' ')).last()
    }

    /// A measured number.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.got(key)?.parse().ok()
    }

    /// Whether the program came to its first line, which it writes before it calls the heap. A signal is its own
    /// doing in any case: constructors run before.
    fn has_begun(&self) -> bool {
        let lost = self.complaint.as_ref().is_some_and(|line| line.starts_with(LOST));
        let silent = self.lines.is_empty() && !matches!(self.end, End::Killed(_));
        !(lost || silent)
    }

    /// Whether the case came to its own end.
    pub(super) fn is_done(&self) -> bool {
        self.end == End::Exited(0) && self.lines.last().is_some_and(|line| line == "done")
    }
}

/// Runs all cases; outcomes come in the order of the cases.
///
/// # Errors
/// `A8403` if the program cannot be started, or an emulator twice runs nothing of it; `A8301` if its output
/// cannot be kept.
pub(super) fn run_all(
    runner: &Runner,
    program: &Path,
    work: &Path,
    cases: Vec<Case>,
) -> Result<Vec<Outcome>> {
    let queue = Mutex::new(cases.into_iter().enumerate());
    let worker = || {
        let mut outcomes = Vec::new();
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some((index, case)) = next else { return Ok(outcomes) };
            outcomes.push((index, run(runner, program, work, index, case)?));
        }
    };
    let results: Vec<Result<Vec<(usize, Outcome)>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|w| w.join().expect("no worker panics")).collect()
    });
    let mut outcomes = Vec::new();
    for result in results {
        outcomes.extend(result?);
    }
    outcomes.sort_by_key(|(index, _)| *index);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Runs a case; what an emulator did not even start, once more: the first may have met another's end.
fn run(runner: &Runner, program: &Path, work: &Path, index: usize, case: Case) -> Result<Outcome> {
    let mut outcome = attempt(runner, program, work, index, case)?;
    if runner.emulates() && !outcome.has_begun() {
        outcome = attempt(runner, program, work, index, outcome.case)?;
    }
    if !runner.emulates() || outcome.has_begun() {
        return Ok(outcome);
    }
    let message = format!("the probe could not be started under {}", runner.name());
    let said = outcome.complaint.unwrap_or_else(|| "it said nothing".to_owned());
    let during = format!("while running the case `{}`", outcome.case.name);
    Err(Diagnostic::error("A8403", message).fact(said).fact(during).into())
}

fn attempt(
    runner: &Runner,
    program: &Path,
    work: &Path,
    index: usize,
    case: Case,
) -> Result<Outcome> {
    let (out, err) = (work.join(format!("{index}.out")), work.join(format!("{index}.err")));
    let mut command = runner.command(program, None);
    command
        .arg(&case.name)
        .arg(if case.ready { "ready" } else { "plain" })
        .args(case.sizes.iter().map(u64::to_string))
        .stdin(Stdio::null())
        // Files, not pipes: a case may write more than a pipe holds, and nobody reads meanwhile.
        .stdout(create(&out)?)
        .stderr(create(&err)?);
    lead_group(&mut command);
    let mut child = command.spawn().map_err(|error| {
        Report::from(
            Diagnostic::error("A8403", format!("the probe could not be started: {error}"))
                .fact(format!("while running the case `{}`", case.name)),
        )
    })?;
    let end = wait(&mut child, PATIENCE);
    let mut lines: Vec<String> = read(&out).lines().map(str::to_owned).collect();
    if end == End::Swelled && runner.emulates() {
        lines.push(
            "skip the emulator takes memory for address space, which hides what the heap takes"
                .to_owned(),
        );
    }
    let said = read(&err);
    let told = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let complaint = told.clone().find(|l| l.starts_with(LOST)).or_else(|| told.clone().next());
    let complaint = complaint.map(shorten);
    let _ = (fs::remove_file(&out), fs::remove_file(&err));
    Ok(Outcome { case, end, lines, complaint })
}

fn create(path: &PathBuf) -> Result<File> {
    File::create(path).map_err(|error| {
        Diagnostic::error("A8301", format!("could not write `{}`: {error}", path.display())).into()
    })
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn shorten(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(160).collect()
}

fn wait(child: &mut Child, patience: Duration) -> End {
    let mut watch = Watch::new(child, patience);
    let mut pause = Duration::from_micros(300);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return ended(status),
            Err(_) => return End::Exited(-1),
            Ok(None) => {}
        }
        let end = if watch.hangs() {
            Some(End::Hung(patience))
        } else {
            (resident(child.id()) > MEMORY).then_some(End::Swelled)
        };
        if let Some(end) = end {
            end_group(child);
            return end;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(4));
    }
}

fn ended(status: ExitStatus) -> End {
    match signal(status) {
        Some(signal) => End::Killed(signal),
        None => End::Exited(status.code().unwrap_or(-1)),
    }
}

/// Bytes of a process in memory, where the system tells.
fn resident(id: u32) -> u64 {
    let pages = fs::read_to_string(format!("/proc/{id}/statm")).ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    // Pages have 4 KiB at least; a larger page only makes the watch later.
    pages.unwrap_or(0) * 4096
}

//! Medians of times, and callgrind's counts.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::shell::{output, program};

/// The one in the middle.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs each of the commands so many times, in turns; gives each one's median in milliseconds.
pub(super) fn in_turns(
    rounds: usize,
    commands: &mut [&mut dyn FnMut() -> anyhow::Result<Duration>],
) -> anyhow::Result<Vec<f64>> {
    let mut times = vec![Vec::new(); commands.len()];
    for _ in 0..rounds {
        for (command, times) in commands.iter_mut().zip(&mut times) {
            times.push(command()?.as_secs_f64() * 1000.0);
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// How long a command takes, from its start to its end.
pub(super) fn wall(command: &mut Command) -> anyhow::Result<Duration> {
    let started = Instant::now();
    output(command)?;
    Ok(started.elapsed())
}

/// All instructions that a program runs in user space.
pub(super) fn instructions(
    executable: &Path,
    words: &[String],
    folder: &Path,
) -> anyhow::Result<u64> {
    let file = folder.join("callgrind.out");
    let mut valgrind = program("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", file.display()));
    output(valgrind.arg(executable).args(words))?;
    let text = fs::read_to_string(&file)?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("summary:").or(line.strip_prefix("totals:")));
    total.and_then(|total| total.trim().parse().ok()).context("callgrind left no total")
}

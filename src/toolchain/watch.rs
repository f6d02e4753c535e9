//! Tells a program that hangs from one that a busy machine keeps waiting: by what it does, not by the
//! clock alone.

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

/// Looks after a process that leads a group of its own.
#[derive(Debug)]
pub(crate) struct Watch {
    group: u32,
    begun: Instant,
    next: Duration,
    progress: Progress,
}

impl Watch {
    /// Begins now; `patience` is the time that it may do nothing at all.
    pub(crate) fn new(child: &Child, patience: Duration) -> Watch {
        let next = patience / 16;
        Watch { group: child.id(), begun: Instant::now(), next, progress: Progress::new(patience) }
    }

    /// Whether it hangs: nothing of its group ran for all the patience there is, or it ran for many
    /// times as long, which no program here does that comes to an end.
    pub(crate) fn hangs(&mut self) -> bool {
        let elapsed = self.begun.elapsed();
        if elapsed < self.next {
            return false;
        }
        self.next = elapsed + self.progress.patience / 16;
        self.progress.hangs(elapsed, processor_time(self.group))
    }
}

/// What was seen of a group.
#[derive(Debug)]
struct Progress {
    patience: Duration,
    used: Duration,
    /// When `used` was last another than before.
    moved: Duration,
}

impl Progress {
    /// Of all processors together: a lock that is waited for by spinning.
    const BUSY: u32 = 2;
    /// What looks again and again whether something has come uses little, but some.
    const LONGEST: u32 = 10;

    fn new(patience: Duration) -> Progress {
        Progress { patience, used: Duration::ZERO, moved: Duration::ZERO }
    }

    /// What its processes used by now, where the system tells; the clock alone counts where not.
    fn hangs(&mut self, elapsed: Duration, used: Option<Duration>) -> bool {
        let Some(used) = used else { return elapsed >= self.patience };
        if used != self.used {
            (self.used, self.moved) = (used, elapsed);
        }
        elapsed - self.moved >= self.patience
            || used >= self.patience * Self::BUSY
            || elapsed >= self.patience * Self::LONGEST
    }
}

/// What the processes of a group, and the children that they waited for, had of all processors.
fn processor_time(group: u32) -> Option<Duration> {
    let mut ticks = None;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(|first: char| first.is_ascii_digit()) {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            if let Some(more) = ticks_of(&stat, group) {
                ticks = Some(ticks.unwrap_or(0) + more);
            }
        }
    }
    // In hundredths of a second, whatever the kernel counts in.
    ticks.map(|ticks| Duration::from_millis(ticks * 10))
}

/// From proc(5)'s `stat`, if it is of this group.
fn ticks_of(stat: &str, group: u32) -> Option<u64> {
    // The name before may hold anything: spaces, parentheses.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    if fields.get(2)?.parse() != Ok(group) {
        return None;
    }
    // User and system time of itself, and of the children that it waited for.
    Some(fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_gets_a_little_of_a_busy_machine_does_not_hang() {
        let mut progress = Progress::new(PATIENCE);
        for second in 1..200 {
            let used = Duration::from_millis(second * 10);
            assert!(!progress.hangs(seconds(second), Some(used)), "after {second} s");
        }
    }

    #[test]
    fn what_does_nothing_hangs() {
        let mut progress = Progress::new(PATIENCE);
        assert!(!progress.hangs(seconds(5), Some(seconds(1))));
        assert!(!progress.hangs(seconds(24), Some(seconds(1))));
        assert!(progress.hangs(seconds(25), Some(seconds(1))));
    }

    #[test]
    fn what_spins_or_never_comes_to_an_end_hangs() {
        assert!(Progress::new(PATIENCE).hangs(seconds(10), Some(seconds(40))));
        assert!(Progress::new(PATIENCE).hangs(seconds(200), Some(seconds(1))));
        let mut alone = Progress::new(PATIENCE);
        assert!(!alone.hangs(seconds(19), None) && alone.hangs(seconds(20), None));
    }

    #[test]
    fn the_time_of_a_group_is_that_of_its_processes_and_their_children() {
        let stat = "71 (a) name) S 1 70 70 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 99";
        assert_eq!(ticks_of(stat, 70), Some(5 + 6 + 7 + 8));
        assert_eq!(ticks_of(stat, 71), None);
        assert_eq!(ticks_of("", 70), None);
    }
}

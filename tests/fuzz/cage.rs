//! Runs inputs in a child process that has 512 MiB and a second for each.
//!
//! A process of its own, because a limit on memory holds for a whole process and ends it.

use super::mutate::{Words, mutate};
use super::rng::Rng;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The whole process may map no more.
const MEMORY: u64 = 512 << 20;

/// The thread's own time, so that a busy machine does not matter.
const SLOWEST: Duration = Duration::from_secs(1);

/// A reader, and what it is given.
pub(crate) struct Target {
    /// The test's module and name.
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// How many inputs a plain run makes.
    pub(crate) inputs: u64,
    pub(crate) words: Words,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    pub(crate) read: fn(&[u8]),
}

impl Target {
    /// Runs all inputs.
    ///
    /// # Panics
    /// If an input made the reader panic, take too long or too much memory: with its number, and
    /// the file that it was saved in.
    pub(crate) fn run(&self) {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let first = number("ALLOC8_FUZZ_FIRST").unwrap_or(0);
        let inputs = number("ALLOC8_FUZZ_INPUTS").unwrap_or(self.inputs);
        if let Some(at) = std::env::var_os("ALLOC8_FUZZ_CHILD") {
            return self.run_here(first, inputs, Path::new(&at));
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
        fs::create_dir_all(&folder).expect("a folder");
        let at = folder.join(format!("{}.at", self.name));
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", &self.test(), "--nocapture", "--test-threads=1"])
            .env("ALLOC8_FUZZ_CHILD", &at)
            // A thread's arena maps far more than it uses.
            .env("MALLOC_ARENA_MAX", "1")
            .env("RUST_BACKTRACE", "0")
            .output()
            .expect("run the child");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let done = text.contains(&format!("fuzzed {inputs} inputs"));
        if let Some(line) = text.lines().find(|l| l.contains("slowest")) {
            println!("{}: {line}", self.name);
        }
        if !output.status.success() || !done {
            let saved = self.save(&at, &folder);
            let error = String::from_utf8_lossy(&output.stderr);
            panic!("{}\n{saved}\n{}", output.status, last_lines(&error));
        }
    }

    /// As the test runner calls it: without the crate's name.
    fn test(&self) -> String {
        let module = self.module.split_once("::").map_or("", |(_, module)| module);
        format!("{module}::{}", self.name)
    }

    /// In the child.
    fn run_here(&self, first: u64, inputs: u64, at: &Path) {
        let seeds = (self.seeds)();
        assert!(!seeds.is_empty());
        let limit = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(Resource::As, limit(MEMORY)).expect("limit the memory");
        setrlimit(Resource::Core, limit(0)).expect("no core files");
        let at = File::create(at).expect("a file for the number");
        let mut slowest = (Duration::ZERO, first);
        for number in first..first + inputs {
            at.write_all_at(&number.to_le_bytes(), 0).expect("write the number");
            let input = self.input(&seeds, number);
            let start = own_time();
            // What never ends is ended by the system; what is merely slow is told below.
            let most = clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64 + 5;
            let time = Rlimit { current: Some(most), maximum: None };
            setrlimit(Resource::Cpu, time).expect("limit the time");
            (self.read)(&input);
            let took = own_time() - start;
            slowest = slowest.max((took, number));
            assert!(took < SLOWEST, "input {number} took {took:?} ({} bytes)", input.len());
        }
        println!("fuzzed {inputs} inputs, slowest {:?} (number {})", slowest.0, slowest.1);
    }

    /// The input of a number: one of the first are the seeds themselves.
    fn input(&self, seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
        if let Some(seed) = usize::try_from(number).ok().and_then(|n| seeds.get(n)) {
            return seed.clone();
        }
        let name = self.name.bytes().fold(0, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b));
        let mut rng = Rng::new(name.wrapping_mul(0x1_0000_0001) ^ number);
        let seed = pick(&mut rng, seeds);
        let other = pick(&mut rng, seeds);
        mutate(&mut rng, seed, other, self.words)
    }

    fn save(&self, at: &Path, folder: &Path) -> String {
        let number = fs::read(at).ok().and_then(|b| Some(u64::from_le_bytes(*b.first_chunk()?)));
        let Some(number) = number else { return "before the first input".to_owned() };
        let file: PathBuf = folder.join(format!("{}-{number}", self.name));
        let input = self.input(&(self.seeds)(), number);
        fs::write(&file, &input).expect("save the input");
        format!("input {number} of {}, {} bytes, is in {}", self.name, input.len(), file.display())
    }
}

/// Large seeds come rarely: an input of a megabyte costs as much as hundreds of small ones.
fn pick<'a>(rng: &mut Rng, seeds: &'a [Vec<u8>]) -> &'a [u8] {
    loop {
        let seed = rng.pick(seeds);
        if rng.one_in(seed.len() / 4096 + 1) {
            return seed;
        }
    }
}

fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

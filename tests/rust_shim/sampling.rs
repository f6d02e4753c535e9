//! `examples/sampling` under python3: a law for each thing that its README says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alloc8_gen::allocator;
use tempfile::TempDir;

use super::{
    crates,
    toolbox::{OPERATORS, ROOT, command, finish, folder, is_bare, listed, rendered, text},
};
use crate::common;

/// Python, the library, and the folder with the scripts.
struct Sampling {
    python: PathBuf,
    library: PathBuf,
    scripts: PathBuf,
    work: TempDir,
}

/// A line of the library's file.
#[derive(Debug)]
struct Place {
    file: String,
    line: usize,
    allocated: usize,
    freed: usize,
}

impl Sampling {
    /// `None`, and said so, without Python.
    fn new() -> Option<Sampling> {
        // The program itself: what PATH names may be a script.
        let Ok(said) =
            command("python3").args(["-c", "import sys; print(sys.executable)"]).output()
        else {
            common::skip("python3", "apt-get install python3");
            return None;
        };
        let python = text(&said.stdout).trim().into();
        let library = crates::build("sampling", &[]).join("libsampling.so");
        let scripts = folder("sampling"); // the copy that was built
        Some(Sampling { python, library, scripts, work: TempDir::new().unwrap() })
    }

    /// Python with these arguments and a file to write to, which the library alone would do.
    fn alone(&self, arguments: &[&str]) -> Command {
        let mut python = command(self.python.to_str().unwrap());
        python.args(arguments).current_dir(&self.scripts).env("PYTHONMALLOC", "malloc");
        python.env("PYTHONDONTWRITEBYTECODE", "1").env("SAMPLING_FILE", self.file());
        python.env("SAMPLING_SEED", "1");
        python
    }

    fn file(&self) -> PathBuf {
        self.work.path().join("seen")
    }

    /// What was seen of a program that ends well, and what it wrote.
    fn seen(&self, every: usize, arguments: &[&str]) -> (Vec<Place>, Output) {
        let mut python = self.alone(arguments);
        python.env("SAMPLING_BYTES", every.to_string()).env("LD_PRELOAD", &self.library);
        let output = finish(&mut python);
        let file = fs::read_to_string(self.file()).unwrap();
        fs::remove_file(self.file()).unwrap();
        (file.lines().map(Place::new).collect(), output)
    }
}

impl Place {
    fn new(line: &str) -> Place {
        let words: Vec<&str> = line.split('\t').collect();
        let [_process, allocated, freed, line, file] = words[..] else { panic!("{line}") };
        let number = |word: &str| word.parse().unwrap();
        Place {
            file: file.to_owned(),
            line: number(line),
            allocated: number(allocated),
            freed: number(freed),
        }
    }
}

/// The one place of a file and line, 0 for what has none.
fn at<'a>(places: &'a [Place], file: &str, line: usize) -> &'a Place {
    let found: Vec<&Place> =
        places.iter().filter(|p| p.file.ends_with(file) && p.line == line).collect();
    let [place] = found[..] else { panic!("{file}:{line} in {places:#?}") };
    place
}

#[test]
fn the_sampler_is_complete_and_keeps_the_laws_while_every_byte_is_sampled() {
    let Some(sampling) = Sampling::new() else { return };
    let description = Path::new(ROOT).join("examples/sampling/sampling.toml");
    let description = allocator::read_file(&description).unwrap();
    is_bare(&sampling.library, &listed(&rendered("linux", &description)));
    let mut tool = command(env!("CARGO_BIN_EXE_alloc8-gen"));
    tool.args(["verify", "--laws", "--cc", "gcc"]).arg(&sampling.library);
    tool.env("SAMPLING_BYTES", "1").env("SAMPLING_FILE", sampling.file());
    let said = text(&tool.output().unwrap().stdout);
    let laws = said.lines().filter(|line| line.split_whitespace().nth(1) == Some("holds")).count();
    assert!(laws > 60, "{said}");
    for line in said.lines().filter(|line| line.starts_with("! ") && line.contains(" broken ")) {
        assert!(OPERATORS.iter().any(|law| line.contains(law)), "{line}");
    }
    // It did sample: the laws' programs are not Python's.
    let seen = fs::read_to_string(sampling.file()).unwrap();
    assert!(seen.lines().count() > 60 && seen.lines().all(|line| line.ends_with("\t0\t(native)")));
}

/// What is usual.
const BYTES: usize = 10_007;

/// Two lines whose blocks take 10,000 bytes together, and nothing else that does.
const PERIOD: &str = "
import itertools
for _ in itertools.repeat(None, 20000):
    bytes(967)
    bytes(8967)
";

#[test]
fn a_loop_as_long_as_the_distance_of_samples_does_not_hide_a_line() {
    let Some(sampling) = Sampling::new() else { return };
    let (places, _) = sampling.seen(10_000, &["-c", PERIOD]);
    for (line, size) in [(4, 1000.0), (5, 9000.0)] {
        let place = at(&places, "<string>", line);
        for bytes in [place.allocated, place.freed] {
            let share = bytes as f64 / (20_000.0 * size);
            assert!((share - 1.0).abs() < 0.15, "{places:#?}");
        }
    }
}

/// The lines of a script that say `# line:`.
fn marked(script: &Path) -> Vec<usize> {
    let text = fs::read_to_string(script).unwrap();
    text.lines().zip(1..).filter(|(line, _)| line.contains("# line:")).map(|(_, n)| n).collect()
}

#[test]
fn each_line_of_two_threads_is_within_15_percent_of_tracemalloc() {
    let Some(sampling) = Sampling::new() else { return };
    let traced = text(&finish(&mut sampling.alone(&["test/workload.py", "--trace"])).stdout);
    let (places, _) = sampling.seen(BYTES, &["test/workload.py"]);
    let lines = marked(&sampling.scripts.join("test/workload.py"));
    assert_eq!(lines.len(), 3);
    for line in lines {
        let told = traced.lines().find_map(|t| t.strip_prefix(&format!("{line} ")));
        let told: f64 = told.unwrap_or_else(|| panic!("{line}: {traced}")).parse().unwrap();
        let place = at(&places, "test/workload.py", line);
        let kept = place.allocated as f64 - place.freed as f64;
        assert!((kept / told - 1.0).abs() < 0.15, "line {line}: {kept} and {told}");
    }
}

#[test]
fn the_interpreter_goes_on_as_if_alone_while_every_byte_is_sampled() {
    let Some(sampling) = Sampling::new() else { return };
    let alone = finish(&mut sampling.alone(&["-Wignore", "test/stress.py"]));
    assert!(alone.stdout.len() > 100);
    for every in [1, 101] {
        let (places, output) = sampling.seen(every, &["-Wignore", "test/stress.py"]);
        assert_eq!(text(&output.stdout), text(&alone.stdout), "{every}");
        assert_eq!(text(&output.stderr), "", "{every}");
        assert!(places.len() > 500, "{every}: {}", places.len());
        // A tab in the name of a file is shown as something else.
        assert!(places.iter().any(|place| place.file == "ü?name"), "{every}");
    }
}

/// Each call has a frame, for which the first sample in it makes Python make an object.
const CALLS: &str = "
def call():
    return bytes(1000)
for _ in range(20000):
    call()
";

#[test]
fn what_a_sample_costs_is_not_sampled() {
    let Some(sampling) = Sampling::new() else { return };
    let (places, _) = sampling.seen(1, &["-c", CALLS]);
    // The bytes, and the numbers of the loop; each call's frame would be some hundred more.
    let expected = 20_000.0 * (1048.0 + 40.0);
    let of_script = || places.iter().filter(|place| place.file == "<string>");
    let sums = [of_script().map(|p| p.allocated).sum(), of_script().map(|p| p.freed).sum()];
    for sum in sums.map(|sum: usize| sum as f64) {
        assert!((sum / expected - 1.0).abs() < 0.02, "{sums:?}, {places:#?}");
    }
}

/// One block each with the lock, without it, and in a thread that Python does not know.
const LOCKS: &str = "
import ctypes
size = ctypes.c_size_t(50_000_000)
held, released = ctypes.PyDLL(None), ctypes.CDLL(None)
held.malloc(size)
released.malloc(size)
thread = ctypes.c_size_t()
released.pthread_create(ctypes.byref(thread), None, released.malloc, size)
released.pthread_join(thread, None)
";

#[test]
fn what_is_allocated_without_the_interpreter_s_lock_is_native() {
    let Some(sampling) = Sampling::new() else { return };
    let (places, _) = sampling.seen(BYTES, &["-c", LOCKS]);
    let millions = |line: &Place| (line.allocated + 500_000) / 1_000_000;
    assert_eq!(millions(at(&places, "<string>", 5)), 50);
    let native = millions(at(&places, "(native)", 0));
    assert!((100..105).contains(&native), "{native}");
    let elsewhere: Vec<_> =
        places.iter().filter(|p| p.file == "<string>" && p.line > 5 && millions(p) > 0).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
}

#[test]
fn nothing_is_seen_without_the_library_or_without_a_file() {
    let Some(sampling) = Sampling::new() else { return };
    finish(sampling.alone(&["test/workload.py"]).env("SAMPLING_BYTES", "1009"));
    let mut silent = sampling.alone(&["test/workload.py"]);
    silent.env_remove("SAMPLING_FILE").env("SAMPLING_BYTES", "1009");
    finish(silent.env("LD_PRELOAD", &sampling.library));
    assert_eq!(fs::read_dir(sampling.work.path()).unwrap().count(), 0);
    assert!(!sampling.seen(1009, &["test/workload.py"]).0.is_empty());
}

#[test]
fn the_script_shows_and_plots_and_leaves_output_and_status_alone() {
    let Some(sampling) = Sampling::new() else { return };
    let plot = sampling.work.path().join("a plot.svg");
    let program = sampling.work.path().join("program.py");
    fs::write(&program, "import sys\nkept = bytes(90_000_000)\nprint(sys.argv[1])\nsys.exit(3)\n")
        .unwrap();
    let mut script = sampling.alone(&["sampling.py", "--bytes", "10007", "--top", "2", "--svg"]);
    script.arg(&plot).arg(&program).arg("<&>").env("SAMPLING_LIBRARY", &sampling.library);
    let output = script.output().unwrap();
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(3), "<&>\n"), "{said}");
    let largest: Vec<&str> = said.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(largest[1], "85.8", "{said}"); // MiB
    assert!(largest[3].ends_with("program.py:2"), "{said}");

    let parse = "import sys, xml.etree.ElementTree as tree\n\
                 print(*tree.parse(sys.argv[1]).getroot().itertext(), sep='|')";
    let shown = text(&finish(sampling.alone(&["-c", parse]).arg(&plot)).stdout);
    assert!(shown.contains("program.py:2|") && shown.contains("|85.8|"), "{shown}");
}

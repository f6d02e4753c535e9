//! Running one build of a law: in a folder and a process group of its own, and not for long.

use std::{
    fs::{self, File},
    path::{self, Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use super::Program;
use crate::{
    artifact::SharedObject,
    diagnostic::{Diagnostic, Report, Result},
    interposer::launcher::{self, Record},
    system::{end_group, lead_group, link},
    toolchain::{Runner, Watch, make_folder},
};

/// A law that does nothing for longer hangs; none takes two seconds of one processor.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The exit status that says "it does not apply here".
const NOT_HERE: i32 = 77;

/// How a law fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It is broken.
    Broken {
        /// What was expected and what was seen.
        said: String,
    },
    /// It does not apply here.
    NotHere {
        /// Why.
        reason: String,
    },
    /// It did nothing for 20 seconds, if nothing else was said, or many times as much as any law does.
    Hung,
}

/// How a law is started.
#[derive(Debug, Clone, Copy)]
pub struct Starts<'a> {
    /// By whom.
    pub runner: &'a Runner,
    /// What it runs to start a law with a library, where nothing is preloaded.
    pub launcher: Option<&'a Path>,
}

/// Runs one build under a library, or without one under the C library's own heap, and ends it when it
/// does nothing for `patience`: on a busy machine a law takes longer than on an idle one.
///
/// # Errors
/// `A8301` if there is no room to run in, `A8403` if the program cannot be started.
pub fn run(
    starts: &Starts<'_>,
    program: &Program,
    library: Option<&Path>,
    scratch: &Path,
    patience: Duration,
) -> Result<Outcome> {
    let runner = starts.runner;
    if runner.is_foreign() && library.is_some_and(|file| !same_machine(&program.path, file)) {
        return Ok(Outcome::Broken { said: "the library is for another machine".to_owned() });
    }
    let mut place = Place::new(scratch)?;
    let preload = match (library, starts.launcher) {
        // The dynamic linker's ways with names are none of the launcher's.
        (Some(library), Some(_)) => Some(absolute(library)?),
        (library, _) => library.map(|library| place.preload(library)).transpose()?,
    };
    let mut command = starts.command(program, preload.as_deref(), &place);
    command
        .args(&program.plugin)
        .current_dir(&place.folder)
        .stdin(Stdio::null())
        // Files, not pipes: nobody reads while it runs.
        .stdout(create(&place.out)?)
        .stderr(create(&place.err)?)
        .env("LC_ALL", "C");
    lead_group(&mut command);
    let mut child = command.spawn().map_err(|error| {
        let program = program.path.display();
        Report::from(Diagnostic::error(
            "A8403",
            format!("`{program}` could not be started: {error}"),
        ))
    })?;
    let Some(status) = wait(&mut child, patience) else { return Ok(Outcome::Hung) };
    let (out, err) = (read(&place.out), read(&place.err));
    let launched = starts.launcher.is_some() && preload.is_some();
    let vain = match launched {
        true => launched_in_vain(&Record::read(&read(&place.record)), &err),
        false => preloaded_in_vain(runner, &err),
    };
    Ok(vain.map_or_else(|| judge(status, &out, &err), |said| Outcome::Broken { said }))
}

impl Starts<'_> {
    fn command(&self, program: &Program, preload: Option<&Path>, place: &Place) -> Command {
        let Some((file, library)) = self.launcher.zip(preload) else {
            return self.runner.command(&program.path, preload);
        };
        let mut command =
            launcher::command(self.runner, file, &place.record, library, &program.path);
        command.arg(&program.path);
        command
    }
}

/// By the exit status, and by what the program said.
fn judge(status: ExitStatus, out: &str, err: &str) -> Outcome {
    match status.code() {
        Some(0) => Outcome::Holds,
        Some(NOT_HERE) => Outcome::NotHere { reason: brief(out) },
        Some(1) if !err.trim().is_empty() => Outcome::Broken { said: brief(err) },
        _ => Outcome::Broken { said: with_end(status, &brief(err)) },
    }
}

/// What the dynamic linker says that goes on without a library that it cannot load.
fn preloaded_in_vain(runner: &Runner, err: &str) -> Option<String> {
    let complains = |line: &&str| {
        line.contains("cannot be preloaded") && !(runner.is_foreign() && is_the_hosts(line))
    };
    err.lines().find(complains).map(|line| line.trim().to_owned())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path::absolute(path).map_err(|error| {
        let message = format!("could not read `{}`: {error}", path.display());
        Diagnostic::error("A8304", message).into()
    })
}

/// What became of a law that its launcher saw to no end of its own. Wine may end with 0 and have run nothing.
fn launched_in_vain(record: &Record, err: &str) -> Option<String> {
    if let Some(status) = record.early {
        let end = launcher::in_words(status);
        return Some(format!("ended before its first instruction: {end}"));
    }
    match (&record.refused, record.ended) {
        (None, Some(status)) if status < 256 => None,
        (None, Some(status)) => Some(format!("{} (it ended with 0x{status:08X})", brief(err))),
        (refused, _) => {
            let why = refused.as_deref().unwrap_or("nothing is known of its end");
            Some(format!("not started under the library: {}", brief(why)))
        }
    }
}

/// A law may start programs of the host's own, which cannot load a library for another CPU.
fn is_the_hosts(complaint: &str) -> bool {
    ["(wrong ELF class", "(cannot open shared object file)"]
        .iter()
        .any(|why| complaint.contains(why))
}

/// Whether both files are for one machine; true if that cannot be told.
fn same_machine(one: &Path, other: &Path) -> bool {
    let machine = |path: &Path| {
        let object = SharedObject::read(&fs::read(path).ok()?).ok()?;
        Some((object.machine, object.class, object.endian))
    };
    machine(one).zip(machine(other)).is_none_or(|(one, other)| one == other)
}

/// Its exit or signal, and what it said before.
fn with_end(status: ExitStatus, said: &str) -> String {
    // "exit status: 3", "signal: 11 (SIGSEGV) (core dumped)"
    let end = status.to_string().replace(" (core dumped)", "");
    if said.is_empty() { format!("it ended with {end}") } else { format!("{said} ({end})") }
}

fn brief(text: &str) -> String {
    const MOST: usize = 500;
    let text = text.trim();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// `None` if it had to be ended, with all that it started.
fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let mut watch = Watch::new(child, patience);
    let mut pause = Duration::from_micros(300);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if !watch.hangs() => {}
            _ => break,
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(4));
    }
    end_group(child);
    None
}

/// Where one program runs; gone when it is done with.
struct Place {
    folder: PathBuf,
    out: PathBuf,
    err: PathBuf,
    link: PathBuf,
    /// What a launcher says.
    record: PathBuf,
}

impl Place {
    fn new(scratch: &Path) -> Result<Place> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let with = |suffix: &str| scratch.join(format!("{name}{suffix}"));
        let place = Place {
            folder: with(""),
            out: with(".out"),
            err: with(".err"),
            link: with(".so"),
            record: with(".record"),
        };
        // Left over from a process of the same number that was killed.
        place.clear();
        make_folder(&place.folder)?;
        Ok(place)
    }

    /// A name of the library that the dynamic linker does not split: it does at spaces and colons.
    fn preload(&mut self, library: &Path) -> Result<PathBuf> {
        let library = fs::canonicalize(library).map_err(|error| {
            let message = format!("could not read `{}`: {error}", library.display());
            Report::from(Diagnostic::error("A8304", message))
        })?;
        let splits = |path: &Path| path.to_string_lossy().contains([' ', ':']);
        if !splits(&library) {
            return Ok(library);
        }
        if splits(&self.link) {
            let name = self.link.file_name().unwrap_or_default().to_string_lossy();
            self.link = std::env::temp_dir().join(format!("alloc8-law-{name}"));
            let _ = fs::remove_file(&self.link);
        }
        link(&library, &self.link).map_err(|error| cannot_make(&self.link, &error))?;
        Ok(self.link.clone())
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        for file in [&self.out, &self.err, &self.link, &self.record] {
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clear();
    }
}

fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| cannot_make(path, &error))
}

fn cannot_make(path: &Path, error: &std::io::Error) -> Report {
    Diagnostic::error("A8302", format!("could not write `{}`: {error}", path.display())).into()
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_end_before_the_first_instruction_is_told_in_words() {
        let said = |text| launched_in_vain(&Record::read(text), "").unwrap_or_default();
        let early = said("early 3221225781\n");
        assert!(early.contains("first instruction") && early.contains("not found"), "{early}");
        assert!(said("refused taking it over\n").contains("not started under the library"));
        assert_eq!(said("ended 0\n"), "");
    }

    #[test]
    fn what_hangs_is_ended_with_all_that_it_started() {
        use std::io::Read;
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & wait"]).stdout(Stdio::piped());
        lead_group(&mut command);
        let mut child = command.spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::from_millis(50)), None);
        // The pipe ends when its last writer does: the sleep too is gone.
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
    }
}

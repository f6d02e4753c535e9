//! One job: started in a folder of its own, with nothing in its environment but what the list says.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::list::{List, Program};

/// A job that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// How the job is run.
pub(crate) enum Under<'a> {
    /// No interposer.
    Nothing,
    /// This allocator, with `--lib` and the like; every reference bound at once, or when it is used.
    Interposer { allocator: &'a str, options: &'a [String], bind_now: bool },
}

/// What it did.
pub(crate) struct Done {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// The exit status in words.
    pub(crate) status: String,
    /// Where the proof is.
    pub(crate) proof: PathBuf,
    /// Where the job ran.
    pub(crate) folder: PathBuf,
    _scratch: tempfile::TempDir,
}

pub(crate) fn run(list: &List, program: &Program, under: &Under<'_>) -> Done {
    // Not below TMPDIR: the path of a Unix socket in it has room for a hundred bytes.
    let scratch = tempfile::Builder::new().prefix("a8-").tempdir_in("/tmp").expect("a folder");
    let folder = scratch.path().join("job");
    fs::create_dir(&folder).expect("a folder");
    let proof = scratch.path().join("proof");
    let mut command = match under {
        Under::Nothing => Command::new("/usr/bin/env"),
        Under::Interposer { allocator, options, .. } => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
            command.args(["run", "--format=json", "--allocator", allocator]).args(*options);
            command.arg(format!("--proof={}", proof.display())).args(["--", "env"]);
            command
        }
    };
    // What the tool itself needs is not for the job.
    command.args(["-u", "XDG_CACHE_HOME"]);
    command.arg(format!("HOME={0}", folder.display())).arg(format!("TMPDIR={}", folder.display()));
    if matches!(under, Under::Interposer { bind_now: true, .. }) {
        command.arg("LD_BIND_NOW=1");
    }
    command.args(["bash", "-eu", "-o", "pipefail", "-c", &program.job]);
    command.env_clear().envs(&list.env).envs(&program.env);
    command.env("TMPDIR", scratch.path()).env("HOME", scratch.path());
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    let (stdout, stderr) = (scratch.path().join("stdout"), scratch.path().join("stderr"));
    command.current_dir(&folder).stdin(Stdio::null());
    command.stdout(File::create(&stdout).expect("a file"));
    command.stderr(File::create(&stderr).expect("a file"));
    let status = wait(&mut command);
    Done {
        stdout: fs::read(stdout).expect("stdout"),
        stderr: String::from_utf8_lossy(&fs::read(stderr).expect("stderr")).into_owned(),
        status,
        proof,
        folder,
        _scratch: scratch,
    }
}

/// Ends the job and all that it started when its time is over.
fn wait(command: &mut Command) -> String {
    let mut child = command.process_group(0).spawn().expect("the job starts");
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the job is ours") {
            return status.to_string();
        }
        if started.elapsed() > LIMIT {
            let group = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = child.wait();
            return format!("no end after {} seconds", LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

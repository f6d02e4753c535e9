//! What users' CI runs: the steps of the GitHub action, as its runner would run them, and the pre-commit
//! hook, under pre-commit itself.
#![cfg(unix)]

mod common;
#[path = "check/project.rs"]
#[allow(dead_code, reason = "tests of check use all of it")]
mod project;
#[path = "cli/tool.rs"]
mod tool;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use project::{DESCRIPTION, SHIM, edit, project};
use tool::{Ran, TOOL, folder, root};

/// Stands in for `cargo install`, which takes minutes: the tool that the tests have is put where it was asked for.
const CARGO: &str = r#"#!/bin/sh
echo "$@" >>"$LOG"
[ "$1 $2 $3 $4" = "install --debug --locked --path" ] && [ -f "$5/Cargo.toml" ] && [ "$6" = --root ] || exit 9
mkdir -p "$7/bin" && cp "$TOOL" "$7/bin/"
"#;

/// A job on a runner of GitHub's.
struct Job {
    /// Where the action was unpacked.
    action: PathBuf,
    /// Everything else of the runner's.
    temp: tempfile::TempDir,
}

impl Job {
    fn new(sources: &Path) -> Job {
        let temp = folder();
        let cargo = temp.path().join("cargo");
        fs::write(&cargo, CARGO).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        Job { action: sources.join(".github/actions/check"), temp }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Every step of the action that is a script, up to the first that fails; and what those told others.
    fn runs(&self, project: &Path, folders: &str) -> Ran {
        let text = fs::read_to_string(self.action.join("action.yml")).unwrap();
        let mut known = BTreeMap::from([("inputs.folders".to_owned(), folders.to_owned())]);
        let mut last = None;
        let steps = text.split_once("  steps:\n").unwrap().1;
        assert_eq!(steps.matches("run: ").count(), 3, "{text}");
        for step in steps.split("\n    - ") {
            let Some((_, script)) = step.split_once("run: ") else { continue };
            let script = script.lines().next().unwrap();
            let mut bash = Command::new("bash");
            // As the runner calls it.
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
            bash.current_dir(project).env("GITHUB_ACTION_PATH", &self.action);
            bash.env("RUNNER_TEMP", self.file("runner temp")).env("RUNNER_OS", "Linux");
            bash.env("RUNNER_ARCH", "X64").env("GITHUB_OUTPUT", self.file("output"));
            bash.env("LOG", self.file("log")).env("TOOL", TOOL);
            let path = std::env::var("PATH").unwrap();
            bash.env("PATH", format!("{}:{path}", self.temp.path().display()));
            for line in step.lines() {
                let Some((name, value)) = line.split_once(": ${{ ") else { continue };
                let value = &known[value.strip_suffix(" }}").unwrap()];
                bash.env(name.trim(), value);
            }
            let ran = Ran::new(&mut bash);
            let ended = ran.status.success();
            last = Some(ran);
            if !ended {
                break;
            }
            for line in fs::read_to_string(self.file("output")).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                known.insert(format!("steps.tool.outputs.{name}"), value.to_owned());
            }
        }
        last.unwrap()
    }

    /// What the cache of the runner would be asked for.
    fn key(&self) -> String {
        let output = fs::read_to_string(self.file("output")).unwrap();
        let mut keys = output.lines().filter_map(|line| line.strip_prefix("key="));
        keys.next_back().unwrap().to_owned()
    }
}

#[test]
fn the_action_annotates_what_differs_and_installs_the_tool_once() {
    let job = Job::new(root());
    let place = project();
    job.runs(place.path(), "generated").exits(0);
    edit(&place.path().join(SHIM), "stddef", "stdlib");
    let ran = job.runs(place.path(), "generated").exits(1);
    assert!(
        ran.out.starts_with(&format!("::error title=A8313,file={SHIM},line=")),
        "{}",
        ran.all()
    );
    // Several folders, as a workflow writes them; one that is not there is no agreement.
    job.runs(place.path(), "generated/heap\nmissing").exits(2);
    assert_eq!(fs::read_to_string(job.file("log")).unwrap().lines().count(), 1);
}

#[test]
fn the_tool_of_other_sources_is_not_taken_from_the_cache() {
    let sources = folder();
    let copied = [
        "src",
        "specs",
        "templates",
        "examples/simple_heap",
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        ".github",
    ];
    let mut cp = Command::new("cp");
    cp.current_dir(root()).args(["-R", "--parents"]).args(copied).arg(sources.path());
    Ran::new(&mut cp).exits(0);
    let job = Job::new(sources.path());
    let place = project();
    let mut keys = Vec::new();
    for _ in 0..2 {
        job.runs(place.path(), "generated").exits(0);
        keys.push(job.key());
    }
    assert_eq!(keys[0], keys[1]);
    edit(&sources.path().join("specs/platforms/linux.toml"), "linux", "linux ");
    job.runs(place.path(), "generated").exits(0);
    assert_ne!(job.key(), keys[0]);
}

#[test]
fn pre_commit_refuses_a_commit_of_shims_that_differ() {
    if Command::new("pre-commit").arg("--version").output().is_err() {
        return common::skip("pre-commit", "apt-get install pre-commit");
    }
    let home = folder();
    let git = |place: &Path, arguments: &[&str]| {
        let path = std::env::var("PATH").unwrap();
        let own = Path::new(TOOL).parent().unwrap().display();
        let mut git = Command::new("git");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            git.env_remove(name);
        }
        git.current_dir(place).env("PATH", format!("{own}:{path}")).env("HOME", home.path());
        git.env("PRE_COMMIT_HOME", home.path().join("hooks"));
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments);
        Ran::new(&mut git)
    };
    let commit = |place: &Path| git(place, &["commit", "-qam", "a change"]);

    // The hook as this repository has it, in a repository that is quickly cloned.
    let hooks = folder();
    let manifest = ".pre-commit-hooks.yaml";
    fs::copy(root().join(manifest), hooks.path().join(manifest)).unwrap();
    git(hooks.path(), &["init", "-q"]).exits(0);
    git(hooks.path(), &["add", manifest]).exits(0);
    commit(hooks.path()).exits(0);
    let rev = git(hooks.path(), &["rev-parse", "HEAD"]).exits(0).out;

    let place = project();
    let config = format!(
        "repos:\n- repo: {}\n  rev: {rev}  hooks:\n  - id: alloc8-gen-check-system\n",
        hooks.path().display()
    );
    fs::write(place.path().join(".pre-commit-config.yaml"), config).unwrap();
    git(place.path(), &["init", "-q"]).exits(0);
    git(place.path(), &["add", "."]).exits(0);
    let install = ["-c", "alias.hooks=!pre-commit", "hooks", "install"];
    git(place.path(), &install).exits(0);
    commit(place.path()).exits(0);
    // Of a file that is gone, too, of which pre-commit tells no hook.
    git(place.path(), &["rm", "-q", SHIM]).exits(0);
    commit(place.path()).exits(1);
    git(place.path(), &["reset", "-q", "--hard"]).exits(0);
    fs::write(place.path().join("heap.toml"), DESCRIPTION.replace("heap_size", "heap_bytes"))
        .unwrap();
    let ran = commit(place.path()).exits(1);
    assert!(ran.all().contains(&format!("stale         A8310  {SHIM}")), "{}", ran.all());
}

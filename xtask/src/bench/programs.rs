//! Whole programs under the C library's heap, mimalloc's own override, and ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};

use super::measure::median;
use crate::shell::{output, program, root, succeeds, which};

const ROUNDS: usize = 3;

/// One program's seconds, by heap: wall and user.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) what: &'static str,
    pub(super) seconds: Vec<(f64, f64)>,
}

/// What was measured, and what was not.
pub(super) struct Table {
    pub(super) heaps: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    pub(super) skipped: Vec<String>,
}

/// A program that ends by itself; `{root}` is the repository.
struct Job {
    title: &'static str,
    what: &'static str,
    program: &'static str,
    script: &'static str,
}

const JOBS: &[Job] = &[
    Job {
        title: "python3",
        what: "dictionaries, lists and JSON, with PYTHONMALLOC=malloc",
        program: "python3",
        script: r#"PYTHONMALLOC=malloc python3 -S -c '
import json
for _ in range(4):
    d = {str(i): [i, str(i * 7), {"k": i}] for i in range(60000)}
    assert len(json.loads(json.dumps(d))) == 60000
'"#,
    },
    Job {
        title: "gcc",
        what: "compiles simple_heap.c with -O2, four times",
        program: "gcc",
        script: "for i in 1 2 3 4; do gcc -O2 -S -o /dev/null {root}/examples/simple_heap/simple_heap.c; done",
    },
    Job {
        title: "sqlite3",
        what: "fills, indexes and joins a table of 200,000 rows in memory",
        program: "sqlite3",
        script: r#"sqlite3 :memory: "create table t(a integer primary key, b text, c integer);
with recursive n(i) as (select 1 union all select i+1 from n where i < 200000)
insert into t select i, 'row number ' || (i * 7919 % 200000), i % 1000 from n;
create index tb on t(b); create index tc on t(c);
select count(distinct b), sum(length(b)) from t; select c, count(*), group_concat(a) from t group by c;
select count(*) from t x join t y on x.b = y.b where x.c < 100;""#,
    },
];

const REDIS: &str = "PING_INLINE SET GET LPUSH LRANGE of redis-benchmark, 32-deep pipelines";

pub(super) fn measure(tool: &Path, work: &Path) -> anyhow::Result<Table> {
    let shop = work.join("mimalloc");
    let ours = work.join("simple_heap/libbuilt.so");
    let heaps = [
        ("glibc", None),
        ("mimalloc, its own override", Some(shop.join("libown-override.so"))),
        ("mimalloc, alloc8-gen build", Some(shop.join("libbuilt.so"))),
        ("mimalloc, alloc8-gen build, `errno` waived", Some(shop.join("libwaived.so"))),
        ("mimalloc, shim.c alone", Some(shop.join("libjumping-gcc.so"))),
        ("simple_heap, alloc8-gen build", Some(ours.clone())),
    ];
    let mut rows = Vec::new();
    let mut skipped = Vec::new();
    for job in JOBS {
        let Some(executable) = which(job.program) else {
            skipped.push(format!("{}: not installed", job.program));
            continue;
        };
        if let Some(why) = unmoved(tool, &executable, &ours) {
            skipped.push(format!("{}: {why}", job.program));
            continue;
        }
        let run = |library: Option<&Path>| timed(job.script, library, work);
        match in_turns(job.title, &heaps, run) {
            Ok(seconds) => rows.push(Row { title: job.title, what: job.what, seconds }),
            Err(why) => skipped.push(format!("{}: {why:#}", job.title)),
        }
    }
    if ["redis-server", "redis-cli", "redis-benchmark"].iter().all(|name| which(name).is_some()) {
        match in_turns("redis-benchmark", &heaps, redis) {
            Ok(seconds) => rows.push(Row { title: "redis-server", what: REDIS, seconds }),
            Err(why) => skipped.push(format!("redis-server: {why:#}")),
        }
    } else {
        skipped.push("redis-server, redis-benchmark: not installed".to_owned());
    }
    Ok(Table { heaps: heaps.iter().map(|(name, _)| *name).collect(), rows, skipped })
}

/// Seconds of a program under each heap, in the middle; one that fails takes nothing from the others.
fn in_turns(
    title: &str,
    heaps: &[(&str, Option<PathBuf>)],
    mut run: impl FnMut(Option<&Path>) -> anyhow::Result<(f64, f64)>,
) -> anyhow::Result<Vec<(f64, f64)>> {
    eprintln!("{title}: whole program");
    let mut times = vec![Vec::new(); heaps.len()];
    for _ in 0..ROUNDS {
        for ((_, library), times) in heaps.iter().zip(&mut times) {
            times.push(run(library.as_deref())?);
        }
    }
    Ok(times.into_iter().map(middle).collect())
}

fn middle(times: Vec<(f64, f64)>) -> (f64, f64) {
    let (wall, user) = times.into_iter().unzip();
    (median(wall), median(user))
}

/// Why a preload would not take effect in a program.
fn unmoved(tool: &Path, executable: &Path, library: &Path) -> Option<String> {
    // A version manager puts a script in the program's place, and the program it starts is another.
    let script = fs::read(executable).is_ok_and(|bytes| bytes.starts_with(b"#!"));
    if script {
        return None;
    }
    let mut verify = program(tool);
    verify.args(["verify", "--quiet", "--program"]).args([executable, library]);
    (!succeeds(&mut verify)).then(|| "a preload would not take effect in it".to_owned())
}

/// Wall and user seconds of a script, as bash tells them.
fn timed(script: &str, library: Option<&Path>, work: &Path) -> anyhow::Result<(f64, f64)> {
    let script = script.replace("{root}", &root().display().to_string());
    // The shell itself runs under the heap as well, and costs the same under each.
    let inner = work.join("job.sh");
    fs::write(&inner, script)?;
    let mut bash = Command::new("bash");
    bash.args(["-c", "TIMEFORMAT='%R %U'; time env $PRELOAD bash -eu \"$1\" >/dev/null", "bash"]);
    bash.arg(&inner).env("PRELOAD", preload(library)).stdin(Stdio::null());
    let done = bash.output().context("bash")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{}: {said}", inner.display());
    let last = said.lines().last().unwrap_or_default();
    let mut numbers = last.split(' ').map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(wall)), Some(Ok(user))) => Ok((wall, user)),
        _ => anyhow::bail!("bash told no times: {said}"),
    }
}

fn preload(library: Option<&Path>) -> String {
    library.map_or("ALLOC8_NOTHING=1".to_owned(), |path| format!("LD_PRELOAD={}", path.display()))
}

/// A server that is ended when the measurement is over, however it is over.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Wall seconds of the benchmark, user seconds of the server.
fn redis(library: Option<&Path>) -> anyhow::Result<(f64, f64)> {
    // Not below TMPDIR: the path of a socket has room for a hundred bytes.
    let folder = tempfile::Builder::new().prefix("a8-").tempdir_in("/tmp")?;
    let socket = folder.path().join("redis").display().to_string();
    let mut server = Command::new("env");
    server.arg(preload(library)).args(["redis-server", "--port", "0", "--unixsocket", &socket]);
    server.args(["--save", "", "--appendonly", "no"]).current_dir(folder.path());
    let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let _server = Server(server);
    let client = |words: &[&str]| {
        let mut client = Command::new("redis-cli");
        client.args(["-s", &socket]).args(words);
        client
    };
    let answers = (0..200).any(|_| {
        thread::sleep(Duration::from_millis(20));
        succeeds(&mut client(&["ping"]))
    });
    ensure!(answers, "redis-server does not answer");
    let started = std::time::Instant::now();
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.args(["-s", &socket, "-n", "50000", "-P", "32", "-d", "100", "-r", "50000", "-q"]);
    output(benchmark.args(["-t", "ping_inline,set,get,lpush,lrange_100"]))?;
    let wall = started.elapsed().as_secs_f64();
    let info = output(&mut client(&["info", "cpu"]))?;
    let user = info.lines().find_map(|line| line.strip_prefix("used_cpu_user:"));
    Ok((wall, user.and_then(|user| user.trim().parse().ok()).context("redis told no times")?))
}

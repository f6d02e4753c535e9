//! How long the tool itself takes: rendering, comparing, building; and how it grows with the spec.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use super::{
    libraries::archive,
    measure::{in_turns, wall},
};
use crate::shell::{cargo, output, program};

const ROUNDS: usize = 41;
const BUILDS: usize = 9;

/// Milliseconds.
pub(super) struct Table {
    /// What, and how long.
    pub(super) rows: Vec<(String, f64)>,
    /// By the size of the spec.
    pub(super) growth: Vec<Growth>,
    /// `build`, and the compiler and linker that it starts.
    pub(super) build: f64,
    pub(super) bare: f64,
}

/// From a spec's text to the shim's.
pub(super) struct Growth {
    pub(super) symbols: u32,
    pub(super) milliseconds: f64,
}

pub(super) fn measure(tool: &Path, work: &Path) -> anyhow::Result<Table> {
    eprintln!("generation");
    let folder = work.join("generated");
    let generate = |platform: &str| {
        let mut command = program(tool);
        command.args(["generate", "--format=json", "-p", platform, "-a", "simple_heap", "-o"]);
        command.arg(&folder);
        command
    };
    let files = output(&mut generate("all"))?.lines().count();
    let again = output(&mut generate("all"))?;
    ensure!(!again.contains("\"changed\":true"), "a second run wrote files");
    let mut first = || {
        fs::remove_dir_all(&folder)?;
        wall(&mut generate("all"))
    };
    let mut nothing_to_do = || wall(&mut generate("all"));
    let mut one = || wall(&mut generate("linux"));
    let mut check = || wall(program(tool).args(["check", "--quiet"]).arg(&folder));
    let mut start = || wall(program(tool).arg("--version"));
    let times =
        in_turns(ROUNDS, &mut [&mut first, &mut nothing_to_do, &mut one, &mut check, &mut start])?;
    let titles = [
        format!("`generate -p all`: {files} files, none there"),
        "`generate -p all` again: nothing is written".to_owned(),
        "`generate -p linux` again".to_owned(),
        "`check` of all".to_owned(),
        "`--version`: starting the tool".to_owned(),
    ];
    let (build, bare) = builds(tool, work)?;
    Ok(Table { rows: titles.into_iter().zip(times).collect(), growth: growth()?, build, bare })
}

/// What `xtask/bench/generation.rs` says: lines of symbols and milliseconds.
fn growth() -> anyhow::Result<Vec<Growth>> {
    let mut bench = cargo();
    bench.args(["bench", "--quiet", "--package=alloc8-gen", "--bench=generation"]);
    let text = output(&mut bench)?;
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let (symbols, milliseconds) = (words.next()?, words.next()?);
        Some(Growth { symbols: symbols.parse().ok()?, milliseconds: milliseconds.parse().ok()? })
    };
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    lines.map(|line| read(line).with_context(|| line.to_owned())).collect()
}

/// `build` with what it measured of the archive at hand, and the same library by hand: one compiler
/// run, the join that makes the direct bindings, one link.
fn builds(tool: &Path, work: &Path) -> anyhow::Result<(f64, f64)> {
    let shop = work.join("mimalloc");
    let archive = archive("mimalloc", &shop)?;
    let library = work.join("libtimed.so");
    let cache = work.join("cache");
    let mut build = || {
        // What was measured of the archive stays; the library is to be made anew.
        let built = cache.join("alloc8-gen/libraries");
        if built.exists() {
            fs::remove_dir_all(built)?;
        }
        let mut build = program(tool);
        build.env("XDG_CACHE_HOME", &cache).args(["build", "--quiet", "-a", "mimalloc", "-o"]);
        wall(build.arg(&library).arg("--lib").arg(&archive))
    };
    build()?;
    let by_hand = |words: &str| -> anyhow::Result<Duration> {
        let started = Instant::now();
        let mut gcc = Command::new("gcc");
        output(gcc.current_dir(&shop).args(words.split_whitespace()))?;
        Ok(started.elapsed())
    };
    let archive = archive.display();
    let compile = "-O2 -fPIC -DALLOC8_DIRECT -c linux/shim.c -o timed.o";
    let join = "-r -nostdlib timed.o -o timed-joined.o -Wl,--defsym=alloc8_direct_options=alloc8_direct_macro";
    let link = format!(
        "-shared -Wl,-z,now -Wl,--version-script=linux/exports.lp64.map timed-joined.o {archive} -o timed.so"
    );
    let mut bare = || Ok(by_hand(compile)? + by_hand(join)? + by_hand(&link)?);
    let times = in_turns(BUILDS, &mut [&mut build, &mut bare])?;
    Ok((times[0], times[1]))
}

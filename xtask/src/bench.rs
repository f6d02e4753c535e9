//! What a call costs in instructions, counted by callgrind, and how long rendering takes.
//!
//! Counts, not times: they are the same on every run and on every machine of one architecture.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, ensure};

use crate::{
    install,
    shell::{output, program, root, tool},
    test,
};

/// An allocator, and the prefix of its functions as a C program calls them.
const ALLOCATORS: &[(&str, &str)] = &[("simple_heap", "simple_heap_"), ("mimalloc", "mi_")];

/// Operations of the program below, by its first argument.
const OPERATIONS: &[&str] =
    &["malloc(32) + free", "new + delete", "calloc(1, 32) + free", "realloc"];

/// How the program reaches the allocator.
const WAYS: &[&str] = &["PLT", "direct", "jump", "guarded"];

/// With NAME(f), it calls the allocator's own functions through its PLT; else the public names.
const PROGRAM: &str = r#"
#include <stdlib.h>
#ifdef PREFIX
#define JOIN(a, b) a##b
#define PASTE(a, b) JOIN(a, b)
#define NAME(f) PASTE(PREFIX, f)
void *NAME(malloc)(size_t); void NAME(free)(void *); void *NAME(calloc)(size_t, size_t); void *NAME(realloc)(void *, size_t);
#define NEW NAME(malloc)
#define DELETE NAME(free)
#else
#define NAME(f) f
void *_Znwm(size_t); void _ZdlPv(void *);
#define NEW _Znwm
#define DELETE _ZdlPv
#endif
int main(int count, char **words)
{
    (void)count;
    long calls = atol(words[2]);
    void *block = NAME(malloc)(32);
    switch (*words[1]) {
    case '0': for (long i = 0; i < calls; i++) NAME(free)(NAME(malloc)(32)); break;
    case '1': for (long i = 0; i < calls; i++) DELETE(NEW(32)); break;
    case '2': for (long i = 0; i < calls; i++) NAME(free)(NAME(calloc)(1, 32)); break;
    case '3': for (long i = 0; i < calls; i++) block = NAME(realloc)(block, i & 1 ? 32 : 24); break;
    }
    NAME(free)(block);
    return 0;
}
"#;

pub(crate) fn bench() -> anyhow::Result<()> {
    install::one("valgrind", "valgrind")?;
    test::archives()?;
    let tool = tool("release")?;
    let work = tempfile::tempdir()?;
    for (name, prefix) in ALLOCATORS {
        let folder = work.path().join(name);
        fs::create_dir(&folder)?;
        println!("{name}: instructions per iteration\n");
        println!("  {:<22}{}", "", columns(WAYS));
        let programs = programs(&tool, name, prefix, &folder)?;
        for (operation, title) in OPERATIONS.iter().enumerate() {
            let mut row = Vec::new();
            for executable in &programs {
                row.push(format!("{:.1}", per_call(executable, operation, &folder)?));
            }
            println!("  {title:<22}{}", columns(&row));
        }
        println!();
    }
    generation(&tool, work.path())
}

fn columns(cells: &[impl AsRef<str>]) -> String {
    cells.iter().map(|cell| format!("{:>10}", cell.as_ref())).collect()
}

/// The program, linked in each of the ways.
fn programs(tool: &Path, name: &str, prefix: &str, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let path = |file: &str| folder.join(file);
    let archive = archive(name, folder)?;
    fs::write(path("bench.c"), PROGRAM)?;
    let own = "-shared -fPIC -Wl,--whole-archive";
    cc(folder, &format!("{own} {} -Wl,--no-whole-archive -o libplt.so", archive.display()))?;

    let lib = ["--lib".as_ref(), archive.as_os_str()];
    output(
        program(tool)
            .args(["build", "--quiet", "-a", name, "-o"])
            .arg(path("libdirect.so"))
            .args(lib),
    )?;

    output(
        program(tool).args(["generate", "--quiet", "-p", "linux", "-a", name, "-o"]).arg(folder),
    )?;
    let shim = "-O2 -shared -fPIC linux/shim.c -Wl,--version-script=linux/exports.lp64.map -Wl,-Bno-symbolic";
    cc(folder, &format!("{shim} {} -o libjump.so", archive.display()))?;

    // The same functions, and no promise.
    let description = root().join(format!("specs/allocators/{name}.toml"));
    let text = fs::read_to_string(&description)?;
    let functions: Vec<&str> = text
        .lines()
        .filter(|line| {
            let key = line.split('=').next().unwrap_or_default().trim();
            ["malloc", "free", "calloc", "realloc", "memalign", "malloc_usable_size"].contains(&key)
        })
        .collect();
    let head = "schema = 1\nname = \"unpromised\"\n";
    fs::write(path("unpromised.toml"), format!("{head}{}\n", functions.join("\n")))?;
    let mut build = program(tool);
    build.args(["build", "--quiet", "-a"]).arg(path("unpromised.toml")).arg("-o");
    output(build.arg(path("libguarded.so")).args(lib))?;

    let mut made = Vec::new();
    for way in ["plt", "direct", "jump", "guarded"] {
        let define = if way == "plt" { format!("-DPREFIX={prefix}") } else { String::new() };
        let link = format!("-L. -Wl,--no-as-needed -l:lib{way}.so -Wl,-rpath,{}", folder.display());
        let runtime = if way == "plt" { "" } else { "-lstdc++" };
        cc(folder, &format!("-O2 -fno-builtin {define} bench.c {link} {runtime} -o {way}"))?;
        made.push(path(way));
    }
    Ok(made)
}

fn archive(name: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    if name != "simple_heap" {
        return Ok(root().join(format!("target/allocators/out/lib{name}.a")));
    }
    let source = root().join("examples/simple_heap/simple_heap.c");
    cc(folder, &format!("-O2 -fPIC -c {} -o simple_heap.o", source.display()))?;
    output(program("ar").current_dir(folder).args(["rcs", "libsimple_heap.a", "simple_heap.o"]))?;
    Ok(folder.join("libsimple_heap.a"))
}

fn cc(folder: &Path, arguments: &str) -> anyhow::Result<()> {
    output(program("gcc").current_dir(folder).args(arguments.split_whitespace())).map(drop)
}

/// The first calls (loading, binding, filling caches) fall out of the difference.
fn per_call(executable: &Path, operation: usize, folder: &Path) -> anyhow::Result<f64> {
    let few = instructions(executable, operation, 20_000, folder)?;
    let many = instructions(executable, operation, 120_000, folder)?;
    Ok((many as f64 - few as f64) / 100_000.0)
}

fn instructions(
    executable: &Path,
    operation: usize,
    calls: u32,
    folder: &Path,
) -> anyhow::Result<u64> {
    let file = folder.join("callgrind.out");
    let mut valgrind = program("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(executable).args([operation.to_string(), calls.to_string()]);
    output(&mut valgrind)?;
    let text = fs::read_to_string(&file)?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("summary:").or(line.strip_prefix("totals:")));
    total.and_then(|total| total.trim().parse().ok()).context("callgrind left no total")
}

/// Everything at once, then once more.
fn generation(tool: &Path, work: &Path) -> anyhow::Result<()> {
    let folder = work.join("generated");
    let render = || -> anyhow::Result<(f64, String)> {
        let started = Instant::now();
        let mut command = program(tool);
        command.args(["generate", "--format=json", "-p", "all", "-a", "simple_heap", "-o"]);
        let said = output(command.arg(&folder))?;
        Ok((started.elapsed().as_secs_f64() * 1000.0, said))
    };
    let (first, said) = render()?;
    let files = said.lines().count();
    let (second, said) = render()?;
    let again = said.lines().filter(|line| line.contains("\"changed\":true")).count();
    println!(
        "generation: {files} files in {first:.1} ms; a second run writes {again} in {second:.1} ms"
    );
    ensure!(again == 0, "a second run wrote files");
    Ok(())
}

//! What the tests need from the system: installed as root on Debian, named elsewhere.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;

use crate::{
    musl,
    shell::{output, program, root, run, which},
    wine, zig,
};

/// A package, and a program whose presence stands for it; without one, only dpkg can tell.
const PACKAGES: &[(&str, &str)] = &[
    ("binutils", "ld.gold"),
    ("clang", "clang"),
    ("cmake", "cmake"),
    ("g++", "g++"),
    // Other CPUs (tests/cpus.rs): half a minute, and some hundred MB on disk. Not gcc-multilib, which
    // would remove every compiler for another CPU.
    ("g++-12-multilib", ""),
    ("gcc-12-multilib", ""),
    ("libstdc++-12-dev-arm64-cross", ""),
    ("libstdc++-12-dev-armhf-cross", ""),
    ("libstdc++-12-dev-ppc64el-cross", ""),
    ("libstdc++-12-dev-riscv64-cross", ""),
    ("libstdc++-12-dev-s390x-cross", ""),
    ("lld-19", "ld.lld-19"),
    ("llvm", "llvm-objcopy"),
    ("qemu-user", "qemu-s390x"),
    ("gawk", "gawk"),
    ("gcc", "gcc"),
    // For Detours alone, which is in C++.
    ("g++-mingw-w64-i686-win32", "i686-w64-mingw32-g++"),
    ("g++-mingw-w64-x86-64-win32", "x86_64-w64-mingw32-g++"),
    ("gcc-mingw-w64-i686-win32", "i686-w64-mingw32-gcc"),
    ("gcc-mingw-w64-x86-64-win32", "x86_64-w64-mingw32-gcc"),
    ("gdb", "gdb"),
    ("git", "git"),
    ("libjemalloc-dev", ""),
    ("libjemalloc2", ""),
    ("libmimalloc-dev", ""),
    ("libmimalloc2.0", ""),
    ("libtbbmalloc2", ""),
    ("libtcmalloc-minimal4", ""),
    ("lld", "ld.lld"),
    ("lua5.4", "lua5.4"),
    ("make", "make"),
    ("mawk", "mawk"),
    ("meson", "meson"),
    ("mingw-w64-i686-dev", ""),
    ("mingw-w64-x86-64-dev", ""),
    ("mold", "mold"),
    ("musl-tools", "musl-gcc"),
    ("ninja-build", "ninja"),
    ("openssl", "openssl"),
    ("patchelf", "patchelf"),
    ("perl", "perl"),
    ("pkg-config", "pkg-config"),
    ("pre-commit", "pre-commit"),
    ("python3", "python3"),
    ("python3-venv", ""),
    ("redis-server", "redis-server"),
    ("ruby", "ruby"),
    ("sqlite3", "sqlite3"),
    ("valgrind", "valgrind"),
    ("wine", "wine"),
    ("wine64", "wineserver"),
    ("xz-utils", "xz"),
];

/// Installs what is missing, or says what is. Nothing here is an error: a test whose tool is
/// missing says so itself.
pub(crate) fn all() -> anyhow::Result<()> {
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (package, program) in PACKAGES {
        let programs = if program.is_empty() { vec![] } else { vec![(*program).to_owned()] };
        wanted.insert((*package).to_owned(), programs);
    }
    for (packages, programs) in real_programs()? {
        for package in packages {
            wanted.entry(package).or_insert_with(|| programs.clone());
        }
    }
    install(&wanted)?;
    zig::install();
    musl::install();
    wine::install();
    rust_elsewhere();
    Ok(())
}

/// Rust's own library for macOS, Windows and other CPUs, for which tests compile shims in Rust.
fn rust_elsewhere() {
    let targets = [
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-gnu",
        "i686-pc-windows-gnu",
        "i686-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "armv7-unknown-linux-gnueabihf",
        "riscv64gc-unknown-linux-gnu",
        "s390x-unknown-linux-gnu",
    ];
    let mut add = program("rustup");
    if let Err(error) = run(add.args(["target", "add"]).args(targets)) {
        eprintln!("warning: {error:#}");
        eprintln!("not installed, tests that need them are skipped: {}", targets.join(", "));
    }
}

/// The same for one package.
pub(crate) fn one(package: &str, program: &str) -> anyhow::Result<()> {
    install(&BTreeMap::from([(package.to_owned(), vec![program.to_owned()])]))
}

/// Packages and programs of each entry in the list of real programs.
fn real_programs() -> anyhow::Result<Vec<(Vec<String>, Vec<String>)>> {
    let path = "tests/programs/programs.toml";
    let text = std::fs::read_to_string(root().join(path)).with_context(|| path.to_owned())?;
    let table: toml::Table = text.parse().with_context(|| path.to_owned())?;
    let strings = |entry: &toml::Value, key: &str| -> Vec<String> {
        let all = entry.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        all.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    };
    let entries = table.get("program").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(entries.map(|entry| (strings(entry, "debian"), strings(entry, "needs"))).collect())
}

fn install(wanted: &BTreeMap<String, Vec<String>>) -> anyhow::Result<()> {
    let debian = which("apt-get").is_some() && which("dpkg-query").is_some();
    let installed = if debian { installed(wanted.keys())? } else { String::new() };
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(package, programs)| {
            // A program that came another way (node, often) will do; a library must be a package.
            let runs =
                programs.iter().all(|p| if debian { on_system(p) } else { which(p).is_some() });
            let tells = !programs.is_empty() || !debian;
            !(runs && tells || installed.lines().any(|line| line == *package))
        })
        .map(|(package, _)| package.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !debian || output(program("id").arg("-u"))?.trim() != "0" {
        let all = missing.join(" ");
        eprintln!("not installed, tests that need them are skipped: {all}");
        eprintln!("help: apt-get install {all}");
        return Ok(());
    }
    let apt = |packages: &[&str]| {
        let mut command = program("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        command.args(["install", "--quiet=2", "--yes", "--no-install-recommends"]).args(packages);
        run(&mut command)
    };
    // Lists may be there already, and old; only a failure to fetch them is worth a word.
    if let Err(error) = run(program("apt-get").args(["update", "--quiet=2"])) {
        eprintln!("warning: {error:#}");
    }
    if apt(&missing).is_err() {
        // One name that this release does not know must not keep the others out.
        for package in missing {
            if let Err(error) = apt(&[package]) {
                eprintln!("warning: {error:#}");
            }
        }
    }
    Ok(())
}

/// Those that dpkg knows as installed, one a line.
fn installed<'a>(packages: impl Iterator<Item = &'a String>) -> anyhow::Result<String> {
    let format = "--showformat=${db:Status-Status} ${Package}\n";
    // It fails if it does not know one of the names, and tells of the others all the same.
    let mut query = program("sh");
    query.args(["-c", "dpkg-query --show \"$@\" 2>/dev/null || true", "sh", format]).args(packages);
    let lines = output(&mut query)?;
    let names = lines.lines().filter_map(|line| line.strip_prefix("installed "));
    Ok(names.map(|name| format!("{name}\n")).collect())
}

/// Whether the system itself has it: what a developer puts before it in PATH is not what jobs run.
fn on_system(name: &str) -> bool {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].iter().any(|f| Path::new(f).join(name).is_file())
}

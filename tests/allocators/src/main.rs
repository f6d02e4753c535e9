//! Builds the static libraries of real allocators and puts them into one folder, with sources beside them.
//!
//! `cargo run --release --manifest-path tests/allocators/Cargo.toml -- OUT_DIR`
//!
//! The crates' own build scripts compile them, without their own override of malloc; this program
//! asks cargo where they left their libraries, proves each one and copies it. Cargo decides what is
//! out of date, and a library that is in its place already is left untouched.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, bail, ensure};

/// A library to deliver.
struct Archive {
    /// Its name in OUT_DIR.
    name: &'static str,
    /// The package whose build script makes it, and where in that script's folder.
    package: &'static str,
    path: &'static str,
    /// Functions that it must define.
    defines: &'static [&'static str],
}

const ARCHIVES: &[Archive] = &[
    Archive {
        name: "libmimalloc.a",
        package: "libmimalloc-sys",
        path: "libmimalloc.a",
        defines: &[
            "mi_malloc",
            "mi_free",
            "mi_calloc",
            "mi_realloc",
            "mi_memalign",
            "mi_usable_size",
            "mi_free_size",
            "mi_free_size_aligned",
            "mi_is_in_heap_region",
        ],
    },
    Archive {
        name: "libjemalloc.a",
        package: "tikv-jemalloc-sys",
        // `libjemalloc.a` beside it is not position-independent.
        path: "lib/libjemalloc_pic.a",
        defines: &[
            "_rjem_malloc",
            "_rjem_free",
            "_rjem_calloc",
            "_rjem_realloc",
            "_rjem_memalign",
            "_rjem_aligned_alloc",
            "_rjem_malloc_usable_size",
            "_rjem_free_sized",
            "_rjem_free_aligned_sized",
            "_rjem_mallctl",
        ],
    },
    Archive {
        name: "libsnmallocshim-static.a",
        package: "archives",
        path: "libsnmallocshim-static.a",
        defines: &[
            "sn_malloc",
            "sn_free",
            "sn_calloc",
            "sn_realloc",
            "sn_memalign",
            "sn_aligned_alloc",
            "sn_malloc_usable_size",
            "sn_malloc_good_size",
            "sn_free_sized",
            "sn_free_aligned_sized",
        ],
    },
    Archive {
        name: "libsnmallocshim-rust.a",
        package: "snmalloc-sys",
        path: "libsnmallocshim-rust.a",
        defines: &[
            "sn_rust_alloc",
            "sn_rust_alloc_zeroed",
            "sn_rust_dealloc",
            "sn_rust_realloc",
            "sn_rust_usable_size",
        ],
    },
    Archive {
        name: "librpmalloc.a",
        package: "rpmalloc-sys",
        path: "librpmalloc.a",
        defines: &[
            "rpmalloc",
            "rpfree",
            "rpcalloc",
            "rprealloc",
            "rpmemalign",
            "rpmalloc_usable_size",
            "rpmalloc_initialize",
            "rpmalloc_thread_initialize",
            "rpmalloc_thread_finalize",
        ],
    },
];

/// A crate's folder of sources in C or C++ that is wanted as it is, to be compiled for Windows.
struct Source {
    /// Its name in OUT_DIR/sources.
    name: &'static str,
    package: &'static str,
    path: &'static str,
}

const SOURCES: &[Source] = &[
    Source { name: "minhook", package: "minhook-sys", path: "minhook" },
    Source { name: "detours", package: "detours-sys", path: "deps/detours-src" },
    Source { name: "mimalloc", package: "libmimalloc-sys", path: "c_src/mimalloc/v3" },
];

/// What none of them may define: then it would be an interposer itself.
const FORBIDDEN: &[&str] =
    &["malloc", "free", "calloc", "realloc", "memalign", "malloc_usable_size", "_Znwm", "_ZdlPv"];

/// For the C ones. jemalloc asks for -g3, which would make its library thirty times as large.
const CFLAGS: &str = "-g0";

/// For snmalloc, the only C++ among them: what its crate's script leaves out and upstream's CMake
/// can switch on. Without NDEBUG its assertions run; without fork protection a fork while another
/// thread allocates may hang; the last one spares the C++ runtime, as upstream's default does.
const CXXFLAGS: &str = "-DNDEBUG -DSNMALLOC_PTHREAD_FORK_PROTECTION -DSNMALLOC_PTHREAD_ATFORK_WORKS \
                        -DSNMALLOC_USE_CXX11_THREAD_ATEXIT_DIRECT";

fn main() -> anyhow::Result<()> {
    let mut args = env::args_os().skip(1);
    let (Some(out), None) = (args.next(), args.next()) else {
        bail!("usage: build-allocators OUT_DIR");
    };
    let out = PathBuf::from(out);
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let built = build()?;
    for archive in ARCHIVES {
        let folder = built
            .get(archive.package)
            .with_context(|| format!("cargo ran no build script of {}", archive.package))?;
        let new = deliver(archive, &folder.join(archive.path), &out)
            .with_context(|| format!("{} of package {}", archive.name, archive.package))?;
        let state = if new { "built" } else { "up to date" };
        println!("{}: {state}", out.join(archive.name).display());
    }
    sources(&out.join("sources"))
}

/// Copies the sources, unless they are there.
fn sources(out: &Path) -> anyhow::Result<()> {
    if SOURCES.iter().all(|source| out.join(source.name).is_dir()) {
        return Ok(());
    }
    // Of all targets, so cargo fetches what is for Windows alone.
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--locked", "--manifest-path"]);
    let answer = stdout(cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")))?;
    let metadata: serde_json::Value = serde_json::from_str(&answer)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    for source in SOURCES {
        let manifest = packages
            .iter()
            .find(|package| package["name"] == source.package)
            .and_then(|package| package["manifest_path"].as_str())
            .with_context(|| format!("cargo metadata does not name {}", source.package))?;
        let from = Path::new(manifest).with_file_name(source.path);
        let made = out.join(format!(".{}.{}", source.name, std::process::id()));
        copy(&from, &made).with_context(|| format!("cannot copy {}", from.display()))?;
        let to = out.join(source.name);
        if to.is_dir() {
            fs::remove_dir_all(&made)?;
        } else {
            fs::rename(&made, &to)?;
        }
    }
    Ok(())
}

/// A folder and all that is in it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// Has cargo build the package `archives`; gives the folder of each build script by package.
fn build() -> anyhow::Result<HashMap<String, PathBuf>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package=archives", "--release", "--locked", "--message-format=json"])
        .arg("--manifest-path")
        .arg(here.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(here.join("../../target/allocators"))
        // The caller's flags (LTO, hardening, sanitizers) must not leak into the libraries,
        .env_remove("CPPFLAGS")
        .env_remove("LDFLAGS")
        .env("CFLAGS", CFLAGS)
        .env("CXXFLAGS", CXXFLAGS)
        // nor may an installed library stand in for the crate's source.
        .env_remove("JEMALLOC_OVERRIDE")
        .env("LIBRPMALLOC_NO_PKG_CONFIG", "1")
        .stderr(Stdio::inherit());
    let output = cargo.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo build failed ({})", output.status);
    let mut built = HashMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if message["reason"] != "build-script-executed" {
            continue;
        }
        let id = message["package_id"].as_str().context("a message without package_id")?;
        let folder = message["out_dir"].as_str().context("a message without out_dir")?;
        built.insert(package_name(id).to_owned(), PathBuf::from(folder));
    }
    Ok(built)
}

/// `…index#rpmalloc-sys@0.2.3` and `path+file:///…/archives#0.0.0` both name their package.
fn package_name(id: &str) -> &str {
    let (url, fragment) = id.rsplit_once('#').unwrap_or(("", id));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => url.rsplit('/').next().unwrap_or(url),
    }
}

/// Copies `from` into `out` after proving it; tells whether there was anything to do.
fn deliver(archive: &Archive, from: &Path, out: &Path) -> anyhow::Result<bool> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let to = out.join(archive.name);
    if fs::read(&to).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let temporary = out.join(format!(".{}.{}", archive.name, std::process::id()));
    fs::write(&temporary, bytes)?;
    let proved = prove(archive, &temporary);
    if proved.is_ok() {
        fs::rename(&temporary, &to)?;
    } else {
        fs::remove_file(&temporary)?;
    }
    proved.and(Ok(true))
}

/// It defines its functions and no malloc, holds no LTO bytecode, and links into a shared library.
fn prove(archive: &Archive, file: &Path) -> anyhow::Result<()> {
    let mut nm = Command::new("nm");
    let names = stdout(nm.args(["--extern-only", "--defined-only", "--format=posix"]).arg(file))?;
    let defined = |name: &&&str| names.lines().any(|line| line.split(' ').next() == Some(**name));
    let missing: Vec<_> = archive.defines.iter().filter(|name| !defined(name)).collect();
    ensure!(missing.is_empty(), "does not define {missing:?}");
    let forbidden: Vec<_> = FORBIDDEN.iter().filter(defined).collect();
    ensure!(forbidden.is_empty(), "defines {forbidden:?}: built with its own override");

    let mut readelf = Command::new("readelf");
    let sections = stdout(readelf.args(["--sections", "--wide"]).arg(file))?;
    ensure!(!sections.contains(".gnu.lto_"), "holds LTO bytecode");

    // The linker refuses what is not position-independent (-z text) or needs more than libc
    // (-z defs): none of them needs a C++ runtime, libm or libatomic.
    let library = file.with_extension("so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-Wl,-z,defs,-z,text,--whole-archive"]).arg(file);
    let linked = stdout(cc.args(["-Wl,--no-whole-archive", "-o"]).arg(&library));
    let _ = fs::remove_file(&library);
    linked.map(drop)
}

fn stdout(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot start {name} (install binutils and gcc)"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}", stderr.trim_end());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

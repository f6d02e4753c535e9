//! The static libraries of real allocators: built when a test first asks for them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{FlockOperation, flock};

use crate::common;

/// What `--lib` is given for a built-in allocator.
pub(crate) enum Library {
    /// Nothing: it is embedded, or installed where the linker looks.
    None,
    /// This archive.
    Archive(PathBuf),
}

impl Library {
    pub(crate) fn options(&self) -> Vec<String> {
        match self {
            Library::None => Vec::new(),
            Library::Archive(path) => vec!["--lib".to_owned(), path.display().to_string()],
        }
    }

    /// The archives for `interposer::Order`.
    #[allow(dead_code, reason = "not every harness builds through the library")]
    pub(crate) fn archives(&self) -> Vec<PathBuf> {
        match self {
            Library::None => Vec::new(),
            Library::Archive(path) => vec![path.clone()],
        }
    }
}

/// The library of a built-in allocator; `None`, and said so, if it is not to be had here.
pub(crate) fn library(allocator: &str) -> Option<Library> {
    let file = match allocator {
        "simple_heap" => return Some(Library::None),
        path if path.ends_with("hoard.toml") => return example(Path::new(path)),
        // A heap class, which its description names.
        path if path.ends_with(".toml") => return Some(Library::None),
        "jemalloc-unprefixed" => return installed("libjemalloc_pic.a", "libjemalloc-dev"),
        "mimalloc" => "libmimalloc.a",
        "jemalloc" => "libjemalloc.a",
        "snmalloc" => "libsnmallocshim-static.a",
        "snmalloc-rust" => "libsnmallocshim-rust.a",
        "rpmalloc" => "librpmalloc.a",
        other => panic!("no archive is known for {other}"),
    };
    for tool in ["gcc", "g++", "make", "ar"] {
        if Command::new(tool).arg("--version").output().is_err() {
            common::skip(allocator, "apt-get install gcc g++ make binutils");
            return None;
        }
    }
    Some(Library::Archive(build().join(file)))
}

/// The archive of an example, from the C++ file beside its description.
fn example(description: &Path) -> Option<Library> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder").keep();
    let (object, archive) = (folder.join("heap.o"), folder.join("libheap.a"));
    let mut compile = Command::new("g++");
    compile.args(["-std=c++17", "-O2", "-fPIC", "-fno-exceptions", "-fno-rtti", "-c", "-o"]);
    compile.arg(&object).arg(description.with_extension("cpp"));
    let mut collect = Command::new("ar");
    collect.arg("rcs").arg(&archive).arg(&object);
    for command in [&mut compile, &mut collect] {
        match command.status() {
            Ok(status) => assert!(status.success(), "{command:?}"),
            Err(_) => {
                common::skip("g++", "apt-get install g++ binutils");
                return None;
            }
        }
    }
    Some(Library::Archive(archive))
}

/// What the compiler finds by itself.
fn installed(file: &str, package: &str) -> Option<Library> {
    let output = Command::new("cc").arg(format!("-print-file-name={file}")).output();
    let found =
        output.is_ok_and(|o| Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_absolute());
    if !found {
        common::skip(file, &format!("apt-get install {package}"));
    }
    found.then_some(Library::None)
}

/// Runs the driver, which leaves alone what is up to date; tests in other processes wait.
pub(crate) fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/allocators");
    let out = target.join("out");
    fs::create_dir_all(&out).expect("target/allocators/out");
    let lock = File::create(target.join("tests.lock")).expect("target/allocators/tests.lock");
    flock(&lock, FlockOperation::LockExclusive).expect("flock");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--manifest-path"])
        .arg(root.join("tests/allocators/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .arg("--")
        .arg(&out)
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out
}

//! `examples/real`: a library by its one command, in a copy of the folder that is kept between runs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rustix::fs::{FlockOperation, flock};

use crate::common;

/// The library that `make` leaves in one of the folders, for this machine or another; it is made anew, of an
/// archive that make itself keeps. `None`, and said so, where a tool is missing.
pub(crate) fn made(name: &str, target: Option<&str>) -> Option<PathBuf> {
    for tool in ["make", "gcc", "g++", "ar"] {
        if Command::new(tool).arg("--version").output().is_err() {
            common::skip(&format!("real-{name}"), "apt-get install make gcc g++ binutils");
            return None;
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    refresh(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/real"), &folder);
    let out = folder.join(name).join("build").join(target.unwrap_or("native"));
    if let Some(old) = library(&out) {
        fs::remove_file(old).unwrap();
    }
    let make = || {
        let output = make(&folder.join(name), target).output().unwrap();
        assert!(output.status.success(), "{name} {target:?}: {}", text(&output));
        text(&output)
    };
    make();
    let library = library(&out).expect("what make says it makes");
    assert!(make().contains("up to date"), "{name} {target:?} is made twice");
    Some(library)
}

/// Make in a folder, with the tool and zig as the tests find them.
fn make(folder: &Path, target: Option<&str>) -> Command {
    let mut make = Command::new("make");
    make.current_dir(folder).arg(format!("ALLOC8_GEN={}", env!("CARGO_BIN_EXE_alloc8-gen")));
    make.args(target.map(|target| format!("TARGET={target}")));
    for variable in ["CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    make.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    if let Some(zig) = common::zig() {
        let words: Vec<_> = std::iter::once(zig.get_program()).chain(zig.get_args()).collect();
        make.env("ALLOC8_ZIG", words.join(std::ffi::OsStr::new(" ")));
        make.envs(zig.get_envs().filter_map(|(name, value)| Some((name, value?))));
    }
    make
}

fn library(out: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(out).ok()?.map(|entry| entry.unwrap().path());
    files.find(|file| {
        let ends = |ending: &str| file.extension().is_some_and(|extension| extension == ending);
        file.to_string_lossy().contains("-preload.") && ["so", "dylib", "dll"].into_iter().any(ends)
    })
}

/// Copies what differs, so that make sees what changed; leaves out what was built or fetched in the tree.
pub(crate) fn refresh(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            if !(path.ends_with("build") || path.ends_with("sources")) {
                refresh(&path, &target);
            }
        } else if fs::read(&path).unwrap() != fs::read(&target).unwrap_or_default() {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

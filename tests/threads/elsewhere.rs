//! Hooks on other systems than glibc's, in each language: the code for Android, FreeBSD and NetBSD under
//! musl, whose threads these are, over a stub for what their C libraries name otherwise.
//!
//! In C and C++ by zig, with its headers for the system; for Android with musl's, for there are none of
//! bionic's. In Rust by rustc for this machine: the text asks nothing of its target but the CPU.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    place::{MUSL, POLICIES, cli, description, hold},
    rust::{CRATE, crate_of},
};
use crate::{
    common, heaps,
    systems::{SYSTEMS, System},
};

/// What is asked of hooks there.
struct Hooked(&'static System);

impl Hooked {
    /// Whether a program can tell under musl what it tells on the system.
    fn has(&self, program: &str, policy: &str) -> bool {
        match program {
            // Elsewhere it is no symbol of its own: it calls the public pthread_create, and musl's does not.
            "threads_of_c11_are_seen_off" => self.0.platform == "linux-musl",
            // bionic keeps the value of a key without destructor to a thread's end; musl takes it away.
            "what_comes_after_the_cleanup_is_harmless" => {
                (self.0.platform, policy) != ("android", "required")
            }
            _ => true,
        }
    }

    /// zig's compiler for it, for one file.
    fn compile(&self, driver: &str, standard: &str, source: &Path, object: &Path) -> PathBuf {
        let mut zig = common::zig().expect("looked for");
        zig.args([
            driver,
            "-target",
            self.0.zig,
            "-fno-sanitize=all",
            standard,
            "-O2",
            "-fPIC",
            "-c",
        ]);
        zig.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
        heaps::run(zig.arg(source).arg("-o").arg(object));
        object.to_owned()
    }

    /// Shim and heap; for C++ what stands in for its library, too.
    fn objects(&self, lang: &str, policy: &str, work: &Path) -> Vec<PathBuf> {
        let heap = MUSL.archive(policy, work);
        let folder = match lang {
            "c" => work.join(self.0.platform),
            lang => work.join(format!("{}-{lang}", self.0.platform)),
        };
        if lang != "rust" {
            let mut generate = cli();
            generate.args(["generate", "-p", self.0.platform, "--lang", lang, "-a"]);
            heaps::run(generate.arg(description(policy)).arg("-o").arg(work));
        }
        let at = |name: &str| folder.join(name);
        match lang {
            "c" => vec![self.compile("cc", "-std=c11", &at("shim.c"), &at("shim.o")), heap],
            "cpp" => {
                fs::write(at("shim.cpp"), "#include \"shim.hpp\"\n").unwrap();
                let none = heaps::root().join("tests/fixtures/no_cxx.c");
                let shim = self.compile("c++", "-std=c++20", &at("shim.cpp"), &at("shim.o"));
                let mut stands_in = MUSL.compiler();
                stands_in.args(["-O1", "-fPIC", "-c"]).arg(none).arg("-o").arg(at("none.o"));
                heaps::run(&mut stands_in);
                vec![shim, heap, at("none.o")]
            }
            _ => {
                let archive = work.join("libshim.a");
                let mut rustc = crate_of(self.0.platform, &description(policy), CRATE, work);
                rustc.args(["-O", "-Ccodegen-units=1", "--crate-type=staticlib", "-o"]);
                heaps::run(rustc.arg(&archive));
                vec![archive, heap]
            }
        }
    }
}

fn told_in(lang: &str, policies: &[&str]) {
    let work = TempDir::new().unwrap();
    if !MUSL.is_there(work.path()) {
        return;
    }
    if common::zig().is_none() {
        common::skip(common::ZIG.0, common::ZIG.1);
        return;
    }
    let programs = MUSL.programs(work.path());
    for (system, policy) in SYSTEMS.iter().flat_map(|s| policies.iter().map(move |p| (s, *p))) {
        let hooked = Hooked(system);
        let folder = work.path().join(format!("{}-{policy}", system.platform));
        fs::create_dir_all(&folder).unwrap();
        let objects = hooked.objects(lang, policy, &folder);
        let library = folder.join("library.so");
        let mut link: Command = MUSL.compiler();
        link.args(["-shared", "-Wl,-z,now,-z,nodelete,-u,malloc"]).args(objects);
        heaps::run(link.arg("-o").arg(&library));
        let stub = system.stub(MUSL.compiler(), &folder).map(|(mut command, stub)| {
            heaps::run(&mut command);
            format!(":{}", stub.display())
        });
        let preload = format!("{}{}", library.display(), stub.unwrap_or_default());
        println!("{}, {lang}, {policy}", system.platform);
        let programs: Vec<_> =
            programs.iter().filter(|(name, _)| hooked.has(name, policy)).cloned().collect();
        hold(&programs, Path::new(&preload), policy, &[true]);
    }
}

#[test]
fn threads_are_introduced_and_seen_off_in_c_for_every_c_library() {
    told_in("c", &POLICIES);
}

#[test]
fn threads_are_introduced_and_seen_off_in_cxx_for_every_c_library() {
    told_in("cpp", &POLICIES);
}

#[test]
fn threads_are_introduced_and_seen_off_in_rust_for_every_c_library() {
    told_in("rust", &POLICIES);
}

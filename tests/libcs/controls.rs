//! What must not pass: libraries with one fault each, and how the fault shows. Each is the shim and its heap
//! by hand, right but for that fault: where nothing was planted, nothing shows.
//!
//! A version node of its own is in `nodes`, pages of 4 KiB under a system of 16 KiB in `android`, no library at
//! all in `android`, `bsd` and `musl`; all three for glibc, and another machine's library, in tests/cpus.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    artifact::SharedObject,
    laws::{self, Compilers, Outcome, Workshop},
    toolchain::Compiler,
};

use super::{
    android,
    machines::{SONAME, X86_64, answering, folder, not_listed, platform, run, who},
    musl,
    ndk::ndk,
};
use crate::common::zig_cc;

const SIGSEGV: i32 = 11;
/// Where the host's gcc has its runtime.
const HOSTS: &str = "-L/usr/lib/gcc/x86_64-linux-gnu/12";

fn simple_heap() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simple_heap/simple_heap.c")
}

/// A library in the making.
struct Kit<'a> {
    compiler: Command,
    system: &'a str,
    heap: &'a Path,
    work: &'a Path,
}

impl Kit<'_> {
    /// The shim and the heap in one library, with the export list as `script` leaves it.
    fn planted(mut self, script: &dyn Fn(String) -> String, more: &[&str]) -> PathBuf {
        let generated = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated/simple_heap");
        let generated = generated.join(self.system);
        let list = fs::read_to_string(generated.join("exports.lp64.map")).unwrap();
        let list = list[list.find("\n{").expect("an anonymous script")..].to_owned();
        let (map, library) = (self.work.join("planted.map"), self.work.join(SONAME));
        fs::write(&map, script(list)).unwrap();
        self.compiler.args(["-O2", "-fPIC", "-shared", "-pthread", "-o"]).arg(&library);
        let map = format!("-Wl,-soname,{SONAME},--version-script={}", map.display());
        self.compiler.arg(map).arg(generated.join("shim.c")).arg(self.heap);
        run(self.compiler.args(more));
        library
    }
}

/// Without change.
fn whole(script: String) -> String {
    script
}

/// Every name under a node.
fn under_a_node(script: String) -> String {
    format!("OURS_1.0 {script}")
}

fn without(name: &'static str) -> impl Fn(String) -> String {
    move |script| script.replace(&format!("\n    {name};"), "")
}

/// A file beside the others.
fn source(work: &Path, name: &str, text: &str) -> String {
    let file = work.join(name);
    fs::write(&file, text).unwrap();
    file.to_str().expect("UTF-8").to_owned()
}

/// What `verify` says of it, and its status.
fn judged(library: &Path, platform: &str) -> (Option<i32>, String) {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    tool.args(["verify", "-q", "-p", platform, "-a", "simple_heap"]).arg(library);
    let output = tool.env("XDG_CACHE_HOME", folder().join("cache")).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn only(faults: &[String], begins: &str) {
    assert!(faults.len() == 1 && faults[0].starts_with(begins), "{begins}: {faults:?}");
}

#[test]
fn each_fault_of_a_library_for_android_is_seen_in_the_file() {
    let Some(ndk) = ndk() else { return };
    let work = tempfile::tempdir().unwrap();
    let (pages, other) = ("-Wl,-z,max-page-size=16384", work.path().join("libother.so"));
    let right = ["-Wl,-z,now", "-Wl,--no-as-needed", "-lc", "-ldl"];
    let faults = |level: u32, script: &dyn Fn(String) -> String, more: &[&str]| {
        let clang = android::compiler(&ndk, &format!("x86_64-linux-android{level}"));
        let (compiler, heap, work) = (clang.command(), &simple_heap(), work.path());
        let kit = Kit { compiler, system: "android", heap, work };
        android::faults(&kit.planted(script, &[&right[..], more].concat()))
    };
    assert_eq!(faults(21, &whole, &[pages]), [""; 0]);
    only(&faults(21, &under_a_node, &[pages]), "version nodes");
    only(&faults(21, &whole, &["-Wl,-z,max-page-size=4096"]), "not aligned for pages of 16 KiB");
    only(&faults(21, &whole, &[pages, "-Wl,--hash-style=sysv"]), "no table of hashes");

    let clang = android::compiler(&ndk, "x86_64-linux-android21");
    let nothing = source(work.path(), "other.c", "int nothing;\n");
    run(clang
        .command()
        .args(["-shared", "-fPIC", "-Wl,-soname,libother.so", "-o"])
        .arg(&other)
        .arg(nothing));
    only(
        &faults(21, &whole, &[pages, other.to_str().unwrap()]),
        "needs [\"libc.so\", \"libdl.so\", \"libother.so\"]",
    );

    let counts = "static _Thread_local unsigned long calls;\nvoid count(void) { calls++; }\n";
    let local = source(work.path(), "local.c", counts);
    let native = ["-fno-emulated-tls", "-ftls-model=initial-exec", pages, local.as_str()];
    only(&faults(29, &whole, &native), "thread-locals");
    only(&faults(21, &whole, &[pages, "-Wl,-z,undefs", &local]), "names __emutls_get_address");
    let divides = "unsigned __aeabi_uidivmod(unsigned, unsigned);\nunsigned part(unsigned n) { return __aeabi_uidivmod(n, 3); }\n";
    let divides = source(work.path(), "divides.c", divides);
    only(&faults(21, &whole, &[pages, "-Wl,-z,undefs", &divides]), "names __aeabi_uidivmod");
}

/// Where an Android has no thread-locals, a compiler's emulation of them asks malloc for each.
#[test]
fn a_heap_whose_thread_locals_are_emulated_is_refused_and_never_ends() {
    let Some((ndk, tools)) = ndk().zip(X86_64.tools()) else { return };
    let work = tempfile::tempdir().unwrap();
    let clang = android::compiler(&ndk, "x86_64-linux-android21");
    let text = format!(
        "#define simple_heap_malloc inner_malloc\n#include \"{}\"\n#undef simple_heap_malloc\n\
         void *simple_heap_malloc(size_t size);\nstatic _Thread_local size_t calls;\n\
         void *simple_heap_malloc(size_t size)\n{{\n    calls++;\n    return inner_malloc(size);\n}}\n",
        simple_heap().display()
    );
    let heap = source(work.path(), "heap.c", &text);
    let object = work.path().join("heap.o");
    run(clang.command().args(["-O2", "-fPIC", "-c", "-o"]).arg(&object).arg(&heap));
    let mut tool = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"));
    tool.args(["build", "-p", "android", "--target", &clang.target, "--lib"]).arg(&object);
    tool.current_dir(work.path()).env("ANDROID_NDK_HOME", &ndk);
    let output = tool.env("XDG_CACHE_HOME", folder().join("cache")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("A8413"), "{said}");

    // By hand, with gcc's emulation, which is what an NDK's runtime has: the stack comes to its end.
    let tools = android::over_musl(&tools, work.path(), &[]);
    let linked = |more: &[&str]| {
        let kit = Kit {
            compiler: clang.command(),
            system: "android",
            heap: Path::new(&heap),
            work: work.path(),
        };
        kit.planted(&whole, more)
    };
    let program = who(&tools, work.path());
    let mut emulated = tools.runner.command(&program, Some(&linked(&["-lgcc_eh", HOSTS])));
    let output = emulated.output().unwrap();
    assert_eq!(output.status.signal(), Some(SIGSEGV), "{output:?}");
    let native = linked(&["-fno-emulated-tls", "-ftls-model=initial-exec"]);
    let said = run(&mut tools.runner.command(&program, Some(&native)));
    assert_eq!(answering(&said), BTreeSet::from([SONAME]), "it was the emulation: {said}");
}

/// What Android's laws ask beyond musl's own heap: without a library, they see that it is not ours.
#[test]
fn musls_own_heap_does_not_keep_androids_laws() {
    let Some(tools) = X86_64.tools() else { return };
    const OTHERWISE: [&str; 3] = [
        "aligned_alloc_rejects_other_sizes",
        "memalign_rounds_the_alignment_up",
        "realloc_to_zero_frees",
    ];
    let mut laws = laws::laws(&platform("android")).unwrap();
    laws.retain(|law| OTHERWISE.contains(&law.name.as_str()) || law.name == "free_keeps_errno");
    let compilers = Compilers { c: tools.compiler.clone(), cxx: Err(String::new()), clang: false };
    let workshop = Workshop::new(compilers, &[], &folder()).unwrap();
    let judged = laws::check_with(&workshop, laws, None, 2).unwrap();
    let broken = |outcome: &Outcome| matches!(outcome, Outcome::Broken { .. });
    let broken = judged.iter().filter(|(_, outcome)| broken(outcome)).map(|(law, _)| &law.name);
    assert_eq!(broken.collect::<Vec<_>>(), OTHERWISE, "of {} laws", judged.len());
}

#[test]
fn each_fault_of_a_library_for_musl_is_seen_in_the_file() {
    let Some(tools) = X86_64.tools() else { return };
    let work = tempfile::tempdir_in(folder()).unwrap();
    let program = who(&tools, work.path());
    let made = |script: &dyn Fn(String) -> String, more: &[&str]| {
        let compiler = tools.compiler.command();
        let kit = Kit { compiler, system: "linux-musl", heap: &simple_heap(), work: work.path() };
        let library = kit.planted(script, more);
        let said = run(&mut tools.runner.command(&program, Some(&library)));
        (musl::faults(&library), said, judged(&library, "linux-musl"))
    };
    let (faults, said, (status, verdict)) = made(&whole, &[]);
    assert_eq!((faults, status), (Vec::new(), Some(0)), "{verdict}");
    assert_eq!(answering(&said), BTreeSet::from([SONAME]), "{said}");

    // The program's blocks of one function come from another heap than the rest.
    let (faults, said, (status, verdict)) = made(&without("aligned_alloc"), &[]);
    only(&faults, "aligned_alloc is missing");
    assert_eq!(answering(&said), BTreeSet::from([SONAME, tools.libc()]), "{said}");
    assert!(status == Some(1) && verdict.contains("! aligned_alloc "), "{verdict}");

    // musl takes no notice of versions: a run shows nothing, the file does.
    let (faults, said, (status, verdict)) = made(&under_a_node, &[]);
    only(&faults, "defines the version OURS_1.0");
    assert_eq!(answering(&said), BTreeSet::from([SONAME]), "{said}");
    assert!(status == Some(1) && verdict.contains("! malloc   "), "{verdict}");

    // Nor does it ask anybody for what is its own.
    let of_musl = "#include <stddef.h>\nvoid *simple_heap_malloc(size_t);\nvoid *__libc_malloc(size_t);\n\
        void *__libc_malloc(size_t size)\n{\n    return simple_heap_malloc(size);\n}\n";
    let of_musl = source(work.path(), "own.c", of_musl);
    let with =
        |script: String| script.replace("\n    calloc;", "\n    __libc_malloc;\n    calloc;");
    let (faults, _, (_, verdict)) = made(&with, &[&of_musl]);
    only(&faults, "__libc_malloc is in no list");
    let line = verdict.lines().find(|line| line.starts_with("- __libc_malloc "));
    assert!(line.is_some_and(|line| line.contains(": hidden inside libc.so: ")), "{verdict}");
}

#[test]
fn each_fault_of_a_library_for_a_bsd_is_seen_in_the_file() {
    for system in ["freebsd", "netbsd"] {
        let Some(command) = zig_cc(&format!("x86_64-{system}"), "") else { return };
        let target = format!("x86_64-{system}");
        let compiler = Compiler::find(Some(&command), Some(&target)).unwrap();
        let work = tempfile::tempdir().unwrap();
        let faults = |script: &dyn Fn(String) -> String| {
            let compiler = compiler.command();
            let kit = Kit { compiler, system, heap: &simple_heap(), work: work.path() };
            let library = kit.planted(script, &[]);
            let object = SharedObject::read(&fs::read(&library).unwrap()).unwrap();
            (not_listed(&object, system), judged(&library, system))
        };
        let (found, (status, verdict)) = faults(&whole);
        assert_eq!((found, status), (Vec::new(), Some(0)), "{verdict}");
        let (found, (status, verdict)) = faults(&without("posix_memalign"));
        only(&found, "posix_memalign is missing");
        assert!(status == Some(1) && verdict.contains("! posix_memalign "), "{verdict}");
        let (found, (status, verdict)) = faults(&under_a_node);
        only(&found, "defines the version OURS_1.0");
        assert!(status == Some(1) && verdict.contains("! malloc   "), "{verdict}");
    }
}

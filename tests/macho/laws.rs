//! The laws of every platform, as programs for macOS under the rendered shim: those that the model can run.

use alloc8_gen::{
    laws::{self, Lang, Law},
    spec,
};

use super::{
    bench::{Bench, Zig, benches, sources, stored, zig_cc},
    rendered::{built, heap},
};

/// What the model has no system for; each law runs on Linux.
const LEFT: [(&str, &str); 11] = [
    ("calloc_does_not_truncate", "limits of address space are not modelled"),
    ("cxx_plugins_of_c_programs_get_bad_alloc", "no C++ runtime"),
    ("ending_threads_may_allocate", "pthread_cleanup_push writes into Darwin's own thread"),
    ("every_function_fails_cleanly_without_memory", "limits of address space are not modelled"),
    ("exit_handlers_may_free", "no pipe"),
    ("paths_from_libc_can_be_resized_and_freed", "no getcwd, glob or scandir"),
    ("plugins_share_the_heap", "no dlclose; the client opens a library late"),
    (
        "programs_may_bring_their_own_malloc",
        "a dylib's tuples replace a program's own malloc nowhere",
    ),
    ("strings_from_libc_can_be_resized_and_freed", "no stdio that allocates"),
    ("the_heap_recovers_from_exhaustion", "limits of address space are not modelled"),
    ("vfork_and_spawn_leave_the_heap_alone", "no vfork, no posix_spawn"),
];

/// Functions that macOS lacks, and the laws say so.
const NOT_OURS: [&str; 2] = ["free_aligned_sized_frees", "free_sized_frees"];

fn program(bench: &Bench, law: &Law) -> Zig {
    let folder = sources("../../templates/laws");
    let shared = std::fs::read_to_string(folder.join("law.h")).unwrap();
    let headers = [stored("platform.h", &law.header), stored("law.h", &shared)];
    let mut words: Vec<_> =
        headers.iter().map(|file| format!("-I{}", file.parent().unwrap().display())).collect();
    words.push(format!("-I{}", folder.display()));
    words.extend(["-D_FORTIFY_SOURCE=0", "-Wno-unused"].map(str::to_owned));
    words.extend(law.flags.iter().filter(|flag| !flag.starts_with("-Wl,")).cloned());
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let libc = std::fs::read_to_string(sources("laws/libc.c")).unwrap();
    zig_cc(bench.cpu, &words).args([stored(&law.file, &law.text), stored("libc.c", &libc)])
}

#[test]
fn the_laws_hold_under_the_rendered_shim() {
    let macos = spec::platform("macos").unwrap();
    let mut laws = laws::laws(&macos).unwrap();
    laws.retain(|law| law.lang == Lang::C);
    let all: Vec<_> = laws.iter().map(|law| law.name.clone()).collect();
    for (name, why) in LEFT {
        assert!(all.iter().any(|law| law == name), "{name} is no law ({why})");
    }
    laws.retain(|law| LEFT.iter().all(|(name, _)| *name != law.name));
    assert_eq!(laws.len(), 27);
    // Under qemu-user the same text, which the client has tried there already.
    let benches = benches();
    let all_cpus = std::env::var_os("ALLOC8_ALL").is_some();
    for bench in benches.iter().filter(|bench| all_cpus || bench.cpu.lld == "x86_64") {
        let library = built(bench, &heap("", &[]));
        let mut broken = Vec::new();
        for law in &laws {
            let program = program(bench, law).built(&bench.cpu.named(&law.name));
            let output = bench.program(&library, &program).output().unwrap();
            let wanted = if NOT_OURS.contains(&law.name.as_str()) { 77 } else { 0 };
            if output.status.code() != Some(wanted) {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                broken.push(format!("{}: {:?}\n{said}", law.name, output.status));
            }
        }
        assert!(broken.is_empty(), "{}\n{}", bench.cpu.zig, broken.join("\n"));
    }
}

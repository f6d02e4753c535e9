//! What the built-in heap owes to programs: memory comes back, and is not wasted.

use std::{fs, path::Path, process::Command};

fn interposer(folder: &Path) -> std::path::PathBuf {
    let library = folder.join("libheap.so");
    let output = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"))
        .args(["build", "-o"])
        .arg(&library)
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .output()
        .expect("started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

#[test]
fn after_a_gibibyte_of_small_blocks_is_freed_less_than_half_the_peak_is_resident() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("peak.c");
    fs::write(
        &source,
        r#"#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static long resident(void) {
    long size, pages;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2) exit(2);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) >> 20;
}
int main(void) {
    static void *blocks[1 << 20];
    size_t total = 0, count = 0, state = 1;
    while (total < (size_t)1 << 30) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t size = 64 + (state >> 33) % (4096 - 64 + 1);
        blocks[count] = malloc(size);
        memset(blocks[count++], 1, size);
        total += size;
    }
    long peak = resident();
    for (size_t i = 0; i < count; i++) free(blocks[(i * 7919) % count]), blocks[(i * 7919) % count] = NULL;
    printf("%ld %ld\n", peak, resident());
}
"#,
    )
    .expect("written");
    let program = folder.path().join("peak");
    let status =
        Command::new("cc").args(["-O1", "-fno-builtin", "-o"]).arg(&program).arg(&source).status();
    assert!(status.expect("a compiler").success());
    let output = Command::new(&program)
        .env("LD_PRELOAD", interposer(folder.path()))
        .output()
        .expect("started");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (peak, after) = text.trim().split_once(' ').expect("two numbers");
    let (peak, after): (u64, u64) = (peak.parse().expect("MiB"), after.parse().expect("MiB"));
    assert!(peak >= 1000, "only {peak} MiB at the peak");
    assert!(after < peak / 2, "{after} of {peak} MiB are still resident");
}

#[test]
fn python_needs_at_most_half_as_much_memory_again_as_under_the_c_library() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = interposer(folder.path());
    let peak = |preload: Option<&Path>| {
        let script = "import json, resource; json.dumps(list(range(100000))); \
                      print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)";
        let mut command = Command::new("python3");
        command.args(["-c", script]).env("PYTHONMALLOC", "malloc");
        if let Some(library) = preload {
            command.env("LD_PRELOAD", library);
        }
        let output = command.output().expect("python3");
        String::from_utf8(output.stdout).expect("UTF-8").trim().parse::<u64>().expect("KiB")
    };
    let (plain, ours) = (peak(None), peak(Some(&library)));
    assert!(ours * 2 < plain * 3, "{ours} KiB, {plain} KiB under the C library");
}

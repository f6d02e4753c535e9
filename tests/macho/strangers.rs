//! A dylib that is not ours: mimalloc from its crate's sources, with its own tuples and zone. Its thread-locals
//! are slots that it reads through the thread register, without a call.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::bench::{Bench, NO_ZONE, benches, built};
use crate::common;

/// Where cargo unpacked the crate's sources of mimalloc 3.
pub(super) fn mimalloc() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/allocators/Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO")?);
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline", "--manifest-path"]);
    let output = cargo.arg(manifest).output().ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let packages = metadata["packages"].as_array()?;
    let package = packages.iter().find(|package| package["name"] == "libmimalloc-sys")?;
    let source = Path::new(package["manifest_path"].as_str()?).with_file_name("c_src/mimalloc/v3");
    source.join("src/static.c").is_file().then_some(source)
}

/// The sources that upstream's CMake names, and the zone, which the one-file build cannot hold beside the tuples.
pub(super) fn dylib(bench: &Bench, source: &Path) -> PathBuf {
    let cmake = fs::read_to_string(source.join("CMakeLists.txt")).unwrap();
    let list = cmake.split_once("set(mi_sources").unwrap().1.split_once(')').unwrap().0;
    let mut zig = common::zig().unwrap();
    zig.args(["cc", "-target", bench.cpu.zig, "-O1", "-DNDEBUG", "-Wno-date-time", "-dynamiclib"]);
    zig.args(
        ["MALLOC_OVERRIDE", "OSX_ZONE=1", "OSX_INTERPOSE=1", "SHARED_LIB", "SHARED_LIB_EXPORT"]
            .map(|name| format!("-DMI_{name}")),
    );
    zig.args(["-install_name", "@rpath/libmimalloc.dylib"]);
    zig.args(["include", "src"].map(|folder| format!("-I{}", source.join(folder).display())));
    zig.args(
        list.split_whitespace()
            .chain(["src/prim/osx/alloc-override-zone.c"])
            .map(|file| source.join(file)),
    );
    built(&bench.cpu.named("mimalloc.dylib"), &mut zig)
}

/// What mimalloc does another way, as its sources say: it hides the list of zones, makes none (its own stands for
/// each) and keeps it from being destroyed, does not look for other heaps' blocks, tells no zone of version 13's
/// errno, rounds odd sizes and alignments up, and has a size for inner and for freed addresses.
const DIFFERENCES: &[&str] = &[
    "calloc_that_overflows_sets_enomem",
    "a_failed_reallocf_frees",
    "reallocarrayf_that_overflows_frees",
    "aligned_alloc_refuses_odd_alignments",
    "aligned_alloc_refuses_odd_sizes",
    "malloc_size_of_an_inner_address_is_0",
    "there_are_zones",
    "the_expected_zone_is_registered",
    "the_expected_zone_stands_first",
    "the_purgeable_zone_is_registered",
    "malloc_zone_memalign_refuses_odd_alignments",
    "malloc_zone_batch_free_frees",
    "malloc_zone_malloc_with_options_clears",
    "a_created_zone_is_registered",
    "free_gives_back_to_a_created_zone",
    "malloc_zone_free_gives_back_to_the_owner",
    "so_are_its_blocks",
    "malloc_type_zone_free_frees",
];

#[test]
fn mimallocs_dylib_runs_and_its_differences_are_known() {
    let benches = benches();
    let Some(source) = mimalloc() else {
        return common::skip(
            "macho-mimalloc",
            "cargo xtask test, which fetches the crates of tests/allocators",
        );
    };
    for bench in &benches {
        let run = bench.run(&[], &[&dylib(bench, &source)], "mimalloc", true);
        run.fails(DIFFERENCES, bench.cpu.zig);
        let end = format!("client: {NO_ZONE} checks, {} failed", DIFFERENCES.len());
        assert_eq!((run.status, run.end.as_deref()), (Some(1), Some(end.as_str())), "{}", run.said);
        // What was there before it, it loses: seven of the checks are of the system's older blocks.
        run.says("pre-init: 14 checks, 7 failed\n", bench.cpu.zig);
        run.says("threads 5 started 5 ended\n", bench.cpu.zig);
        run.says("zones: DefaultMallocZone v16, mimalloc v10\n", bench.cpu.zig);
    }
}

//! What must hold: without a shim, and under shims without a fault.

use std::path::Path;

use super::{
    bench::{Bench, MACOS_11, NEW, NO_ZONE, OLD, benches},
    chained,
};

#[test]
fn without_a_shim_programs_see_the_systems_zones() {
    for bench in benches() {
        let zones = "zones: DefaultMallocZone v16, DefaultPurgeableMallocZone v16\n";
        let nano =
            "zones: DefaultMallocZone v16, MallocHelperZone v16, DefaultPurgeableMallocZone v16\n";
        let run = |options: &[&str], typed| bench.run(options, &[], "DefaultMallocZone", typed);
        let plain = run(&[], true);
        plain.is_good(NEW, bench.cpu.zig);
        plain.says("tuples 0 live 0 absent 0 dropped", bench.cpu.zig);
        plain.says(zones, bench.cpu.zig);
        let small = run(&["--nano"], true);
        small.is_good(NEW, "nano");
        small.says(nano, bench.cpu.zig);
        run(MACOS_11, false).is_good(OLD, "macOS 11");
    }
}

fn control_holds(library: &Path, what: &str, bench: &Bench) {
    let run = |options: &[&str], typed| bench.run(options, &[library], "control", typed);
    let plain = run(&[], true);
    plain.is_good(NEW, what);
    plain.says("tuples 24 live 0 absent 0 dropped", what);
    plain.says("zones: control v16, DefaultMallocZone v16, DefaultPurgeableMallocZone v16\n", what);
    let nano = run(&["--nano"], true);
    nano.is_good(NEW, what);
    nano.says("zones: control v16, ", what);
    // Weak imports that are not there: their tuples are left out, the others hold.
    let old = run(MACOS_11, false);
    old.is_good(OLD, what);
    old.says("tuples 21 live 3 absent 0 dropped", what);
}

#[test]
fn under_a_shim_without_a_fault_every_law_holds() {
    for bench in benches() {
        control_holds(&bench.control("none"), bench.cpu.zig, &bench);
    }
}

#[test]
fn chained_fixups_of_both_formats_are_read() {
    for bench in benches() {
        let Some(library) = chained::control(&bench, "none") else { return };
        control_holds(&library, "format 2", &bench);
        let folder = tempfile::tempdir().unwrap();
        control_holds(&chained::with_offsets(&library, folder.path()), "format 6", &bench);
    }
}

/// The system sends typed calls on to the plain names, and fork goes through tuples that call the originals.
#[test]
fn tuples_alone_are_enough_but_for_the_list_of_zones() {
    for bench in benches() {
        let run = bench.run(&[], &[&bench.control("no_zone")], "control", true);
        let absent = ["the_expected_zone_is_registered", "the_expected_zone_stands_first"];
        run.fails(&absent, bench.cpu.zig);
        assert_eq!(run.end, Some(format!("client: {NO_ZONE} checks, 2 failed")), "{}", run.said);
        run.says("tuples 27 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("zones: DefaultMallocZone v16, DefaultPurgeable", bench.cpu.zig);
    }
}

/// As under a sanitizer: the shim finds another zone standing first, and leaves the list alone.
#[test]
fn another_heaps_zone_is_left_in_its_place() {
    for bench in benches() {
        let run = bench.run_beside("asan", &bench.control("none"));
        let absent = ["the_expected_zone_is_registered", "the_expected_zone_stands_first"];
        run.fails(&absent, bench.cpu.zig);
        assert!(run.end.is_some(), "{}", run.said);
        run.says("zones: asan v16, DefaultPurgeableMallocZone v16\n", bench.cpu.zig);
    }
}

/// Two dylibs form a chain: the last one's replacements hold, and their plain calls reach the first's.
#[test]
fn the_last_dylib_rules() {
    for bench in benches() {
        let (first, last) = (bench.control("no_zone"), bench.control("none"));
        let run = bench.run(&[], &[&first, &last], "control", true);
        run.is_good(NEW, bench.cpu.zig);
        run.says("tuples 51 live", bench.cpu.zig);
    }
}

/// A program's own tuples do nothing; its zone, which stands first, answers all the same.
#[test]
fn a_zone_in_the_program_is_enough() {
    for bench in benches() {
        for options in [&[][..], &["--nano"]] {
            let run = bench.run_holder(options, true);
            run.is_good(NEW, bench.cpu.zig);
            run.says("tuples 0 live", bench.cpu.zig);
            run.says("zones: control v16, ", bench.cpu.zig);
        }
        bench.run_holder(MACOS_11, false).is_good(OLD, "macOS 11");
    }
}

#[test]
fn what_the_model_lacks_is_refused_by_name() {
    for bench in benches() {
        let run = bench.run(&["--hide", "_strdup"], &[], "DefaultMallocZone", true);
        assert_eq!(run.status, Some(127), "{}", run.said);
        run.says("Symbol not found: _strdup\n  Referenced from: ", bench.cpu.zig);
    }
}

//! What `build -p macos` makes for programs that carry their heap, and of functions under a prefix: linked
//! with programs, which run on the loader.

use std::{fs, path::PathBuf};

use object::read::macho::MachOFatFile32;

use super::{
    bench::{NEW, benches, sources, zig_cc},
    built::{ran, triple},
};
use crate::tool::folder;

#[test]
fn a_program_that_is_linked_with_the_object_keeps_every_law() {
    for bench in benches() {
        let place = folder();
        let words = ["build", "-p", "macos", "--mode", "static", "--target", triple(&bench)];
        let built = ran(place.path(), &[&words[..], &["-o", "heap"]].concat()).exits(0);
        assert!(built.out.contains("a zone that stands first"), "{}", built.all());
        let arguments = fs::read_to_string(place.path().join("heap.args")).unwrap();
        let object = PathBuf::from(arguments.trim().trim_matches('"'));
        assert_eq!(object, place.path().join("heap.o"));
        // Under a name that tells it from another test's.
        let name = place.path().file_name().unwrap().to_str().unwrap();
        let own = place.path().join(format!("{name}.o"));
        fs::rename(object, &own).unwrap();
        let program = bench.client_with(&[own]);
        let run = bench.run_carrier(&[], &program, "simple_heap", true);
        run.is_good(NEW, bench.cpu.zig);
        run.says("tuples 0 live", bench.cpu.zig);
        run.says("zones: simple_heap v16, ", bench.cpu.zig);
        let program = program.to_str().unwrap();
        let told = ran(place.path(), &["verify", program, "-a", "simple_heap"]).exits(0);
        assert!(told.out.contains("zone simple_heap"), "{}", told.all());
        fs::remove_file(program).unwrap();
    }
}

#[test]
fn functions_under_a_prefix_are_an_archive_or_a_dylib() {
    for bench in benches() {
        for library in ["libmy.a", "libmy.dylib"] {
            let place = folder();
            let words = ["build", "-p", "macos", "--mode", "prefixed", "--prefix", "my", "-o"];
            let words = [&words[..], &[library, "--target", triple(&bench)]].concat();
            let built = ran(place.path(), &words).exits(0);
            assert!(built.out.contains("11 functions"), "{}", built.all());
            let include = [place.path(), &sources("client")].map(|f| format!("-I{}", f.display()));
            let program = zig_cc(bench.cpu, &[&include[0], &include[1]])
                .args([sources("rendered/prefixed.c"), place.path().join(library)])
                .built(&bench.cpu.named("prefixed"));
            // The loader finds what is beside the program.
            let beside = place.path().join("program");
            fs::rename(program, &beside).unwrap();
            let output = bench.alone(&beside).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(said, "whole\n", "{library}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn objects_and_archives_are_for_both_processors() {
    if benches().is_empty() {
        return;
    }
    let place = folder();
    ran(place.path(), &["build", "-p", "macos", "--mode", "static", "-o", "heap"]).exits(0);
    for file in ["heap.o", "heap.a"] {
        let data = fs::read(place.path().join(file)).unwrap();
        assert_eq!(MachOFatFile32::parse(&*data).unwrap().arches().len(), 2, "{file}");
    }
}

/// Beside the system's malloc there are no blocks of others.
#[test]
fn nobody_is_told_under_a_prefix_that_the_system_is_asked() {
    let place = folder();
    let text = "malloc = \"a_malloc\"\nfree = \"a_free\"\nmemalign = \"a_memalign\"\nmalloc_usable_size = \"a_size\"\n";
    fs::write(place.path().join("a.toml"), text).unwrap();
    let words = ["generate", "-p", "macos", "-a", "a", "-o", "out"];
    let told = ran(place.path(), &words).exits(0);
    assert!(told.err.contains("A8255"), "{}", told.all());
    let words = [&words[..], &["--mode", "prefixed", "--prefix", "my"]].concat();
    let told = ran(place.path(), &words).exits(0);
    assert!(!told.err.contains("A8255"), "{}", told.all());
}

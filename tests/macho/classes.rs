//! What `build -p macos` makes in C++: of an archive with the header as its shim, and of a class.

use std::fs;

use alloc8_gen::artifact::Darwin;

use super::{
    bench::{NEW, benches},
    built::{exports, ran, triple},
    examples::{OF_FREED_BLOCKS, WITHOUT, example},
};
use crate::tool::folder;

#[test]
fn the_header_over_an_archive_keeps_every_law() {
    for bench in benches() {
        let place = folder();
        let words = ["build", "-p", "macos", "--lang", "cpp", "--target", triple(&bench)];
        let words = [&words[..], &["-o", "heap.dylib"]].concat();
        let built = ran(place.path(), &words).exits(0);
        assert!(built.out.contains("22 symbols bound"), "{}", built.all());
        let words = ["verify", "heap.dylib", "-a", "simple_heap", "--lang", "cpp"];
        ran(place.path(), &words).exits(0);
        let library = place.path().join("heap.dylib");
        bench.run(&[], &[&library], "simple_heap", true).is_good(NEW, bench.cpu.zig);
        assert!(!exports(&library).iter().any(|name| name.starts_with("simple_")));
    }
}

/// Zig would link a C++ runtime into the library, whose operators nobody could replace.
#[test]
fn a_class_is_built_over_the_systems_own_cxx_runtime() {
    for bench in benches() {
        let place = folder();
        let class = example("diehard").join("diehard.toml");
        let class = class.to_str().unwrap();
        let words = ["build", "-p", "macos", "-a", class, "--target", triple(&bench)];
        let words = [&words[..], &["-o", "heap.dylib", "--depfile", "d"]].concat();
        let built = ran(place.path(), &words).exits(0);
        assert!(built.out.contains("22 symbols bound"), "{}", built.all());
        ran(place.path(), &["verify", "heap.dylib", "-a", class]).exits(0);
        let inputs = fs::read_to_string(place.path().join("d")).unwrap();
        assert!(inputs.contains("diehard.cpp") && inputs.contains("region.hpp"), "{inputs}");

        let library = place.path().join("heap.dylib");
        let data = fs::read(&library).unwrap();
        let image = Darwin::read(&data).unwrap().remove(0).image;
        let needs: Vec<_> = image.libraries.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(needs, ["/usr/lib/libSystem.B.dylib", "/usr/lib/libc++.1.dylib"]);
        let public = exports(&library);
        assert!(!public.iter().any(|name| name.starts_with("_Z")), "{public:?}");

        let run = bench.run_without(WITHOUT, &library, "diehard");
        run.fails(&OF_FREED_BLOCKS, bench.cpu.zig);
        // None is around fork, where the zone is locked.
        run.says("tuples 22 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("threads 5 started 5 ended", bench.cpu.zig);
    }
}

#[test]
fn a_universal_library_of_a_class_has_both_slices() {
    if benches().is_empty() {
        return;
    }
    let place = folder();
    let class = example("diehard").join("diehard.toml");
    let built = ran(place.path(), &["build", "-p", "macos", "-a", class.to_str().unwrap()]);
    let built = built.exits(0);
    assert!(built.out.contains("libdiehard-alloc8.dylib (x86_64, arm64)"), "{}", built.all());
}

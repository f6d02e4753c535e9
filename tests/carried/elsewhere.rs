//! Programs for another CPU, and with allocators of others.

use std::process::Command;

use alloc8_gen::toolchain::Compiler;
use tempfile::TempDir;

use super::toolbox::{at, built, fixture, installed, link, said, succeeds, tool, verdict};
use crate::{archives, common};

/// Beside the four forms that `build` itself links and runs.
#[test]
fn programs_for_another_cpu_carry_the_heap() {
    let target = "aarch64-linux-gnu";
    let Ok(compiler) = Compiler::find(None, Some(target)) else {
        return common::skip(
            target,
            "apt-get install clang lld-19 llvm libstdc++-12-dev-arm64-cross",
        );
    };
    if !installed("qemu-aarch64", "apt-get install qemu-user") {
        return;
    }
    let work = TempDir::new().unwrap();
    let mut command = tool();
    command.args(["build", "--mode", "static", "--target", target, "-o"]);
    let text = said(&succeeds(command.arg(work.path().join("heap"))));
    assert!(text.contains("4 of 4 forms of program use them"), "{text}");
    let program = work.path().join("program");
    let mut command = compiler.command();
    command.args(["-O2", "-fno-builtin", "-static"]).arg(at(&work.path().join("heap.args")));
    succeeds(command.arg(fixture("small.c")).arg("-o").arg(&program));
    succeeds(Command::new("qemu-aarch64").arg(&program));
    let (status, text) = verdict(&program, &["-a", "simple_heap"]);
    assert!(status == Some(0) && text.contains("direct: simple_heap_malloc"), "{text}");
}

fn carries(allocator: &str) {
    let Some(library) = archives::library(allocator) else { return };
    let work = TempDir::new().unwrap();
    let options = library.options();
    let mut more = vec!["-a", allocator];
    more.extend(options.iter().map(String::as_str));
    let heap = built(&work.path().join("heap"), &more);
    for form in ["-static", "-pie"] {
        let program = work.path().join("program");
        link("g++", &[form], &fixture("everything.cpp"), &heap, &program);
        succeeds(&mut Command::new(&program));
        let (status, text) = verdict(&program, &["-a", allocator]);
        assert_eq!(status, Some(0), "{form}: {text}");
        assert!(text.trim_end().ends_with("complete"), "{text}");
    }
}

#[test]
fn programs_carry_mimalloc() {
    carries("mimalloc");
}

#[test]
fn programs_carry_jemalloc() {
    carries("jemalloc");
}

/// Programs in C and C++ on musl, whose C++ library only zig has: it takes minutes to build it once.
#[test]
fn programs_in_cpp_on_musl_carry_the_heap_by_zig() {
    if common::everything() {
        let Some(mut zig) = common::zig() else {
            return common::skip(common::ZIG.0, common::ZIG.1);
        };
        let caches: Vec<_> =
            zig.get_envs().map(|(n, v)| (n.to_owned(), v.unwrap_or_default().to_owned())).collect();
        zig.args(["cc", "-target"]);
        let words = std::iter::once(zig.get_program()).chain(zig.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let target = format!("{}-linux-musl", std::env::consts::ARCH);
        let work = TempDir::new().unwrap();
        let mut command = tool();
        command.args(["build", "--mode", "static", "-p", "linux-musl", "--target", &target]);
        command.args(["--cc", &format!("{} {target}", words.join(" "))]).envs(caches);
        let text = said(&succeeds(command.arg("-o").arg(work.path().join("heap"))));
        assert!(text.contains("4 of 4 forms of program use them"), "{text}");
    }
}

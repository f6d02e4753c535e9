//! The examples' heaps on macOS: a class whose functions the header has inline, and an archive that keeps
//! buffers for threads. Both tell whose an address is, but not which blocks are live: zones without exact sizes.

use std::path::{Path, PathBuf};

use alloc8_gen::{
    allocator,
    plan::Plan,
    render::{self, Inputs},
    spec,
};

use super::bench::{Bench, benches, stored, zig_cc, zig_cxx};

/// What only exact sizes can answer, and what those laws are of.
pub(super) const WITHOUT: &[&str] = &["zones", "slots", "enumerator", "foreign"];

pub(super) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Laws that ask for the size of a block that was freed: `owns` says that it is the heap's.
pub(super) const OF_FREED_BLOCKS: [&str; 5] = [
    "a_failed_reallocf_frees",
    "reallocarrayf_that_overflows_frees",
    "malloc_type_free_frees",
    "malloc_type_free_frees_what_malloc_gave",
    "malloc_type_zone_free_frees",
];

/// The dylib of files in C++: the rendered headers are where they include them from.
fn built(bench: &Bench, name: &str, files: &[&str]) -> PathBuf {
    let heap = allocator::read_file(&example(name).join(format!("{name}.toml"))).unwrap();
    let (plan, _) = Plan::new(&spec::platform("macos").unwrap(), &heap).unwrap();
    let inputs = Inputs { lang: "cpp".to_owned(), ..Inputs::interposer("macos", name) };
    let rendered = render::render(&plan, &inputs).unwrap();
    let include =
        |file: &str| format!("-I{}", stored(file, &rendered[file]).parent().unwrap().display());
    let own = format!("-I{}", example(name).display());
    let (shim, redirect) = (include("shim.hpp"), include("redirect.hpp"));
    let words = ["-std=c++17", "-fno-exceptions", own.as_str(), shim.as_str(), redirect.as_str()];
    let objects = files.iter().map(|file| {
        let text = match *file {
            "shim.cpp" => "#include \"shim.hpp\"\n".to_owned(),
            file => read(name, file),
        };
        let source = stored(file, &text);
        zig_cxx(bench.cpu, &words)
            .args([source])
            .built(&bench.cpu.named(&format!("{name}-{file}.o")))
    });
    let id = format!("@rpath/{name}.dylib");
    let library = zig_cc(bench.cpu, &["-dynamiclib", "-install_name", &id]).args(objects);
    library.built(&bench.cpu.named(&format!("{name}.dylib")))
}

/// A source, and all that it may include: another text is another file.
fn read(name: &str, file: &str) -> String {
    let text = std::fs::read_to_string(example(name).join(file)).unwrap();
    let mut headers: Vec<_> =
        std::fs::read_dir(example(name)).unwrap().map(|e| e.unwrap().path()).collect();
    headers.retain(|path| path.extension().is_some_and(|extension| extension == "hpp"));
    headers.sort();
    let all: Vec<_> = headers.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mark = stored("headers.txt", &all.concat());
    format!("{text}\n// {}\n", mark.display())
}

#[test]
fn diehard_runs_on_macos() {
    for bench in benches() {
        let library = built(&bench, "diehard", &["diehard.cpp"]);
        let run = bench.run_without(WITHOUT, &library, "diehard");
        run.fails(&OF_FREED_BLOCKS, bench.cpu.zig);
        assert_eq!(run.end.as_deref(), Some("client: 82 checks, 5 failed"), "{}", run.said);
        run.says("tuples 22 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("threads 5 started 5 ended", bench.cpu.zig);
    }
}

/// Its buffers are in a key's values, and are given back by its hook for threads. A question about a freed
/// block would read what is unmapped: those laws are left out.
#[test]
fn hoard_runs_on_macos() {
    for bench in benches() {
        let library = built(&bench, "hoard", &["hoard.cpp", "shim.cpp"]);
        let run = bench.run_without(&[WITHOUT, &["plain"]].concat(), &library, "hoard");
        run.fails(&OF_FREED_BLOCKS[2..], bench.cpu.zig);
        assert_eq!(run.end.as_deref(), Some("client: 36 checks, 3 failed"), "{}", run.said);
        run.says("tuples 22 live 0 absent 0 dropped", bench.cpu.zig);
        run.says("threads 5 started 5 ended", bench.cpu.zig);
    }
}

//! Tasks of the repository: `cargo xtask test` and its kin.

use std::process::ExitCode;

mod bench;
mod codegen;
mod demo;
mod dist;
mod foreign;
mod install;
mod musl;
mod shell;
mod test;
mod wine;
mod zig;

const HELP: &str = "\
cargo xtask TASK

  test [--all]        install what the tests need, check style and generated files, run every test;
                      --all adds what takes long: the full cross product (tests/laws/README.md)
  install             only install what the tests need
  codegen [--check]   render every platform for simple_heap into generated/, or only compare
  bless               the same as codegen
  demo                a real program under a proven interposer
  bench               what calls, whole programs and generation cost: xtask/bench/README.md and the
                      README's table
  dist [PREFIX]       build the release, and install it below PREFIX (and DESTDIR before that) with its
                      manual pages and completions; without PREFIX into target/dist
";

fn main() -> ExitCode {
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn task() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::test(false),
        ["test", "--all"] => test::test(true),
        ["install"] => install::all(),
        ["codegen" | "bless"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["demo"] => demo::demo(),
        ["bench"] => bench::bench(),
        ["dist"] => dist::dist(None),
        ["dist", prefix] => dist::dist(Some(prefix)),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => anyhow::bail!("no such task: {}\n\n{HELP}", words.join(" ")),
    }
}

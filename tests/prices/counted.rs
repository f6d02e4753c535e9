//! What calls into a built shim cost.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    process::{Command, Stdio},
    sync::OnceLock,
};

use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    diagnostic::Source,
    operation::Operation,
    plan::{Answer, Binding, Plan},
    render::{self, Inputs},
    spec::{self, Platform},
};
use tempfile::TempDir;

/// A description of tests/prices/heap.c: all functions, these promises, these lines more.
pub(crate) fn allocator(promises: &[&str], more: &str) -> Allocator {
    let mut text = "schema = 1\nname = \"still\"\narchive = \"none.a\"\n".to_owned();
    for function in [
        "malloc",
        "free",
        "calloc",
        "realloc",
        "memalign",
        "malloc_usable_size",
        "free_sized",
        "free_aligned_sized",
    ] {
        if !more.contains(&format!("{function} = ")) {
            writeln!(text, "{function} = \"still_{function}\"").unwrap();
        }
    }
    writeln!(text, "{more}\n[promises]").unwrap();
    text += &promises.join("\n");
    let source = Source::new("still.toml", text);
    allocator::read(&source, "still", Origin::File("still.toml".into()))
        .unwrap_or_else(|report| panic!("{report}\n{}", source.text))
}

/// A shim for Linux over the heap.
pub(crate) struct Shim {
    work: TempDir,
    plan: Plan,
}

/// The program that counts, and the heap alone: built once.
fn tools() -> &'static TempDir {
    static TOOLS: OnceLock<TempDir> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let work = TempDir::new().unwrap();
        let cc = |words: &[&str]| {
            run(Command::new("gcc").current_dir(work.path()).arg("-O2").args(words));
        };
        cc(&[&source("count.c"), "-o", "count", "-ldl"]);
        cc(&["-fPIC", "-c", &source("heap.c")]);
        cc(&["-shared", "heap.o", "-o", "libheap.so"]);
        work
    })
}

/// One answer that has a price.
pub(crate) struct Counted {
    pub(crate) symbol: String,
    pub(crate) plan: u32,
    pub(crate) artifact: u32,
}

impl Shim {
    /// Compiled as a user would who has no build fragment: everything jumps.
    pub(crate) fn jumping(cc: &str, allocator: &Allocator) -> Shim {
        Shim::linked(cc, plan(allocator), &[])
    }

    /// The same by gcc for a platform that is as Linux but for something.
    pub(crate) fn elsewhere(allocator: &Allocator, differs: impl Fn(&mut Platform)) -> Shim {
        let mut platform = spec::platform("linux").unwrap();
        differs(&mut platform);
        Shim::linked("gcc", Plan::new(&platform, allocator).unwrap().0, &[])
    }

    /// Bound directly, by the options that the build fragments give.
    pub(crate) fn direct(cc: &str, allocator: &Allocator) -> Shim {
        let plan = plan(allocator);
        let abi = &plan.platform.abis[0];
        let of_abi = plan.direct().filter(|(symbol, _)| symbol.is_in(abi));
        let mut options: Vec<_> =
            of_abi.map(|(s, target)| format!("-Wl,--defsym={}={target}", s.name(abi))).collect();
        options.push("-Wl,--defsym=alloc8_direct_options=alloc8_direct_macro".to_owned());
        options.push("-DALLOC8_DIRECT".to_owned());
        Shim::linked(cc, plan, &options)
    }

    fn linked(cc: &str, plan: Plan, options: &[String]) -> Shim {
        let work = TempDir::new().unwrap();
        let inputs = Inputs::interposer("linux", "still");
        for (name, text) in render::render(&plan, &inputs).unwrap() {
            fs::write(work.path().join(name), text).unwrap();
        }
        let mut library = Command::new(cc);
        library.current_dir(work.path()).args(["-O2", "-fPIC", "-shared", "-Wall", "-Werror"]);
        library.arg("shim.c").arg(tools().path().join("heap.o")).args(["-o", "libshim.so"]);
        library.args(["-Wl,-z,now", "-Wl,-Bno-symbolic", "-Wl,--version-script=exports.lp64.map"]);
        run(library.args(options));
        Shim { work, plan }
    }

    /// The same for a shim that was compiled with no special flags: what could be bound directly
    /// is a jump.
    pub(crate) fn jumps(&self) -> Vec<Counted> {
        let mut counted = self.counted();
        for call in counted.iter_mut().filter(|call| call.plan == 0) {
            call.plan = 1;
        }
        counted
    }

    /// Every answer that has a price.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let abi = &self.plan.platform.abis[0];
        let priced: Vec<_> = self
            .plan
            .defined()
            .filter_map(|answer| Some((answer, answer.price?)))
            .filter(|(answer, _)| answer.symbol.is_in(abi))
            .collect();
        let lines: String = priced
            .iter()
            .map(|(answer, _)| {
                let arguments = arguments(answer.symbol.operation);
                format!("{} {} {arguments}\n", answer.symbol.name(abi), target(answer))
            })
            .collect();
        let counts = self.count(&lines);
        let counted = priced.iter().zip(counts).map(|((answer, plan), (symbol, artifact))| {
            assert_eq!(symbol, answer.symbol.name(abi));
            Counted { symbol, plan: *plan, artifact }
        });
        counted.collect()
    }

    fn count(&self, lines: &str) -> Vec<(String, u32)> {
        let mut child = Command::new(tools().path().join("count"))
            .args([self.work.path().join("libshim.so"), tools().path().join("libheap.so")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        let count = |line: &str| {
            let (symbol, count) = line.split_once(' ').unwrap();
            (symbol.to_owned(), count.parse().unwrap_or_else(|_| panic!("{line}")))
        };
        text.lines().map(count).collect()
    }
}

fn plan(allocator: &Allocator) -> Plan {
    Plan::new(&spec::platform("linux").unwrap(), allocator).unwrap().0
}

/// The allocator's function behind an answer.
fn target(answer: &Answer) -> &str {
    match &answer.binding {
        Binding::Direct(target) | Binding::Jump(target) | Binding::Guarded(target, _) => target,
        other => panic!("{other:?} has a price"),
    }
}

/// Three arguments with which a call succeeds, and no case is a special one.
fn arguments(operation: Operation) -> &'static str {
    match operation {
        Operation::Calloc => "4 8 0",
        Operation::Realloc => "block 48 0",
        Operation::Memalign | Operation::AlignedAlloc => "64 64 0",
        Operation::New(form) if form.aligned => "64 64 0",
        Operation::Malloc | Operation::New(_) => "32 0 0",
        _ => "block 16 32",
    }
}

fn source(file: &str) -> String {
    format!("{}/tests/prices/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

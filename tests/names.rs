//! Every mangled name in the specs is what a C++ compiler calls, on every platform and ABI.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use alloc8_gen::{
    operation::{Form, Operation},
    spec::{self, Abi, Platform, Symbol},
};
use object::{Object, ObjectSymbol};

mod common;

/// What a test's source needs of <new>, without any system's headers.
const HEAD: &str = "\
typedef __SIZE_TYPE__ size_t;
namespace std {
enum class align_val_t : size_t {};
struct nothrow_t;
enum class __type_descriptor_t : unsigned long long {};
}
void *volatile sink;
";

/// The types of an operator's parameters, as C++ writes them.
fn standard(operation: Operation) -> Vec<&'static str> {
    let (first, Form { sized, aligned, nothrow, .. }) = match operation {
        Operation::New(form) => ("size_t", form),
        Operation::Delete(form) => ("void *", form),
        other => panic!("{} is no operator", other.name()),
    };
    let mut types = vec![first];
    types.extend(sized.then_some("size_t"));
    types.extend(aligned.then_some("std::align_val_t"));
    types.extend(nothrow.then_some("const std::nothrow_t &"));
    types
}

/// The types of a symbol's parameters where it has more than its operation: those of a compiler, or
/// of a debugging heap.
fn more(symbol: &Symbol) -> Option<Vec<&str>> {
    let (_, list) = symbol.declaration.split_once('(')?;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let types: Vec<_> = list
        .trim_end_matches(')')
        .split(',')
        .map(|parameter| parameter.trim_end_matches(word).trim())
        .collect();
    (types.len() > standard(symbol.operation).len()).then_some(types)
}

/// Declares an operator and calls it.
fn call(number: usize, operation: Operation, types: &[&str]) -> String {
    let (word, result, form) = match operation {
        Operation::New(form) => ("new", "void *", form),
        Operation::Delete(form) => ("delete", "void ", form),
        other => panic!("{} is no operator", other.name()),
    };
    let array = if form.array { "[]" } else { "" };
    let take = if word == "new" { "sink = " } else { "" };
    let names: Vec<_> = (0..types.len()).map(|index| format!("a{index}")).collect();
    let parameters: Vec<_> = types.iter().zip(&names).map(|(ty, n)| format!("{ty} {n}")).collect();
    format!(
        "{result}operator {word}{array}({});\nvoid f{number}({}) {{ {take}::operator {word}{array}({}); }}\n",
        types.join(", "),
        parameters.join(", "),
        names.join(", ")
    )
}

/// Calls of the twenty operators, and of those that the ABI has beside them in a compiler's mangling.
fn source(platform: &Platform, abi: &Abi, mangling: Mangling) -> String {
    let mut calls: Vec<_> =
        Operation::operators().into_iter().map(|op| (op, standard(op))).collect();
    let all = platform.symbols_of(abi).filter(|s| s.operation.is_operator());
    for symbol in all.filter(|s| mangling.has(&s.name(abi))) {
        calls.extend(more(symbol).map(|types| (symbol.operation, types)));
    }
    let calls = calls.iter().enumerate().map(|(number, (op, types))| call(number, *op, types));
    format!("{HEAD}{}", calls.collect::<String>())
}

/// Who decides how a C++ name is spelled. An ABI can have names of both: programs of the other
/// compiler run in the same process.
#[derive(Clone, Copy)]
enum Mangling {
    Itanium,
    Microsoft,
}

impl Mangling {
    fn of(environment: &str) -> Mangling {
        if environment.ends_with("msvc") { Mangling::Microsoft } else { Mangling::Itanium }
    }

    fn has(self, name: &str) -> bool {
        name.starts_with('?') == matches!(self, Mangling::Microsoft)
    }
}

fn operators(platform: &Platform, abi: &Abi, mangling: Mangling) -> BTreeSet<String> {
    let all = platform.symbols_of(abi).filter(|s| s.operation.is_operator());
    all.map(|s| s.name(abi)).filter(|name| mangling.has(name)).collect()
}

/// The names that an object, or a module in LLVM's own language, refers to, as C spells them.
fn wanted(object: &Path, abi: &Abi) -> BTreeSet<String> {
    let data = fs::read(object).expect("an object");
    let names: Vec<String> = match object::File::parse(&*data) {
        Ok(file) => {
            let undefined = file.symbols().filter(|symbol| symbol.is_undefined());
            undefined.map(|s| plain(s.name().expect("UTF-8"), abi)).collect()
        }
        Err(_) => {
            let text = String::from_utf8(data).expect("LLVM's language");
            let declared = text.lines().filter(|line| line.starts_with("declare"));
            declared.filter_map(|l| Some(l.split_once('@')?.1.split('(').next()?.into())).collect()
        }
    };
    let operator = |name: &String| {
        ["_Zn", "_Zd", "??2", "??3", "??_"].iter().any(|start| name.starts_with(start))
    };
    names.into_iter().filter(operator).collect()
}

/// Without what compilers put before names; Microsoft's mangled names get nothing.
fn plain(name: &str, abi: &Abi) -> String {
    match name.strip_prefix(&abi.symbol_prefix) {
        Some(rest) if !name.starts_with('?') => rest.to_owned(),
        _ if name.starts_with('?') => name.to_owned(),
        _ => format!("{name} without `{}`", abi.symbol_prefix),
    }
}

fn compile(compiler: &mut Command, source: &Path, object: &Path) -> Result<(), String> {
    compiler.args(["-w", "-std=c++17", "-O0", "-x", "c++"]);
    let Output { status, stderr, .. } =
        compiler.arg(source).arg("-o").arg(object).output().expect("a compiler");
    if status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&stderr).into_owned()) }
}

#[test]
fn compilers_for_every_abi_spell_exactly_the_spec_s_operators() {
    let Some(zig) = common::zig() else { return common::skip(common::ZIG.0, common::ZIG.1) };
    let folder = tempfile::tempdir().expect("a folder");
    let (text, object) = (folder.path().join("all.cpp"), folder.path().join("all.o"));
    let mut seen = BTreeSet::new();
    for platform in spec::platforms().expect("without a mistake") {
        for abi in &platform.abis {
            for (machine, environment) in cover(&abi.machines, &abi.environments) {
                let mangling = Mangling::of(environment);
                fs::write(&text, source(&platform, abi, mangling)).expect("written");
                let triple = known_to_clang(&format!("{machine}-unknown-{environment}"));
                if !for_target(&zig, &triple, machine, &text, &object) {
                    continue;
                }
                assert_eq!(
                    wanted(&object, abi),
                    operators(&platform, abi, mangling),
                    "{triple}, which is `{}` of {}",
                    abi.name,
                    platform.name
                );
                seen.insert((platform.name.clone(), abi.name.clone()));
            }
            let this = (platform.name.clone(), abi.name.clone());
            assert!(seen.contains(&this), "clang knows no machine of {this:?}");
        }
    }
}

/// Pairs in which every machine and every environment has its turn.
fn cover<'a>(machines: &'a [String], environments: &'a [String]) -> Vec<(&'a str, &'a str)> {
    let count = machines.len().max(environments.len());
    let turn = |all: &'a [String], number: usize| all[number % all.len()].as_str();
    (0..count).map(|number| (turn(machines, number), turn(environments, number))).collect()
}

/// Machines of the specs that clang does not know by any name, or not by this one.
const UNKNOWN_TO_CLANG: &[&str] = &["alpha", "x86"];

/// Compiles for a target; false if it is known that clang cannot.
fn for_target(zig: &Command, triple: &str, machine: &str, text: &Path, object: &Path) -> bool {
    let clang = |more: &[&str]| {
        let mut clang = common::again(zig);
        // Old systems lack the aligned operators; a program may bring its own.
        clang.args(["clang", "-faligned-allocation"]).arg(format!("--target={triple}")).args(more);
        compile(&mut clang, text, object)
    };
    match clang(&["-c"]) {
        Ok(()) => true,
        Err(_) if UNKNOWN_TO_CLANG.contains(&machine) => false,
        // Clang spells the names, and has no assembler for the machine.
        Err(said) if said.contains("unable to create target") => {
            clang(&["-S", "-emit-llvm"]).unwrap_or_else(|e| panic!("{triple}: {e}"));
            true
        }
        Err(said) => panic!("{triple}: {said}"),
    }
}

/// A triple of ours, as clang knows it: Apple is a vendor, `gnullvm` and `riscv64gc` are Rust's words.
fn known_to_clang(triple: &str) -> String {
    triple
        .replace("-unknown-apple-", "-apple-")
        .replace("-gnullvm", "-gnu")
        .replace("riscv64gc-", "riscv64-")
}

#[test]
fn the_host_compiler_spells_them_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (text, object) = (folder.path().join("all.cpp"), folder.path().join("all.o"));
    let platform = spec::platform("linux").expect("without a mistake");
    let abi = platform.abi_of(alloc8_gen::toolchain::HOST).expect("the host's ABI");
    fs::write(&text, source(&platform, abi, Mangling::Itanium)).expect("written");
    let mut compiler = Command::new(std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned()));
    compile(compiler.arg("-c"), &text, &object).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(wanted(&object, abi), operators(&platform, abi, Mangling::Itanium));
}

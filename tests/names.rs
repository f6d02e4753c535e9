//! Every mangled name in the specs is what its declaration says, by a demangler and by a compiler.

use std::{collections::BTreeSet, fs, process::Command};

use alloc8_gen::{
    operation::{Form, Operation},
    spec::{self, Abi, Platform},
};

fn operators(platform: &Platform, abi: &Abi) -> Vec<(String, Operation)> {
    let all = platform.symbols_of(abi).filter(|s| s.operation.is_operator());
    all.map(|s| (s.name(abi), s.operation)).collect()
}

/// As the demangler writes it.
fn declaration(operation: Operation, size_t: &str) -> String {
    let (word, first, form) = match operation {
        Operation::New(form) => ("new", size_t, form),
        Operation::Delete(form) => ("delete", "void*", form),
        other => panic!("{} is no operator", other.name()),
    };
    let Form { array, sized, aligned, nothrow } = form;
    let mut parameters = vec![first];
    parameters.extend(sized.then_some(size_t));
    parameters.extend(aligned.then_some("std::align_val_t"));
    parameters.extend(nothrow.then_some("std::nothrow_t const&"));
    format!("operator {word}{}({})", if array { "[]" } else { "" }, parameters.join(", "))
}

fn size_t(abi: &Abi) -> &'static str {
    match abi.size_t.as_str() {
        "m" => "unsigned long",
        "j" => "unsigned int",
        "y" => "unsigned long long",
        other => panic!("size_t is never mangled {other}"),
    }
}

#[test]
fn every_mangled_name_demangles_to_its_declaration() {
    for platform in spec::platforms().expect("without a mistake") {
        for abi in &platform.abis {
            // Microsoft's names are read when specs are loaded (src/spec/mangled.rs).
            let itanium = |(name, _): &(String, Operation)| name.starts_with("_Z");
            for (name, operation) in operators(&platform, abi).into_iter().filter(itanium) {
                let symbol = cpp_demangle::Symbol::new(&name).expect("a mangled name");
                let text = symbol.demangle().expect("demangled");
                assert_eq!(
                    text,
                    declaration(operation, size_t(abi)),
                    "{name} on {}",
                    platform.name
                );
            }
        }
    }
}

#[test]
fn the_host_compiler_spells_the_same_twenty_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("all.cpp");
    let mut text = String::from("#include <new>\n#include <cstddef>\nvoid *volatile sink;\n");
    text += "void f(std::size_t n, std::align_val_t a, void *p) {\n";
    for (index, operation) in Operation::operators().into_iter().enumerate() {
        let (word, first, form) = match operation {
            Operation::New(form) => ("new", "n", form),
            Operation::Delete(form) => ("delete", "p", form),
            _ => unreachable!("operators only"),
        };
        let mut arguments = vec![first];
        arguments.extend(form.sized.then_some("n"));
        arguments.extend(form.aligned.then_some("a"));
        arguments.extend(form.nothrow.then_some("std::nothrow"));
        let array = if form.array { "[]" } else { "" };
        let call = format!("::operator {word}{array}({})", arguments.join(", "));
        text += &if word == "new" { format!("  sink = {call};\n") } else { format!("  {call};\n") };
        let _ = index;
    }
    text += "}\n";
    fs::write(&source, text).expect("written");
    let object = folder.path().join("all.o");
    let cxx = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let status = Command::new(&cxx)
        .args(["-std=c++17", "-fsized-deallocation", "-O0", "-c"])
        .args([&source, std::path::Path::new("-o"), &object])
        .status()
        .expect("a C++ compiler");
    assert!(status.success());
    let data = fs::read(&object).expect("an object");
    let member = alloc8_gen::artifact::Member::read("all.o", &data);
    let wanted: BTreeSet<String> = member
        .wanted()
        .map(|s| s.name.clone())
        .filter(|n| n.starts_with("_Zn") || n.starts_with("_Zd"))
        .collect();
    let linux = spec::platform("linux").expect("without a mistake");
    let abi = linux.abi_of(alloc8_gen::toolchain::HOST).expect("the host's ABI");
    let names: BTreeSet<String> =
        operators(&linux, abi).into_iter().map(|(name, _)| name).collect();
    assert_eq!(wanted, names);
}

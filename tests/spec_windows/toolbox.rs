//! Where MinGW keeps what the tests compare with.

use std::{fs, path::Path, process::Command};

use alloc8_gen::{
    artifact::Archive,
    spec::{self, Abi, Platform},
};

use crate::common::skip;

/// The compilers of MinGW, and the ABI that each compiles for.
pub(crate) const COMPILERS: &[(&str, &str)] =
    &[("x86_64-w64-mingw32-gcc", "x64-gnu"), ("i686-w64-mingw32-gcc", "x86-gnu")];

pub(crate) fn windows() -> Platform {
    spec::platform("windows").unwrap_or_else(|report| panic!("{report}"))
}

pub(crate) fn abi<'a>(platform: &'a Platform, name: &str) -> &'a Abi {
    platform.abis.iter().find(|abi| abi.name == name).expect("an ABI of that name")
}

/// Those of the compilers that are installed; the others are said to be skipped.
pub(crate) fn compilers(test: &str) -> Vec<(&'static str, &'static str)> {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let mut there = Vec::new();
    for (compiler, abi) in COMPILERS {
        if runs(compiler) {
            there.push((*compiler, *abi));
        } else {
            let machine = compiler.trim_end_matches("-w64-mingw32-gcc").replace('_', "-");
            skip(test, &format!("apt-get install gcc-mingw-w64-{machine}-win32"));
        }
    }
    there
}

/// An import library that comes with a compiler; `None` if it has none of that name.
pub(crate) fn import_library(compiler: &str, name: &str) -> Option<Archive> {
    let ask = format!("-print-file-name=lib{name}.a");
    let output = Command::new(compiler).arg(ask).output().expect("a compiler");
    let path = String::from_utf8(output.stdout).expect("UTF-8");
    let path = Path::new(path.trim());
    // A compiler that finds nothing says the bare name.
    path.is_absolute()
        .then(|| Archive::read(&fs::read(path).expect("readable")).expect("an import library"))
}

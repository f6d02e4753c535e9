//! What `verify` says of a library that lacks a symbol, asked of `verify` itself.

use alloc8_gen::{
    artifact::SharedObject,
    spec::{Abi, Platform, Symbol},
    verify::{self, Finding, Grade, Status},
};

/// The finding for a symbol in a library without any; `None` where libraries of the platform cannot
/// be made up.
pub(super) fn finding(platform: &Platform, abi: &Abi, symbol: &Symbol) -> Option<Finding> {
    // Of other files `verify` tells what they export, and judges nothing.
    (platform.mechanism == "elf").then_some(())?;
    let data = empty_library();
    let object = SharedObject::read(&data).ok()?;
    let verdict = verify::verify(&data, &object, platform, abi, None).ok()?;
    let name = symbol.name(abi);
    verdict.symbols.into_iter().find(|finding| finding.symbol == name)
}

/// The row, as `verify` prints it.
pub(super) fn row(finding: &Finding) -> String {
    let mark = match finding.grade {
        Grade::Good => " ",
        Grade::Note => "-",
        Grade::Fault => "!",
    };
    let status = match finding.status {
        Status::Missing => "missing",
        _ => "left",
    };
    format!("{mark} {:<38} {status:<11} {}", finding.symbol, finding.remark)
}

/// The smallest file that `verify` takes for a library: an ELF header and one loaded segment.
fn empty_library() -> Vec<u8> {
    let mut data = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut put = |value: u64, bytes: usize| data.extend(&value.to_le_bytes()[..bytes]);
    // Type (shared object), machine (x86-64), version, entry, program headers, section headers, flags.
    for (value, bytes) in [(3, 2), (62, 2), (1, 4), (0, 8), (64, 8), (0, 8), (0, 4)] {
        put(value, bytes);
    }
    // Sizes and counts: header, program header, one of them, no section.
    for value in [64, 56, 1, 64, 0, 0] {
        put(value, 2);
    }
    // PT_LOAD, readable, of the whole file.
    for (value, bytes) in [(1, 4), (4, 4), (0, 8), (0, 8), (0, 8), (120, 8), (120, 8), (4096, 8)] {
        put(value, bytes);
    }
    data
}

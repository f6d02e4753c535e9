//! Dylibs with chained fixups, as Apple's newer linkers write them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::bench::{Bench, built, sources, zig_cc};
use crate::common;

const LINKER: &str = "ld64.lld-19";

/// A dylib of tests/macho/faults, linked by lld; `None`, and said so, if it is not here.
pub(super) fn control(bench: &Bench, name: &str) -> Option<PathBuf> {
    if Command::new(LINKER).arg("--version").output().is_err() {
        common::skip(LINKER, "apt-get install lld-19");
        return None;
    }
    let object = zig_cc(bench.cpu, &["-fvisibility=hidden", "-c"])
        .args([sources("faults").join(name).with_extension("c")])
        .built(&bench.cpu.named(&format!("{name}.o")));
    let stub = object.with_extension("tbd");
    let names: String = bench.exports().lines().map(|line| format!("      '{line}',\n")).collect();
    let target = format!("{}-macos", bench.cpu.lld);
    let text = format!(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: [ {target} ]\n\
         install-name: '/usr/lib/libSystem.B.dylib'\n\
         exports:\n  - targets: [ {target} ]\n    symbols: [\n{names}    ]\n...\n"
    );
    fs::write(&stub, text).unwrap();
    let mut link = Command::new(LINKER);
    link.args(["-arch", bench.cpu.lld, "-dylib", "-platform_version", "macos", "11.0", "15.0"]);
    link.args(["-fixup_chains", "-install_name", "@rpath/chained.dylib"]).args([object, stub]);
    Some(built(&bench.cpu.named(&format!("chained-{name}.dylib")), &mut link))
}

/// The same dylib with pointer format 6, which Apple's linker writes and no other: its targets count from the
/// image's start, which in a dylib is address 0, so that only the format's number differs.
pub(super) fn with_offsets(library: &Path, folder: &Path) -> PathBuf {
    let mut data = fs::read(library).unwrap();
    let word =
        |data: &[u8], at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut fixups) = (32, None);
    for _ in 0..word(&data, 16) {
        if word(&data, at) == 0x8000_0034 {
            fixups = Some(word(&data, at + 8)); // LC_DYLD_CHAINED_FIXUPS
        }
        at += word(&data, at + 4);
    }
    let fixups = fixups.expect("chained fixups");
    let starts = fixups + word(&data, fixups + 4);
    let mut changed = 0;
    for index in 0..word(&data, starts) {
        let offset = word(&data, starts + 4 + 4 * index);
        if offset != 0 {
            let format = starts + offset + 6;
            assert_eq!(data[format..format + 2], [2, 0]);
            data[format] = 6;
            changed += 1;
        }
    }
    assert!(changed > 0, "no segment has a chain");
    let file = folder.join("offsets.dylib");
    fs::write(&file, data).unwrap();
    file
}

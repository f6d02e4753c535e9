//! Broken files: an error or fewer facts, never a panic.

use super::toolbox::Toolbox;
use alloc8_gen::artifact::program::Mode;
use alloc8_gen::artifact::*;

const SOURCE: &str = r#"
    #include <stdlib.h>
    static __thread int n;
    void *base(size_t size) { n++; return malloc(size); }
    void *derived(size_t size) { return base(size); }
    void *old(void) { return &n; }
    __asm__(".symver old, thing@V1");
    __attribute__((constructor)) static void start(void) { n = 1; }
"#;

/// Everything that can be asked of bytes.
fn ask_all(data: &[u8]) {
    if let Ok(object) = SharedObject::read(data) {
        let _ = (object.has_text_relocations(), object.tls.model(), object.hidden("base").count());
        for symbol in &object.symbols {
            let _ = (symbol.answers(None), symbol.answers(Some("V1")));
        }
        if let Ok(bindings) = Bindings::new(&object, data) {
            let _ = (bindings.all(), bindings.goes_through_any("derived", "base", &["base"]));
        }
    }
    if let Ok(program) = Program::read(data, Mode::default()) {
        let _ = program.elf().map(|p| (p.exports(&["base"]), p.hides(&["base"])));
    }
    if let Ok(archive) = Archive::read(data) {
        let _ = (archive.imports_of(["malloc"]), archive.names().len(), archive.machines());
        let _ = (archive.cxx_runtime(), archive.rust_std(), archive.pic_faults().count());
        let _ = (archive.tls(), archive.tls_size(), archive.constructors().count());
    }
}

fn break_in_all_ways(whole: &[u8]) {
    ask_all(whole);
    for end in (0..whole.len()).step_by(64) {
        ask_all(&whole[..end]);
    }
    let mut data = whole.to_vec();
    // Headers and tables are dense at the start; elsewhere every prime-th byte will do.
    let places = (0..whole.len().min(1024)).chain((1024..whole.len()).step_by(61));
    for place in places {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            data[place] = value;
            ask_all(&data);
        }
        data[place] = whole[place];
    }
}

fn files() -> Toolbox {
    let tools = Toolbox::new();
    tools.write("in.c", SOURCE).write("map", "V1 { global: base; derived; local: *; };");
    tools.run("gcc -O2 -fPIC -c -o in.o in.c").run("ar rcs in.a in.o");
    tools.run("gcc -shared -Wl,--version-script=map -o in.so in.o");
    tools
}

#[test]
fn a_broken_library_never_panics() {
    break_in_all_ways(&files().read("in.so"));
}

#[test]
fn a_broken_archive_never_panics() {
    break_in_all_ways(&files().read("in.a"));
}

#[test]
fn a_broken_32_bit_library_never_panics() {
    if cfg!(target_arch = "x86_64") {
        let line = "gcc -m32 -shared -fPIC -nostdlib -o out in.c";
        break_in_all_ways(&Toolbox::build("int f(int n) { return n; }", line));
    }
}

/// Every symbol may claim the same long name: the reader must not multiply it.
#[test]
fn names_cannot_be_multiplied() {
    let tools = files();
    let mut data = tools.read("in.o");
    let elf = |data: &[u8], at: usize| u64::from_le_bytes(data[at..at + 8].try_into().expect("8"));
    let headers = elf(&data, 40) as usize;
    let count = u16::from_le_bytes([data[60], data[61]]) as usize;
    // A megabyte of symbols, all of whose names begin at 0 in a megabyte without a terminator.
    let (symbols, size) = (data.len(), 1 << 20);
    data.resize(symbols + size, 0);
    let strings = data.len();
    data.resize(strings + size, b'a');
    for section in 0..count {
        let header = headers + section * 64;
        let start = match data[header + 4] {
            2 => symbols,
            3 => strings,
            _ => continue,
        };
        data[header + 24..header + 32].copy_from_slice(&(start as u64).to_le_bytes());
        data[header + 32..header + 40].copy_from_slice(&(size as u64).to_le_bytes());
    }
    let member = Member::read("", &data);
    let problem = member.problem.expect("a problem");
    assert!(problem.contains("far larger than the file"), "{problem}");
}

//! Real libraries, objects and archives: the system's, and small ones that are built here.

use super::cross;
use super::toolbox::Toolbox;
use std::fs;
use std::process::Command;

const SOURCE: &str = r#"
    #include <stdlib.h>
    static __thread int n;
    void *base(size_t size) { n++; return malloc(size); }
    void *derived(size_t size) { return base(size); }
    void *old(void) { return &n; }
    __asm__(".symver old, thing@V1");
    __attribute__((constructor)) static void start(void) { n = 1; }
"#;
const BARE: &str = "int own; int *f(void) { return &own; }";

/// What registers a zone.
const ZONE: &str = r#"
    void malloc_zone_register(void *zone);
    static void f(void) {}
    static void *asked[14] = {f, f, f, f, f, f, f, f, f, 0, 0, 0, 0, f};
    static struct {
        void *reserved[2], *functions[7];
        const char *name;
        void *batch[2], *introspect;
        unsigned version;
        void *more[4];
    } zone = {{0}, {f, f, f, f, f, f, f}, "seed", {f, f}, asked, 10, {f, f, f, f}};
    __attribute__((constructor)) static void start(void) { malloc_zone_register(&zone); }
"#;

/// A file of the C compiler's own search path; nothing if it has none.
fn system(name: &str) -> Option<Vec<u8>> {
    let option = format!("-print-file-name={name}");
    let output = Command::new("gcc").arg(option).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    fs::read(path.trim()).ok()
}

fn versioned(more: &str) -> Vec<u8> {
    let tools = Toolbox::new();
    tools.write("in.c", SOURCE).write("map", "V1 { global: base; derived; local: *; };");
    tools.run(&format!("gcc -O2 -fPIC -shared -Wl,--version-script=map {more} -o out in.c"));
    tools.read("out")
}

/// ELF libraries and programs.
pub(crate) fn elf() -> Vec<Vec<u8>> {
    let names = ["libc.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libdl.so.2"];
    let mut all: Vec<_> = names.iter().filter_map(|name| system(name)).collect();
    all.extend(["", "-Wl,-z,now", "-Wl,-s", "-Wl,--hash-style=sysv"].map(versioned));
    let program = "int main(void) { return 0; }";
    all.push(Toolbox::build(program, "gcc -nostdlib -Wl,-e,main -o out in.c"));
    all.push(Toolbox::build(program, "gcc -static-pie -nostdlib -Wl,-e,main -o out in.c"));
    if cfg!(target_arch = "x86_64") {
        all.push(Toolbox::build(BARE, "gcc -m32 -shared -fPIC -nostdlib -o out in.c"));
    }
    if cross::can_build() {
        let line = "clang --target=aarch64-linux-gnu -fuse-ld=lld -shared -fPIC -nostdlib -O2";
        all.push(Toolbox::build(BARE, &format!("{line} -o out in.c")));
    }
    all
}

/// Archives, whole ones of the system and small ones of some of their members; objects.
pub(crate) fn archives() -> Vec<Vec<u8>> {
    let tools = Toolbox::new();
    tools.write("in.c", SOURCE).write("bare.c", BARE);
    tools.run("gcc -O2 -fPIC -c -o in.o in.c").run("gcc -O0 -fno-pic -c -o bare.o bare.c");
    tools.run("gcc -flto -c -o lto.o in.c");
    tools.run("ar rcs all.a in.o bare.o lto.o").run("ar rcsT thin.a in.o bare.o");
    let mut all: Vec<_> =
        ["in.o", "bare.o", "lto.o", "all.a", "thin.a"].map(|name| tools.read(name)).into();
    all.extend(["libc_nonshared.a", "libgcc.a"].iter().filter_map(|name| system(name)));
    let picked = [
        ("libc.a", ["malloc.o", "strdup.o", "calloc.o"].as_slice()),
        ("libstdc++.a", &["new_op.o", "del_op.o", "eh_alloc.o"]),
    ];
    for (archive, members) in picked {
        let Some(data) = system(archive) else { continue };
        fs::write(tools.path(archive), &data).expect("a copy");
        // A member that another release does not have is passed over.
        let mut ar = Command::new("ar");
        ar.arg("x").arg(archive).args(members).current_dir(tools.path("")).output().expect("ar");
        let there: Vec<_> = members.iter().filter(|m| tools.path(m).exists()).copied().collect();
        if !there.is_empty() {
            tools.run(&format!("ar rcs small-{archive} {}", there.join(" ")));
            all.push(tools.read(&format!("small-{archive}")));
        }
    }
    if cross::can_build() {
        let windows = ["x86_64", "i686"].map(cross::windows);
        all.extend(windows.into_iter().flat_map(|files| [files.import_library, files.object]));
        let objects = cross::CPUS.map(|(arch, _)| cross::darwin_object(arch));
        for object in &objects {
            fs::write(tools.path("darwin.o"), object).expect("written");
            tools.run("ar rcS darwin.a darwin.o");
            all.extend([object.clone(), tools.read("darwin.a")]);
        }
        let archive = tools.read("darwin.a");
        all.push(cross::universal(&[
            (cross::CPUS[0].1, &objects[0]),
            (cross::CPUS[1].1, &archive),
        ]));
    }
    all.extend(mingw());
    all
}

/// A small import library of GNU's kind: the first members of a real one.
fn mingw() -> Option<Vec<u8>> {
    let data = fs::read("/usr/x86_64-w64-mingw32/lib/libucrtbase.a").ok()?;
    let tools = Toolbox::new();
    fs::write(tools.path("whole.a"), data).expect("a copy");
    let output = Command::new("ar").args(["t", "whole.a"]).current_dir(tools.path("")).output();
    let names = String::from_utf8(output.ok()?.stdout).ok()?;
    let mut names: Vec<_> = names.lines().filter(|n| n.contains("_def")).collect();
    names.sort_unstable();
    let ends = names.iter().filter(|n| n.ends_with("h.o") || n.ends_with("t.o"));
    let few: Vec<_> = names.iter().take(12).chain(ends).copied().collect();
    tools.run(&format!("ar x whole.a {}", few.join(" ")));
    tools.run(&format!("ar rcs few.a {}", few.join(" ")));
    Some(tools.read("few.a"))
}

/// Objects as compilers for Windows make them, with words for linkers; or nothing without the tools.
pub(crate) fn windows_objects() -> Vec<Vec<u8>> {
    let mut all = vec![vec![0x64, 0x86, 0, 0]];
    let text = "int tentative[40] __attribute__((aligned(64)));\n\
        __declspec(dllexport) int answer(void) { return tentative[3]; }\n\
        __attribute__((weak)) int main(void) { return answer(); }\n\
        __asm__(\".section .drectve,\\\"yn\\\"\\n.ascii \\\" /alternatename:nobody=answer\\\"\\n.text\");\n";
    for gcc in ["x86_64-w64-mingw32-gcc", "i686-w64-mingw32-gcc"] {
        let tools = Toolbox::new();
        if Command::new(gcc).arg("--version").output().is_ok() {
            fs::write(tools.path("text.c"), text).expect("written");
            tools.run(&format!("{gcc} -O1 -fcommon -ffunction-sections -g -c text.c -o text.o"));
            all.push(tools.read("text.o"));
        }
    }
    if cross::can_build() {
        all.extend(["x86_64", "i686"].map(|arch| cross::windows(arch).object));
    }
    all
}

/// Mach-O and PE files, or nothing without the tools that make them.
pub(crate) fn images() -> Vec<Vec<u8>> {
    let mut all = vec![b"MZ".to_vec()];
    if cross::can_build() {
        let parts = cross::CPUS.map(|(arch, cpu)| (cpu, cross::dylib("lld", arch, "")));
        let parts = [(parts[0].0, parts[0].1.as_slice()), (parts[1].0, parts[1].1.as_slice())];
        all.push(cross::universal(&parts));
        all.extend(parts.map(|(_, part)| part.to_vec()));
        all.extend(cross::CPUS.map(|(arch, _)| cross::linked(ZONE, "lld", arch, "")));
        for arch in ["x86_64", "i686"] {
            let files = cross::windows(arch);
            all.extend([files.runtime, files.user]);
        }
        if let Some(linker) = cross::rust_lld() {
            all.push(cross::dylib(&linker, "arm64", "-fixup_chains"));
        }
    }
    all
}

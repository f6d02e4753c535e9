//! Static libraries: definitions, imports, bytecode, position independence, thread-locals.

use super::toolbox::{Toolbox, have};
use alloc8_gen::artifact::*;
use std::fs;

fn archive(sources: &[(&str, &str)], compile: &str) -> Archive {
    let tools = Toolbox::new();
    let mut objects = String::new();
    for (name, source) in sources {
        tools.write(&format!("{name}.c"), source);
        tools.run(&format!("{compile} -c -o {name}.o {name}.c"));
        objects.push_str(&format!(" {name}.o"));
    }
    tools.run(&format!("ar rcs out.a{objects}"));
    Archive::read(&tools.read("out.a")).expect("an archive")
}

const HEAP: &str = "
    __attribute__((visibility(\"hidden\"))) void *heap_grow(unsigned long n) { return (void *)n; }
    void *heap_malloc(unsigned long n) { return heap_grow(n); }
    __attribute__((weak)) void heap_free(void *p) { (void)p; }
    static int unseen(void) { return 1; } int (*heap_pointer)(void) = unseen;";
const USER: &str = "
    void *heap_malloc(unsigned long); void *malloc(unsigned long); void free(void *);
    void *heap_calloc(unsigned long n) { free(malloc(n)); return heap_malloc(n); }";

#[test]
fn members_define_and_want() {
    let lib = archive(&[("heap", HEAP), ("user", USER)], "gcc -O0 -fPIC -fno-builtin");
    assert!(lib.indexed && !lib.thin);
    let (member, symbol) = lib.definition("heap_malloc").expect("defined");
    assert_eq!((member.name.as_str(), symbol.kind), ("heap.o", SymbolKind::Function));
    let (_, symbol) = lib.definition("heap_free").expect("defined");
    assert_eq!((symbol.bind, symbol.visibility), (Bind::Weak, Visibility::Default));
    assert!(lib.defines("heap_grow") && !lib.defines("unseen") && !lib.defines("malloc"));
    let hidden: Vec<_> = lib.hidden_functions().map(|(_, s)| s.name.as_str()).collect();
    assert_eq!(hidden, ["heap_grow"]);
    let imports = lib.imports_of(["malloc", "free", "realloc", "heap_malloc"]);
    assert_eq!(imports.len(), 2);
    assert!(imports.contains(&("user.o", "malloc")) && imports.contains(&("user.o", "free")));
    assert_eq!(lib.machines().len(), 1);
}

#[test]
fn an_object_by_itself_is_an_archive_of_one() {
    let lib = Archive::read(&Toolbox::build(HEAP, "gcc -c -fPIC -o out in.c")).expect("an object");
    assert_eq!(lib.members.len(), 1);
    assert!(lib.defines("heap_malloc"));
    assert!(Archive::read(b"int main(void) {}").is_err());
}

#[test]
fn a_thin_archive_is_read_through_its_files() {
    let tools = Toolbox::new();
    tools.write("heap.c", HEAP).run("gcc -c -fPIC -o heap.o heap.c").run("ar rcsT out.a heap.o");
    let bytes = tools.read("out.a");
    let unread = Archive::read(&bytes).expect("an archive");
    assert!(unread.thin);
    assert_eq!(unread.members[0].format, Format::Elsewhere);
    let lib = Archive::read_with(&bytes, |name| fs::read(tools.path(name)).ok());
    assert!(lib.expect("an archive").defines("heap_malloc"));
}

#[test]
fn an_archive_without_an_index_is_told() {
    let tools = Toolbox::new();
    tools.write("heap.c", HEAP).run("gcc -c -o heap.o heap.c").run("ar rcS out.a heap.o");
    assert!(!Archive::read(&tools.read("out.a")).expect("an archive").indexed);
}

#[test]
fn bytecode_is_told_slim_from_fat() {
    let lto = |compile: &str| {
        let lib = archive(&[("heap", HEAP)], compile);
        lib.members[0].lto
    };
    assert_eq!(lto("gcc -O2 -fPIC"), None);
    assert_eq!(lto("gcc -O2 -fPIC -flto -fno-fat-lto-objects"), Some(Lto::GccSlim));
    assert_eq!(lto("gcc -O2 -fPIC -flto -ffat-lto-objects"), Some(Lto::GccFat));
    if have("clang", "clang") {
        assert_eq!(lto("clang -O2 -fPIC -flto"), Some(Lto::Llvm));
    }
}

/// What the linker says of the archive, for comparison.
fn links(sources: &[(&str, &str)], compile: &str, script: &str) -> bool {
    let tools = Toolbox::new();
    let mut objects = String::new();
    for (name, source) in sources {
        tools.write(&format!("{name}.c"), source);
        tools.run(&format!("{compile} -c -o {name}.o {name}.c"));
        objects.push_str(&format!(" {name}.o"));
    }
    tools.write("map", script);
    let line = format!("-shared -nostdlib -Wl,--version-script=map -o out{objects}");
    let gcc = compile.split(' ').next().expect("a compiler");
    std::process::Command::new(gcc)
        .args(line.split(' '))
        .current_dir(tools.path("."))
        .output()
        .expect("the linker")
        .status
        .success()
}

const EXPORT_ALL: &str = "{ global: *; };";
const EXPORT_NONE: &str = "{ local: *; };";

/// The verdicts are those of the linker: final faults fail always, preemptible ones only while
/// the symbol is exported, and without faults it links.
fn compare_with_the_linker(sources: &[(&str, &str)], compile: &str) -> Vec<PicFault> {
    let lib = archive(sources, compile);
    let faults: Vec<PicFault> = lib.pic_faults().map(|(_, fault)| fault.clone()).collect();
    // A text relocation is a warning to GNU ld and an error to others.
    let is_final = |f: &PicFault| f.reason.is_final() && f.reason != PicReason::TextRelocation;
    let preemptible = faults.iter().any(|f| f.reason == PicReason::Preemptible);
    let fails = faults.iter().any(is_final);
    assert_eq!(links(sources, compile, EXPORT_NONE), !fails, "{compile} hidden: {faults:?}");
    let exported = links(sources, compile, EXPORT_ALL);
    assert_eq!(exported, !(fails || preemptible), "{compile} exported: {faults:?}");
    faults
}

const DATA: &str = "
    int own_data = 1; extern int other_data; static int local_data = 2;
    __attribute__((visibility(\"hidden\"))) int hidden_data = 3;
    int *take_own(void) { return &own_data; }
    int *take_other(void) { return &other_data; }
    int take_local(void) { return local_data++ + hidden_data++; }";
const OTHER: &str = "int other_data = 4;";
const OUTSIDE: &str = "extern int elsewhere; int take(void) { return elsewhere; }";
const CALLS: &str = "void other(void); void own(void) {} void f(void) { own(); other(); }";
const WORDS: &str = "extern int far_data; int own_data; void *table[] = { &own_data, &far_data };";

fn reasons(faults: &[PicFault]) -> Vec<PicReason> {
    let mut reasons: Vec<_> = faults.iter().map(|f| f.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

fn position_independence(gcc: &str) {
    let sources = [("data", DATA), ("other", OTHER)];
    let pic = format!("{gcc} -O2 -fPIC");
    assert_eq!(compare_with_the_linker(&sources, &pic), []);
    assert_eq!(compare_with_the_linker(&[("calls", CALLS)], &pic), []);
    assert_eq!(compare_with_the_linker(&[("words", WORDS)], &pic), []);
    assert_eq!(compare_with_the_linker(&[("outside", OUTSIDE)], &pic), []);
    // Code for a program reaches its own data directly: well if the link makes the data local.
    let pie = format!("{gcc} -O2 -fPIE");
    let faults = compare_with_the_linker(&sources, &pie);
    assert!(reasons(&faults).iter().all(|r| *r == PicReason::Preemptible), "{faults:?}");
    // GCC for aarch64 reaches it from an anchor in its section, which nobody can replace.
    let direct = cfg!(target_arch = "x86_64") && gcc == "gcc";
    assert_eq!(faults.iter().any(|f| f.symbol == "own_data"), direct, "{faults:?}");
    assert!(!faults.iter().any(|f| f.symbol == "hidden_data"), "{faults:?}");
}

#[test]
fn position_independence_is_judged_as_the_linker_does() {
    position_independence("gcc");
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let faults = compare_with_the_linker(&[("data", DATA), ("other", OTHER)], "gcc -O2 -fno-pic");
    assert!(reasons(&faults).contains(&PicReason::Absolute), "{faults:?}");
    assert!(faults.iter().any(|f| f.relocation.starts_with("R_X86_64_32")));
    let faults = compare_with_the_linker(&[("outside", OUTSIDE)], "gcc -O2 -fPIE");
    assert_eq!(reasons(&faults), [PicReason::Outside]);
    assert_eq!((faults[0].symbol.as_str(), faults[0].relocation), ("elsewhere", "R_X86_64_PC32"));
    compare_with_the_linker(&[("calls", CALLS)], "gcc -O2 -fno-pic");
    compare_with_the_linker(&[("words", WORDS)], "gcc -O2 -fno-pic");
    let large = compare_with_the_linker(&[("data", DATA)], "gcc -O2 -fno-pic -mcmodel=large");
    assert!(reasons(&large).contains(&PicReason::TextRelocation), "{large:?}");
}

#[test]
fn position_independence_on_aarch64() {
    if have("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu") {
        position_independence("aarch64-linux-gnu-gcc");
        let gcc = "aarch64-linux-gnu-gcc -O2 -fno-pic";
        let faults = compare_with_the_linker(&[("outside", OUTSIDE)], gcc);
        assert_eq!(reasons(&faults), [PicReason::Outside]);
        compare_with_the_linker(&[("data", DATA), ("other", OTHER)], gcc);
        // GNU ld for aarch64 links this without a word, and the code is wrong; lld refuses it.
        let le = "aarch64-linux-gnu-gcc -O2 -fPIC -ftls-model=local-exec";
        let lib = archive(&[("tls", TLS)], le);
        let faults: Vec<_> = lib.pic_faults().map(|(_, f)| f.clone()).collect();
        assert_eq!(reasons(&faults), [PicReason::LocalExec]);
        assert_eq!(tls("aarch64-linux-gnu-gcc -O2 -fPIC"), [TlsAccess::Descriptor]);
        let ie = "aarch64-linux-gnu-gcc -O2 -fPIC -ftls-model=initial-exec";
        assert_eq!(tls(ie), [TlsAccess::InitialExec]);
    }
}

const TLS: &str = "__thread long n[4]; long *f(void) { return n; }";

fn tls(compile: &str) -> Vec<TlsAccess> {
    let lib = archive(&[("tls", TLS)], compile);
    assert_eq!(lib.tls_size(), 32);
    lib.tls().into_iter().collect()
}

#[test]
fn thread_local_models_are_told_apart() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    assert_eq!(tls("gcc -O2 -fPIC"), [TlsAccess::GeneralDynamic]);
    assert_eq!(tls("gcc -O2 -fPIC -mtls-dialect=gnu2"), [TlsAccess::Descriptor]);
    assert_eq!(tls("gcc -O2 -fPIC -ftls-model=initial-exec"), [TlsAccess::InitialExec]);
    assert_eq!(tls("gcc -O2 -fPIE"), [TlsAccess::LocalExec]);
    let faults = compare_with_the_linker(&[("tls", TLS)], "gcc -O2 -fPIE");
    assert_eq!(reasons(&faults), [PicReason::LocalExec]);
    let own = "static __thread int a, b; int f(void) { return a++ + b++; }";
    let lib = archive(&[("own", own)], "gcc -O2 -fPIC");
    assert_eq!(lib.tls().into_iter().collect::<Vec<_>>(), [TlsAccess::LocalDynamic]);
}

#[test]
fn constructors_are_counted_by_member() {
    let source = "__attribute__((constructor)) static void a(void) {}
        __attribute__((constructor(101))) static void b(void) {}";
    let lib = archive(&[("heap", HEAP), ("init", source)], "gcc -fPIC");
    let found: Vec<_> = lib.constructors().map(|(m, n)| (m.name.as_str(), n)).collect();
    assert_eq!(found, [("init.o", 2)]);
}

#[test]
fn needs_of_the_cxx_runtime_are_told() {
    let tools = Toolbox::new();
    tools.write("in.cc", "struct S { S(); ~S(); }; void f(); void g() { S s; f(); throw 1; }");
    tools.run("g++ -O2 -fPIC -c -o in.o in.cc").run("ar rcs out.a in.o");
    let lib = Archive::read(&tools.read("out.a")).expect("an archive");
    let needs: Vec<_> = lib.cxx_runtime().into_iter().map(|(_, name)| name).collect();
    for name in ["__cxa_throw", "__gxx_personality_v0", "_ZTIi", "_Unwind_Resume", "_Z1fv"] {
        assert!(needs.contains(&name), "{name} in {needs:?}");
    }
    let plain = archive(&[("heap", HEAP), ("user", USER)], "gcc -fPIC");
    assert_eq!(plain.cxx_runtime(), []);
}

#[test]
fn rusts_standard_library_is_recognized() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let tools = Toolbox::new();
    let core = "#![no_std] #[panic_handler] fn p(_: &core::panic::PanicInfo) -> ! { loop {} }
        #[unsafe(no_mangle)] pub extern \"C\" fn heap_malloc(n: usize) -> usize { [n][n] }";
    let std = "#[unsafe(no_mangle)] pub extern \"C\" fn heap_malloc(n: usize) -> usize
        { std::env::args().count() + n }";
    let flags = "--edition 2024 --crate-type staticlib -C panic=abort -O";
    tools.write("core.rs", core).run(&format!("{rustc} {flags} -o core.a core.rs"));
    tools.write("std.rs", std).run(&format!("{rustc} {flags} -o std.a std.rs"));
    let core = Archive::read(&tools.read("core.a")).expect("an archive");
    let std = Archive::read(&tools.read("std.a")).expect("an archive");
    assert!(core.defines("heap_malloc") && core.rust_std().is_empty());
    assert!(core.cxx_runtime().is_empty(), "{:?}", core.cxx_runtime());
    assert!(!std.rust_std().is_empty());
    tools.run(&format!("{rustc} {flags} -C symbol-mangling-version=v0 -o v0.a std.rs"));
    let v0 = Archive::read(&tools.read("v0.a")).expect("an archive");
    assert!(!v0.rust_std().is_empty());
}

#[test]
fn members_for_another_machine_are_found() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let tools = Toolbox::new();
    tools.write("heap.c", HEAP).run("gcc -c -o a.o heap.c").run("gcc -m32 -c -o b.o heap.c");
    tools.run("ar rcs out.a a.o b.o");
    let lib = Archive::read(&tools.read("out.a")).expect("an archive");
    assert_eq!(lib.machines().len(), 2);
    let foreign: Vec<_> =
        lib.foreign(Machine::X86_64, Class::Elf64).map(|m| m.name.as_str()).collect();
    assert_eq!(foreign, ["b.o"]);
}

//! An archive's public names are hidden in a private copy, and what cannot be used is refused.
#![cfg(target_os = "linux")]

mod heaps;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    artifact::{Class, Format, Machine},
    diagnostic::{Report, Source},
    hide::{self, ArchiveFacts, PREFIX, hide, inspect, machine_of, read_archive},
    interposer, probe, spec,
    toolchain::Compiler,
};

const UNPREFIXED: &str = "malloc = \"malloc\"\nfree = \"free\"\ncalloc = \"calloc\"\nrealloc = \"realloc\"\nmemalign = \"memalign\"\nmalloc_usable_size = \"malloc_usable_size\"\n";

fn describe(text: &str) -> Allocator {
    allocator::read(&Source::new("x.toml", text), "x", Origin::BuiltIn).expect("a description")
}

fn minimal() -> Allocator {
    describe(
        "malloc = \"minimal_malloc\"\nfree = \"minimal_free\"\nmemalign = \"minimal_memalign\"\nmalloc_usable_size = \"minimal_malloc_usable_size\"\n",
    )
}

/// All that a shim for glibc may export.
fn names() -> BTreeSet<String> {
    let linux = spec::platform("linux").unwrap();
    linux.symbols.iter().map(|symbol| symbol.name(&linux.abis[0])).collect()
}

fn compiler() -> Compiler {
    Compiler::find(None, None).expect("a C compiler")
}

struct Built {
    folder: tempfile::TempDir,
    archive: PathBuf,
}

fn build(source: &Path, more: &[&str]) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let archive = heaps::archive(&compiler(), &[source], folder.path(), more);
    Built { folder, archive }
}

fn build_text(text: &str, more: &[&str]) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("text.c");
    fs::write(&source, text).unwrap();
    let archive = heaps::archive(&compiler(), &[&source], folder.path(), more);
    Built { folder, archive }
}

fn look(built: &Built, allocator: &Allocator) -> (ArchiveFacts, Report) {
    inspect(std::slice::from_ref(&built.archive), allocator, &names(), machine_of(&compiler()))
}

fn only(report: &Report, code: &str) -> String {
    let [diagnostic] = report.diagnostics.as_slice() else { panic!("one expected:\n{report}") };
    assert_eq!(diagnostic.code, code, "{report}");
    let help = diagnostic.help.clone().unwrap_or_default();
    format!("{}\n{}\n{help}", diagnostic.message, diagnostic.notes.join("\n"))
}

#[test]
fn public_names_are_hidden_in_a_copy_and_references_follow() {
    let built = build(&heaps::heap("unprefixed.c"), &[]);
    let allocator = describe(UNPREFIXED);
    let (facts, report) = look(&built, &allocator);
    assert!(report.diagnostics.is_empty(), "{report}");
    assert!(facts.imports.is_empty(), "{facts:?}");

    let before = fs::read(&built.archive).unwrap();
    let archives = [built.archive.clone()];
    let hidden =
        hide(&compiler(), &archives, &names(), &[], &built.folder.path().join("h")).unwrap();
    assert_eq!(fs::read(&built.archive).unwrap(), before, "the user's file is left alone");
    let copy = read_archive(&hidden.archives[0]).unwrap();
    for name in ["malloc", "free", "main", "_ZSt15get_new_handlerv"] {
        assert!(!copy.defines(name), "{name}");
        assert_eq!(hidden.renamed[name], format!("{PREFIX}{name}"));
        assert!(copy.defines(&hidden.renamed[name]), "{name}");
    }
    let wanted: Vec<_> = copy.imports().map(|(_, symbol)| symbol.name.as_str()).collect();
    assert!(!wanted.contains(&"malloc") && !wanted.contains(&"free"), "{wanted:?}");

    // And it works as a heap beside the C library's, with a main of its own.
    let described = hidden.describe(&allocator);
    let work = built.folder.path().join("probe");
    let measured = probe::measure(&compiler(), &described, &hidden.archives, &work).unwrap();
    let report = probe::compare(&described, &measured);
    assert!(!report.has_errors(), "{report}\n{measured:#?}");
}

#[test]
fn a_plan_makes_no_copy_and_a_copy_that_is_there_is_not_made_again() {
    let built = build(&heaps::heap("unprefixed.c"), &[]);
    let (archives, work) = ([built.archive.clone()], built.folder.path().join("h"));
    let hidden = hide::plan(&archives, &names(), &[], &work).unwrap();
    assert!(hidden.renamed.contains_key("malloc") && !work.exists());
    hidden.make(&compiler()).unwrap();
    let made = || fs::metadata(&hidden.archives[0]).unwrap().modified().unwrap();
    let first = made();
    hidden.make(&compiler()).unwrap();
    assert_eq!(made(), first);
}

#[test]
fn kept_names_stay() {
    let built = build(&heaps::heap("unprefixed.c"), &[]);
    let keep = ["malloc_usable_size".to_owned(), "main".to_owned()];
    let work = built.folder.path().join("h");
    let hidden = hide(&compiler(), &[built.archive], &names(), &keep, &work).unwrap();
    let copy = read_archive(&hidden.archives[0]).unwrap();
    assert!(copy.defines("malloc_usable_size") && copy.defines("main") && !copy.defines("malloc"));
}

#[test]
fn an_archive_with_nothing_to_hide_is_used_as_it_is() {
    let built = build(&heaps::heap("minimal.c"), &[]);
    let archives = [built.archive.clone()];
    let work = built.folder.path().join("h");
    let hidden = hide(&compiler(), &archives, &names(), &[], &work).unwrap();
    assert_eq!(hidden.archives, archives);
    assert!(hidden.renamed.is_empty() && !work.exists());
}

#[test]
fn bytecode_without_machine_code_is_refused() {
    let built = build(&heaps::heap("unprefixed.c"), &["-flto", "-fno-fat-lto-objects"]);
    let (_, report) = look(&built, &describe(UNPREFIXED));
    let text = only(&report, "A8404");
    assert!(text.contains("unprefixed.o") && text.contains("-fno-lto"), "{text}");
    let work = built.folder.path().join("h");
    let refused = hide(&compiler(), &[built.archive], &names(), &[], &work).unwrap_err();
    only(&refused, "A8404");
}

#[test]
fn bytecode_beside_machine_code_is_taken_off() {
    let built = build(&heaps::heap("unprefixed.c"), &["-flto", "-ffat-lto-objects"]);
    let (_, report) = look(&built, &describe(UNPREFIXED));
    assert!(report.diagnostics.is_empty(), "{report}");
    let work = built.folder.path().join("h");
    let hidden = hide(&compiler(), &[built.archive], &names(), &[], &work).unwrap();
    let copy = read_archive(&hidden.archives[0]).unwrap();
    assert!(copy.defines("alloc8_hidden_malloc") && !copy.defines("malloc"));
    assert_eq!(copy.lto().count(), 0);
}

#[test]
fn bytecode_beside_machine_code_does_not_take_the_place_of_what_is_bound_to_the_code() {
    let built = build(&heaps::heap("minimal.c"), &["-flto", "-ffat-lto-objects"]);
    let linux = spec::platform("linux").unwrap();
    let order = interposer::Order {
        platform: &linux,
        allocator: &minimal(),
        lang: "c",
        libs: std::slice::from_ref(&built.archive),
        compiler: &compiler(),
        cache: &built.folder.path().join("cache"),
        soname: "libminimal.so",
        hook: None,
    };
    let made = interposer::build(&order).unwrap_or_else(|report| panic!("{report}"));
    assert!(made.verdict.bound() > 20, "{:?}", made.verdict);
}

#[test]
fn code_for_programs_only_is_refused_with_its_relocation() {
    let built = build(&heaps::heap("minimal.c"), &["-fno-pic", "-fno-pie"]);
    let (_, report) = look(&built, &minimal());
    let text = only(&report, "A8405");
    assert!(text.contains("minimal.o") && text.contains("R_") && text.contains("-fPIC"), "{text}");
}

#[test]
fn another_machine_is_refused() {
    let built = build(&heaps::heap("minimal.c"), &[]);
    let machine = Some((Format::Elf, Machine::Riscv, Class::Elf64));
    let (_, report) = inspect(&[built.archive], &minimal(), &names(), machine);
    let text = only(&report, "A8406");
    assert!(text.contains("riscv, 64 bits"), "{text}");
}

#[test]
fn another_system_is_refused() {
    let built = build(&heaps::heap("minimal.c"), &[]);
    let (own, machine, class) = machine_of(&compiler()).expect("the host's");
    assert_eq!(own, Format::Elf);
    let windows = Some((Format::Coff, machine, class));
    let (_, report) = inspect(&[built.archive], &minimal(), &names(), windows);
    let text = only(&report, "A8406");
    assert!(text.contains("another system") && text.contains("Windows"), "{text}");
}

#[test]
fn members_that_nobody_can_read_are_named_and_nothing_is_missed_for_their_sake() {
    let built = build(&heaps::heap("minimal.c"), &[]);
    let folder = built.folder.path();
    let thin = folder.join("libthin.a");
    let object = folder.join("minimal.o");
    heaps::run(Command::new("ar").arg("rcsT").arg(&thin).arg(&object));
    fs::remove_file(&object).unwrap();
    let (_, report) = inspect(&[thin], &minimal(), &names(), machine_of(&compiler()));
    let text = only(&report, "A8411");
    assert!(text.contains("minimal.o` of ") && text.contains("thin"), "{text}");

    let shared = folder.join("libminimal.so");
    heaps::run(compiler().command().args(["-shared", "-o"]).arg(&shared).arg(&built.archive));
    let (_, report) = inspect(&[shared], &minimal(), &names(), machine_of(&compiler()));
    let text = only(&report, "A8411");
    assert!(text.contains("not an object but a shared library"), "{text}");
}

#[test]
fn rusts_standard_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("heap.rs");
    fs::write(&source, "#[unsafe(no_mangle)] pub extern \"C\" fn rusty_malloc(n: usize) -> *mut u8 { println!(\"{n}\"); vec![0u8; n].leak().as_mut_ptr() }\n").unwrap();
    let archive = folder.path().join("librusty.a");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition=2024", "-O", "--crate-type=staticlib"]).arg(source).arg("-o");
    heaps::run(rustc.arg(&archive));
    let mut allocator = minimal();
    allocator.functions.clear();
    allocator.libs.push("stdc++".to_owned());
    let (_, report) = look(&Built { folder, archive }, &allocator);
    let found = report.diagnostics.iter().find(|d| d.code == "A8407").expect("told");
    assert!(found.help.as_ref().is_some_and(|h| h.contains("#![no_std]")), "{found:?}");
}

#[test]
fn public_functions_that_an_archive_calls_are_told() {
    let built = build_text(
        "void free(void *p);\nvoid *x_malloc(unsigned long n) { (void)n; return 0; }\nvoid x_free(void *p) { free(p); }\nvoid *x_memalign(unsigned long a, unsigned long n) { (void)a; return x_malloc(n); }\nunsigned long x_malloc_usable_size(void *p) { (void)p; return 0; }\n",
        &[],
    );
    let (facts, report) = look(&built, &allocator::convention("x").unwrap());
    assert_eq!(facts.imports, [("text.o".to_owned(), "free".to_owned())]);
    let text = only(&report, "A8408");
    assert!(text.contains("`free` (text.o)"), "{text}");
    assert!(!report.has_errors());
}

#[test]
fn emulated_thread_local_variables_are_refused_unless_the_archive_emulates_them_itself() {
    let text = "extern void *__emutls_get_address(void *);\nvoid x_free(void *p) { __emutls_get_address(p); }\n";
    let allocator = describe(
        "malloc = \"x_free\"\nfree = \"x_free\"\nrealloc = \"x_free\"\nmemalign = \"x_free\"\n",
    );
    let (_, report) = look(&build_text(text, &[]), &allocator);
    let said = only(&report, "A8413");
    assert!(said.contains("text.o") && said.contains("-fno-emulated-tls"), "{said}");
    let own = format!("{text}void *__emutls_get_address(void *p) {{ return p; }}\n");
    assert!(look(&build_text(&own, &[]), &allocator).1.diagnostics.is_empty());
}

/// snmalloc's protection is an option of its build; without it a child hangs too seldom to be measured.
#[test]
fn a_built_in_allocators_library_without_its_handlers_for_fork_is_warned_of() {
    let mut allocator = allocator::built_in("snmalloc").unwrap().unwrap();
    let names: BTreeSet<_> = allocator.symbols().into_iter().collect();
    let bare: String = names.iter().map(|name| format!("void {name}(void) {{}}\n")).collect();
    let handlers = format!(
        "{bare}int pthread_atfork(void (*)(void), void (*)(void), void (*)(void));\n\
         void begin(void);\nvoid begin(void) {{ pthread_atfork(0, 0, begin); }}\n"
    );
    let (_, report) = look(&build_text(&bare, &["-w"]), &allocator);
    let said = only(&report, "A8204");
    assert!(said.contains("this library of `snmalloc` registers no handlers"), "{said}");
    assert!(said.contains("-DSNMALLOC_PTHREAD_FORK_PROTECTION=ON"), "{said}");
    assert!(!report.has_errors() && !report.diagnostics[0].locations.is_empty(), "{report:?}");
    let (_, report) = look(&build_text(&handlers, &["-w"]), &allocator);
    assert!(report.diagnostics.is_empty(), "{report}");
    // What is not promised is the plan's to warn of; of a description of the user's own, the word counts.
    allocator.promises.fork_own = false;
    assert!(look(&build_text(&bare, &["-w"]), &allocator).1.diagnostics.is_empty());
    allocator.promises.fork_own = true;
    allocator.origin = Origin::File(PathBuf::from("snmalloc.toml"));
    assert!(look(&build_text(&bare, &["-w"]), &allocator).1.diagnostics.is_empty());
}

#[test]
fn a_missing_cxx_runtime_is_told_and_a_named_one_is_not() {
    let text = "extern void fail(void) __asm__(\"__cxa_rethrow\");\nvoid x_free(void *p) { (void)p; fail(); }\n";
    let built = build_text(text, &[]);
    let mut allocator = describe(
        "malloc = \"x_free\"\nfree = \"x_free\"\nrealloc = \"x_free\"\nmemalign = \"x_free\"\n",
    );
    let (facts, report) = look(&built, &allocator);
    assert_eq!(facts.cxx_runtime.len(), 1);
    let text = only(&report, "A8409");
    assert!(text.contains("__cxa_rethrow") && text.contains("libs = [\"stdc++\"]"), "{text}");
    allocator.libs.push("stdc++".to_owned());
    assert!(look(&built, &allocator).1.diagnostics.is_empty());
}

#[test]
fn a_function_that_is_not_there_is_told_with_the_nearest() {
    let built = build(&heaps::heap("minimal.c"), &[]);
    let allocator = describe(
        "malloc = \"minimal_maloc\"\nfree = \"minimal_free\"\nmemalign = \"minimal_memalign\"\nmalloc_usable_size = \"other_usable_size\"\n",
    );
    let (_, report) = look(&built, &allocator);
    let [first, second] = report.diagnostics.as_slice() else { panic!("{report}") };
    assert_eq!((first.code, second.code), ("A8410", "A8410"));
    assert_eq!(first.help.as_deref(), Some("did you mean `minimal_malloc`?"));
    let place = &first.locations[0];
    assert_eq!(&place.source.text[place.span.clone()], "malloc = \"minimal_maloc\"");
}

#[test]
fn hidden_functions_are_told_apart() {
    let built = build(&heaps::heap("minimal.c"), &["-fvisibility=hidden"]);
    let (facts, report) = look(&built, &minimal());
    assert!(!report.has_errors(), "{report}");
    assert!(facts.hidden_targets.contains("minimal_malloc"), "{facts:?}");
    let plain = build(&heaps::heap("minimal.c"), &[]);
    assert!(look(&plain, &minimal()).0.hidden_targets.is_empty());
}

#[test]
fn a_hidden_function_that_bears_a_public_name_is_jumped_to_under_its_new_one() {
    let built = build(&heaps::heap("unprefixed.c"), &["-fvisibility=hidden"]);
    let (linux, compiler) = (spec::platform("linux").unwrap(), compiler());
    // What is promised would be bound directly, and no linker can bind a name to a hidden function.
    let promises = "[promises]\nusable_size_null = true\n";
    let allocator = describe(&format!("{UNPREFIXED}{promises}"));
    let order = interposer::Order {
        platform: &linux,
        allocator: &allocator,
        lang: "c",
        libs: std::slice::from_ref(&built.archive),
        compiler: &compiler,
        cache: &built.folder.path().join("cache"),
        soname: "libx.so",
        hook: None,
    };
    let made = interposer::build(&order).unwrap_or_else(|report| panic!("{report}"));
    let renamed = format!("{PREFIX}malloc_usable_size");
    assert!(made.plan.allocator.indirect.contains(&renamed), "{:?}", made.plan.allocator.indirect);
    assert_eq!(made.plan.direct().count(), 0);
}

#[test]
fn what_is_no_archive_is_refused() {
    let built = build_text("int x;\n", &[]);
    let source = built.folder.path().join("text.c");
    let (_, report) = inspect(&[source], &minimal(), &names(), None);
    assert_eq!(report.diagnostics[0].code, "A8411", "{report}");
    let (_, report) = inspect(&[built.folder.path().join("none.a")], &minimal(), &names(), None);
    assert_eq!(report.diagnostics[0].code, "A8411", "{report}");
}

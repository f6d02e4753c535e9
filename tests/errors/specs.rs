//! Mistakes in spec files: the built-in ones have none, so texts are read as a contributor's would be.

use alloc8_gen::{
    diagnostic::{Report, Source},
    spec,
};

use super::same::reported;

const PLATFORM: &str = r#"schema = 1
name = "mine"
title = "A platform"
mechanism = "elf"
families = ["c"]

[[abi]]
name = "lp64"
size_t = "m"
pointer_bits = 64
condition = "1"
machines = ["x86_64"]
environments = ["mine"]

[semantics]
realloc_zero = "free"
aligned_alloc = "einval"
aligned_alloc_size = "any"
memalign = "round-up"
foreign = "trust"

[runtime]
libc = "libc.so"
errno_location = "__errno_location"
enomem = 12
einval = 22
enosys = 38
page_size = "getpagesize"
rtld_noload = 4
rtld_default = "(void *)0"
rtld_next = -1
"#;

const FAMILY: &str = r#"schema = 1
name = "c"
title = "C"

[[symbol]]
name = "malloc"
proto = "void *malloc(size_t size)"
op = "malloc"
ref = "C23"

[[symbol]]
name = "free"
proto = "void free(void *ptr)"
op = "free"
ref = "C23"
"#;

fn symbol(name: &str, proto: &str, op: &str) -> String {
    format!("\n[[symbol]]\nname = \"{name}\"\nproto = \"{proto}\"\nop = \"{op}\"\nref = \"here\"\n")
}

fn read(platform: &str, family: &str) -> Result<spec::Platform, Report> {
    let family = Source::new("specs/families/c.toml", family);
    spec::platform_from(&Source::new("specs/platforms/mine.toml", platform), &[family])
}

/// What is said of a family that has these symbols more.
#[track_caller]
fn family(name: &str, symbols: &[String]) -> Report {
    let report = read(PLATFORM, &(FAMILY.to_owned() + &symbols.concat())).unwrap_err();
    reported(name, &report);
    report
}

#[test]
fn the_text_that_the_mistakes_are_made_in_has_none() {
    read(PLATFORM, FAMILY).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn an_unknown_operation_is_told_with_the_known_one() {
    family("spec-operation", &[symbol("valloc", "void *valloc(size_t size)", "valoc")]);
}

#[test]
fn a_symbol_that_is_defined_twice_is_told_with_both_places() {
    family("spec-twice", &[symbol("malloc", "void *malloc(size_t size)", "malloc")]);
}

#[test]
fn a_prototype_that_does_not_fit_its_operation_is_told_with_the_one_that_does() {
    let calloc = symbol("calloc", "void *calloc(size_t size)", "calloc");
    let memalign = symbol("memalign", "void *memalign(int alignment, size_t size)", "memalign");
    family("spec-prototype", &[calloc, memalign]);
}

#[test]
fn a_mangled_name_that_is_not_its_declaration_is_told_with_what_it_says() {
    let letter = symbol("_Znwj", "void *operator new(size_t size)", "operator new");
    let delete = symbol("_ZdaPv", "void operator delete(void *ptr)", "operator delete");
    family("spec-mangled", &[letter, delete]);
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let symbols = [
        symbol("valloc", "void *valloc(size_t size)", "valoc"),
        symbol("malloc", "void *malloc(size_t size)", "malloc"),
        symbol("calloc", "void *calloc(size_t size)", "calloc"),
        symbol("pvalloc", "void *pvalloc(size_t", "pvalloc"),
    ];
    let platform = PLATFORM.replace("families = [\"c\"]", "families = [\"c\", \"cc\"]")
        + "\n[since]\nmaloc = \"1\"\n";
    let report = read(&platform, &(FAMILY.to_owned() + &symbols.concat())).unwrap_err();
    let codes: Vec<_> = report.diagnostics.iter().map(|d| d.code).collect();
    for code in ["A8006", "A8007", "A8008", "A8010", "A8011", "A8012"] {
        assert!(codes.contains(&code), "no {code} in\n{report}");
    }
    let places: Vec<_> = report.diagnostics.iter().map(|d| &d.locations[0]).collect();
    let order = |l: &&alloc8_gen::diagnostic::Location| (l.source.name.clone(), l.span.start);
    assert!(places.is_sorted_by_key(order), "{report}");
}

#[test]
fn wrong_keys_and_types_of_every_entry_are_told_at_once() {
    let wrong = FAMILY.replace("op = \"free\"", "op = 3\nopp = \"free\"").replace("title", "titel");
    let report = read(&PLATFORM.replace("pointer_bits = 64", "pointer_bits = \"64\""), &wrong);
    reported("spec-keys", &report.unwrap_err());
}

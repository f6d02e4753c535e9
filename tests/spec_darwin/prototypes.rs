//! Apple's compiler headers prove each declaration, each field of the zone, and the numbers.

use std::{collections::BTreeMap, fs};

use alloc8_gen::spec::{Field, Zone};

use crate::{common, macos};

const TARGETS: &[&str] = &["aarch64-apple-macos11.0", "x86_64-apple-macos11.0"];

const HEAD: &str = "\
#include <dlfcn.h>
#include <errno.h>
#include <malloc/malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
typedef void (^malloc_discharged_pointer_block)(void *memory, void *info);
#define SAME(A, B) _Static_assert(__builtin_types_compatible_p(__typeof__(A), __typeof__(B)), #A)
";

/// What no public header declares, and why.
const UNDECLARED: &[(&str, &str)] = &[
    ("vfree", "left the headers long ago, libSystem still exports it"),
    ("reallocarray$DARWIN_EXTSN", "private/malloc_private.h of libmalloc"),
    ("reallocarrayf$DARWIN_EXTSN", "private/malloc_private.h of libmalloc"),
];

/// Nothing if the headers agree for every target; else what the compiler says.
fn objections(body: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("proof.c");
    fs::write(&source, format!("{HEAD}{body}")).expect("written");
    let lib = common::zig_lib().expect("zig's folder");
    let mut said = String::new();
    for target in TARGETS {
        // zig's clang alone: its driver would keep an object in its cache for each proof.
        let mut zig = common::zig().expect("seen before");
        zig.arg("clang").arg(format!("--target={target}")).args([
            "-std=gnu11",
            "-fsyntax-only",
            "-w",
        ]);
        zig.arg("-Werror=implicit-function-declaration");
        for headers in ["include", "libc/include/any-darwin-any"] {
            zig.arg("-isystem").arg(lib.join(headers));
        }
        let output = zig.arg(&source).output().expect("zig");
        if !output.status.success() {
            said += &format!("{target}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    said
}

/// Whether there is a zig; the whole harness is about its headers.
fn ready() -> bool {
    if common::zig().is_none() {
        common::skip(common::ZIG.0, common::ZIG.1);
        return false;
    }
    true
}

/// A declaration under another name.
fn renamed(declaration: &str, name: &str, new: &str) -> String {
    let text = declaration.replacen(&format!("{name}("), &format!("{new}("), 1);
    assert_ne!(text, declaration, "`{declaration}` does not declare `{name}`");
    text
}

fn undeclared(name: &str) -> bool {
    UNDECLARED.iter().any(|(known, _)| *known == name)
}

#[test]
fn headers_declare_what_the_spec_declares() {
    if !ready() {
        return;
    }
    let platform = macos();
    let mut body = String::new();
    for (number, symbol) in platform.symbols.iter().enumerate() {
        let name = symbol.spec_name();
        if symbol.operation.is_operator() || undeclared(name) {
            continue;
        }
        let spec = format!("spec_says{number}");
        let declaration = renamed(&symbol.declaration, &symbol.prototype.name, &spec);
        body += &format!("{declaration};\nSAME({name}, {spec});\n");
    }
    assert!(body.matches("SAME(").count() >= 35, "{body}");
    let said = objections(&body);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn no_header_declares_what_is_listed_as_undeclared() {
    if !ready() {
        return;
    }
    let platform = macos();
    for (name, _) in UNDECLARED {
        let symbol = platform.symbol(name).unwrap_or_else(|| panic!("`{name}` is in no spec"));
        let plain = &symbol.prototype.name;
        let said = objections(&format!("void f(void) {{ (void){plain}; }}\n"));
        let count = said.matches("undeclared").count();
        assert!(count >= TARGETS.len(), "a header declares `{plain}`: {said}");
    }
}

#[test]
fn fields_of_the_zone_have_the_header_s_types() {
    if !ready() {
        return;
    }
    let mut body = String::new();
    for (number, field) in macos().zone.expect("a zone").fields.iter().enumerate() {
        let place = format!("((({} *)0)->{})", field.structure, field.name);
        if field.function {
            let spec = format!("spec_says{number}");
            let declaration = renamed(&field.declaration, &field.name, &spec);
            body += &format!("{declaration};\nSAME({place}, &{spec});\n");
        } else {
            body += &format!("SAME({place}, {});\n", field.declaration);
        }
    }
    let said = objections(&body);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn fields_are_in_the_header_s_order_and_leave_none_out() {
    if !ready() {
        return;
    }
    let zone = macos().zone.expect("a zone");
    let mut body = String::from(
        "#define END(S, F) (offsetof(S, F) + sizeof(((S *)0)->F))\n\
         /* Nothing but padding between two places: all fields but `version` are words. */\n\
         #define NEXT(A, B) _Static_assert((A) <= (B) && (B) - (A) < sizeof(void *), #B)\n",
    );
    for structure in ["malloc_zone_t", "malloc_introspection_t"] {
        let fields: Vec<&Field> = zone.fields.iter().filter(|f| f.structure == structure).collect();
        let mut end = "0".to_owned();
        for field in fields {
            let name = &field.name;
            body += &format!("NEXT({end}, offsetof({structure}, {name}));\n");
            end = format!("END({structure}, {name})");
        }
        body += &format!("NEXT({end}, sizeof({structure}));\n");
    }
    let said = objections(&body);
    assert!(said.is_empty(), "{said}");
}

/// The header's own summary: what each version added. Of version 7 it leaves out the field that
/// only compilers with blocks see.
fn summary() -> BTreeMap<u32, Vec<String>> {
    let header = common::zig_lib().expect("zig's folder");
    let header = header.join("libc/include/any-darwin-any/malloc/malloc.h");
    let text = fs::read_to_string(header).expect("malloc.h");
    let (_, text) = text.split_once("Zone version summary").expect("a summary");
    let mut versions: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut version = 0;
    for line in text.lines().skip(1).take_while(|line| line.starts_with("//")) {
        if let Some(rest) = line.strip_prefix("// Version ") {
            version = rest.split([',', ':']).next().and_then(|n| n.parse().ok()).expect("a number");
        }
        // Version 13 changes what two old fields owe, in whole sentences.
        let words = line.split_whitespace().filter(|_| !line.contains("responsibility"));
        let paths =
            words.filter(|w| w.starts_with("malloc_zone_t::") || w.starts_with("malloc_int"));
        versions.entry(version).or_default().extend(paths.map(str::to_owned));
    }
    versions
        .entry(7)
        .or_default()
        .push("malloc_introspection_t::enumerate_discharged_pointers".into());
    versions
}

#[test]
fn the_zone_grew_as_the_header_says() {
    if !ready() {
        return;
    }
    let Zone { version, growth, .. } = macos().zone.expect("a zone");
    let header = summary();
    assert_eq!(Some(&version), header.keys().last());
    let spec: BTreeMap<_, _> = growth.iter().map(|g| (g.version, &g.adds)).collect();
    assert_eq!(spec.keys().collect::<Vec<_>>(), header.keys().collect::<Vec<_>>());
    for (version, added) in header.iter().filter(|(version, _)| **version > 0) {
        assert_eq!(spec[version], added, "version {version}");
    }
    assert!(header[&0].iter().all(|path| spec[&0].contains(path)), "{:?}", header[&0]);
}

#[test]
fn numbers_and_functions_of_the_runtime_are_the_headers() {
    if !ready() {
        return;
    }
    let runtime = macos().runtime;
    let [enomem, einval, enosys] = [runtime.enomem, runtime.einval, runtime.enosys];
    let page = runtime.page_size.expect("a function");
    let noload = runtime.rtld_noload.expect("a number");
    let default = runtime.rtld_default.expect("a pointer");
    let said = objections(&format!(
        "_Static_assert(ENOMEM == {enomem} && EINVAL == {einval} && ENOSYS == {enosys}, \"errno\");\n\
         _Static_assert(RTLD_NOLOAD == {noload}, \"RTLD_NOLOAD\");\n\
         _Static_assert(RTLD_DEFAULT == {default}, \"RTLD_DEFAULT\");\n\
         SAME({}(), int *);\nSAME({page}(), int);\n",
        runtime.errno_location
    ));
    assert!(said.is_empty(), "{said}");
}

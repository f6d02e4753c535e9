//! Zig compiles for systems that are not this one, with their headers.

use std::fs;

mod common;

#[test]
fn zig_compiles_for_a_system_that_is_not_this_one() {
    let Some(mut zig) = common::zig() else { return common::skip(common::ZIG.0, common::ZIG.1) };
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("size.c");
    fs::write(
        &source,
        "#include <malloc/malloc.h>\nsize_t f(void *p) { return malloc_size(p); }\n",
    )
    .expect("written");
    let object = folder.path().join("size.o");
    zig.args(["cc", "-target", "aarch64-macos.11.0", "-c"]).arg(source).arg("-o").arg(&object);
    let output = zig.output().expect("zig");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(object).expect("an object")[..4], [0xcf, 0xfa, 0xed, 0xfe]);
    assert!(common::zig_lib().expect("a folder").join("libc/darwin/libSystem.tbd").is_file());
}

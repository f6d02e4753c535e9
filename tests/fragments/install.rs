//! What a packager gets: files below DESTDIR under the names that linkers and programs look for, and a
//! module for pkg-config that names them where they are.

use std::fs;
use std::path::{Path, PathBuf};

use super::project::{
    CMAKE, EXAMPLE, MAKE, Project, TOOL, command, copy, finish, have, succeeded, takes_effect, text,
};

pub(super) const PKG_CONFIG: (&str, &str) = ("pkg-config", "pkg-config");

const PROGRAM: &str = "#include <stdlib.h>\nint main(void) { free(malloc(1)); return 0; }\n";

/// Installed with a version below `stage`, as a system's root.
pub(super) fn is_installed(stage: &Path) {
    let libdir = stage.join("usr/lib");
    let library = libdir.join("libblock_heap_preload.so.1.2.3");
    assert!(library.is_file(), "{}", library.display());
    for name in ["libblock_heap_preload.so", "libblock_heap_preload.so.1"] {
        let real = fs::canonicalize(libdir.join(name)).expect("a link");
        assert_eq!(real, fs::canonicalize(&library).unwrap(), "{name}");
    }
    let ask = |what: &str| {
        let mut tool = command("pkg-config");
        tool.env("PKG_CONFIG_PATH", libdir.join("pkgconfig")).args([what, "block_heap_preload"]);
        let output = finish(&mut tool);
        succeeded(&output);
        text(&output)
    };
    assert_eq!(ask("--modversion"), "1.2.3");
    let preload = PathBuf::from(ask("--variable=preload"));
    assert_eq!(preload.file_name().unwrap(), "libblock_heap_preload.so.1");
    takes_effect(&fs::canonicalize(preload).unwrap(), Path::new("/bin/ls"));

    // A program may be linked with it, and then asks for it by its soname.
    let (source, program) = (stage.join("main.c"), stage.join("main"));
    fs::write(&source, PROGRAM).unwrap();
    let mut cc = command("cc");
    cc.args(["-fno-builtin", "-o"]).arg(&program).arg(&source);
    succeeded(&finish(cc.args(ask("--libs").split(' '))));
    let needed = text(&finish(command("readelf").arg("-d").arg(&program)));
    assert!(needed.contains("Shared library: [libblock_heap_preload.so.1]"), "{needed}");
    succeeded(&finish(command(program.to_str().unwrap()).env("LD_LIBRARY_PATH", &libdir)));
}

#[test]
fn gnu_make_installs_for_a_packager() {
    if !have("fragments-install", &[MAKE, PKG_CONFIG]) {
        return;
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let at = |name: &str| temporary.path().join(name);
    copy(Path::new(EXAMPLE), &at("vendored"));
    let makefile = "\
ALLOC8_ARCHIVE = libblock_heap.a
ALLOC8_LIBRARY = libblock_heap_preload.so.1.2.3
ALLOC8_LINK = $(CXX)
include vendored/alloc8/linux/alloc8.mk
libblock_heap.a: vendored/block_heap.cpp
\t$(CXX) -std=c++17 -O2 -fPIC -fno-exceptions -fno-rtti -c $< -o block_heap.o && ar rcs $@ block_heap.o
";
    fs::write(at("Makefile"), makefile).unwrap();
    let stage = format!("DESTDIR={}", at("stage").display());
    let mut make = command("make");
    succeeded(&finish(make.current_dir(&temporary).args([
        "alloc8-install",
        "prefix=/usr",
        &stage,
    ])));
    is_installed(&at("stage"));
}

#[test]
fn cmake_installs_for_a_packager() {
    if !have("fragments-install", &[CMAKE, PKG_CONFIG]) {
        return;
    }
    let project = Project::new("build");
    let list = project.source.join("CMakeLists.txt");
    let text = fs::read_to_string(&list).unwrap();
    let install = "alloc8_install(block_heap_preload VERSION 1.2.3)";
    let call = "alloc8_interpose(block_heap_preload block_heap)\n";
    assert!(text.contains(call), "{text}");
    fs::write(&list, text.replace(call, &format!("{call}{install}\n"))).unwrap();
    let prefix = ["-DCMAKE_INSTALL_PREFIX=/usr", "-DCMAKE_INSTALL_LIBDIR=lib"];
    let project = project.configured(&prefix);
    succeeded(&project.build(&[]));
    let stage = tempfile::tempdir().expect("a folder");
    let mut install = command("cmake");
    install.env("DESTDIR", stage.path()).arg("--install").arg(&project.build);
    succeeded(&finish(&mut install));
    is_installed(stage.path());
}

#[test]
fn what_build_makes_is_known_by_the_first_number_of_its_version() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, more) in
        [("libheap.so.1.2.3", &[][..]), ("libmy.so.2.0", &["--mode", "prefixed", "--prefix", "my"])]
    {
        let path = folder.path().join(file);
        let mut build = command(TOOL);
        build.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
        succeeded(&finish(build.args(["build", "-q", "-o"]).arg(&path).args(more)));
        let told = text(&finish(command("readelf").arg("-d").arg(&path)));
        let known = &file[..file.len() - file.rsplit("so.").next().unwrap().len() + 1];
        assert!(told.contains(&format!("Library soname: [{known}]")), "{file} {known}: {told}");
    }
}

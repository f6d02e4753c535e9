//! What projects add to their flags loses nothing, or is refused with words.

use std::{fs, os::unix::fs::PermissionsExt};

use super::project::{
    CMAKE, NINJA, PROGRAM, Project, TOOL, command, edit, failed, finish, have, is_direct,
    succeeded, takes_effect, text,
};

/// What distributions and projects add to their flags.
const HARDENING: &str =
    "-O2 -g -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -fPIE";

#[test]
fn flags_of_the_project_lose_nothing() {
    if !have("fragments-flags", &[CMAKE, NINJA]) {
        return;
    }
    for (compiler, cxx) in [("gcc", "g++"), ("clang", "clang++")] {
        if !have(&format!("fragments-flags-{compiler}"), &[(compiler, compiler)]) {
            continue;
        }
        for linker in ["bfd", "lld", "mold", "gold"] {
            if !have(&format!("fragments-linker-{linker}"), &[(&format!("ld.{linker}"), linker)]) {
                continue;
            }
            let project = Project::new("made").configured(&[
                "-G",
                "Ninja",
                &format!("-DCMAKE_C_COMPILER={compiler}"),
                &format!("-DCMAKE_CXX_COMPILER={cxx}"),
                "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON",
                &format!("-DCMAKE_C_FLAGS={HARDENING} -flto"),
                &format!("-DCMAKE_CXX_FLAGS={HARDENING} -flto -fvisibility-inlines-hidden"),
                &format!(
                    "-DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld={linker} -Wl,--as-needed -Wl,-Bsymbolic-functions -Wl,--gc-sections -Wl,-z,relro"
                ),
            ]);
            succeeded(&project.build(&["-v"]));
            assert!(is_direct(&project.library()), "{compiler} {linker}");
            takes_effect(&project.library(), &project.build.join(PROGRAM));
            let verify = finish(command(TOOL).arg("verify").arg(project.library()));
            succeeded(&verify);
        }
    }
}

#[test]
fn hidden_functions_are_jumped_to() {
    if !have("fragments-hidden", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let output = project.configure(&["-G", "Ninja", "-DCMAKE_CXX_VISIBILITY_PRESET=hidden"]);
    succeeded(&output);
    assert!(text(&output).contains("jumps to block_heap"), "{}", text(&output));
    succeeded(&project.build(&[]));
    assert!(!is_direct(&project.library()));
    takes_effect(&project.library(), &project.build.join(PROGRAM));

    // Whoever insists is told by the check after the link.
    let call = "alloc8_interpose(block_heap_preload block_heap";
    edit(&project.source.join("CMakeLists.txt"), call, &format!("{call} DIRECT ON"));
    failed(&project.build(&[]), "say DIRECT OFF");
}

#[test]
fn what_cannot_become_a_shared_library_is_refused_with_words() {
    if !have("fragments-refused", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let output = project.configure(&["-G", "Ninja", "-DCMAKE_POSITION_INDEPENDENT_CODE=OFF"]);
    failed(&output, "POSITION_INDEPENDENT_CODE is off for block_heap");
    let project = Project::new("made");
    edit(&project.source.join("CMakeLists.txt"), "block_heap STATIC", "block_heap SHARED");
    failed(&project.configure(&["-G", "Ninja"]), "must be a STATIC library");
}

#[test]
fn sanitizers_keep_their_own_malloc() {
    if !have("fragments-sanitizer", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let flags = ["-DCMAKE_C_FLAGS=-fsanitize=address", "-DCMAKE_CXX_FLAGS=-fsanitize=address"];
    let output = project.configure(&["-G", "Ninja", flags[0], flags[1]]);
    succeeded(&output);
    assert!(text(&output).contains("interposes nothing"), "{}", text(&output));
    succeeded(&project.build(&[]));
    let names = finish(command("nm").args(["-D", "--defined-only"]).arg(project.library()));
    assert!(!text(&names).contains(" malloc"), "{}", text(&names));
}

/// `CC="ccache gcc"`, as CMake has it in two parts.
#[test]
fn a_compiler_of_two_words_joins() {
    if !have("fragments-two-words", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let mut configure = command("cmake");
    configure.arg("-S").arg(&project.source).arg("-B").arg(&project.build);
    configure.args(["-G", "Ninja", "-DALLOC8_GEN="]).env("CC", "env gcc");
    succeeded(&finish(&mut configure));
    succeeded(&project.build(&["--target", "block_heap_preload"]));
    assert!(is_direct(&project.library()));
}

/// As zig's driver, which knows some options of a linker and no others.
#[test]
fn a_driver_that_does_not_know_the_links_options_is_told_when_it_is_configured() {
    if !have("fragments-drivers", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made");
    let driver = project.source.join("driver");
    let text = "#!/bin/sh\nfor a; do case $a in *-Bno-symbolic*) echo \"unsupported linker arg: $a\" >&2; exit 1;; esac; done\nexec gcc \"$@\"\n";
    fs::write(&driver, text).unwrap();
    fs::set_permissions(&driver, fs::Permissions::from_mode(0o755)).unwrap();
    let compiler = format!("-DCMAKE_C_COMPILER={}", driver.display());
    failed(&project.configure(&["-G", "Ninja", &compiler]), "does not link with -Bno-symbolic");
}

#[test]
fn the_macro_and_the_options_go_together() {
    let project = Project::new("by hand");
    fs::create_dir_all(&project.build).unwrap();
    let cc = |arguments: &[&str]| finish(command("cc").current_dir(&project.build).args(arguments));
    let shim = project.source.join("alloc8/linux/shim.c");
    let shim = shim.to_str().expect("UTF-8");
    let source = project.source.join("block_heap.cpp");
    let source = source.to_str().expect("UTF-8");
    let cxx = ["-std=c++17", "-fPIC", "-fno-exceptions", "-fno-rtti", "-c", source, "-o", "heap.o"];
    succeeded(&cc(&cxx));
    succeeded(&cc(&["-fPIC", "-c", shim, "-o", "jump.o"]));
    succeeded(&cc(&["-fPIC", "-DALLOC8_DIRECT", "-c", shim, "-o", "direct.o"]));
    let alias = "-Wl,--defsym=malloc=block_heap_malloc";
    let option = "-Wl,--defsym=alloc8_direct_options=alloc8_direct_macro";

    succeeded(&cc(&["-shared", "-o", "jump.so", "jump.o", "heap.o"]));
    failed(&cc(&["-shared", "-o", "no.so", "direct.o", "heap.o"]), "alloc8_direct_options");
    for linker in ["bfd", "lld", "gold"] {
        if !have(&format!("fragments-linker-{linker}"), &[(&format!("ld.{linker}"), linker)]) {
            continue;
        }
        let join = format!("-fuse-ld={linker}");
        let join = [join.as_str(), "-r", "-nostdlib", alias, option, "heap.o", "-o", "joined.o"];
        succeeded(&cc(&[&join[..], &["direct.o"]].concat()));
        failed(&cc(&[&join[..], &["jump.o"]].concat()), "");
    }
}

//! `verify` finds every planted fault, and is right about libraries of others.
#![cfg(target_os = "linux")]

mod common;
#[path = "cli/tool.rs"]
mod tool;

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use common::skip;
use tool::{Ran, cc, compiled, folder, interposer, program, root, run};

/// A library that links the rendered shim with the allocator, and what is wrong with it.
struct Planted {
    shim: Box<dyn Fn(String) -> String>,
    map: Box<dyn Fn(String) -> String>,
    more: &'static str,
    link: &'static [&'static str],
}

impl Default for Planted {
    fn default() -> Self {
        let same = || Box::new(|text| text) as Box<dyn Fn(String) -> String>;
        Planted { shim: same(), map: same(), more: "", link: &["-Wl,-Bno-symbolic"] }
    }
}

fn rendered(file: &str) -> String {
    let place = folder();
    let arguments = ["generate", "-p", "linux", "-a", "simple_heap", "-o", "-", "--only", file];
    run(place.path(), &arguments).exits(0).out
}

fn object(name: &str, source: &str, more: &[&str]) -> PathBuf {
    let mut arguments = vec!["-std=gnu11", "-O2", "-fPIC", "-fexceptions", "-w", "-c"];
    arguments.extend(more);
    compiled(name, source, &arguments)
}

impl Planted {
    fn build(self, place: &Path) -> PathBuf {
        let heap = fs::read_to_string(root().join("examples/simple_heap/simple_heap.c")).unwrap();
        let text = rendered("shim.c");
        let changed = (self.shim)(text.clone());
        let map = place.join("exports.map");
        let script = rendered(if cfg!(target_pointer_width = "64") {
            "exports.lp64.map"
        } else {
            "exports.ilp32.map"
        });
        fs::write(&map, (self.map)(script)).unwrap();
        let library = place.join("libplanted.so");
        let script = format!("-Wl,--version-script={}", map.display());
        let mut arguments = vec!["-shared", "-Wl,-z,initfirst", &script];
        arguments.extend(self.link);
        let mut files = vec![OsStr::new("-o"), library.as_os_str()];
        let objects = [
            object("shim.o", &changed, &[]),
            object("heap.o", &heap, &["-ftls-model=initial-exec"]),
            object("more.o", self.more, &["-ftls-model=initial-exec"]),
        ];
        files.extend(objects.iter().map(|o| o.as_os_str()));
        cc(&files, &arguments);
        library
    }

    fn verify(self, plan: bool) -> Ran {
        let place = folder();
        let library = self.build(place.path());
        let mut arguments = vec![OsStr::new("verify"), library.as_os_str()];
        if plan {
            arguments.extend(["-a", "simple_heap"].map(OsStr::new));
        }
        run(place.path(), &arguments)
    }
}

fn replace(from: &'static str, to: &'static str) -> Box<dyn Fn(String) -> String> {
    Box::new(move |text| {
        assert!(text.contains(from), "no `{from}` to replace");
        text.replace(from, to)
    })
}

#[test]
fn a_good_library_is_complete() {
    for plan in [false, true] {
        let ran = Planted::default().verify(plan).exits(0);
        assert!(ran.out.trim_end().ends_with(": complete"), "{}", ran.all());
        assert!(!ran.out.lines().any(|line| line.starts_with('!')), "{}", ran.all());
    }
}

#[test]
fn what_build_makes_binds_directly_as_the_plan_says() {
    let place = folder();
    let file = interposer().to_str().unwrap();
    let ran = run(place.path(), &["verify", "-a", "simple_heap", file]).exits(0);
    assert!(ran.line("malloc").contains("direct: simple_heap_malloc"), "{}", ran.all());
    assert!(ran.line("_Znam").contains("left"), "{}", ran.all());
    ran.says(&["promised, not measured"]);
}

#[test]
fn a_version_node_of_the_c_library_is_a_fault() {
    let planted = Planted { map: replace("\n{\n", "\nGLIBC_2.2.5 {\n"), ..Planted::default() };
    let ran = planted.verify(false).exits(1);
    for name in ["malloc", "free", "aligned_alloc"] {
        let line = ran.line(name);
        assert!(line.starts_with('!') && line.contains("@GLIBC_2.2.5"), "{line}");
    }
    assert!(ran.out.contains("defines GLIBC_2.2.5"), "{}", ran.all());
}

#[test]
fn a_symbol_that_the_version_script_makes_local_is_hidden() {
    let planted = Planted { map: replace("    calloc;\n", ""), ..Planted::default() };
    let ran = planted.verify(false).exits(1);
    let line = ran.line("calloc");
    assert!(line.starts_with('!') && line.contains("hidden"), "{line}");
}

#[test]
fn a_symbol_of_hidden_visibility_is_hidden() {
    let planted = Planted {
        shim: replace(
            "ALLOC8_EXPORT int posix_memalign(",
            "__attribute__((visibility(\"hidden\"), used)) int posix_memalign(",
        ),
        ..Planted::default()
    };
    let ran = planted.verify(false).exits(1);
    let line = ran.line("posix_memalign");
    assert!(line.starts_with('!') && line.contains("hidden"), "{line}");
}

#[test]
fn a_hidden_symbol_of_a_stripped_library_is_missing() {
    let planted = Planted {
        map: replace("    calloc;\n", ""),
        link: &["-Wl,-Bno-symbolic", "-s"],
        ..Planted::default()
    };
    let ran = planted.verify(false).exits(1);
    let line = ran.line("calloc");
    assert!(line.starts_with('!') && line.contains("missing"), "{line}");
}

#[test]
fn a_missing_function_is_a_fault_whoever_frees_or_allocates_through_it() {
    for name in ["free_sized", "aligned_alloc", "posix_memalign", "malloc_usable_size"] {
        let planted = Planted {
            shim: Box::new(move |text| {
                text.replace(&format!(" {name}("), " unused_name(")
                    .replace(&format!("*{name}("), "*unused_name(")
            }),
            ..Planted::default()
        };
        let place = folder();
        let library = planted.build(place.path());
        let library = library.to_str().unwrap();
        for arguments in [vec!["verify", library], vec!["verify", library, "-a", "simple_heap"]] {
            let ran = run(place.path(), &arguments).exits(1);
            let line = ran.line(name);
            assert!(line.starts_with('!') && line.contains("missing"), "{line}");
            assert!(ran.out.trim_end().ends_with("1 fault"), "{}", ran.all());
        }
    }
}

/// Our shims leave derived forms to the C++ runtime; these are what others write.
fn with_derived_forms(head: &'static str, link: &'static [&'static str]) -> Planted {
    let (new, array) =
        if cfg!(target_pointer_width = "64") { ("_Znwm", "_Znam") } else { ("_Znwj", "_Znaj") };
    Planted {
        shim: Box::new(move |text| {
            format!(
                "{head}\n{text}\n\
                 ALLOC8_EXPORT void *{array}(size_t size) {{ return {new}(size); }}\n\
                 ALLOC8_EXPORT void _ZdaPv(void *ptr) {{ _ZdlPv(ptr); }}\n"
            )
        }),
        map: Box::new(move |text| {
            text.replace("global:\n", &format!("global:\n    {array};\n    _ZdaPv;\n"))
        }),
        link,
        ..Planted::default()
    }
}

#[test]
fn new_array_that_goes_through_new_is_good() {
    with_derived_forms("", &["-Wl,-Bno-symbolic"]).verify(false).exits(0);
}

#[test]
fn a_linker_that_binds_new_array_past_new_is_seen() {
    past_the_base(&with_derived_forms("", &["-Wl,-Bsymbolic-functions"]).verify(false).exits(1));
    let ran = with_derived_forms("", &["-Wl,-Bsymbolic"]).verify(false).exits(1);
    past_the_base(&ran);
    assert!(ran.out.contains("linked with -Bsymbolic"), "{}", ran.all());
}

#[test]
fn a_compiler_that_puts_new_into_new_array_is_seen() {
    let inlined = "#pragma GCC optimize(\"no-semantic-interposition\")";
    past_the_base(&with_derived_forms(inlined, &["-Wl,-Bno-symbolic"]).verify(false).exits(1));
}

#[track_caller]
fn past_the_base(ran: &Ran) {
    let array = if cfg!(target_pointer_width = "64") { "_Znam" } else { "_Znaj" };
    for name in [array, "_ZdaPv"] {
        let line = ran.line(name);
        assert!(line.starts_with('!') && line.contains("does not go through"), "{line}");
    }
}

#[test]
fn an_executable_stack_is_a_fault() {
    let planted =
        Planted { link: &["-Wl,-Bno-symbolic", "-Wl,-z,execstack"], ..Planted::default() };
    let ran = planted.verify(false).exits(1);
    assert!(ran.out.contains("! stack") && ran.out.contains("executable"), "{}", ran.all());
}

#[test]
fn a_mebibyte_of_thread_local_storage_is_a_fault() {
    let planted = Planted {
        more: "static _Thread_local char many[1 << 20];\n__attribute__((used)) static char *first(void) { return many; }",
        ..Planted::default()
    };
    let ran = planted.verify(false).exits(1);
    let line = ran.line("thread-local");
    assert!(line.starts_with('!') && line.contains("10485"), "{line}");
}

#[test]
fn relocations_in_code_are_a_fault() {
    let planted = Planted {
        more: "__asm__(\".pushsection .text\\n.p2align 3\\n.quad malloc\\n.popsection\\n\");",
        link: &["-Wl,-Bno-symbolic", "-Wl,-z,notext"],
        ..Planted::default()
    };
    let ran = planted.verify(false).exits(1);
    assert!(ran.line("text").starts_with('!'), "{}", ran.all());
}

#[test]
fn a_name_of_the_allocators_own_that_leaks_is_a_note() {
    let planted = Planted {
        map: replace("    malloc;\n", "    malloc;\n    simple_heap_malloc;\n"),
        ..Planted::default()
    };
    let ran = planted.verify(true).exits(0);
    let line = ran.line("simple_heap_malloc");
    assert!(line.starts_with('-') && line.contains("unexpected"), "{line}");
}

#[test]
fn json_is_one_object_a_line_with_a_reason() {
    let place = folder();
    let file = interposer().to_str().unwrap();
    let objects = run(place.path(), &["verify", "--format", "json", file]).exits(0).json();
    let last = objects.last().unwrap();
    assert_eq!(
        (last["reason"].as_str(), last["complete"].as_bool()),
        (Some("verdict"), Some(true))
    );
    let malloc = objects.iter().find(|o| o["finding"]["symbol"] == "malloc").unwrap();
    assert_eq!(malloc["finding"]["status"], "bound");
    assert_eq!(malloc["finding"]["grade"], "good");
}

/// One of Debian's allocators, as JSON by symbol.
fn stranger(library: &str, package: &str) -> Option<impl Fn(&str) -> serde_json::Value> {
    let path = Path::new("/usr/lib/x86_64-linux-gnu").join(library);
    if !path.is_file() {
        skip("verify-strangers", &format!("apt-get install {package}"));
        return None;
    }
    let place = folder();
    let arguments = ["verify", "--format", "json", path.to_str().unwrap()];
    let objects = run(place.path(), &arguments).exits(1).json();
    Some(move |name: &str| {
        let found = objects.iter().find(|o| o["finding"]["symbol"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))["finding"].clone()
    })
}

#[test]
fn debians_jemalloc_splits_the_heap_at_pvalloc() {
    let Some(finding) = stranger("libjemalloc.so.2", "libjemalloc2") else { return };
    for name in ["pvalloc", "free_sized", "free_aligned_sized"] {
        assert_eq!(
            (&finding(name)["status"], &finding(name)["grade"]),
            (&"missing".into(), &"fault".into())
        );
    }
    // The C library's own calls the public realloc.
    assert_eq!(
        (&finding("reallocarray")["status"], &finding("reallocarray")["grade"]),
        (&"left".into(), &"good".into())
    );
    assert_eq!(finding("malloc")["status"], "bound");
    assert_eq!(finding("_Znam")["grade"], "fault");
}

#[test]
fn debians_mimalloc_passes_a_programs_own_new_over() {
    let Some(finding) = stranger("libmimalloc.so.2", "libmimalloc2.0") else { return };
    assert_eq!(finding("_Znam")["grade"], "fault");
    let remark = finding("_Znam")["remark"].as_str().unwrap().to_owned();
    assert!(remark.contains("does not go through `_Znwm`"), "{remark}");
    assert_eq!(
        (&finding("reallocarray")["status"], &finding("pvalloc")["status"]),
        (&"bound".into(), &"bound".into())
    );
}

#[test]
fn debians_tcmalloc_lacks_the_sized_frees() {
    let Some(finding) = stranger("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4") else {
        return;
    };
    assert_eq!(
        (&finding("free_sized")["status"], &finding("free_sized")["grade"]),
        (&"missing".into(), &"fault".into())
    );
    assert_eq!(finding("aligned_alloc")["status"], "bound");
    assert_eq!(finding("_ZdlPvm")["grade"], "fault");
}

#[test]
fn what_is_no_library_is_refused_in_words() {
    let place = folder();
    let at = |name: &str| place.path().join(name);
    fs::write(at("text.so"), "int malloc;\n").unwrap();
    fs::write(at("empty.so"), "").unwrap();
    let whole = fs::read(interposer()).unwrap();
    fs::write(at("cut.so"), &whole[..whole.len() / 3]).unwrap();
    fs::write(at("head.so"), &whole[..40]).unwrap();
    let member = object("heap.o", "int one;", &[]);
    let mut ar = Command::new("ar");
    assert!(Ran::new(ar.arg("rcs").arg(at("lib.a")).arg(&member)).status.success());
    fs::copy(&member, at("one.o")).unwrap();
    for (file, words) in [
        ("text.so", "text"),
        ("empty.so", "empty"),
        ("cut.so", "cut off"),
        ("head.so", ""),
        ("lib.a", "archive"),
        ("one.o", "object"),
    ] {
        let ran =
            run(place.path(), &["verify", file]).exits(2).says(&["error[A8511]", file, words]);
        assert!(!ran.err.contains("panic") && ran.out.is_empty(), "{}", ran.all());
    }
    run(place.path(), &["verify", "absent.so"]).exits(2).says(&["A8304", "absent.so"]);
    // One that cannot be read does not keep the others from being told about.
    let ran = run(place.path(), &["verify", "text.so", interposer().to_str().unwrap()]).exits(2);
    assert!(ran.out.contains("complete"), "{}", ran.all());
}

/// `verify LIBRARY --program EXE`
fn with_program(exe: &Path) -> Ran {
    let place = folder();
    let library = interposer().to_str().unwrap();
    run(place.path(), &["verify", library, "--program", exe.to_str().unwrap()])
}

#[track_caller]
fn no_effect(exe: &Path, code: &str, words: &str) {
    let ran = with_program(exe).exits(1).says(&[code, words]);
    assert!(ran.out.trim_end().ends_with("a preload would take no effect"), "{}", ran.all());
}

#[test]
fn a_plain_program_takes_a_preload() {
    let ran = with_program(&program()).exits(0);
    assert!(ran.out.trim_end().ends_with("a preload takes effect"), "{}", ran.all());
    let place = folder();
    let library = interposer().to_str().unwrap();
    let exe = program();
    let arguments = ["verify", library, "--format", "json", "--program", exe.to_str().unwrap()];
    let objects = run(place.path(), &arguments).exits(0).json();
    assert_eq!(objects.last().unwrap()["takes_effect"], true);
}

#[test]
fn a_static_program_takes_none() {
    no_effect(&compiled("static", tool::PROGRAM, &["-static"]), "A8651", "statically linked");
    no_effect(&compiled("pie", tool::PROGRAM, &["-static-pie"]), "A8651", "statically linked");
}

#[test]
fn a_library_is_no_program() {
    no_effect(interposer(), "A8652", "is a library");
}

#[test]
fn a_set_user_id_program_takes_none() {
    let place = folder();
    let exe = place.path().join("privileged");
    fs::copy(program(), &exe).unwrap();
    if chown(&exe, Some(65534), None).is_err() {
        return skip("verify-setuid", "run as root");
    }
    fs::set_permissions(&exe, fs::Permissions::from_mode(0o4755)).unwrap();
    no_effect(&exe, "A8653", "privileges of its own");
}

#[test]
fn a_program_for_another_machine_takes_none() {
    let place = folder();
    let exe = place.path().join("foreign");
    let mut bytes = fs::read(program()).unwrap();
    // e_machine: RISC-V
    bytes[18..20].copy_from_slice(&243u16.to_ne_bytes());
    fs::write(&exe, bytes).unwrap();
    no_effect(&exe, "A8654", "another machine");
}

#[test]
fn a_program_of_another_c_library_takes_none() {
    let musl = "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1";
    no_effect(&compiled("musl", tool::PROGRAM, &[musl]), "A8655", "another C library");
}

const OWN: &str = r#"
#include <stddef.h>
static char memory[1 << 16];
static size_t used;
VISIBILITY void *malloc(size_t size) { void *p = memory + used; used += (size + 15) & ~(size_t)15; return p; }
VISIBILITY void free(void *p) { (void)p; }
int main(void) { char *volatile p = malloc(3); free(p); return p == NULL; }
"#;

#[test]
fn a_program_that_exports_its_own_malloc_takes_none() {
    let exe = compiled("own", OWN, &["-DVISIBILITY=", "-rdynamic", "-w", "-fno-builtin"]);
    no_effect(&exe, "A8656", "exports its own malloc");
}

#[test]
fn a_program_that_hides_its_own_malloc_takes_none() {
    let hidden = "-DVISIBILITY=__attribute__((visibility(\"hidden\")))";
    let exe = compiled("own", OWN, &[hidden, "-w", "-fno-builtin"]);
    no_effect(&exe, "A8657", "malloc of its own");
}

#[test]
fn a_program_that_needs_another_allocator_is_told_so_and_takes_the_preload() {
    let place = folder();
    let exe = place.path().join("needs");
    let source = place.path().join("needs.c");
    fs::write(&source, tool::PROGRAM).unwrap();
    fs::copy(interposer(), place.path().join("libother.so")).unwrap();
    let library = place.path().join("libother.so");
    let files = [OsStr::new("-o"), exe.as_os_str(), source.as_os_str(), library.as_os_str()];
    cc(&files, &["-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN"]);
    // The program names it by its soname.
    fs::rename(library, place.path().join("libsimple_heap-alloc8.so")).unwrap();
    with_program(&exe).exits(0).says(&["note[A8658]", "brings an allocator of its own"]);
}

#[test]
fn a_program_that_opens_libraries_is_told_so() {
    let source =
        "#include <dlfcn.h>\nint main(void) { return dlopen(\"libm.so.6\", RTLD_NOW) == 0; }";
    let exe = compiled("opens", source, &["-ldl"]);
    with_program(&exe).exits(0).says(&["note[A8659]", "RTLD_DEEPBIND"]);
}

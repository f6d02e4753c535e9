//! Faults of single symbols.

use super::planted::{Planted, replace};
use crate::tool::{Ran, folder, interposer, run};

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

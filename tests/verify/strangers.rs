//! What is true of allocators as Debian ships them.

use std::path::Path;

use crate::common::skip;
use crate::tool::{folder, run};

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

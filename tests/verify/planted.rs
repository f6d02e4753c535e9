//! Libraries with faults that were planted in them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tool::{Ran, cc, compiled, folder, root, run};

/// A library that links the rendered shim with the allocator, and what is wrong with it.
pub(super) struct Planted {
    pub(super) shim: Box<dyn Fn(String) -> String>,
    pub(super) map: Box<dyn Fn(String) -> String>,
    pub(super) more: &'static str,
    pub(super) link: &'static [&'static str],
}

impl Default for Planted {
    fn default() -> Self {
        let same = || Box::new(|text| text) as Box<dyn Fn(String) -> String>;
        Planted { shim: same(), map: same(), more: "", link: &["-Wl,-Bno-symbolic"] }
    }
}

pub(super) fn rendered(file: &str) -> String {
    let place = folder();
    let arguments = ["generate", "-p", "linux", "-a", "simple_heap", "-o", "-", "--only", file];
    run(place.path(), &arguments).exits(0).out
}

pub(super) fn object(name: &str, source: &str, more: &[&str]) -> PathBuf {
    let mut arguments = vec!["-std=gnu11", "-O2", "-fPIC", "-fexceptions", "-w", "-c"];
    arguments.extend(more);
    compiled(name, source, &arguments)
}

impl Planted {
    pub(super) fn build(self, place: &Path) -> PathBuf {
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

    pub(super) fn verify(self, plan: bool) -> Ran {
        let place = folder();
        let library = self.build(place.path());
        let mut arguments = vec![OsStr::new("verify"), library.as_os_str()];
        if plan {
            arguments.extend(["-a", "simple_heap"].map(OsStr::new));
        }
        run(place.path(), &arguments)
    }
}

pub(super) fn replace(from: &'static str, to: &'static str) -> Box<dyn Fn(String) -> String> {
    Box::new(move |text| {
        assert!(text.contains(from), "no `{from}` to replace");
        text.replace(from, to)
    })
}

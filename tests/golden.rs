//! `generated/` is what the tool renders for `simple_heap`, and every template renders in full.

use std::{collections::BTreeMap, fs, path::Path};

use alloc8_gen::{
    allocator,
    plan::Plan,
    render::{self, Inputs},
    spec,
};

/// Everything that is rendered for a built-in allocator: folder, files.
fn rendered(name: &str) -> BTreeMap<String, render::Files> {
    let allocator = allocator::built_in(name).expect("built in").expect("without a mistake");
    let platforms = spec::platforms().expect("without a mistake");
    let mut folders = BTreeMap::new();
    for platform in platforms.iter().filter(|p| render::has_templates(&p.mechanism)) {
        let inputs = Inputs::interposer(&platform.name, name);
        let (plan, _) = Plan::new(platform, &allocator).expect("complete");
        folders.insert(platform.name.clone(), render::render(&plan, &inputs).expect("rendered"));
    }
    folders
}

/// The same for Linux in Rust.
fn in_rust(name: &str) -> (String, render::Files) {
    for_linux("rust", "interpose", name)
}

/// The same for Linux in C++.
fn in_cxx(name: &str) -> (String, render::Files) {
    for_linux("cpp", "interpose", name)
}

/// The same for macOS in C++.
fn in_cxx_on_macos(name: &str) -> (String, render::Files) {
    for_platform("macos", "cpp", "interpose", name)
}

/// The same for Windows in C++.
fn in_cxx_on_windows(name: &str) -> (String, render::Files) {
    for_platform("windows", "cpp", "interpose", name)
}

/// A program for Windows that carries its heap, in C++.
fn in_programs_in_cxx_on_windows(name: &str) -> (String, render::Files) {
    let (_, files) = for_platform("windows", "cpp", "static", name);
    ("windows-cpp-static".to_owned(), files)
}

/// The same for Windows in Rust.
fn in_rust_on_windows(name: &str) -> (String, render::Files) {
    for_platform("windows", "rust", "interpose", name)
}

/// The same for macOS in Rust.
fn in_rust_on_macos(name: &str) -> (String, render::Files) {
    for_platform("macos", "rust", "interpose", name)
}

/// The same for programs on Linux that carry their heap.
fn in_programs(name: &str) -> (String, render::Files) {
    for_linux("c", "static", name)
}

/// The same for functions under a prefix beside the system's malloc.
fn prefixed(name: &str) -> (String, render::Files) {
    for_linux("c", "prefixed", name)
}

/// A zone in a program for macOS.
fn zone_in_programs(name: &str) -> (String, render::Files) {
    for_platform("macos", "c", "static", name)
}

/// Functions under a prefix for macOS.
fn prefixed_for_macos(name: &str) -> (String, render::Files) {
    for_platform("macos", "c", "prefixed", name)
}

fn for_linux(lang: &str, mode: &str, name: &str) -> (String, render::Files) {
    for_platform("linux", lang, mode, name)
}

fn for_platform(platform: &str, lang: &str, mode: &str, name: &str) -> (String, render::Files) {
    let allocator = allocator::built_in(name).expect("built in").expect("without a mistake");
    let inputs = Inputs {
        lang: lang.to_owned(),
        mode: mode.to_owned(),
        prefix: (mode == "prefixed").then(|| "my".to_owned()),
        ..Inputs::interposer(platform, name)
    };
    let found = spec::platform(platform).expect("without a mistake");
    let (plan, _) = Plan::new(&found, &allocator).expect("complete");
    let different = if lang == "c" { mode } else { lang };
    (format!("{platform}-{different}"), render::render(&plan, &inputs).expect("rendered"))
}

#[test]
fn the_committed_files_are_what_is_rendered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated/simple_heap");
    let mut wanted = BTreeMap::new();
    let others = [
        in_cxx("simple_heap"),
        in_cxx_on_macos("simple_heap"),
        in_cxx_on_windows("simple_heap"),
        in_programs_in_cxx_on_windows("simple_heap"),
        in_rust_on_windows("simple_heap"),
        in_rust_on_macos("simple_heap"),
        in_rust("simple_heap"),
        in_programs("simple_heap"),
        zone_in_programs("simple_heap"),
        prefixed_for_macos("simple_heap"),
        prefixed("simple_heap"),
    ];
    for (folder, files) in rendered("simple_heap").into_iter().chain(others) {
        for (name, text) in files {
            wanted.insert(format!("{folder}/{name}"), text);
        }
    }
    for (name, text) in &wanted {
        let there = fs::read_to_string(root.join(name)).unwrap_or_default().replace("\r\n", "\n");
        assert!(there == *text, "generated/simple_heap/{name} is stale: run `cargo xtask codegen`");
    }
    for folder in fs::read_dir(&root).expect("generated/simple_heap") {
        let folder = folder.expect("readable");
        for file in fs::read_dir(folder.path()).expect("a folder") {
            let file = file.expect("readable");
            let name = format!("{}/{}", folder.file_name().display(), file.file_name().display());
            assert!(wanted.contains_key(&name), "nothing renders generated/simple_heap/{name}");
        }
    }
}

/// Windows with each kind of hook that is not its default.
fn hooked(name: &str) -> Vec<(String, render::Files)> {
    let allocator = allocator::built_in(name).expect("built in").expect("without a mistake");
    let windows = spec::platform("windows").expect("without a mistake");
    let (plan, _) = Plan::new(&windows, &allocator).expect("complete");
    let render = |hook: &str| {
        let inputs = Inputs { hook: Some(hook.to_owned()), ..Inputs::interposer("windows", name) };
        (format!("windows-{hook}"), render::render(&plan, &inputs).expect("rendered"))
    };
    ["iat", "minhook", "detours", "redirect"].into_iter().map(render).collect()
}

#[test]
fn the_list_of_hooks_is_what_the_shim_hooks() {
    let all = hooked("simple_heap").into_iter().chain(rendered("simple_heap"));
    for (folder, files) in all.filter(|(folder, _)| folder.starts_with("windows")) {
        let shim = &files["shim.c"];
        for (abi, word) in [("x64-gnu", 0), ("x86-gnu", 1), ("arm64-msvc", 0)] {
            let listed: Vec<_> = files[&format!("symbols.{abi}.txt")]
                .lines()
                .filter(|line| !line.starts_with('#'))
                .collect();
            let (_, table) = shim.split_once("const char alloc8_hooks[] =").expect("the table");
            let (table, _) = table.split_once(';').expect("its end");
            let mut hooked: Vec<_> = table
                .lines()
                .map(|line| line.split('"').collect::<Vec<_>>())
                .filter(|parts| parts.len() > 1)
                .map(|parts| if parts.len() > 3 { parts[1 + 2 * word] } else { parts[1] })
                .map(|name| name.trim_end_matches("\\0"))
                .collect();
            hooked.sort_unstable();
            assert_eq!(hooked, listed, "{folder} {abi}");
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    assert_eq!(rendered("simple_heap"), rendered("simple_heap"));
    assert_eq!(in_rust("simple_heap"), in_rust("simple_heap"));
    assert_eq!(in_cxx("simple_heap"), in_cxx("simple_heap"));
    assert_eq!(in_cxx_on_macos("simple_heap"), in_cxx_on_macos("simple_heap"));
    assert_eq!(in_cxx_on_windows("simple_heap"), in_cxx_on_windows("simple_heap"));
    assert_eq!(in_programs("simple_heap"), in_programs("simple_heap"));
}

#[test]
fn every_built_in_allocator_renders_on_every_platform() {
    for name in allocator::built_in_names() {
        // Nobody tells these of new threads, and they say so (A8237).
        let others = [in_programs(&name), prefixed(&name)];
        for (platform, files) in rendered(&name).into_iter().chain(others) {
            let shim = &files["shim.c"];
            assert!(!shim.contains("{{") && !shim.contains("{%"), "{name} on {platform}");
        }
    }
}

#[test]
fn nothing_rendered_names_a_version_a_date_or_an_absolute_path() {
    let version = env!("CARGO_PKG_VERSION");
    let others = [
        in_cxx("simple_heap").1,
        in_cxx_on_macos("simple_heap").1,
        in_cxx_on_windows("simple_heap").1,
        in_programs_in_cxx_on_windows("simple_heap").1,
        in_rust_on_windows("simple_heap").1,
        in_rust_on_macos("simple_heap").1,
        in_rust("simple_heap").1,
        in_programs("simple_heap").1,
        zone_in_programs("simple_heap").1,
        prefixed_for_macos("simple_heap").1,
        prefixed("simple_heap").1,
    ];
    let all = rendered("simple_heap").into_values().chain(others);
    for (name, text) in all.flatten() {
        for forbidden in [version, "/home/", "/root/", "/tmp/", "/work/", "2026"] {
            assert!(!text.contains(forbidden), "{name} contains {forbidden}");
        }
    }
}

#[test]
fn the_export_list_is_the_list_of_definitions() {
    // What is hooked in other libraries is no export.
    let exports = |files: &render::Files| files.contains_key("exports.lp64.map");
    for (platform, files) in rendered("simple_heap").into_iter().filter(|(_, f)| exports(f)) {
        let listed: Vec<_> =
            files["symbols.lp64.txt"].lines().filter(|l| !l.starts_with('#')).collect();
        if platform == "macos" {
            check_tuples(&listed, &files["shim.c"]);
            continue;
        }
        for name in &listed {
            let defined = files["shim.c"].contains(&format!("{name}("));
            let exported = files["exports.lp64.map"].contains(&format!("\n    {name};\n"));
            assert!(
                defined && exported,
                "{name} on {platform}: defined {defined}, exported {exported}"
            );
        }
        assert!(listed.is_sorted());
    }
}

/// What a dylib interposes is in its tuples, and nowhere else.
fn check_tuples(listed: &[&str], shim: &str) {
    let tuples = shim.split("__DATA,__interpose").nth(1).expect("tuples");
    let replaced = tuples.lines().filter_map(|line| {
        let (_, last) = line.trim().strip_suffix(" },")?.rsplit_once(')')?;
        Some(last)
    });
    let mut replaced: Vec<_> = replaced.collect();
    replaced.sort_unstable();
    assert_eq!(replaced, listed);
}

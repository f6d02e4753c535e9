//! The street that the sources go goes one way, and platforms' names stand in the specs alone.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use alloc8_gen::{allocator::Role, spec};

/// The library's modules: each may import those that stand before it, and no other.
const STREET: [&str; 27] = [
    // What all others say their mistakes with, and what is compiled in.
    "codes",
    "diagnostic",
    "embedded",
    "file",
    "parallel",
    "system",
    "toml_text",
    // Facts.
    "prototype",
    "operation",
    "spec",
    "allocator",
    // Of tests alone.
    "schema",
    // Decisions, and the text of them: up to here all is pure.
    "plan",
    "render",
    // The edge: files, compilers, what they made.
    "output",
    "artifact",
    "proof",
    "toolchain",
    "preload",
    "hide",
    "probe",
    "verify",
    // The whole way.
    "init",
    "interposer",
    "laws",
    "carry",
    "generator",
];

fn sources() -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&src).unwrap().to_owned(), code(&text)));
            }
        }
    }
    found
}

/// Without comments and unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let bare = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(bare).map(|line| format!("{line}\n")).collect()
}

/// The library's module that a file is of; none for the program's own.
fn module(file: &Path) -> Option<&str> {
    let first = file.iter().next()?.to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main", "cli", "command"].contains(&name)).then_some(name)
}

/// The first names of all paths below `crate::`, a list in braces among them.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in text.split("crate::").skip(1) {
        let Some(list) = after.strip_prefix('{') else {
            found.insert(word(after));
            continue;
        };
        let (mut depth, mut starts) = (0, true);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => starts = true,
                c if starts && !c.is_whitespace() => {
                    found.insert(word(&list[at..]));
                    starts = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_import_what_stands_before_them_in_the_street() {
    let place = |name: &str| STREET.iter().position(|other| *other == name);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(name) = module(&file) else { continue };
        let own = place(name).unwrap_or_else(|| panic!("{name} has no place in the street"));
        seen.insert(name.to_owned());
        for import in imports(&text) {
            if place(&import).is_some_and(|other| other > own) {
                wrong.push(format!("{}: crate::{import}", file.display()));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(seen.len(), STREET.len(), "{seen:?}");
}

/// Where what one system alone has may stand.
const EDGES: [&str; 6] = [
    "command/host.rs",
    "command/host/unix.rs",
    "command/host/windows.rs",
    "system.rs",
    "system/unix.rs",
    "system/windows.rs",
];

#[test]
fn what_one_system_alone_has_stands_at_the_edges() {
    let alone = ["os::unix", "os::windows", "cfg(unix)", "cfg(windows)", "cfg(not(", "rustix::"];
    let (edges, others): (Vec<_>, Vec<_>) = sources()
        .into_iter()
        .filter(|(_, text)| alone.iter().any(|word| text.contains(word)))
        .map(|(file, _)| file.display().to_string().replace('\\', "/"))
        .partition(|file| EDGES.contains(&file.as_str()));
    assert_eq!(others, [""; 0]);
    assert_eq!(edges.len(), EDGES.len(), "{edges:?}");
}

#[test]
fn an_import_is_found_in_every_spelling() {
    let text = "use crate::plan::Plan;\nuse crate::{\n    spec::{Abi, Platform},\n    verify,\n};\nlet x = crate::hide::y();";
    let found: Vec<_> = imports(text).into_iter().collect();
    assert_eq!(found, ["hide", "plan", "spec", "verify"]);
}

/// Operations and the keys of descriptions bear the name of the C function that defines them; where code
/// spells another name of a symbol, it knows a platform that the specs should tell it of.
#[test]
fn names_of_platforms_stand_in_the_specs_alone() {
    let platforms = spec::platforms().expect("the built-in specs");
    let mut names: BTreeSet<String> = platforms
        .iter()
        .flat_map(|platform| platform.abis.iter().flat_map(|abi| platform.names(abi)))
        .filter(|name| name.contains(['_', '?']))
        .collect();
    for symbol in platforms.iter().flat_map(|platform| &platform.symbols) {
        names.remove(symbol.operation.name().as_str());
    }
    for role in Role::ALL {
        names.remove(role.key());
    }
    assert!(names.contains("_aligned_malloc_dbg") && names.contains("_Znwm"), "{names:?}");
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let strings = text.split('"').skip(1).step_by(2);
        let words = strings.flat_map(|s| s.split(|c: char| !c.is_alphanumeric() && c != '_'));
        for name in words.filter(|word| names.contains(*word)) {
            wrong.push(format!("{}: {name}", file.display()));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// What a platform's linker looks for its own libraries by differs from what they are called: templates have it of the spec.
#[test]
fn no_template_spells_what_a_platform_links_by() {
    let platforms = spec::platforms().expect("the built-in specs");
    let hooks = platforms.iter().flat_map(|platform| &platform.hooks);
    let names: Vec<String> =
        hooks.flat_map(|h| &h.imports).filter_map(|import| import.lent_by.clone()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let spelled = names.iter().find(|name| text.contains(*name));
            assert_eq!(spelled, None, "{}", path.display());
        }
    }
}

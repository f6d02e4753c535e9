//! The JSON Schemas that editors use are what the reader accepts. They are made of it by tests alone, so that
//! nobody else waits for what makes them.

use std::{fs, path::Path, sync::Arc};

use jsonschema::Validator;
use serde_json::Value;

use crate::{
    allocator::{self, Origin, description_schema},
    diagnostic::{Report, Source},
    spec::{family_schema, platform_from, platform_schema},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn schema(name: &str) -> Value {
    let schema = match name {
        "family" => family_schema(),
        "platform" => platform_schema(),
        _ => description_schema(),
    };
    schema.to_value()
}

fn validator(name: &str) -> Validator {
    jsonschema::validator_for(&schema(name)).expect("a JSON Schema")
}

fn json(text: &str) -> Value {
    let value: toml::Value = toml::from_str(text).expect("TOML");
    serde_json::to_value(value).expect("as JSON")
}

fn texts(folder: &str) -> Vec<(String, String)> {
    let mut texts: Vec<_> = fs::read_dir(Path::new(ROOT).join("specs").join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("text")))
        .collect();
    texts.sort();
    texts
}

#[test]
fn the_committed_schemas_are_the_code_s() {
    for name in ["family", "platform", "description"] {
        let path = Path::new(ROOT).join(format!("specs/schema/{name}.json"));
        let wanted = serde_json::to_string_pretty(&schema(name)).expect("JSON") + "\n";
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &wanted).expect("written");
        }
        let found = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(found == wanted, "{name}.json is stale: BLESS=1 cargo test --lib schema");
    }
}

#[test]
fn every_spec_keeps_its_schema() {
    for (folder, name) in
        [("families", "family"), ("platforms", "platform"), ("allocators", "description")]
    {
        let validator = validator(name);
        for (path, text) in texts(folder) {
            if path.ends_with("convention.toml") {
                continue;
            }
            let errors: Vec<_> =
                validator.iter_errors(&json(&text)).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{path}: {}", errors.join("; "));
        }
    }
}

fn read_description(text: &str) -> Result<(), Report> {
    let source = Source::new("my.toml", text);
    allocator::read(&source, "my", Origin::BuiltIn).map(|_| ())
}

fn read_linux(family: impl Fn(&str) -> String, platform: impl Fn(&str) -> String) -> bool {
    let families: Vec<Arc<Source>> = texts("families")
        .into_iter()
        .map(|(path, text)| {
            let text = if path.ends_with("bsd.toml") { family(&text) } else { text };
            Source::new(path, text)
        })
        .collect();
    let text = fs::read_to_string(Path::new(ROOT).join("specs/platforms/linux.toml")).expect("it");
    platform_from(&Source::new("linux.toml", platform(&text)), &families).is_ok()
}

#[test]
fn what_the_reader_refuses_in_a_description_the_schema_refuses_too() {
    let good = "malloc = \"my_malloc\"\nfree = \"my_free\"\nmemalign = \"my_memalign\"\nmalloc_usable_size = \"my_size\"\n";
    let validator = validator("description");
    assert!(read_description(good).is_ok());
    assert!(validator.is_valid(&json(good)));
    for bad in [
        "mallok = \"my_malloc\"",
        "libs = \"stdc++\"",
        "schema = \"one\"",
        "waive = [\"erno\"]",
        "foreign = \"forgive\"",
        "thread_policy = \"always\"",
        "sized_delete = true",
        "calloc = 3",
        "[promises]\nmax_size = \"all\"",
        "[promises]\nmax_size = 0",
        "[promises]\nerrno = \"yes\"",
        "[promises]\nrealloc_zero = \"maybe\"",
        "[promises]\nfork = \"mine\"",
        "[promises]\nunheard_of = true",
    ] {
        let text = format!("{good}{bad}\n");
        assert!(read_description(&text).is_err(), "the reader takes {bad}");
        assert!(!validator.is_valid(&json(&text)), "the schema takes {bad}");
    }
}

#[test]
fn what_the_reader_refuses_in_a_spec_the_schema_refuses_too() {
    let (families, platforms) = (validator("family"), validator("platform"));
    let same = |text: &str| text.to_owned();
    assert!(read_linux(same, same));
    for (from, to) in [
        ("op = \"valloc\"", "op = \"walloc\""),
        ("op = \"valloc\"", "op = \"valloc\"\ncolour = \"red\""),
        ("ref = \"valloc(3)\"", ""),
        ("schema = 1", "schema = \"1\""),
    ] {
        let broken = |text: &str| text.replacen(from, to, 1);
        assert!(!read_linux(broken, same), "the reader takes {to}");
        let text = fs::read_to_string(Path::new(ROOT).join("specs/families/bsd.toml")).expect("it");
        assert!(!families.is_valid(&json(&broken(&text))), "the schema takes {to}");
    }
    for (from, to) in [
        ("realloc_zero = \"free\"", "realloc_zero = \"fly\""),
        ("reason = \"absent\"", "reason = \"lazy\""),
        ("pointer_bits = 64", "pointer_bits = \"64\""),
        ("mechanism = \"elf\"", "mechanism = \"elf\"\nmood = 1"),
    ] {
        let broken = |text: &str| text.replacen(from, to, 1);
        assert!(!read_linux(same, broken), "the reader takes {to}");
        let path = Path::new(ROOT).join("specs/platforms/linux.toml");
        let text = fs::read_to_string(path).expect("it");
        assert!(!platforms.is_valid(&json(&broken(&text))), "the schema takes {to}");
    }
}

#[test]
fn every_key_of_the_description_s_schema_is_a_key_of_the_reader() {
    let schema = schema("description");
    let keys = schema["properties"].as_object().expect("properties").keys();
    for key in keys.filter(|key| *key != "promises") {
        let report = read_description(&format!("{key} = 0\n")).expect_err("nothing else is there");
        assert!(
            !report.diagnostics.iter().any(|d| d.code == "A8002"),
            "{key} is unknown to the reader"
        );
    }
}

/// The TOML examples of the page that teaches the format.
fn examples() -> Vec<String> {
    let page = fs::read_to_string(Path::new(ROOT).join("specs/README.md")).expect("the page");
    let page = page.replace("\r\n", "\n");
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_examples_of_the_format_s_page_are_what_the_reader_takes() {
    let examples = examples();
    let of = |mark: &str| {
        let found: Vec<_> = examples.iter().filter(|text| text.contains(mark)).collect();
        assert!(!found.is_empty(), "no example has {mark}");
        found
    };
    let platform = of("mechanism =")[0];
    let mut families: Vec<_> = of("[[symbol]]").into_iter().chain(of("[[field]]")).collect();
    families.dedup();
    assert_eq!(examples.len(), families.len() + 1 + of("malloc_usable_size =").len());
    for text in &families {
        let errors: Vec<_> =
            validator("family").iter_errors(&json(text)).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}", errors.join("; "));
    }
    assert!(validator("platform").is_valid(&json(platform)));
    let real = texts("families").into_iter().map(|(path, text)| Source::new(path, text));
    let real: Vec<Arc<Source>> = real.collect();
    let read = platform_from(&Source::new("linux.toml", platform.as_str()), &real);
    let linux = read.unwrap_or_else(|report| panic!("{report}"));
    assert!(linux.symbol("cfree").is_none() && linux.symbol("valloc").is_some());
    // A family of the page in place of the real one of that name, in a platform of its own.
    for text in families {
        let alone = Source::new("example.toml", text.as_str());
        let name = json(text)["name"].as_str().expect("a name").to_owned();
        let list = format!("families = [\"{name}\"]");
        let from = platform.find("families = [").expect("it");
        let to = from + platform[from..].find('\n').expect("a line");
        let small = format!("{}{list}{}", &platform[..from], &platform[to..]);
        let small = small.replace("wrappers = [\"reallocarray\"]", "");
        // Without the tables that name symbols.
        let end = ["[since]", "[why]"].iter().filter_map(|table| small.find(table)).min();
        let small = &small[..end.expect("tables that name symbols")];
        let report = platform_from(&Source::new("small.toml", small), &[alone]);
        let codes: Vec<_> = match &report {
            Ok(_) => Vec::new(),
            Err(report) => report.diagnostics.iter().map(|d| d.code).collect(),
        };
        // Nothing but what such a family alone lacks: the function that frees.
        assert!(codes.iter().all(|code| *code == "A8015"), "{name}: {codes:?}");
    }
    for text in of("malloc_usable_size =") {
        read_description(text).unwrap_or_else(|report| panic!("{report}"));
        assert!(validator("description").is_valid(&json(text)));
    }
}

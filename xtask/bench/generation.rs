//! How the time from a spec's text to the shim's grows with the spec, for `cargo xtask bench`.
//!
//! The spec is Linux's C families so many times over: `malloc`, `malloc$1`, `malloc$2` … Each line
//! of output is the number of symbols, and milliseconds.

use std::{collections::HashSet, fs, path::Path, sync::Arc, time::Instant};

use alloc8_gen::{
    allocator,
    diagnostic::Source,
    plan::Plan,
    render::{self, Inputs},
    spec,
};
use toml::{Table, Value};

/// Those whose names no demangler reads: a copy of a mangled name says nothing.
const FAMILIES: &[&str] = &["c", "posix", "bsd", "malloc-h", "glibc"];
const ROUNDS: usize = 15;

fn main() {
    for times in [1, 10, 100] {
        let families: Vec<_> = FAMILIES.iter().map(|name| family(name, times)).collect();
        let platform = platform(times);
        let symbols = render(&platform, &families);
        let mut milliseconds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let started = Instant::now();
                render(&platform, &families);
                started.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        milliseconds.sort_by(f64::total_cmp);
        println!("{symbols} {:.3}", milliseconds[ROUNDS / 2]);
    }
}

/// From texts to files; gives the number of symbols.
fn render(platform: &Arc<Source>, families: &[Arc<Source>]) -> usize {
    let platform = spec::platform_from(platform, families).expect("copies are as good");
    let allocator = allocator::built_in("simple_heap").expect("there").expect("sound");
    let (plan, _) = Plan::new(&platform, &allocator).expect("complete");
    let inputs = Inputs::interposer("linux", "simple_heap");
    let files = render::render(&plan, &inputs).expect("elf has templates");
    assert!(files.contains_key("shim.c"));
    platform.symbols.len()
}

fn family(name: &str, times: usize) -> Arc<Source> {
    let mut table = read(&format!("families/{name}.toml"));
    let symbols = table["symbol"].as_array().expect("symbols").clone();
    let copies = (0..times).flat_map(|copy| {
        symbols.iter().map(move |symbol| {
            let mut symbol = symbol.as_table().expect("a symbol").clone();
            symbol["name"] = copied(&symbol["name"], copy);
            Value::Table(symbol)
        })
    });
    table.insert("symbol".to_owned(), Value::Array(copies.collect()));
    Source::new(format!("{name}.toml"), table.to_string())
}

fn platform(times: usize) -> Arc<Source> {
    let mut table = read("platforms/linux.toml");
    let families = FAMILIES.iter().map(|name| Value::from(*name)).collect();
    table.insert("families".to_owned(), Value::Array(families));
    let known: HashSet<String> = FAMILIES.iter().flat_map(|family| names(family)).collect();
    for key in ["since", "why"] {
        let old = table[key].as_table().expect("a table").clone();
        let copies = (0..times).flat_map(|copy| {
            let ours = old.iter().filter(|(name, _)| known.contains(*name));
            ours.map(move |(name, value)| (copied_name(name, copy), value.clone()))
        });
        table.insert(key.to_owned(), Value::Table(copies.collect()));
    }
    copy_names(&mut table["wrappers"], times);
    for omit in table["omit"].as_array_mut().expect("omissions") {
        copy_names(&mut omit["names"], times);
    }
    Source::new("linux.toml", table.to_string())
}

/// What a family defines.
fn names(family: &str) -> Vec<String> {
    let table = read(&format!("families/{family}.toml"));
    let symbols = table["symbol"].as_array().expect("symbols").iter();
    symbols.map(|symbol| symbol["name"].as_str().expect("a name").to_owned()).collect()
}

fn copy_names(list: &mut Value, times: usize) {
    let old = list.as_array().expect("a list").clone();
    let ours = |name: &&Value| !name.as_str().is_some_and(|name| name.starts_with("_Z"));
    let copies =
        (0..times).flat_map(|copy| old.iter().filter(ours).map(move |name| copied(name, copy)));
    *list = Value::Array(copies.collect());
}

fn copied(name: &Value, copy: usize) -> Value {
    Value::from(copied_name(name.as_str().expect("a name"), copy))
}

fn copied_name(name: &str, copy: usize) -> String {
    if copy == 0 { name.to_owned() } else { format!("{name}${copy}") }
}

fn read(file: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(file);
    fs::read_to_string(path).expect("a spec").parse().expect("TOML")
}

//! Every damage to the spec or to what is emitted shows: in the candidates that are computed from
//! the system's libraries, or in a program that breaks. Golden files have no part in this, nor has
//! any test that reads the spec that was damaged.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "shared with the harness of completeness")]
mod candidates;
mod mutation {
    mod promises;
    pub(crate) mod shop;
}

use alloc8_gen::{
    operation::{Effect, Operation},
    spec::{self, Symbol},
    toolchain::HOST,
};
use mutation::shop::{Shop, damaged, emitted, heap};

/// Names that this machine's C library may be too old, or too new, to have.
const NOT_IN_EVERY_LIBC: &[&str] = &["free_sized", "free_aligned_sized"];

fn unchanged(_: &str, text: String) -> String {
    text
}

#[test]
fn nothing_breaks_where_nothing_was_damaged() {
    let shop = Shop::new();
    let files = emitted(&damaged(unchanged).expect("the spec"), &heap());
    assert_eq!(shop.run(&shop.link(&files)), None);
    assert!(candidates::all().is_subset(&candidates::known(&damaged(unchanged).expect("it"))));
}

#[test]
fn a_symbol_that_is_dropped_is_a_candidate_that_nobody_knows() {
    let linux = spec::platform("linux").expect("without a mistake");
    let abi = linux.abi_of(HOST).expect("the host's ABI").clone();
    let candidates = candidates::all();
    for symbol in linux.symbols_of(&abi) {
        let name = symbol.name(&abi);
        // What opens libraries or starts threads handles no block, and is no candidate.
        let other = matches!(symbol.operation.effect(), Effect::Opens | Effect::StartsThread);
        if NOT_IN_EVERY_LIBC.contains(&name.as_str()) || other {
            continue;
        }
        let mut poorer = linux.clone();
        poorer.symbols.retain(|s| s.spec_name() != symbol.spec_name());
        let known = candidates::known(&poorer);
        let unknown: Vec<_> = candidates.difference(&known).collect();
        assert_eq!(unknown, [&name], "{name} was dropped");
    }
}

#[test]
fn a_symbol_that_this_libc_lacks_breaks_the_program_when_it_is_dropped() {
    let shop = Shop::new();
    let linux = spec::platform("linux").expect("without a mistake");
    for name in NOT_IN_EVERY_LIBC {
        let mut poorer = linux.clone();
        poorer.symbols.retain(|s| s.spec_name() != *name);
        let broken = shop.run(&shop.link(&emitted(&poorer, &heap())));
        assert!(broken.is_some(), "{name} was dropped, and nothing broke");
    }
}

#[test]
fn an_omission_that_is_dropped_is_a_candidate_that_nobody_knows() {
    let linux = spec::platform("linux").expect("without a mistake");
    let candidates = candidates::all();
    let mut caught = 0;
    for omission in linux.omissions.iter().filter(|o| candidates.contains(&o.name)) {
        let mut poorer = linux.clone();
        poorer.omissions.retain(|o| o.name != omission.name);
        let known = candidates::known(&poorer);
        assert!(candidates.difference(&known).any(|name| *name == omission.name));
        caught += 1;
    }
    assert!(caught >= 30, "only {caught} omissions are candidates");
}

/// Every pair of symbols whose operations differ. Most do not fit each other's prototypes: of those,
/// the reader of the specs is asked about one for each symbol.
#[test]
fn two_operations_that_are_swapped_break_the_program_or_the_spec() {
    let shop = Shop::new();
    let linux = spec::platform("linux").expect("without a mistake");
    let abi = linux.abi_of(HOST).expect("the host's ABI");
    let symbols: Vec<_> = linux.symbols_of(abi).collect();
    let (mut refused, mut broke) = (0, 0);
    for (index, one) in symbols.iter().enumerate() {
        let mut asked = false;
        for other in &symbols[index + 1..] {
            let fit = same_shape(one.operation, other.operation);
            if one.operation == other.operation || (asked && !fit) {
                continue;
            }
            let swapped = damaged(|_, text| {
                let text = with_operation(&text, one.spec_name(), other.operation);
                with_operation(&text, other.spec_name(), one.operation)
            });
            let pair = format!("{} <-> {}", one.spec_name(), other.spec_name());
            if !fit {
                asked = true;
                assert!(swapped.is_err(), "{pair}: taken for a spec");
                refused += 1;
                continue;
            }
            let platform = swapped.unwrap_or_else(|report| panic!("{pair}: {report}"));
            let broken = shop.run(&shop.link(&emitted(&platform, &heap())));
            assert!(broken.is_some(), "{pair}: nothing broke");
            broke += 1;
        }
    }
    assert!(refused > 20 && broke >= 10, "{refused} refused, {broke} broke");
}

/// Whether the prototype of one operation is the other's.
fn same_shape(one: Operation, other: Operation) -> bool {
    let (one, other) = (one.prototype(), other.prototype());
    one.result == other.result
        && one.parameters == other.parameters
        && one.name.contains("operator") == other.name.contains("operator")
        && (!one.name.contains("operator") || one.name == other.name)
}

/// The text of a family in which one symbol bears another operation.
fn with_operation(text: &str, name: &str, operation: Operation) -> String {
    let entry = format!("[[symbol]]\nname = \"{name}\"\n");
    let Some(at) = text.find(&entry) else { return text.to_owned() };
    let from = at + text[at..].find("\nop = \"").expect("every symbol has one") + 1;
    let to = from + text[from..].find('\n').expect("a line");
    format!("{}op = \"{}\"{}", &text[..from], operation.name(), &text[to..])
}

#[test]
fn a_wrong_letter_for_size_t_leaves_candidates_that_nobody_knows() {
    for wrong in ["j", "y"] {
        let platform = damaged(|path, text| match path {
            "platforms/linux.toml" => {
                text.replacen("size_t = \"m\"", &format!("size_t = \"{wrong}\""), 1)
            }
            _ => text,
        });
        let known = candidates::known(&platform.expect("a letter that some ABI has"));
        let unknown: Vec<_> = candidates::all().difference(&known).cloned().collect();
        assert!(unknown.iter().any(|name| name == "_Znwm"), "{unknown:?}");
        assert!(unknown.len() >= 12, "{unknown:?}");
    }
}

#[test]
fn a_version_node_breaks_the_program() {
    let shop = Shop::new();
    let mut files = emitted(&damaged(unchanged).expect("the spec"), &heap());
    let map = files.keys().find(|file| file.ends_with(".map")).expect("it").clone();
    for node in ["HEAP_1.0", "GLIBC_2.2.5"] {
        let text = files[&map].clone();
        let named = text.replacen("\n{", &format!("\n{node} {{"), 1);
        assert_ne!(named, text, "the version script has another form");
        let before = files.insert(map.clone(), named).expect("it was there");
        assert!(shop.run(&shop.link(&files)).is_some(), "{node}: nothing broke");
        files.insert(map.clone(), before);
    }
}

#[test]
fn a_name_that_is_hidden_breaks_the_program() {
    let shop = Shop::new();
    let linux = damaged(unchanged).expect("the spec");
    let abi = linux.abi_of(HOST).expect("the host's ABI").clone();
    let files = emitted(&linux, &heap());
    let map = files.keys().find(|file| file.ends_with(".map")).expect("it").clone();
    let of_c = linux.symbols_of(&abi).filter(|s| !s.operation.is_operator());
    // Operators that are hidden are answered by the C++ runtime, which reaches the public malloc:
    // no program can tell. The C library's reallocarray, dlopen and what starts threads are left where
    // they are.
    let other = |s: &&Symbol| matches!(s.operation.effect(), Effect::Opens | Effect::StartsThread);
    let hidden = of_c.filter(|s| s.operation != Operation::Reallocarray && !other(s));
    let mut caught = 0;
    for symbol in hidden {
        let name = symbol.name(&abi);
        let mut damaged = files.clone();
        let text = damaged[&map].replacen(&format!("\n    {name};\n"), "\n", 1);
        assert_ne!(text, files[&map], "{name} is not in the version script");
        damaged.insert(map.clone(), text);
        assert!(shop.run(&shop.link(&damaged)).is_some(), "{name} was hidden: nothing broke");
        caught += 1;
    }
    assert!(caught >= 25, "only {caught}");
}

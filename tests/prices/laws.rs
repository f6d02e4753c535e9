//! Prices hold for every guard alone, for those of the C functions together, and for none.

use alloc8_gen::spec::{AlignedSize, Platform};

use super::counted::{Counted, Shim, allocator};
use crate::common;

/// Every promise that a guard stands in for.
const PROMISES: &[&str] = &[
    "errno = true",
    "free_null = true",
    "free_errno = true",
    "zero_size = true",
    "max_size = \"any\"",
    "min_align = 16",
    "max_align = \"any\"",
    "alignment_einval = true",
    "calloc_overflow = true",
    "realloc_null = true",
    "realloc_zero = \"free\"",
    "usable_size_null = true",
    "fork = \"own\"",
];

fn without(missing: &[&str]) -> Vec<&'static str> {
    PROMISES.iter().copied().filter(|p| !missing.contains(p)).collect()
}

fn fork() -> Vec<&'static str> {
    vec!["fork = \"own\""]
}

/// All that differs, at once.
fn agree(what: &str, counted: &[Counted]) -> Vec<String> {
    assert!(counted.len() > 10, "{what}: {} prices", counted.len());
    let wrong = counted.iter().filter(|c| c.plan != c.artifact);
    wrong.map(|c| format!("{what}: {} is {}, planned {}", c.symbol, c.artifact, c.plan)).collect()
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_bound_directly_costs_nothing() {
    let direct = Shim::direct("gcc", &allocator(PROMISES, ""));
    none(&agree("direct", &direct.counted()));
    let counted = direct.counted();
    for name in ["malloc", "calloc", "realloc", "free", "aligned_alloc", "_ZdlPv"] {
        let found = counted.iter().find(|c| c.symbol == name).unwrap();
        assert_eq!((found.plan, found.artifact), (0, 0), "{name}");
    }
}

#[test]
fn every_guard_costs_what_the_plan_says() {
    let mut wrong = Vec::new();
    for promise in PROMISES {
        let shim = Shim::jumping("gcc", &allocator(&without(&[promise]), ""));
        wrong.extend(agree(&format!("without {promise}"), &shim.jumps()));
    }
    none(&wrong);
}

#[test]
fn guards_together_cost_what_the_plan_says() {
    let mut wrong = Vec::new();
    let all = common::everything();
    let combinations = COMBINATIONS.iter().map(|lacking| lacking.to_vec());
    for lacking in combinations.chain(all.then(subsets).into_iter().flatten()) {
        let lacking = lacking.as_slice();
        let shim = Shim::jumping("gcc", &allocator(&without(lacking), ""));
        wrong.extend(agree(&format!("without {}", lacking.join(", ")), &shim.jumps()));
    }
    let shim = Shim::jumping("gcc", &allocator(&fork(), ""));
    wrong.extend(agree("nothing promised", &shim.jumps()));
    none(&wrong);
}

/// Every subset of what guards of the same function stand in for.
fn subsets() -> impl Iterator<Item = Vec<&'static str>> {
    let shared: Vec<_> = ["errno", "zero", "max_size", "min", "max_align", "alignment", "calloc"]
        .iter()
        .filter_map(|start| PROMISES.iter().copied().find(|p| p.starts_with(start)))
        .collect();
    (0..1_u32 << shared.len()).map(move |set| {
        let missing = shared.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
        missing.map(|(_, promise)| *promise).collect()
    })
}

/// Promises that are missing together.
const COMBINATIONS: &[&[&str]] = &[
    // mimalloc's
    &["errno = true", "free_errno = true", "alignment_einval = true"],
    &["errno = true", "max_align = \"any\""],
    &["errno = true", "max_size = \"any\"", "zero_size = true"],
    &["max_size = \"any\"", "zero_size = true", "calloc_overflow = true", "realloc_null = true"],
    &["errno = true", "min_align = 16"],
    &["errno = true", "min_align = 16", "max_align = \"any\"", "zero_size = true"],
    &["free_null = true", "free_errno = true", "realloc_null = true", "realloc_zero = \"free\""],
];

#[test]
fn a_call_that_waits_for_its_thread_costs_what_the_plan_says() {
    let ready = "thread_init = \"still_thread_init\"\nthread_policy = \"required\"";
    none(&agree("ready", &Shim::jumping("gcc", &allocator(PROMISES, ready)).jumps()));
}

#[test]
fn a_call_that_asks_a_key_about_its_thread_costs_what_the_plan_says() {
    let ready = "thread_init = \"still_thread_init\"\nthread_policy = \"required\"";
    let by_key = |platform: &mut Platform| platform.runtime.emulated_tls = true;
    none(&agree("key", &Shim::elsewhere(&allocator(PROMISES, ready), by_key).jumps()));
}

#[test]
fn a_size_that_must_be_a_multiple_costs_what_the_plan_says() {
    let c11 = |p: &mut Platform| p.semantics.aligned_alloc_size = AlignedSize::Multiple;
    let mut wrong = Vec::new();
    let alone = PROMISES.iter().map(|promise| vec![*promise]);
    for missing in [Vec::new()].into_iter().chain(alone) {
        let shim = Shim::elsewhere(&allocator(&without(&missing), ""), c11);
        let counted = shim.jumps();
        assert!(counted.iter().any(|c| c.symbol == "aligned_alloc" && c.plan > 3));
        wrong.extend(agree(&format!("multiple, without {missing:?}"), &counted));
    }
    none(&wrong);
}

#[test]
fn a_call_that_asks_whose_a_block_is_costs_what_the_plan_says() {
    let owns = "owns = \"bool still_owns(ptr)\"\nforeign = \"forward\"";
    let shim = Shim::jumping("gcc", &allocator(PROMISES, owns));
    let own_instructions = 2;
    let mut counted = shim.jumps();
    for call in counted.iter_mut().filter(|c| takes_a_block(&c.symbol)) {
        call.artifact -= own_instructions;
    }
    none(&agree("foreign", &counted));
}

fn takes_a_block(symbol: &str) -> bool {
    ["free", "realloc", "usable", "_Zd"].iter().any(|part| symbol.contains(part))
}

#[test]
fn arguments_in_another_order_cost_what_the_plan_says() {
    let order =
        "memalign = \"still_swapped(size, alignment)\"\nmalloc = \"still_numbered(16, size)\"";
    none(&agree("order", &Shim::jumping("gcc", &allocator(PROMISES, order)).jumps()));
}

#[test]
fn clang_pays_two_instructions_more_for_a_look_at_the_result() {
    if std::process::Command::new("clang").arg("--version").output().is_err() {
        common::skip("clang", "apt-get install clang");
        return;
    }
    let direct = Shim::direct("clang", &allocator(PROMISES, ""));
    assert!(direct.counted().iter().any(|c| c.symbol == "malloc" && c.artifact == 0));
    let shim = Shim::jumping("clang", &allocator(&without(&["errno = true"]), ""));
    for call in shim.jumps() {
        match call.symbol.as_str() {
            "malloc" | "calloc" | "realloc" => assert_eq!(call.artifact, 8, "{}", call.symbol),
            "free" => assert_eq!(call.artifact, 1),
            _ => {}
        }
    }
}

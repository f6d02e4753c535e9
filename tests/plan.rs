//! How symbols are answered: directly where the contracts agree, guarded where nothing is promised.

use alloc8_gen::{
    allocator,
    plan::{Binding, Plan},
    spec,
};

fn plan(name: &str) -> Plan {
    let linux = spec::platform("linux").unwrap();
    let allocator = match allocator::built_in(name) {
        Some(found) => found.unwrap(),
        None => allocator::convention(name).unwrap(),
    };
    Plan::new(&linux, &allocator).unwrap().0
}

fn binding(plan: &Plan, name: &str) -> Binding {
    let lp64 = &plan.platform.abis[0];
    plan.answers.iter().find(|a| a.symbol.name(lp64) == name).unwrap().binding.clone()
}

#[test]
fn an_allocator_that_keeps_the_contract_is_bound_directly_at_no_price() {
    let plan = plan("simple_heap");
    for name in
        ["malloc", "calloc", "realloc", "free", "__libc_malloc", "cfree", "_ZdlPv", "free_sized"]
    {
        assert!(matches!(binding(&plan, name), Binding::Direct(_)), "{name}");
    }
    assert!(
        plan.answers.iter().all(|a| !matches!(a.binding, Binding::Direct(_)) || a.price == Some(0))
    );
}

#[test]
fn an_allocator_that_promises_nothing_is_guarded_everywhere() {
    let plan = plan("undescribed");
    assert_eq!(plan.direct().count(), 0);
    assert!(matches!(binding(&plan, "malloc"), Binding::Guarded(..)));
    assert!(matches!(binding(&plan, "calloc"), Binding::Synthesized(_)));
}

#[test]
fn derived_forms_stay_with_the_runtime_which_calls_their_base_by_its_public_name() {
    let plan = plan("simple_heap");
    for name in [
        "_Znam",
        "_ZnwmRKSt9nothrow_t",
        "_ZdaPv",
        "_ZdlPvm",
        "_ZdaPvSt11align_val_t",
        "reallocarray",
    ] {
        assert_eq!(binding(&plan, name), Binding::Left, "{name}");
    }
    for name in ["_Znwm", "_ZnwmSt11align_val_t"] {
        assert!(matches!(binding(&plan, name), Binding::Guarded(..)), "{name}");
    }
}

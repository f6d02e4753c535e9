//! How symbols are answered: directly where the contracts agree, guarded where nothing is promised.

use alloc8_gen::{
    allocator,
    operation::Operation,
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
fn derived_operators_go_through_their_base_and_nothrow_new_stays_with_the_runtime() {
    let plan = plan("simple_heap");
    assert_eq!(binding(&plan, "_ZnwmRKSt9nothrow_t"), Binding::LeftToRuntime);
    assert_eq!(binding(&plan, "_Znam"), Binding::Derived(Operation::New(Default::default())));
    assert!(plan.is_base(Operation::New(Default::default())));
}

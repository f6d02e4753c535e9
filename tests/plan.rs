//! How symbols are answered: directly where the contracts agree, guarded where nothing is promised.

use alloc8_gen::{
    allocator::{self, Origin, Role, ThreadPolicy},
    diagnostic::Source,
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

/// What answers `pthread_create` and `thrd_create` for an allocator that says this of threads.
fn creators(more: &str) -> Vec<&'static str> {
    let text = format!(
        "malloc = \"h_malloc\"\nfree = \"h_free\"\nmemalign = \"h_memalign\"\nmalloc_usable_size = \"h_size\"\n{more}"
    );
    let source = Source::new("h.toml", text);
    let allocator = allocator::read(&source, "h", Origin::BuiltIn).unwrap();
    let plan = Plan::new(&spec::platform("linux").unwrap(), &allocator).unwrap().0;
    ["pthread_create", "thrd_create"].map(|name| binding(&plan, name).word()).to_vec()
}

#[test]
fn functions_that_create_threads_are_left_alone_unless_the_heap_asks() {
    let (left, ours) = (["left"; 2], ["synthesized"; 2]);
    let init = "thread_init = \"h_thread_init\"\n";
    let cleanup = "thread_cleanup = \"h_thread_cleanup\"\n";
    let flag = "thread_created = \"h_threads\"\n";
    let required = "thread_policy = \"required\"\n";
    assert_eq!(creators(""), left);
    for asks in [init, cleanup, flag] {
        assert_eq!(creators(asks), ours, "{asks}");
    }
    // Each call looks: nobody need be told where threads begin, but of the first.
    assert_eq!(creators(&format!("{init}{cleanup}{required}")), left);
    assert_eq!(creators(&format!("{init}{flag}{required}")), ours);
    // The archive has them, and keeps them.
    assert_eq!(creators(&format!("{init}keep = [\"pthread_create\"]\n")), ["left", "synthesized"]);
}

#[test]
fn hooks_cost_nothing_and_a_look_at_each_call_is_priced() {
    let price = |plan: &Plan| {
        let lp64 = &plan.platform.abis[0];
        plan.answers.iter().find(|a| a.symbol.name(lp64) == "malloc").unwrap().price.unwrap()
    };
    let linux = spec::platform("linux").unwrap();
    let android = spec::platform("android").unwrap();
    let of = |change: &dyn Fn(&mut allocator::Allocator), platform: &spec::Platform| {
        let mut heap = allocator::built_in("simple_heap").unwrap().unwrap();
        let xx = allocator::built_in("xx").unwrap().unwrap();
        for role in [Role::ThreadInit, Role::ThreadCleanup] {
            heap.functions.insert(role, xx.functions[&role].clone());
        }
        change(&mut heap);
        price(&Plan::new(platform, &heap).unwrap().0)
    };
    let required = |heap: &mut allocator::Allocator| heap.thread_policy = ThreadPolicy::Required;
    assert_eq!(of(&|_| {}, &linux), 0);
    assert_eq!(of(&required, &linux), 1 + 3);
    assert!(of(&required, &android) > 10, "a key's value is asked for");
}

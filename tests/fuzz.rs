//! No input makes a reader panic, take a second, or need 512 MiB: 38,500 are tried.
//!
//! Each test runs its inputs in a child process with a limit on memory; an input is made from its
//! number alone (and the seeds on this machine), so one that fails can be made again:
//! `ALLOC8_FUZZ_FIRST=NUMBER ALLOC8_FUZZ_INPUTS=1 cargo test --test fuzz NAME`.
#![cfg(target_os = "linux")]

mod fuzz {
    #[path = "../artifact/cross.rs"]
    #[allow(dead_code, reason = "the readers' own tests use the rest")]
    mod cross;
    #[path = "../artifact/toolbox.rs"]
    #[allow(dead_code, reason = "the readers' own tests use the rest")]
    mod toolbox;

    mod binary_seeds;
    mod binary_targets;
    mod cage;
    mod cage_holds;
    mod found;
    mod mutate;
    mod rng;
    mod shown;
    mod text_seeds;
    mod text_targets;
}

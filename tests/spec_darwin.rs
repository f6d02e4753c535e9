//! What the specs say of macOS is what Apple's headers and libSystem's export list say.

mod common;

#[path = "spec_darwin/exports.rs"]
mod exports;
#[path = "spec_darwin/mutations.rs"]
mod mutations;
#[path = "spec_darwin/prototypes.rs"]
mod prototypes;

use alloc8_gen::spec::{self, Platform};

fn macos() -> Platform {
    spec::platform("macos").expect("without a mistake")
}

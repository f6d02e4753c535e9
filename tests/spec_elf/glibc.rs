//! Since when glibc has a symbol on each CPU: held against the lists of all its releases.

use alloc8_gen::spec;

use crate::{common, export_list};

/// How the lists name what target triples call a machine.
fn target(machine: &str) -> Option<&str> {
    Some(match machine {
        // The lists leave the big-endian one out.
        "powerpc64" => return None,
        "i386" | "i486" | "i586" | "i686" => "x86-linux-gnu",
        "arm" | "armv7" | "armv7l" => "arm-linux-gnueabihf",
        "x86_64" => "x86_64-linux-gnu",
        "aarch64" => "aarch64-linux-gnu",
        "riscv64" | "riscv64gc" => "riscv64-linux-gnu",
        "riscv32" => "riscv32-linux-gnu",
        "powerpc64le" => "powerpc64le-linux-gnu",
        "s390x" => "s390x-linux-gnu",
        "loongarch64" => "loongarch64-linux-gnu",
        other => panic!("{other} is in no list"),
    })
}

fn spelled([major, minor, patch]: [u8; 3]) -> String {
    match patch {
        0 => format!("GLIBC_{major}.{minor}"),
        _ => format!("GLIBC_{major}.{minor}.{patch}"),
    }
}

#[test]
fn glibc_has_each_symbol_on_each_cpu_since_the_version_that_the_spec_says() {
    let Some(zig_lib) = common::zig_lib() else {
        return common::skip(common::ZIG.0, common::ZIG.1);
    };
    let (targets, exports) = export_list::exports(&zig_lib, "glibc");
    let linux = spec::platform("linux").expect("without a mistake");
    let (mut compared, mut wrong) = (0, Vec::new());
    for machine in linux.abis.iter().flat_map(|abi| &abi.machines) {
        let Some(target) = target(machine) else { continue };
        let place = targets.iter().position(|t| t == target);
        let bit = 1 << place.unwrap_or_else(|| panic!("no {target} in {targets:?}"));
        for symbol in linux.symbols.iter().filter(|s| !s.operation.is_operator()) {
            let name = symbol.spec_name();
            let first = exports
                .iter()
                .filter(|e| e.name == name && e.targets & bit != 0)
                .map(|e| e.version)
                .min();
            let Some(first) = first else { continue };
            let said = linux.since(symbol, machine).unwrap_or_default();
            if said != spelled(first) {
                wrong.push(format!("{name} on {machine}: {said}, but it is {}", spelled(first)));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared >= 300, "only {compared} could be compared");
}

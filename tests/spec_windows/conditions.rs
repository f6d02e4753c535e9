//! How shims tell the ABIs apart, and the numbers that they return.

use std::{fs, process::Command};

use super::toolbox::{compilers, windows};
use crate::common::skip;

fn has_clang() -> bool {
    Command::new("clang").arg("--version").output().is_ok()
}

#[test]
fn a_target_answers_the_condition_of_its_own_abi_alone() {
    if !has_clang() {
        return skip("conditions of Windows' ABIs", "apt-get install clang");
    }
    let platform = windows();
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("which.c");
    let mut text = String::new();
    for abi in &platform.abis {
        text += &format!("#if {}\nis {}\n#endif\n", abi.condition, abi.name);
    }
    fs::write(&source, text).expect("written");
    for abi in &platform.abis {
        // Clang knows no machine that is called x86.
        for machine in abi.machines.iter().filter(|m| *m != "x86") {
            for environment in &abi.environments {
                let triple = match environment.as_str() {
                    "mingw32" => format!("{machine}-w64-mingw32"),
                    other => format!("{machine}-pc-{other}"),
                };
                assert_eq!(platform.abi_of(&triple).map(|a| &a.name), Some(&abi.name), "{triple}");
                let mut clang = Command::new("clang");
                // Clang 14 takes gnullvm for another vendor's word of gnu.
                clang.arg(format!("--target={}", triple.replace("gnullvm", "gnu")));
                let output = clang.args(["-E", "-P"]).arg(&source).output().expect("clang");
                let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                assert_eq!(said, format!("is {}", abi.name), "{triple}");
            }
        }
    }
}

#[test]
fn the_runtime_s_numbers_are_those_of_the_headers() {
    let runtime = windows().runtime;
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("numbers.c");
    let text = format!(
        "#include <errno.h>\n\
         _Static_assert(ENOMEM == {} && EINVAL == {} && ENOSYS == {}, \"numbers\");\n\
         int *address(void) {{ return {}(); }}\n",
        runtime.enomem, runtime.einval, runtime.enosys, runtime.errno_location
    );
    fs::write(&source, text).expect("written");
    for (compiler, _) in compilers("numbers of errno") {
        let output = Command::new(compiler)
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror"])
            .arg(&source)
            .output()
            .expect("a compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

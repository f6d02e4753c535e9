//! snmalloc's own C library, which its crate ships as source but does not build.
//!
//! What upstream's CMake calls `snmallocshim-static`: every function of malloc.cc under the prefix `sn_`.
//! Its second member, new.cc (the C++ operators), is left out: the operators are what our shim is for.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, ensure};

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let src = snmalloc_source()?;
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .include(&src)
        .file(src.join("snmalloc/override/malloc.cc"))
        .flags(["-fno-exceptions", "-fno-rtti", "-pthread", "-mcx16", "-fvisibility=hidden"])
        .flags(["-fomit-frame-pointer", "-ftls-model=initial-exec", "-Wno-unused-parameter"])
        .define("SNMALLOC_EXPORT", r#"__attribute__((visibility("default")))"#)
        .define("SNMALLOC_STATIC_LIBRARY_PREFIX", "sn_")
        // What upstream's configure step finds on Linux, as the crate's own build script has it.
        .define("SNMALLOC_HAS_LINUX_FUTEX_H", None)
        .define("SNMALLOC_HAS_LINUX_RANDOM_H", None)
        .define("SNMALLOC_PLATFORM_HAS_GETENTROPY", None)
        .define("SNMALLOC_USE_WAIT_ON_ADDRESS", "1")
        .define("SNMALLOC_CHECK_LOADS", "false")
        .define("SNMALLOC_PAGEID", "false")
        // The rest (fork protection, thread cleanup, NDEBUG) is for both of its libraries and comes
        // in CXXFLAGS, see ../src/main.rs.
        .cpp_link_stdlib(None)
        .cargo_metadata(false)
        .try_compile("snmallocshim-static")?;
    Ok(())
}

/// Where cargo unpacked the sources of snmalloc-sys.
fn snmalloc_source() -> anyhow::Result<PathBuf> {
    let output = Command::new(env::var_os("CARGO").context("CARGO is not set")?)
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"])
        .arg(env::var("TARGET")?)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .and_then(|all| all.iter().find(|package| package["name"] == "snmalloc-sys"))
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo metadata does not name snmalloc-sys")?;
    let src = PathBuf::from(manifest).with_file_name("upstream/src");
    ensure!(fs::exists(src.join("snmalloc"))?, "{} holds no snmalloc", src.display());
    Ok(src)
}

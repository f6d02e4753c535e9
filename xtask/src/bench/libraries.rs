//! The libraries that are compared: ours in each language and binding, and what others would write.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::calls::Allocator;
use crate::shell::{cargo, output, program, root};

/// What mimalloc's crate gives its C compiler; `tests/allocators` adds `-g0`.
const MIMALLOC_FLAGS: &str = "-O3 -g0 -fPIC -ffunction-sections -fdata-sections \
    -ftls-model=initial-exec -DMI_DEBUG=0 -DMI_BUILD_RELEASE -DNDEBUG";
/// Names that the hand-written forwarder defines, and how.
const FORWARDER: &str = r"
#include <stddef.h>
#include <stdlib.h>
void *P(malloc)(size_t); void P(free)(void *); void *P(calloc)(size_t, size_t); void *P(realloc)(void *, size_t);
void *P(memalign)(size_t, size_t);
void *malloc(size_t size) { return P(malloc)(size); }
void free(void *ptr) { P(free)(ptr); }
void *calloc(size_t nmemb, size_t size) { return P(calloc)(nmemb, size); }
void *realloc(void *ptr, size_t size) { return P(realloc)(ptr, size); }
void *memalign(size_t alignment, size_t size) { return P(memalign)(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return P(memalign)(alignment, size); }
void *_Znwm(size_t size) { void *ptr = P(malloc)(size); if (ptr == NULL) abort(); return ptr; }
void _ZdlPv(void *ptr) { P(free)(ptr); }
";
const RUST: &str = "#![no_std]\npub mod alloc8 { include!(\"linux-rust/shim.rs\"); }\n\
    #[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }\n";

/// The folder in which an allocator's libraries are made.
pub(super) struct Workshop<'a> {
    pub(super) tool: &'a Path,
    pub(super) allocator: &'a Allocator,
    pub(super) folder: PathBuf,
    archive: PathBuf,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(
        tool: &'a Path,
        allocator: &'a Allocator,
        work: &Path,
    ) -> anyhow::Result<Workshop<'a>> {
        let folder = work.join(allocator.name);
        fs::create_dir(&folder)?;
        let archive = archive(allocator.name, &folder)?;
        let shop = Workshop { tool, allocator, folder, archive };
        for lang in ["c", "cpp", "rust"] {
            let mut generate = program(tool);
            generate.args(["generate", "--quiet", "-p", "linux", "--lang", lang, "-a"]);
            output(generate.arg(allocator.name).arg("-o").arg(&shop.folder))?;
        }
        fs::write(shop.folder.join("unpromised.toml"), shop.unpromised()?)?;
        let mut generate = program(tool);
        generate.args(["generate", "--quiet", "-p", "linux", "-a"]);
        generate.arg(shop.folder.join("unpromised.toml")).arg("-o");
        output(generate.arg(shop.folder.join("unpromised")))?;
        Ok(shop)
    }

    /// The allocator alone, under its own names.
    pub(super) fn plain(&self) -> anyhow::Result<PathBuf> {
        let archive = self.archive.display();
        self.cc("gcc", "plain", &format!("-Wl,--whole-archive {archive} -Wl,--no-whole-archive"))
    }

    /// What `build` makes: bound directly where the contracts agree.
    pub(super) fn built(&self) -> anyhow::Result<PathBuf> {
        let library = self.folder.join("libbuilt.so");
        let mut build = program(self.tool);
        build.args(["build", "--quiet", "-a", self.allocator.name, "-o"]).arg(&library);
        output(build.arg("--lib").arg(&self.archive))?;
        Ok(library)
    }

    /// The same for a description that waives what the allocator does not promise of `errno`, as its own
    /// override does.
    pub(super) fn waived(&self) -> anyhow::Result<PathBuf> {
        let name = self.allocator.name;
        let path = root().join(format!("specs/allocators/{name}.toml"));
        let mut description: toml::Table = fs::read_to_string(path)?.parse()?;
        let waived = ["errno", "free_errno", "alignment_einval"].map(toml::Value::from);
        description.insert("waive".to_owned(), waived.to_vec().into());
        let file = self.folder.join("waived.toml");
        fs::write(&file, description.to_string())?;
        let library = self.folder.join("libwaived.so");
        let mut build = program(self.tool);
        build.args(["build", "--quiet", "-a"]).arg(file).arg("-o").arg(&library);
        output(build.arg("--lib").arg(&self.archive))?;
        Ok(library)
    }

    /// The shim in C, compiled with no special flags.
    pub(super) fn jumping(&self, cc: &str) -> anyhow::Result<PathBuf> {
        self.shim(cc, &format!("jumping-{cc}"), "linux")
    }

    /// The same for an allocator that promises nothing.
    pub(super) fn guarded(&self, cc: &str) -> anyhow::Result<PathBuf> {
        self.shim(cc, &format!("guarded-{cc}"), "unpromised/linux")
    }

    /// The header for C++.
    pub(super) fn header(&self, cxx: &str) -> anyhow::Result<PathBuf> {
        fs::write(self.folder.join("library.cpp"), "#include \"linux-cpp/shim.hpp\"\n")?;
        let map = "-Wl,--version-script=linux-cpp/exports.lp64.map -Wl,-Bno-symbolic";
        let archive = self.archive.display();
        let own = format!("-std=c++17 library.cpp {map} {archive}");
        self.cc(cxx, &format!("header-{cxx}"), &own)
    }

    /// The shim in Rust.
    pub(super) fn rust(&self) -> anyhow::Result<PathBuf> {
        fs::write(self.folder.join("library.rs"), RUST)?;
        let archive = self.folder.join("libheap.a");
        fs::copy(&self.archive, &archive)?;
        let library = self.folder.join("librust.so");
        let mut rustc = program(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.current_dir(&self.folder).args(["--edition=2024", "-O", "-Cpanic=abort"]);
        rustc.args(["--crate-type=cdylib", "-L.", "-lstatic=heap", "library.rs", "-o"]);
        output(rustc.arg(&library))?;
        Ok(library)
    }

    /// What is written in an afternoon: each public function calls the allocator's.
    pub(super) fn by_hand(&self) -> anyhow::Result<PathBuf> {
        fs::write(self.folder.join("forwarder.c"), FORWARDER)?;
        let define = format!("-DP(name)={}##name", self.allocator.prefix);
        let archive = self.archive.display();
        self.cc("gcc", "by-hand", &format!("-fno-builtin {define} forwarder.c {archive}"))
    }

    /// mimalloc's own override, from the sources that its archive was built from.
    pub(super) fn own_override(&self) -> anyhow::Result<PathBuf> {
        let source = mimalloc_source()?;
        let source = source.display();
        let own = "-DMI_MALLOC_OVERRIDE -DMI_SHARED_LIB -DMI_SHARED_LIB_EXPORT -fvisibility=hidden -fno-builtin-malloc";
        let include = format!("-I{source}/include -I{source}/src {source}/src/static.c");
        self.cc("gcc", "own-override", &format!("{MIMALLOC_FLAGS} {own} {include}"))
    }

    fn shim(&self, cc: &str, name: &str, folder: &str) -> anyhow::Result<PathBuf> {
        let map = format!("-Wl,--version-script={folder}/exports.lp64.map -Wl,-Bno-symbolic");
        self.cc(cc, name, &format!("{folder}/shim.c {map} {}", self.archive.display()))
    }

    fn cc(&self, cc: &str, name: &str, words: &str) -> anyhow::Result<PathBuf> {
        let library = self.folder.join(format!("lib{name}.so"));
        let mut command = program(cc);
        command.current_dir(&self.folder).args(["-O2", "-fPIC", "-shared", "-Wl,-z,now"]);
        output(command.args(words.split_whitespace()).arg("-pthread").arg("-o").arg(&library))?;
        Ok(library)
    }

    /// The description without its promises.
    fn unpromised(&self) -> anyhow::Result<String> {
        let path = root().join(format!("specs/allocators/{}.toml", self.allocator.name));
        let text = fs::read_to_string(&path)?;
        let table: toml::Table = text.parse()?;
        let mut kept = toml::Table::new();
        kept.insert("schema".to_owned(), 1.into());
        kept.insert("name".to_owned(), "unpromised".into());
        for key in ["malloc", "free", "calloc", "realloc", "memalign", "malloc_usable_size"] {
            let function =
                table.get(key).with_context(|| format!("{key} of {}", path.display()))?;
            kept.insert(key.to_owned(), function.clone());
        }
        Ok(kept.to_string())
    }
}

/// An allocator's static library.
pub(super) fn archive(name: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    match name {
        "simple_heap" => simple_heap(folder),
        name => Ok(root().join(format!("target/allocators/out/lib{name}.a"))),
    }
}

fn simple_heap(folder: &Path) -> anyhow::Result<PathBuf> {
    let source = root().join("examples/simple_heap/simple_heap.c");
    let mut gcc = program("gcc");
    gcc.current_dir(folder).args(["-O2", "-fPIC", "-c", "-o", "simple_heap.o"]);
    output(gcc.arg(source))?;
    output(program("ar").current_dir(folder).args(["rcs", "libsimple_heap.a", "simple_heap.o"]))?;
    Ok(folder.join("libsimple_heap.a"))
}

/// Where cargo unpacked the C sources of the version that the archive is made of.
fn mimalloc_source() -> anyhow::Result<PathBuf> {
    let mut metadata: Command = cargo();
    metadata.args(["metadata", "--format-version=1", "--locked"]);
    metadata.arg("--manifest-path=tests/allocators/Cargo.toml");
    let metadata: serde_json::Value = serde_json::from_str(&output(&mut metadata)?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata without packages")?;
    let package = packages.iter().find(|package| package["name"] == "libmimalloc-sys");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.context("cargo metadata does not name libmimalloc-sys")?;
    Ok(Path::new(manifest).with_file_name("c_src/mimalloc/v3"))
}

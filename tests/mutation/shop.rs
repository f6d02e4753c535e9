//! Damaged shims, and the program that is to break under them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    diagnostic::{Report, Source},
    plan::Plan,
    render::{self, Files, Inputs},
    spec::{self, Platform},
    toolchain::{Compiler, HOST},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The text of a file of the repository.
fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).expect("a file of the repository")
}

/// The host's platform, after `damage` went over the texts of its spec: the file's name in `specs`
/// and its text.
pub(crate) fn damaged(damage: impl Fn(&str, String) -> String) -> Result<Platform, Report> {
    let read =
        |path: String| Source::new(path.clone(), damage(&path, text(&format!("specs/{path}"))));
    let families: Vec<Arc<Source>> = fs::read_dir(Path::new(ROOT).join("specs/families"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .map(|file| read(format!("families/{file}")))
        .collect();
    spec::platform_from(&read("platforms/linux.toml".to_owned()), &families)
}

/// The heap that hides nothing, with the function by which the program knows its blocks.
pub(crate) fn heap() -> Allocator {
    let described = "export = [\"exact_owns\"]\nmalloc = \"exact_malloc\"\nfree = \"exact_free\"\n\
                     memalign = \"exact_memalign\"\nmalloc_usable_size = \"exact_malloc_usable_size\"\n";
    allocator::read(&Source::new("exact.toml", described), "exact", Origin::BuiltIn)
        .expect("a description")
}

/// What would be emitted.
pub(crate) fn emitted(platform: &Platform, allocator: &Allocator) -> Files {
    let mut platform = platform.clone();
    let abi = platform.abi_of(HOST).expect("the host's ABI").name.clone();
    platform.narrow(&abi);
    let (plan, _) = Plan::new(&platform, allocator).expect("a plan");
    render::render(&plan, &Inputs::interposer("linux", &allocator.name)).expect("rendered")
}

/// Where shims are built and the program runs.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    compiler: Compiler,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        Shop::with_heap(&Path::new(ROOT).join("tests/mutation/heap.c"))
    }

    /// For another heap, which the program knows nothing of.
    pub(crate) fn with_heap(source: &Path) -> Shop {
        let shop = Shop {
            folder: tempfile::tempdir().expect("a folder"),
            compiler: Compiler::find(None, None).expect("a C compiler"),
        };
        // The C++ runtime is there for the operators, which C calls by their mangled names.
        shop.compile(&[
            "-std=gnu11",
            "-O1",
            "-fno-builtin",
            "-w",
            "-o",
            &shop.path("contract"),
            &format!("{ROOT}/tests/mutation/contract.c"),
            "-Wl,--no-as-needed",
            "-lstdc++",
            "-ldl",
        ]);
        shop.compile(&[
            "-std=gnu11",
            "-O2",
            "-fPIC",
            "-c",
            "-o",
            &shop.path("heap.o"),
            source.to_str().expect("UTF-8"),
        ]);
        shop
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).into_os_string().into_string().expect("UTF-8")
    }

    fn compile(&self, arguments: &[&str]) {
        let output = self.compiler.command().args(arguments).output().expect("a compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Links the emitted files with the heap, as a vendor does by hand.
    pub(crate) fn link(&self, files: &Files) -> PathBuf {
        let map = files.keys().find(|file| file.ends_with(".map")).expect("a version script");
        fs::write(self.path("shim.c"), &files["shim.c"]).expect("written");
        fs::write(self.path("exports.map"), &files[map]).expect("written");
        let library = self.path("libdamaged.so");
        self.compile(&[
            "-std=c11",
            "-O1",
            "-fPIC",
            "-shared",
            "-o",
            &library,
            &self.path("shim.c"),
            &self.path("heap.o"),
            &format!("-Wl,--version-script={}", self.path("exports.map")),
            "-Wl,-z,initfirst",
        ]);
        library.into()
    }

    /// Runs the program under a library; what broke, or nothing.
    pub(crate) fn run(&self, library: &Path) -> Option<String> {
        let mut command = Command::new("timeout");
        command.arg("60").arg(self.path("contract"));
        let output = command.env("LD_PRELOAD", library).output().expect("started");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (!output.status.success()).then(|| format!("{} {said}", output.status))
    }
}

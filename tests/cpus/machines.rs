//! The CPUs, and shims for them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common;
use alloc8_gen::{
    allocator::{self, Allocator, Origin},
    diagnostic::Source,
    interposer::{self, Interposer, Order},
    laws::Compilers,
    plan::Plan,
    render::{self, Inputs},
    spec,
    toolchain::{Compiler, Runner},
};

/// One CPU.
pub(super) struct Cpu {
    pub(super) triple: &'static str,
    /// The oldest version that its libc.so.6 has, which programs ask `malloc` for.
    pub(super) base: &'static str,
    /// How `size_t` is mangled.
    pub(super) letter: char,
    /// What the tests of this CPU need.
    how: &'static str,
}

const I686: Cpu = Cpu {
    triple: "i686-linux-gnu",
    base: "GLIBC_2.0",
    letter: 'j',
    how: "apt-get install gcc-12-multilib g++-12-multilib",
};
const AARCH64: Cpu = Cpu {
    triple: "aarch64-linux-gnu",
    base: "GLIBC_2.17",
    letter: 'm',
    how: "apt-get install qemu-user clang lld-19 libstdc++-12-dev-arm64-cross",
};
const ARM: Cpu = Cpu {
    triple: "arm-linux-gnueabihf",
    base: "GLIBC_2.4",
    letter: 'j',
    how: "apt-get install qemu-user clang lld-19 libstdc++-12-dev-armhf-cross",
};
const RISCV64: Cpu = Cpu {
    triple: "riscv64-linux-gnu",
    base: "GLIBC_2.27",
    letter: 'm',
    how: "apt-get install qemu-user clang lld-19 libstdc++-12-dev-riscv64-cross",
};
const S390X: Cpu = Cpu {
    triple: "s390x-linux-gnu",
    base: "GLIBC_2.2",
    letter: 'm',
    how: "apt-get install qemu-user clang lld-19 libstdc++-12-dev-s390x-cross",
};
const POWERPC64LE: Cpu = Cpu {
    triple: "powerpc64le-linux-gnu",
    base: "GLIBC_2.17",
    letter: 'm',
    how: "apt-get install qemu-user clang lld-19 libstdc++-12-dev-ppc64el-cross",
};

pub(super) const ALL: &[&Cpu] = &[&I686, &AARCH64, &ARM, &RISCV64, &S390X, &POWERPC64LE];

/// A CPU's compiler, and what runs its programs.
pub(super) struct Tools {
    pub(super) cpu: &'static Cpu,
    pub(super) compiler: Compiler,
    pub(super) runner: Runner,
}

impl Cpu {
    /// `None`, and said so, if they are not installed.
    pub(super) fn tools(&'static self) -> Option<Tools> {
        let compiler = Compiler::find(None, Some(self.triple)).ok();
        let compiler = compiler.filter(|c| Compilers::beside(c).cxx.is_ok());
        let Some((compiler, runner)) = compiler.zip(Runner::of(self.triple)) else {
            common::skip(self.triple, self.how);
            return None;
        };
        Some(Tools { cpu: self, compiler, runner })
    }
}

/// Those whose tools are here.
pub(super) fn present() -> impl Iterator<Item = Tools> {
    ALL.iter().filter_map(|cpu| cpu.tools())
}

/// Kept from one run to the next.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cpus")
}

/// What every library here is called.
pub(super) const SONAME: &str = "liballoc8_test.so";

/// The plan for a heap that promises nothing.
pub(super) fn unpromising() -> Plan {
    let functions = [
        "malloc",
        "free",
        "calloc",
        "realloc",
        "memalign",
        "malloc_usable_size",
        "malloc_lock",
        "malloc_unlock",
        "malloc_reinit",
    ];
    let text: String = functions.map(|name| format!("{name} = \"unpromising_{name}\"\n")).concat();
    let source = Source::new("unpromising.toml", text);
    let allocator = allocator::read(&source, "unpromising", Origin::BuiltIn).unwrap();
    Plan::new(&spec::platform("linux").unwrap(), &allocator).unwrap().0
}

pub(super) fn simple_heap_source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simple_heap/simple_heap.c")
}

pub(super) fn heap(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heaps").join(file)
}

impl Tools {
    /// Runs the compiler with these words and files.
    pub(super) fn compile(&self, words: &[&str], files: &[&Path]) {
        let mut command = self.compiler.command();
        run(command.args(words).args(files));
    }

    /// What `alloc8-gen build --target` makes of simple_heap.
    pub(super) fn simple_heap(&self) -> Interposer {
        self.build("c", &allocator::built_in("simple_heap").unwrap().unwrap(), &[])
    }

    /// The same of an allocator in `examples`: a class, or an archive of the file in C++ beside its description.
    pub(super) fn example(&self, name: &str, work: &Path) -> Interposer {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        let heap = allocator::read_file(&folder.join(format!("{name}.toml"))).unwrap();
        if heap.cpp.is_some() {
            return self.build("cpp", &heap, &[]);
        }
        let (source, object) = (folder.join(format!("{name}.cpp")), work.join("heap.o"));
        let mut compile = self.compiler.cxx().unwrap().command();
        compile.args(["-std=c++17", "-O2", "-fPIC", "-fno-exceptions", "-fno-rtti", "-c"]);
        run(compile.arg(source).arg("-o").arg(&object));
        self.build("c", &heap, &[object])
    }

    fn build(&self, lang: &str, allocator: &Allocator, libs: &[PathBuf]) -> Interposer {
        let order = Order {
            platform: &spec::platform("linux").unwrap(),
            allocator,
            lang,
            libs,
            compiler: &self.compiler,
            cache: &folder().join("cache"),
            soname: SONAME,
            hook: None,
        };
        match interposer::build(&order) {
            Ok(built) => built,
            Err(report) => panic!("{}: {:#?}", self.cpu.triple, report.diagnostics),
        }
    }

    /// The same shim, compiled and linked by hand: without direct binding, its names under a version
    /// node or under none (`""`).
    pub(super) fn by_hand(&self, plan: &Plan, heap: &Path, node: &str, work: &Path) -> PathBuf {
        let files = render::render(plan, &Inputs::interposer("linux", "x")).unwrap();
        let abi = plan.platform.abi_of(self.cpu.triple).expect("an ABI");
        let script = &files[&format!("exports.{}.map", abi.name)];
        let script = &script[script.find("\n{").expect("an anonymous script")..];
        let (shim, map) = (work.join("shim.c"), work.join("exports.map"));
        fs::write(&shim, &files["shim.c"]).unwrap();
        fs::write(&map, format!("{node} {script}")).unwrap();
        let folder = if node.is_empty() { "plain" } else { node };
        fs::create_dir_all(work.join(folder)).unwrap();
        let library = work.join(folder).join(SONAME);
        let map = format!("-Wl,--version-script={}", map.display());
        let mut words = vec!["-O2", "-fPIC", "-fexceptions", "-pthread", "-shared", &map];
        // As the build fragments do.
        words.extend(["-Wl,-Bno-symbolic", "-Wl,-z,initfirst", "-o"]);
        self.compile(&words, &[&library, &shim, heap]);
        library
    }

    /// What a program of this CPU writes.
    pub(super) fn output(&self, program: &Path, preload: Option<&Path>) -> String {
        run(&mut self.runner.command(program, preload))
    }
}

/// What it writes; it must end well.
pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("preloaded"), "{command:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

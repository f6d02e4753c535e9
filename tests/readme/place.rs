//! A folder as its reader has it: an allocator called mylib, a program to run, and the tool in PATH.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use alloc8_gen::artifact::join_slices;

use crate::common;

const TOOL: &str = env!("CARGO_BIN_EXE_alloc8-gen");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Stands in for the cargo that would build the release first, which takes minutes.
const CARGO: &str = "#!/bin/sh\n[ \"$1 $2 $3\" = 'run --release --' ] && shift 3 && exec alloc8-gen \"$@\"\nexit 9\n";

const PROGRAM: &str =
    "#include <stdlib.h>\nint main(void)\n{\n    free(malloc(9));\n    return 0;\n}\n";

/// Where commands are typed.
pub(super) struct Place {
    folder: tempfile::TempDir,
    more: Vec<(&'static str, PathBuf)>,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap(), more: Vec::new() };
        fs::create_dir(place.file("bin")).unwrap();
        symlink(TOOL, place.file("bin/alloc8-gen")).unwrap();
        let heap = fs::read_to_string(Path::new(ROOT).join("examples/simple_heap/simple_heap.c"));
        place.write("mylib.c", &heap.unwrap().replace("simple_heap", "mylib"));
        place.write("main.c", PROGRAM);
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    /// Types a command into bash: its status, and everything it wrote.
    pub(super) fn types(&self, command: &str) -> (i32, String) {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-uc", command]).current_dir(&self.folder);
        // The system's own programs, as a reader has them.
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.file("bin").display());
        bash.env("PATH", path).env("LC_ALL", "C").env("COLUMNS", "200");
        bash.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
        for name in ["CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS", "LD_PRELOAD"] {
            bash.env_remove(name);
        }
        bash.envs(self.more.iter().map(|(name, value)| (name, value)));
        let output = bash.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(255), text(&output.stdout) + &text(&output.stderr))
    }

    #[track_caller]
    fn prepare(&self, command: &str) {
        let (status, said) = self.types(command);
        assert_eq!(status, 0, "{command}\n{said}");
    }

    /// `None`, and said so, where a program that the README runs is not installed.
    pub(super) fn of_linux() -> Option<Place> {
        let place = Place::new();
        let libraries = "/usr/lib/x86_64-linux-gnu";
        for (file, package) in [
            ("/usr/bin/python3".to_owned(), "python3"),
            ("/usr/bin/redis-server".to_owned(), "redis-server"),
            (format!("{libraries}/libjemalloc.so.2"), "libjemalloc2"),
            (format!("{libraries}/libjemalloc.a"), "libjemalloc-dev"),
            ("/usr/s390x-linux-gnu/include/stdlib.h".to_owned(), "libstdc++-12-dev-s390x-cross"),
        ] {
            if !Path::new(&file).exists() {
                common::skip("readme-linux", &format!("apt-get install {package}"));
                return None;
            }
        }
        place
            .prepare("cc -std=c11 -O2 -fPIC -c mylib.c && ar rcs libmylib.a mylib.o && rm mylib.o");
        place
            .prepare("cc -fno-builtin -c main.c && cc -o bin/your-program main.o && git init -q .");
        place.write("bin/cargo", CARGO);
        place.prepare("chmod +x bin/cargo");
        Some(place)
    }

    /// A file that includes a heap class, by the README's own lines.
    pub(super) fn of_class(file: &str) -> Place {
        let place = Place::new();
        let fixture = |name: &str| {
            let path = Path::new(ROOT).join("tests/fixtures/heaps").join(name);
            fs::read_to_string(path).unwrap()
        };
        place.write("my_heap.hpp", &fixture("free_list.hpp").replace("FreeList", "MyHeap"));
        place.write("my_heap.cpp", &file.replace("alloc8/linux-cpp/redirect.hpp", "redirect.hpp"));
        let description = fixture("free_list.toml").replace("free_list", "mylib");
        let file = "cpp = \"my_heap.cpp\"";
        place.write("mylib.toml", &description.replace("archive = \"none.a\"", file));
        place
    }

    /// With a universal archive.
    pub(super) fn of_macos() -> Option<Place> {
        let Some(zig) = common::zig() else {
            common::skip(common::ZIG.0, common::ZIG.1);
            return None;
        };
        let mut place = Place::new();
        let words = std::iter::once(zig.get_program()).chain(zig.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        let zig_words = words.join(" ");
        for (name, value) in zig.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            let name =
                ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"].into_iter().find(|n| name == *n);
            place.more.extend(name.map(|name| (name, PathBuf::from(value))));
        }
        place.more.push(("ALLOC8_ZIG", PathBuf::from(&zig_words)));
        let slices = ["x86_64", "aarch64"].map(|cpu| {
            place.prepare(&format!(
                "{zig_words} cc -target {cpu}-macos -std=c11 -O2 -c mylib.c -o mylib.o && {zig_words} ar rcs {cpu}.a mylib.o"
            ));
            fs::read(place.file(&format!("{cpu}.a"))).unwrap()
        });
        fs::write(place.file("libmylib.a"), join_slices(&slices).unwrap()).unwrap();
        place.prepare(&format!("{zig_words} cc -target x86_64-macos main.c -o job"));
        Some(place)
    }

    /// With an archive for Windows, a program, and MinHook as cargo has it.
    pub(super) fn of_windows() -> Option<Place> {
        let mut place = Place::new();
        for (program, package) in [
            ("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64-win32"),
            ("i686-w64-mingw32-gcc", "gcc-mingw-w64-i686-win32"),
            ("wine", "wine wine64"),
        ] {
            if place.types(&format!("command -v {program}")).0 != 0 {
                common::skip("readme-windows", &format!("apt-get install {package}"));
                return None;
            }
        }
        let Some(minhook) = crate_source("minhook-sys-", "minhook") else {
            let how = "cargo fetch --manifest-path tests/allocators/Cargo.toml";
            common::skip("readme-windows", how);
            return None;
        };
        place.write(
            "mylib.toml",
            "schema = 1\nname = \"mylib\"\narchive = \"libmylib.a\"\nmalloc = \"mylib_malloc\"\n\
             free = \"mylib_free\"\nmemalign = \"mylib_memalign\"\nowns = \"mylib_owns\"\n\
             malloc_usable_size = \"mylib_malloc_usable_size\"\n",
        );
        // Once: other tests make theirs meanwhile.
        let prefix = wine_prefix();
        place.more.push(("WINEPREFIX", prefix.clone()));
        if !prefix.join("made").is_file() {
            place.prepare("WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= wineboot -i && touch $WINEPREFIX/made");
        }
        place.more.push(("MINHOOK", minhook));
        let gcc = "x86_64-w64-mingw32-gcc -O2";
        place.prepare(&format!("{gcc} -std=c11 -c mylib.c && ar rcs libmylib.a mylib.o"));
        place.prepare(&format!("{gcc} -std=gnu11 -fno-builtin main.c -o program.exe"));
        place.prepare(&format!(
            "{gcc} -I$MINHOOK/include -c $MINHOOK/src/*.c $MINHOOK/src/hde/hde64.c && rm mylib.o && ar rcs libminhook.a *.o"
        ));
        Some(place)
    }
}

/// A folder inside a crate that cargo has fetched.
fn crate_source(begins: &str, folder: &str) -> Option<PathBuf> {
    let home = PathBuf::from(env::var_os("HOME")?).join(".cargo");
    let home = env::var_os("CARGO_HOME").map_or(home, PathBuf::from);
    let registries = fs::read_dir(home.join("registry/src")).ok()?.flatten();
    let mut crates =
        registries.flat_map(|r| fs::read_dir(r.path()).into_iter().flatten().flatten());
    let found = crates.find(|c| c.file_name().to_string_lossy().starts_with(begins))?;
    Some(found.path().join(folder)).filter(|folder| folder.is_dir())
}

/// The Windows that other tests have made, for making one takes ten seconds.
fn wine_prefix() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("windows");
    fs::create_dir_all(&folder).unwrap();
    let made = ["prefix-both", "prefix-wide"].map(|name| folder.join(name));
    let found = made.into_iter().find(|prefix| prefix.join("made").is_file());
    found.unwrap_or_else(|| folder.join("prefix-readme"))
}

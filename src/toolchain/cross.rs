//! Compilers for other CPUs and C libraries: which are here, and what to install.
//!
//! The `cc` crate knows prefixes (`aarch64-linux-gnu-gcc`) and stops there. A distribution has two
//! more routes: one gcc for both widths of a CPU, and clang with another CPU's C library; and zig
//! brings headers and C libraries of its own.

use std::{ffi::OsString, path::PathBuf, process::Command};

use super::{
    Compiler, HOST, LEAST_SYSTEM,
    cpu::{Cpu, Place, System, is_windows},
    darwin::linker,
};
use crate::diagnostic::Diagnostic;

/// Whether it is another CPU or C library than the host's, of those that are known here.
pub(super) fn knows(target: &str) -> bool {
    // A Mac's own compiler would compile for the Mac's own system alone, and Windows has none of its own.
    let known = |place: Place| place.system == System::Darwin || place.system.is_windows();
    Place::of(target).is_some_and(|place| known(place) || Place::host() != Some(place))
}

/// The first compiler that is here and finds the target's C library.
pub(super) fn command(target: &str) -> Option<Vec<OsString>> {
    let place = Place::of(target)?;
    if place.system == System::Android {
        return ndk_clang(place, target);
    }
    candidates(place).into_iter().find_map(|words| {
        let brings_its_own = words[0] == ZIG;
        let command: Vec<OsString> = match brings_its_own {
            true => zig()?.into_iter().chain(words.iter().skip(1).map(OsString::from)).collect(),
            false => words.iter().map(OsString::from).collect(),
        };
        let compiler = Compiler::of(command, target);
        let complete = match place.system {
            _ if brings_its_own => true,
            System::Mingw => compiler.library("libkernel32.a").is_some(),
            // Linked without Microsoft's libraries, so that a linker is all that it takes.
            System::Msvc => in_path(words[0].as_str()).is_some() && newest_lld_link().is_some(),
            System::Darwin => in_path(&words[0]).is_some() && linker().is_some(),
            _ => compiler.library("libc.so").is_some(),
        };
        complete.then_some(compiler.command)
    })
}

const ZIG: &str = "zig";

/// How zig is started here: as `ALLOC8_ZIG` says, by its name, or as a package of Python's.
fn zig() -> Option<Vec<OsString>> {
    let named = std::env::var("ALLOC8_ZIG").unwrap_or_default();
    let named: Vec<OsString> = named.split_whitespace().map(OsString::from).collect();
    if !named.is_empty() {
        return Some(named);
    }
    if in_path(ZIG).is_some() {
        return Some(vec![startable(ZIG)]);
    }
    let python = if is_windows(HOST) { "python" } else { "python3" };
    let words = [python, "-m", "ziglang"];
    let runs = Command::new(words[0]).args(&words[1..]).arg("version").output();
    runs.is_ok_and(|output| output.status.success()).then(|| words.map(OsString::from).to_vec())
}

fn candidates(place: Place) -> Vec<Vec<String>> {
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all = Vec::new();
    match place.system {
        System::Gnu => {
            all.push(words(format!("{}-gcc", place.cpu.gnu)));
            all.push(words(by_distribution(place)));
        }
        System::Musl => {
            all.push(words(format!("{}-gcc", place.triple())));
            if Place::host().map(|host| host.cpu) == Some(place.cpu) {
                all.insert(0, words("musl-gcc".to_owned()));
            }
        }
        System::Android => return all,
        System::FreeBsd | System::NetBsd => {}
        System::Mingw => {
            all.push(words(format!("{}-w64-mingw32-gcc", place.cpu.name())));
            // As it is called on Windows itself.
            let own = place.is_native() && !place.is_narrow_host();
            all.extend(own.then(|| words("gcc".to_owned())));
        }
        System::Msvc => {
            let triple = format!("{}-pc-windows-msvc", place.cpu.name());
            return vec![words(format!("clang --target={triple} -fuse-ld=lld"))];
        }
        System::Darwin => {
            let apple = format!("{}-apple-macos{LEAST_SYSTEM}", place.cpu.apple());
            if HOST.contains("apple") {
                return vec![words(format!("cc -target {apple}"))];
            }
            all.push(words(format!("{ZIG} cc -target {}", place.zig())));
            all.push(words(format!("clang --target={apple}")));
            return all;
        }
    }
    // Without the word it links programs statically, which no preload reaches.
    let dynamic = if place.system == System::Musl { " -dynamic" } else { "" };
    all.push(words(format!("{ZIG} cc -target {}{dynamic}", place.zig())));
    all
}

/// Where Android's own tools look for the NDK.
const NDK: [&str; 2] = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"];

/// The NDK's compiler. Nothing else will do: bionic's headers are only there, and so are the start
/// files that have what bionic's libc.so lacks (pthread_atfork).
fn ndk_clang(place: Place, target: &str) -> Option<Vec<OsString>> {
    let hosts = ["linux-x86_64", "darwin-x86_64", "windows-x86_64"];
    let ndks = NDK.into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let clangs = ndks.flat_map(|ndk| {
        let prebuilt = ndk.join("toolchains/llvm/prebuilt");
        hosts.map(|host| prebuilt.join(host).join("bin/clang"))
    });
    let clang = clangs.into_iter().find(|clang| clang.is_file())?;
    let name = if place.cpu.name() == "arm" { "armv7a" } else { place.cpu.name() };
    let system = if name == "armv7a" { "linux-androideabi" } else { "linux-android" };
    Some(vec![clang.into(), format!("--target={name}-{system}{}", api_level(target)).into()])
}

/// The level that a triple ends with; by default the oldest that NDKs still serve.
fn api_level(target: &str) -> &str {
    const OLDEST: &str = "21";
    let start = target.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if target[start..].is_empty() { OLDEST } else { &target[start..] }
}

fn by_distribution(place: Place) -> String {
    if place.is_narrow_host() {
        // Debian keeps the kernel's headers with the host's own.
        return "gcc -m32 -idirafter /usr/include/x86_64-linux-gnu".to_owned();
    }
    let linker = newest_lld().unwrap_or_else(|| "lld".to_owned());
    // Its C library's linker script has full paths: with no root, some would be doubled.
    format!("clang --target={} -fuse-ld={linker} --sysroot=/", place.cpu.gnu)
}

/// Old ones do not know every CPU (14: neither RISC-V's relaxation nor s390x), and the plain name
/// may mean an old one.
pub(super) fn newest_lld() -> Option<String> {
    const NEWEST: u32 = 30;
    const OLDEST: u32 = 18;
    let mut names = (OLDEST..=NEWEST).rev().map(|version| format!("lld-{version}"));
    names.find(|name| in_path(&format!("ld.{name}")).is_some())
}

/// The linker that reads Microsoft's options, the newest by name.
pub(super) fn newest_lld_link() -> Option<PathBuf> {
    in_path("lld-link").or_else(|| {
        let name = newest_lld()?.replace("lld-", "lld-link-");
        in_path(&name)
    })
}

/// Where PATH has a program; on Windows a batch file too, if PATHEXT says that it is one.
pub(super) fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let endings = std::env::var("PATHEXT").ok().filter(|_| is_windows(HOST));
    let endings = endings.unwrap_or_else(|| std::env::consts::EXE_SUFFIX.to_owned());
    let files: Vec<_> = endings.split(';').map(|ending| format!("{name}{ending}")).collect();
    let mut all = std::env::split_paths(&path)
        .flat_map(|folder| files.iter().map(move |file| folder.join(file)));
    all.find(|file| file.is_file())
}

/// A program's name as it can be started: Windows itself looks for those that end in `.exe` alone.
pub(super) fn startable(name: &str) -> OsString {
    let found = is_windows(HOST).then(|| in_path(name)).flatten();
    found.map_or_else(|| name.into(), OsString::from)
}

/// There is no compiler for it: what to install.
pub(super) fn missing(target: &str) -> Option<Diagnostic> {
    let place = Place::of(target)?;
    if place.system == System::Android {
        return Some(
            Diagnostic::error("A8401", format!("no C compiler for {target}"))
                .fact(format!("{} names no NDK with a clang", NDK.join(" or ")))
                .help("install the Android NDK and set ANDROID_NDK_HOME, or name its clang with `--cc`"),
        );
    }
    if place.system == System::Darwin {
        let message = format!("no C compiler for {target}");
        return Some(match HOST.contains("apple") {
            true => Diagnostic::error("A8401", message).help("install Apple's: `xcode-select --install`"),
            false => Diagnostic::error("A8401", message)
                .fact("neither ALLOC8_ZIG, nor `zig`, nor `python3 -m ziglang` runs, and there is no clang with ld64.lld")
                .help("`pip install ziglang`, or on Debian for archives of your own: apt-get install clang lld"),
        });
    }
    let tried: Vec<_> =
        candidates(place).iter().map(|words| format!("`{}`", words.join(" "))).collect();
    Some(
        Diagnostic::error("A8401", format!("no C compiler for {target}"))
            .fact(format!("no C library is found by {}", tried.join(" or ")))
            .help(format!("{}; or name a compiler with `--cc`", install(place))),
    )
}

fn install(place: Place) -> String {
    let zig = "zig (`pip install ziglang`, then `--cc \"python3 -m ziglang cc -target …\"`)";
    match place.system {
        // The package `gcc-multilib` would remove every compiler for other CPUs.
        System::Gnu if place.is_narrow_host() => {
            format!("on Debian: apt-get install gcc-{0}-multilib g++-{0}-multilib", gcc_version())
        }
        System::Gnu if place.cpu.debian.is_empty() => {
            format!("put `{}-gcc` into PATH, or {zig}", place.cpu.gnu)
        }
        System::Gnu => {
            let Cpu { gnu, debian, .. } = place.cpu;
            format!(
                "on Debian: apt-get install gcc-{0} g++-{0}, or clang lld-19 libstdc++-12-dev-{debian}-cross",
                gnu.replace('_', "-"),
            )
        }
        System::Musl if Place::host().map(|host| host.cpu) == Some(place.cpu) => {
            "on Debian: apt-get install musl-tools".to_owned()
        }
        System::Mingw if place.is_native() && place.cpu.name() != "aarch64" => {
            let package = format!("mingw-w64-{}-gcc", place.cpu.name());
            format!("put MinGW's gcc into PATH (of MSYS2's packages, {package}), or {zig}")
                .replace('…', &place.zig())
        }
        System::Mingw if matches!(place.cpu.name(), "x86_64" | "i686") => {
            let cpu = place.cpu.name().replace('_', "-");
            format!("on Debian: apt-get install gcc-mingw-w64-{cpu}")
        }
        System::Msvc => "on Debian: apt-get install clang lld llvm".to_owned(),
        _ => format!("install {zig}").replace('…', &place.zig()),
    }
}

/// The packages for both widths bear the version of the host's gcc.
fn gcc_version() -> String {
    let gcc = Compiler::of(vec!["gcc".into()], HOST);
    gcc.ask("-dumpversion").unwrap_or_else(|| "12".to_owned())
}

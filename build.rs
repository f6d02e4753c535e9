//! Embeds the facts and the templates: adding a TOML file or a template needs no change in `src/`.
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rustc-env=ALLOC8_HOST={}", env::var("TARGET").expect("cargo sets it"));
    let mut list = String::from(
        "/// Path inside the repository, text.\npub(crate) static FILES: &[(&str, &str)] = &[\n",
    );
    for folder in ["specs", "templates", "examples/simple_heap"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        walk(&root.join(folder), &mut files)?;
        files.sort();
        for file in files {
            let name = file
                .strip_prefix(&root)
                .expect("below the root")
                .to_str()
                .expect("UTF-8")
                .replace('\\', "/");
            list +=
                &format!("    ({name:?}, include_str!({:?})),\n", file.to_str().expect("UTF-8"));
        }
    }
    list += "];\n";
    let made = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let bytes = match launcher(&root.join("templates/pe/launch.c"), &made.join("launch.exe")) {
        Some(launcher) => format!("include_bytes!({:?})", launcher.to_str().expect("UTF-8")),
        None => "&[]".to_owned(),
    };
    list += "/// For this tool's own CPU, where it runs on Windows; else, and without a compiler, nothing.\n";
    list += &format!("pub(crate) static LAUNCHER: &[u8] = {bytes};\n");
    fs::write(made.join("embedded.rs"), list)
}

/// On Windows `run` needs another program, and users have no compiler for it.
fn launcher(source: &Path, made: &Path) -> Option<PathBuf> {
    let of_target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if of_target("OS") != "windows" {
        return None;
    }
    let cpu = of_target("ARCH").replace("x86", "i686").replace("i686_64", "x86_64");
    let mut compilers = vec![format!("{cpu}-w64-mingw32-gcc")];
    // As it is called on Windows itself.
    compilers.extend(env::var("HOST").ok().filter(|h| h.contains("windows")).map(|_| "gcc".into()));
    let works = |compiler: &String| {
        // `gcc` may be another CPU's.
        let machine = Command::new(compiler).arg("-dumpmachine").output();
        if !machine.is_ok_and(|said| said.stdout.starts_with(cpu.as_bytes())) {
            return false;
        }
        let mut command = Command::new(compiler);
        command.args(["-std=c11", "-O2", "-s", "-o"]).arg(made).arg(source);
        command.status().is_ok_and(|status| status.success())
    };
    if compilers.iter().any(works) {
        return Some(made.to_owned());
    }
    println!(
        "cargo::warning=none of {compilers:?} runs and is for {cpu}: `alloc8-gen run` will compile its launcher itself"
    );
    None
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            files.push(path);
        }
    }
    Ok(())
}

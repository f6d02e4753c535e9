//! Embeds the facts and the templates: adding a TOML file or a template needs no change in `src/`.
use std::{
    env, fs, io,
    path::{Path, PathBuf},
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
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("embedded.rs"), list)
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

//! `init`: describe an allocator by reading and measuring its library.

use std::{fs, path::Path};

use alloc8_gen::{
    allocator::is_name,
    diagnostic::{Diagnostic, Report, Result},
    init,
    toolchain::Compiler,
};
use serde_json::json;

use super::{DONE, Show, build::cache, host_platform};
use crate::cli::Init;

pub(crate) fn init(options: &Init, show: &Show) -> Result<u8> {
    if !is_name(&options.name) {
        return Err(Diagnostic::error(
            "A8903",
            format!("`{}` cannot name an allocator", options.name),
        )
        .help("write letters, digits and `_`: `alloc8-gen init my_heap --lib libmy_heap.a`")
        .into());
    }
    if options.archive.lib.is_empty() {
        return Err(Diagnostic::error("A8905", "`--lib` is required")
            .help(format!("alloc8-gen init {0} --lib lib{0}.a", options.name))
            .into());
    }
    let file = format!("{}.toml", options.name);
    refuse_existing(Path::new(&file))?;
    if options.cmake {
        refuse_existing(Path::new("CMakeLists.txt"))?;
    }
    let compiler = Compiler::find(options.archive.cc.as_deref(), None)?;
    let platform = host_platform()?;
    let names = platform.abis.iter().flat_map(|abi| platform.names(abi)).collect();
    let work = cache().join("work").join(format!("init-{}", std::process::id()));
    let described = init::describe(&options.name, &options.archive.lib, &compiler, &work, &names);
    let _ = fs::remove_dir_all(&work);
    let (text, remarks) = described?;
    show.diagnostics(&remarks);
    write(Path::new(&file), &text)?;
    show.result(
        &format!("wrote {file}"),
        || json!({ "reason": "file", "path": file, "changed": true }),
    );
    if options.cmake {
        let text = init::cmake(&options.name, &platform.name, &options.archive.lib)?;
        write(Path::new("CMakeLists.txt"), &text)?;
        show.result(
            "wrote CMakeLists.txt",
            || json!({ "reason": "file", "path": "CMakeLists.txt", "changed": true }),
        );
    }
    show.say(&format!("next: alloc8-gen generate -p {} -a {}", platform.name, options.name));
    Ok(DONE)
}

fn refuse_existing(file: &Path) -> Result<()> {
    if !file.exists() {
        return Ok(());
    }
    Err(Diagnostic::error("A8911", format!("`{}` is there already", file.display()))
        .help("move it away: init never overwrites a file")
        .into())
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|error| {
        Report::from(Diagnostic::error(
            "A8302",
            format!("could not write `{}`: {error}", file.display()),
        ))
    })
}

//! `build --mode prefixed`: an archive or a shared object of functions under a prefix, and their header.

use std::path::{Path, PathBuf};

use alloc8_gen::{
    allocator::Allocator,
    carry::{self, Form},
    diagnostic::Result,
    interposer::Order,
    render::prefixed::header,
    spec::Platform,
    toolchain::Compiler,
};
use serde_json::json;

use super::{cache, depend, place, place_archive, program::write};
use crate::{
    cli::Build,
    command::{DONE, Show},
};

pub(super) fn build(
    options: &Build,
    platform: &Platform,
    allocator: &Allocator,
    lang: &str,
    compiler: &Compiler,
    show: &Show,
) -> Result<u8> {
    let prefix = options.configuration.prefix.as_deref().unwrap_or_default();
    let name = prefix.strip_suffix('_').unwrap_or(prefix);
    let output = options.output.clone().unwrap_or_else(|| match compiler.is_msvc() {
        true => PathBuf::from(format!("{name}.lib")),
        false => PathBuf::from(format!("lib{name}.a")),
    });
    let soname = output.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let shared = match platform.hooks {
        Some(_) => soname.ends_with(".dll"),
        // A version may follow.
        None => soname.ends_with(".so") || soname.contains(".so."),
    };
    let form = if shared { Form::Shared } else { Form::Object };
    let order = Order {
        platform,
        allocator,
        lang,
        libs: &options.archive.lib,
        compiler,
        cache: &cache(),
        soname: &soname,
        hook: None,
    };
    let built = carry::build_prefixed(&order, prefix, form)?;
    show.diagnostics(&built.remarks);
    match form {
        Form::Shared => place(&built.file, &output)?,
        Form::Object => place_archive(compiler, &built.file, &output)?,
    }
    if let Some((made, name)) =
        built.import_library.as_ref().and_then(|m| Some((m, m.file_name()?)))
    {
        place(made, &output.with_file_name(name))?;
    }
    let header = output.parent().unwrap_or(Path::new("")).join(header(name));
    write(&header, built.header.as_bytes())?;
    depend(options, allocator, &output, &built.archives)?;
    let functions = built.plan.defined().count() + built.plan.copies().len();
    let direct = built.plan.direct().count();
    let text = format!(
        "built {} and {}: {functions} functions, {direct} of them directly",
        output.display(),
        header.display()
    );
    show.result(&text, || {
        json!({
            "reason": "built", "library": output, "header": header, "platform": platform.name,
            "abi": built.abi.name, "allocator": allocator.name, "prefix": name,
            "functions": functions, "direct": direct,
        })
    });
    Ok(DONE)
}

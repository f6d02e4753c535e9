//! The probe's own program: its sources for one allocator, and the link with the archives.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    allocator::{Allocator, Call, Role},
    diagnostic::{Diagnostic, Report, Result},
    embedded,
    toolchain::{Compiler, is_windows, make_folder},
};

/// File name, text.
pub(super) type Sources = BTreeMap<String, String>;

/// Renders the sources; pure.
///
/// # Errors
/// `A8999` if the template is wrong, which is never the user's fault.
pub(super) fn render(allocator: &Allocator) -> Result<Sources> {
    let mut sources = Sources::new();
    for (name, text) in embedded::folder("templates/probe/") {
        match name.strip_suffix(".tera") {
            Some(name) => {
                let text = expand(&text, &context(allocator)).map_err(internal)?;
                sources.insert(name.to_owned(), text);
            }
            None => {
                sources.insert(name.to_owned(), text);
            }
        }
    }
    Ok(sources)
}

fn expand(template: &str, context: &tera::Context) -> std::result::Result<String, tera::Error> {
    let mut tera = tera::Tera::new();
    tera.autoescape_on(Vec::<String>::new());
    tera.add_raw_template("heap.h", template)?;
    tera.render("heap.h", context)
}

fn internal(error: tera::Error) -> Report {
    Diagnostic::error("A8999", "internal error: this is a bug in alloc8-gen")
        .fact(error.to_string())
        .into()
}

fn context(allocator: &Allocator) -> tera::Context {
    // Tools walk a heap in another process, of whose words Mach alone knows the types.
    let probed = Role::ALL.iter().filter(|role| **role != Role::Enumerator);
    let roles: Vec<Value> = probed.map(|role| view(allocator, *role)).collect();
    let all = json!({ "name": allocator.name, "roles": roles });
    tera::Context::from_serialize(&all).expect("a view is a map")
}

/// Two roles may name one function with different arguments (`usable_size(ptr) != 0` as `owns`), so
/// each has a C name of its own for it.
fn view(allocator: &Allocator, role: Role) -> Value {
    let prototype = role.prototype();
    let call = allocator.call(role);
    let own = call.map(|c| Call { symbol: format!("alloc8_target_{}", role.key()), ..c.clone() });
    let parameters: Vec<_> = prototype.parameters.iter().map(|p| p.name.as_str()).collect();
    json!({
        "macro": role.key().to_uppercase(),
        "wrapper": prototype.named(&format!("alloc8_{}", role.key())),
        "parameters": parameters,
        "returns": prototype.result != "void",
        "symbol": call.map(|c| c.symbol.clone()),
        "declaration": own.as_ref().map(|c| c.declaration(&prototype)),
        "call": own.as_ref().map(|c| c.with(&[])),
    })
}

/// Compiles the sources and links them with the archives; gives the program.
///
/// # Errors
/// `A8402` with what the compiler said.
pub(super) fn compile(
    compiler: &Compiler,
    allocator: &Allocator,
    archives: &[PathBuf],
    work: &Path,
    sources: &Sources,
) -> Result<PathBuf> {
    make_folder(work)?;
    let mut units = Vec::new();
    for (name, text) in sources {
        let path = work.join(name);
        fs::write(&path, text).map_err(|error| {
            Diagnostic::error("A8301", format!("could not write `{}`: {error}", path.display()))
        })?;
        if name.ends_with(".c") {
            units.push(path);
        }
    }
    let windows = is_windows(&compiler.target);
    let program = work.join(if windows { "probe.exe" } else { "probe" });
    // Nothing may be known about functions that are named like the standard's.
    let mut arguments: Vec<OsString> =
        ["-std=c11", "-D_GNU_SOURCE", "-O1", "-fno-builtin", "-fno-lto"].map(OsString::from).into();
    // Nothing but Windows' own libraries is everywhere.
    arguments.push(if windows { "-static" } else { "-pthread" }.into());
    arguments.push("-I".into());
    arguments.push(work.into());
    arguments.extend(units.into_iter().map(OsString::from));
    arguments.push("-Wl,--start-group".into());
    arguments.extend(archives.iter().map(OsString::from));
    arguments.push("-Wl,--end-group".into());
    arguments.extend(allocator.libs.iter().map(|lib| OsString::from(format!("-l{lib}"))));
    arguments.push("-o".into());
    arguments.push((&program).into());
    compiler.run(&arguments, "linking the probe with the allocator")?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocator;

    #[test]
    fn the_header_calls_every_function_by_its_standard_arguments() {
        let simple = allocator::built_in("simple_heap").unwrap().unwrap();
        let sources = render(&simple).unwrap();
        let header = &sources["heap.h"];
        assert!(header.contains("#define ALLOC8_HAS_REALLOC 1"), "{header}");
        assert!(header.contains("#define ALLOC8_HAS_FREE_SIZED 0"), "{header}");
        assert!(header.contains("_Bool alloc8_target_owns(const void *ptr)"), "{header}");
        assert!(!header.contains("{{"), "{header}");
    }
}

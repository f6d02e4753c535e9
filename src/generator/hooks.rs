//! The hooks of a library in Rust for Windows: C, compiled in the crate's build script.

use std::path::{Path, PathBuf};

use super::{Generator, redirect};
use crate::{
    diagnostic::{Diagnostic, Report, Result},
    interposer::inline,
    plan::hooks::REDIRECT,
    render::prefixed,
    spec::Hooks,
};

impl Generator {
    /// With another kind of hook than the platform's default: `iat`, `minhook`, `detours` or `redirect`.
    #[must_use]
    pub fn hook(mut self, hook: &str) -> Generator {
        self.inputs.hook = Some(hook.to_owned());
        self
    }

    /// Nothing is hooked: the functions are for a program that carries the heap.
    #[must_use]
    pub fn carried(mut self) -> Generator {
        self.inputs.mode = "static".to_owned();
        self
    }

    /// Nothing is hooked: the functions have names of their own, `PREFIX_malloc` and so on.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Generator {
        self.inputs.mode = "prefixed".to_owned();
        self.inputs.prefix = prefixed::given(Some(prefix));
        self
    }

    /// Compiles shim.c, and what changes code for it, and has cargo link both.
    pub(super) fn compile_hooks(&self, folder: &Path, spec: &Hooks) -> Result<()> {
        let objects = compiled(&folder.join("shim.c"))?;
        if self.inputs.hook.as_deref() == Some(REDIRECT) {
            // Its entry is the loader's, whoever else brings one.
            whole_archive("alloc8_heap", &compiled(&folder.join("heap.c"))?, folder)?;
            return redirect::link(&self.plan.allocator.name, objects, folder, spec);
        }
        let hooks = self.inputs.mode == "interpose";
        match (hooks, &self.inputs.prefix) {
            (true, _) => archive("alloc8_hooks", &objects)?,
            // Before whatever calls malloc, wherever that comes in the link.
            (false, None) => whole_archive("alloc8_carried", &objects, folder)?,
            (false, Some(prefix)) => archive(&format!("{prefix}_alloc8"), &objects)?,
        }
        if let Some(sources) = objects.first().map(|o| inline::wanted(o)).transpose()?.flatten() {
            println!("cargo::rerun-if-env-changed={}", sources.variable());
            let objects = sources.for_cargo(folder)?.try_compile_intermediates();
            archive("alloc8_inline", &objects.map_err(|error| refused(&error))?)?;
        }
        // The one that lends functions of the C library's is asked last. Without hooks, there is the program's own C
        // library.
        for import in spec.imports.iter().rev().filter(|import| hooks || import.lends.is_empty()) {
            println!("cargo::rustc-link-lib={}", import.file.trim_end_matches(".dll"));
        }
        Ok(())
    }
}

fn compiled(file: &Path) -> Result<Vec<PathBuf>> {
    let mut build = cc::Build::new();
    build.file(file).std("c11").flag_if_supported("-fno-lto");
    build.try_compile_intermediates().map_err(|error| refused(&error))
}

fn archive(name: &str, objects: &[PathBuf]) -> Result<()> {
    let mut build = cc::Build::new();
    build.objects(objects).try_compile(name).map_err(|error| refused(&error))
}

/// The same, none of whose members is left out.
fn whole_archive(name: &str, objects: &[PathBuf], folder: &Path) -> Result<()> {
    let mut build = cc::Build::new();
    build.objects(objects).cargo_metadata(false).out_dir(folder);
    build.try_compile(name).map_err(|error| refused(&error))?;
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=static:+whole-archive={name}");
    Ok(())
}

fn refused(error: &cc::Error) -> Report {
    Diagnostic::error("A8402", "compiling the hooks failed").fact(error.to_string()).into()
}

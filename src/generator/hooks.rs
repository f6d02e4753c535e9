//! The hooks of a library in Rust for Windows: C, compiled in the crate's build script.

use std::path::{Path, PathBuf};

use super::Generator;
use crate::{
    diagnostic::{Diagnostic, Report, Result},
    interposer::inline,
};

impl Generator {
    /// With another kind of hook than the platform's default: `iat`, `minhook` or `detours`.
    #[must_use]
    pub fn hook(mut self, hook: &str) -> Generator {
        self.inputs.hook = Some(hook.to_owned());
        self
    }

    /// Compiles shim.c, and what changes code for it, and has cargo link both.
    pub(super) fn compile_hooks(&self, folder: &Path) -> Result<()> {
        let mut shim = cc::Build::new();
        shim.file(folder.join("shim.c")).std("c11").flag_if_supported("-fno-lto");
        let objects = shim.try_compile_intermediates().map_err(|error| refused(&error))?;
        archive("alloc8_hooks", &objects)?;
        if let Some(sources) = objects.first().map(|o| inline::wanted(o)).transpose()?.flatten() {
            println!("cargo::rerun-if-env-changed={}", sources.variable());
            let objects = sources.for_cargo(folder)?.try_compile_intermediates();
            archive("alloc8_inline", &objects.map_err(|error| refused(&error))?)?;
        }
        // The one that lends functions of the C library's is asked last.
        let imports = self.plan.platform.hooks.iter().flat_map(|hooks| hooks.imports.iter().rev());
        for import in imports {
            println!("cargo::rustc-link-lib={}", import.file.trim_end_matches(".dll"));
        }
        Ok(())
    }
}

fn archive(name: &str, objects: &[PathBuf]) -> Result<()> {
    let mut build = cc::Build::new();
    build.objects(objects).try_compile(name).map_err(|error| refused(&error))
}

fn refused(error: &cc::Error) -> Report {
    Diagnostic::error("A8402", "compiling the hooks failed").fact(error.to_string()).into()
}

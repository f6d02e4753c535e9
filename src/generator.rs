//! For build scripts: a shim rendered, and compiled with the `cc` crate.
//!
//! ```no_run
//! // In the build script:
//! alloc8_gen::Generator::new("linux", "mylib.toml")
//!     .and_then(|generator| generator.compile())
//!     .unwrap_or_else(|report| panic!("{report}"))
//!     .compile("mylib_shim");
//! ```

use std::path::{Path, PathBuf};

use crate::{
    allocator::{self, Allocator, Origin},
    diagnostic::{Diagnostic, Report, Result},
    plan::Plan,
    render::{self, Files, Inputs},
    spec,
};

/// Renders the shim of one allocator for one platform.
#[derive(Debug, Clone)]
pub struct Generator {
    plan: Plan,
    inputs: Inputs,
    description: Option<PathBuf>,
}

impl Generator {
    /// For a platform's name and a description: the path of a TOML file, or a built-in name.
    ///
    /// # Errors
    /// Everything that is wrong with the platform's name or the description; `A8109` if there is
    /// neither a built-in allocator of that name nor such a file.
    pub fn new(platform: &str, allocator: impl AsRef<Path>) -> Result<Generator> {
        let given = allocator.as_ref();
        let name = given.to_string_lossy();
        let allocator: Allocator = match allocator::built_in(&name) {
            Some(found) => found?,
            None => allocator::read_file(given)?,
        };
        let description = match &allocator.origin {
            Origin::File(path) => Some(path.clone()),
            Origin::BuiltIn | Origin::Convention => None,
        };
        let platform = spec::platform(platform)?;
        let inputs = Inputs::interposer(&platform.name, &name);
        let (plan, _) = Plan::new(&platform, &allocator)?;
        Ok(Generator { plan, inputs, description })
    }

    /// How each symbol is answered.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The text of every file, by its name. Pure: nothing is written.
    ///
    /// # Errors
    /// `A8202` if the platform has no templates yet.
    pub fn files(&self) -> Result<Files> {
        render::render(&self.plan, &self.inputs)
    }

    /// Writes the files into cargo's `OUT_DIR` and prepares the shim's compilation, in the form in
    /// which every symbol jumps. Tells cargo which inputs it depends on.
    ///
    /// # Errors
    /// `A8301` without `OUT_DIR`, `A8302` if a file cannot be written there.
    #[must_use = "finish it with `compile(name)`"]
    pub fn compile(&self) -> Result<cc::Build> {
        let folder = std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
            Report::from(
                Diagnostic::error("A8301", "OUT_DIR is not set")
                    .help("call this from a build script; elsewhere, use `files`"),
            )
        })?;
        let folder = folder.join("alloc8");
        crate::output::write(&[(folder.clone(), self.files()?)].into())?;
        if let Some(description) = &self.description {
            println!("cargo::rerun-if-changed={}", description.display());
        }
        println!("cargo::rerun-if-changed=build.rs");
        let mut build = cc::Build::new();
        build
            .file(folder.join("shim.c"))
            .std("c11")
            .flag_if_supported("-fno-lto")
            .flag_if_supported("-fexceptions");
        Ok(build)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_allocator_renders_without_touching_the_disk() {
        let generator = Generator::new("linux", "simple_heap").unwrap();
        assert!(generator.files().unwrap().contains_key("shim.c"));
        assert!(Generator::new("linux", "no/such.toml").is_err());
        assert!(Generator::new("linus", "simple_heap").is_err());
    }
}

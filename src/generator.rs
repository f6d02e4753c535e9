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

mod hooks;
mod redirect;

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
        let folder = write(self.files()?)?;
        self.tell_inputs();
        let mut build = cc::Build::new();
        build
            .file(folder.join("shim.c"))
            .std("c11")
            .flag_if_supported("-fno-lto")
            .flag_if_supported("-fexceptions");
        Ok(build)
    }

    /// Writes the shim in Rust into cargo's `OUT_DIR`, to be included as a module of the crate, and
    /// tells cargo which inputs it depends on and what to link: the description's archive, if it is
    /// there, its libraries, and a `cdylib` such that its fork handlers come first. For Windows, compiles
    /// the hooks too, which are in C.
    ///
    /// ```no_run
    /// // In the build script; and in the crate:
    /// // pub mod alloc8 { include!(concat!(env!("OUT_DIR"), "/alloc8/shim.rs")); }
    /// alloc8_gen::Generator::new("linux", "mylib.toml")
    ///     .and_then(|generator| generator.rust())
    ///     .unwrap_or_else(|report| panic!("{report}"));
    /// ```
    ///
    /// # Errors
    /// `A8202` if the platform has no templates for Rust, `A8208` if the allocator's threads must
    /// introduce themselves, and cargo's target is of a CPU for which that is not told; `A8301` without `OUT_DIR`, `A8302` if a file cannot be written there; for Windows
    /// `A8402` if the hooks do not compile, `A8604` without the sources of what changes code.
    pub fn rust(&self) -> Result<()> {
        let inputs = Inputs { lang: "rust".to_owned(), ..self.inputs.clone() };
        // As cargo names it.
        self.plan.refuse_cpu_in_rust(std::env::var("TARGET").ok().as_deref())?;
        let folder = write(render::render(&self.plan, &inputs)?)?;
        self.tell_inputs();
        if let Some(hooks) = &self.plan.platform.hooks {
            self.compile_hooks(&folder, hooks)?;
        }
        if let Some(description) = &self.description {
            self.tell_archives(description.parent().unwrap_or(Path::new("")));
        }
        for lib in &self.plan.allocator.libs {
            println!("cargo::rustc-link-lib={lib}");
        }
        if let Some(lost) = self.plan.lost_in_rust() {
            println!("cargo::warning={}", lost.message);
        }
        if self.plan.asks_to_be_first() {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-z,initfirst");
        }
        Ok(())
    }

    fn tell_inputs(&self) {
        if let Some(description) = &self.description {
            println!("cargo::rerun-if-changed={}", description.display());
        }
        println!("cargo::rerun-if-changed=build.rs");
    }

    /// An archive that is not there is linked by whoever makes it.
    fn tell_archives(&self, folder: &Path) {
        for archive in self.plan.allocator.archives.iter().map(|a| folder.join(a)) {
            let name = archive.file_name().map(|n| n.to_string_lossy().into_owned());
            let name = name.as_deref().and_then(|n| n.strip_prefix("lib")?.strip_suffix(".a"));
            let Some(name) = name.filter(|_| archive.is_file()) else { continue };
            println!("cargo::rerun-if-changed={}", archive.display());
            if let Some(folder) = archive.canonicalize().ok().as_deref().and_then(Path::parent) {
                println!("cargo::rustc-link-search=native={}", folder.display());
            }
            println!("cargo::rustc-link-lib=static={name}");
        }
    }
}

/// Writes files into cargo's `OUT_DIR`.
fn write(files: Files) -> Result<PathBuf> {
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
        Report::from(
            Diagnostic::error("A8301", "OUT_DIR is not set")
                .help("call this from a build script; elsewhere, use `files`"),
        )
    })?;
    let folder = folder.join("alloc8");
    crate::output::write(&[(folder.clone(), files)].into())?;
    Ok(folder)
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

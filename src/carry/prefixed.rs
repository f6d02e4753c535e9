//! From an allocator's code to a library of functions under a prefix, beside the system's malloc.

use std::path::{Path, PathBuf};

use super::{Begun, begin, made};
use crate::{
    artifact::{SharedObject, SymbolVersion},
    diagnostic::{Diagnostic, Report, Result},
    hide::{Hidden, read_archive},
    interposer::{Order, cxx::Unit, import_library_name, product_key, read, recipe, rename, write},
    plan::{Plan, remarks_under_a_prefix, taken},
    probe::Measurements,
    render::{self, Files, Inputs, prefixed::header, view},
    spec::Abi,
    toolchain::{compile, link, make_folder},
};

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object, for an archive or for links.
    Object,
    /// A shared object.
    Shared,
}

/// What was built.
#[derive(Debug, Clone)]
pub struct Prefixed {
    /// The object or the shared object, in the cache.
    pub file: PathBuf,
    /// What programs on Windows are linked with for a shared object, in the cache.
    pub import_library: Option<PathBuf>,
    /// The header's text.
    pub header: String,
    /// How each function is answered.
    pub plan: Plan,
    /// The ABI.
    pub abi: Abi,
    /// What was measured; `None` if the target does not run here.
    pub measured: Option<Measurements>,
    /// The archives that were linked, before anything was hidden.
    pub archives: Vec<PathBuf>,
    /// What the user should know.
    pub remarks: Vec<Diagnostic>,
}

/// Builds it, or takes it from the cache if nothing has changed.
///
/// # Errors
/// Every phase's own; those of [`Plan::prefixed`], and `A8233` if the archive has one of the names;
/// `A8440` if what came out does not define what its plan says, or another name too.
pub fn build_prefixed(order: &Order<'_>, prefix: &str, form: Form) -> Result<Prefixed> {
    let prefix = prefix.strip_suffix('_').unwrap_or(prefix);
    let inputs = Inputs {
        lang: order.lang.to_owned(),
        mode: "prefixed".to_owned(),
        prefix: Some(prefix.to_owned()),
        ..Inputs::interposer(&order.platform.name, &order.allocator.name)
    };
    let turn = |plan: Plan| match plan.prefix() {
        None => plan.prefixed(prefix),
        Some(_) => Ok(plan),
    };
    let Begun { abi, plan, hidden, unit, archives, measured, remarks, work } =
        begin(order, &inputs, turn)?;
    hidden.make(order.compiler)?;
    refuse_names_of(&hidden.archives, &plan, &abi)?;
    let mut files = render::render(&plan, &inputs)?;
    let header = files.get(&header(prefix)).cloned().unwrap_or_default();
    let unit = unit.as_ref();
    let wanted = Wanted { order, abi: &abi, plan: &plan, unit, prefix, form };
    let file = wanted.assemble(&mut files, &hidden, &work.path)?;
    let import_library = file.with_file_name(import_library_name(order.compiler, order.soname));
    let import_library = Some(import_library).filter(|file| file.is_file());
    let remarks = remarks_under_a_prefix(remarks);
    Ok(Prefixed { file, import_library, header, plan, abi, measured, archives, remarks })
}

/// The archive's own functions stay as they are: none may bear a name of the shim's.
fn refuse_names_of(archives: &[PathBuf], plan: &Plan, abi: &Abi) -> Result<()> {
    let mut report = Report::default();
    for archive in archives {
        let archive = read_archive(archive)?;
        let own = archive.names();
        let names = view::listed(plan, abi);
        let clash = names.iter().filter(|name| own.contains(name.as_str()));
        let exported = |name: &&String| plan.allocator.export.contains(*name);
        clash
            .filter(|name| !exported(name))
            .for_each(|name| report.push(taken(name, "the archive's own")));
    }
    report.finish(()).map(|_| ())
}

/// What is to be made.
struct Wanted<'a> {
    order: &'a Order<'a>,
    abi: &'a Abi,
    plan: &'a Plan,
    unit: Option<&'a Unit>,
    prefix: &'a str,
    form: Form,
}

impl Wanted<'_> {
    /// Compiles and links, unless the same inputs have been linked before.
    fn assemble(&self, files: &mut Files, archives: &Hidden, work: &Path) -> Result<PathBuf> {
        let Wanted { order, abi, plan, unit, .. } = *self;
        let soname = match self.form {
            Form::Object => "heap.o",
            Form::Shared => order.soname,
        };
        let mut parts: Vec<String> = files.values().cloned().collect();
        parts.push(soname.to_owned());
        parts.extend(unit.map(|unit| unit.key.clone()));
        let parts = parts.into_iter().map(String::into_bytes).collect();
        let key = product_key(order, plan, parts, archives)?;
        let folder = order.cache.join("prefixed").join(key);
        let file = folder.join(soname);
        if file.is_file() {
            return Ok(file);
        }
        make_folder(&folder)?;
        for name in ["shim.c".to_owned(), header(self.prefix)] {
            if let Some(text) = files.get(&name) {
                write(&work.join(&name), text.as_bytes())?;
            }
        }
        let made = match self.form {
            Form::Object => made(order, abi, plan, unit, archives, work)?,
            Form::Shared if plan.platform.hooks.is_some() => {
                let library = super::windows::dll(order, abi, plan, unit, archives, work)?;
                let name = import_library_name(order.compiler, soname);
                rename(&work.join(&name), &folder.join(&name))?;
                library
            }
            Form::Shared if order.compiler.is_for_darwin() => {
                super::darwin::dylib(order, abi, plan, archives, work)?
            }
            Form::Shared => {
                let map = &files[&format!("exports.{}.map", abi.name)];
                write(&work.join("exports.map"), map.as_bytes())?;
                self.linked(&archives.archives, work)?
            }
        };
        rename(&made, &file)?;
        Ok(file)
    }

    fn linked(&self, archives: &[PathBuf], work: &Path) -> Result<PathBuf> {
        let recipe = recipe(self.order, self.abi, self.plan, archives, work);
        let direct: &[&str] = if recipe.aliases.is_empty() { &[] } else { &["-DALLOC8_DIRECT"] };
        compile(self.order.compiler, &work.join("shim.c"), &recipe.shim, direct)?;
        let made = work.join("made.so");
        link(self.order.compiler, &recipe, &made)?;
        let data = read(&made)?;
        let object = SharedObject::read(&data);
        let exported = |name: &String| {
            object.as_ref().is_ok_and(|object| {
                object.export(name).is_some_and(|s| s.version == SymbolVersion::Unversioned)
            })
        };
        let names = view::listed(self.plan, self.abi);
        let missing: Vec<_> = names.iter().filter(|name| !exported(name)).collect();
        if missing.is_empty() {
            return Ok(made);
        }
        let message = "the library that was linked does not do what its plan says";
        let mut diagnostic = Diagnostic::error("A8440", message);
        for name in missing {
            diagnostic = diagnostic.fact(format!("`{name}` is not exported"));
        }
        Err(diagnostic
            .help("the linker may have dropped names: try another with `--cc \"cc -fuse-ld=bfd\"`")
            .into())
    }
}

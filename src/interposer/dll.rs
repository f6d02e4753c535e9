//! The library for Windows: hooks around the allocator's archives, read back and judged.
//!
//! No private copy of archives is made: nobody sees the names of a Windows library but those that it
//! exports.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    Interposer, Order, Work, archives, cxx, inline, key, of_measurement, product_key, read,
    refuse_other_language, rename, unreadable, write,
};
use crate::{
    allocator::Allocator,
    artifact::Image,
    diagnostic::{Diagnostic, Result},
    hide::{Hidden, inspect, machine_of},
    init::complete,
    plan::{Plan, hooks::REDIRECT},
    probe::{self, Measurements},
    render::{self, Files, Inputs},
    spec::{Abi, Foreign, Hooks, Platform},
    toolchain::{Compiler, Dll, HOST, SystemLibrary, compile, link_dll, make_folder},
    verify::{Verdict, hooks::TABLE, hooks::judge_hooks},
};

/// Builds it, or takes it from the cache if nothing has changed.
///
/// # Errors
/// As [`super::build`]; `A8604` without the sources of what changes code, `A8250` if nobody could tell the blocks of
/// the C library that is linked to it.
pub(super) fn build(order: &Order<'_>, hooks: &Hooks) -> Result<Interposer> {
    refuse_other_language(order)?;
    let abi = super::abi(order)?;
    let mut platform = order.platform.clone();
    platform.narrow(&abi.name);
    let archives = archives(order)?;
    let mut inputs = archives.clone();
    let mut looked_at = archives.clone();
    let class = match order.lang {
        "cpp" => {
            let (plan, _) = Plan::new(&platform, order.allocator)?;
            cxx::Unit::of_class(order, &plan, &cxx::inputs(order))?
        }
        _ => None,
    };
    let mut allocator = order.allocator.on(&platform);
    if let Some(class) = &class {
        looked_at.insert(0, class.heap(order.cache)?);
        inputs.extend(class.inputs.iter().cloned());
        class.keep_asked(&mut allocator);
    }
    let libs: Vec<_> = class.iter().flat_map(cxx::Unit::cxx_library).collect();
    let Measured { allocator, measured, mut remarks } =
        measure_for_hooks(order.compiler, &allocator, &looked_at, &libs, order.cache)?;
    let (plan, more) = Plan::new(&platform, &allocator)?;
    remarks.extend(more);
    let unit = match class {
        None if order.lang == "cpp" => {
            Some(cxx::Unit::of_archive(order, &plan, &cxx::inputs(order))?)
        }
        class => class,
    };
    let made = assemble(order, hooks, &plan, unit.as_ref(), &archives)?;
    if made.c_library {
        plan.refuse_older_blocks("its archive's C library")?;
    }
    let verdict = judge(&made.library, &plan, &abi)?;
    if made.c_library || made.heap.as_ref().is_some_and(|heap| heap.c_library) {
        let said = match made.heap {
            Some(_) => {
                "that one is loaded after the hooks and before the heap: until the heap is there, its calls stay its own"
            }
            None => {
                "that one is loaded before this library, so it has blocks from before the hooks; what the archive calls of it stays its own"
            }
        };
        remarks.push(
            Diagnostic::note(
                "A8605",
                format!("`{}` needs a C library, and has the compiler's", allocator.name),
            )
            .fact(said),
        );
    }
    Ok(Interposer {
        beside: made.beside(),
        library: made.library,
        plan,
        verdict,
        measured,
        inputs,
        remarks,
    })
}

/// An allocator as its archives really are.
pub struct Measured {
    /// The description with what the archives have.
    pub allocator: Allocator,
    /// What was measured; `None` if the target does not run here.
    pub measured: Option<Measurements>,
    /// What the user should know.
    pub remarks: Vec<Diagnostic>,
}

/// Inspects the archives of a heap that hooks call, and measures what was promised of it; the probe is linked with
/// these libraries beside its own.
///
/// # Errors
/// Those of [`inspect`] and [`probe::measure_cached`]; `A8701` and its fellows if a promise does not hold.
pub fn measure_for_hooks(
    compiler: &Compiler,
    allocator: &Allocator,
    archives: &[PathBuf],
    libs: &[String],
    cache: &Path,
) -> Result<Measured> {
    // What an archive calls of a C library stays that library's: no name comes back to the shim.
    let none = BTreeSet::new();
    let (facts, report) = inspect(archives, allocator, &none, machine_of(compiler));
    let (facts, mut remarks) = report.finish(facts)?;
    let allocator = complete(allocator, &facts.defined)?;
    let work = Work::new(cache)?;
    let mut probed = allocator.clone();
    probed.libs.extend(libs.iter().cloned());
    let measured = probe::measure_cached(
        compiler,
        &probed,
        &Hidden::nothing(archives),
        &work.path.join("probe"),
        &cache.join("probes"),
    )?;
    let mut relied_on = super::relied_on(compiler, &allocator);
    relied_on.foreign = Some(Foreign::Forward);
    let report = measured.as_ref().map(|m| probe::compare(&relied_on, m)).unwrap_or_default();
    let ((), found) = report.finish(())?;
    remarks.extend(of_measurement(compiler, &allocator, measured.as_ref(), found));
    Ok(Measured { allocator, measured, remarks })
}

/// The target that is meant where none is named, and the host is none of the platform's: the first ABI's.
pub fn usual_target(platform: &Platform) -> Option<String> {
    platform.hooks.as_ref().filter(|_| platform.abi_of(HOST).is_none())?;
    let abi = platform.abis.first()?;
    let system = abi.environments.iter().find(|name| name.contains('-'))?;
    Some(format!("{}-pc-{system}", abi.machines.first()?))
}

struct Made {
    library: PathBuf,
    import_library: PathBuf,
    c_library: bool,
    /// Of a heap in a library of its own, this.
    heap: Option<Box<Made>>,
}

impl Made {
    /// As it lies in the cache: a file beside the library says how it was linked.
    fn at(folder: &Path, compiler: &Compiler, name: &str) -> Made {
        let library = folder.join(name);
        let import_library = folder.join(import_library_name(compiler, name));
        let c_library = folder.join(format!("{name}.{NEEDS}")).is_file();
        Made { library, import_library, c_library, heap: None }
    }

    /// Whether it is all there.
    fn is_whole(&self) -> bool {
        self.library.is_file() && self.heap.as_ref().is_none_or(|heap| heap.is_whole())
    }

    /// All but the library.
    fn beside(&self) -> Vec<PathBuf> {
        let mut files = vec![self.import_library.clone()];
        if let Some(heap) = &self.heap {
            files.push(heap.library.clone());
            files.extend(heap.beside());
        }
        files
    }
}

const NEEDS: &str = "needs-a-c-library";

/// As linkers look for it: `libNAME.dll.a`; among Microsoft's tools `NAME.dll.lib`, as rustc has it, for `NAME.lib` is
/// the name of an archive of the same functions.
pub fn import_library_name(compiler: &Compiler, library: &str) -> String {
    let stem = library.strip_suffix(".dll").unwrap_or(library);
    match compiler.is_msvc() {
        true => format!("{stem}.dll.lib"),
        false => format!("lib{}.dll.a", stem.strip_prefix("lib").unwrap_or(stem)),
    }
}

/// What the heap's own library is called, where it has one: after the one that it makes itself known to.
fn heap_library_name(library: &str) -> String {
    format!("{}-heap.dll", library.strip_suffix(".dll").unwrap_or(library))
}

/// Renders, compiles and links, unless the same inputs have been linked before.
fn assemble(
    order: &Order<'_>,
    hooks: &Hooks,
    plan: &Plan,
    unit: Option<&cxx::Unit>,
    archives: &[PathBuf],
) -> Result<Made> {
    let compiler = order.compiler;
    // What a C++ file needs of a runtime, its own compiler brings.
    let linker = unit.map_or(compiler, |unit| &unit.compiler);
    let redirected = order.hook == Some(REDIRECT);
    // The hooks of a heap in a library of its own are in C, whatever the heap is in.
    let files = match unit {
        Some(unit) if redirected => {
            let text = String::from_utf8_lossy(&read(&unit.headers.join("shim.c"))?).into_owned();
            Files::from([("shim.c".to_owned(), text)])
        }
        Some(_) => Files::new(),
        None => rendered(order, plan)?,
    };
    let object = match unit {
        Some(unit) if !redirected => unit.object(order.cache)?,
        _ => shim_object(order, files["shim.c"].as_bytes())?,
    };
    let inline = inline::wanted(&object)?;
    let mut parts: Vec<Vec<u8>> = files.values().map(|text| text.as_bytes().to_vec()).collect();
    parts.extend(unit.map(|unit| unit.key.clone().into_bytes()));
    parts.push(order.soname.as_bytes().to_vec());
    if let Some(source) = &inline {
        parts.extend(source.parts()?);
    }
    let folder = order.cache.join("libraries").join(product_key(
        order,
        plan,
        parts,
        &Hidden::nothing(archives),
    )?);
    let heap = redirected.then(|| heap_library_name(order.soname));
    let made = || Made {
        heap: heap.as_ref().map(|name| Box::new(Made::at(&folder, compiler, name))),
        ..Made::at(&folder, compiler, order.soname)
    };
    if made().is_whole() {
        return Ok(made());
    }
    make_folder(&folder)?;
    let work = Work::new(order.cache)?;
    let mut objects = vec![object];
    if let Some(inline) = &inline {
        objects.extend(inline.compile(compiler, &work.path)?);
    }
    let abi = super::abi(order)?;
    let prefix = abi.symbol_prefix;
    let dll = Dll {
        objects,
        archives: archives.to_vec(),
        libs: plan.allocator.libs.clone(),
        system: system(hooks),
        c_library: hooks.c_library.clone(),
        pull: plan.allocator.export.iter().map(|name| prefix.clone() + name).collect(),
        work: work.path.clone(),
        ..Dll::default()
    };
    match &heap {
        None => put(linker, &dll, &made())?,
        Some(name) => {
            let first = Dll { archives: vec![], libs: vec![], pull: vec![], ..dll.clone() };
            put(compiler, &first, &made())?;
            let object = match unit {
                Some(unit) => unit.object(order.cache)?,
                None => heap_object(compiler, files["heap.c"].as_bytes(), &work)?,
            };
            let first = Some(made().import_library);
            let dll = Dll { objects: vec![object], first, ..dll };
            let own = Made::at(&folder, compiler, name);
            put(linker, &dll, &own)?;
            // Or the next build would take it for done.
            refuse_late(&own.library, order.soname).inspect_err(|_| {
                let _ = std::fs::remove_file(&own.library);
            })?;
        }
    }
    Ok(made())
}

/// What of the shim goes into the heap's own library.
fn heap_object(compiler: &Compiler, text: &[u8], work: &Work) -> Result<PathBuf> {
    let (source, object) = (work.path.join("heap.c"), work.path.join("heap.o"));
    write(&source, text)?;
    compile(compiler, &source, &object, &[])?;
    Ok(object)
}

/// Links a library and puts it where it is to lie, with its import library.
fn put(compiler: &Compiler, dll: &Dll, made: &Made) -> Result<()> {
    let name = made.library.file_name().unwrap_or_default();
    // Under its own name, which the import library takes down.
    let (library, import_library) = (dll.work.join(name), dll.work.join("import.lib"));
    if link_dll(compiler, dll, &library, &import_library)? {
        let note = format!("{}.{NEEDS}", name.to_string_lossy());
        write(&made.library.with_file_name(note), b"")?;
    }
    rename(&import_library, &made.import_library)?;
    rename(&library, &made.library)
}

/// The heap's library must come after the one with the hooks, and that one before every C library.
fn refuse_late(heap: &Path, hooks: &str) -> Result<()> {
    let data = read(heap)?;
    let image = Image::read(&data).map_err(|error| unreadable(heap, &error))?.remove(0);
    match image.libraries.first() {
        Some(first) if first.name == hooks => Ok(()),
        first => {
            let other = first.map_or("nothing", |library| library.name.as_str());
            let message = format!("`{}` imports {other} before `{hooks}`", heap.display());
            Err(Diagnostic::error("A8601", message).help("take another linker with `--cc`").into())
        }
    }
}

fn rendered(order: &Order<'_>, plan: &Plan) -> Result<Files> {
    let mut inputs = Inputs::interposer(&plan.platform.name, &plan.allocator.name);
    inputs.hook = order.hook.map(str::to_owned);
    render::render(plan, &inputs)
}

/// The shim's object, from the cache if the same text has been compiled before.
fn shim_object(order: &Order<'_>, shim: &[u8]) -> Result<PathBuf> {
    let compiler = order.compiler;
    let name = compiler.name();
    let version = compiler.version().as_bytes();
    let parts = [shim, name.as_bytes(), compiler.target.as_bytes(), version];
    let object = order.cache.join("objects").join(format!("{}-hooks.o", key(&parts)));
    if object.is_file() {
        return Ok(object);
    }
    make_folder(&order.cache.join("objects"))?;
    let work = Work::new(order.cache)?;
    let (source, made) = (work.path.join("shim.c"), work.path.join("made.o"));
    write(&source, shim)?;
    compile(compiler, &source, &made, &[])?;
    rename(&made, &object)?;
    Ok(object)
}

/// Where a library for Windows finds what it calls of the system.
pub(crate) fn system(hooks: &Hooks) -> Vec<SystemLibrary> {
    let library = |import: &crate::spec::Import| SystemLibrary {
        file: import.file.clone(),
        begins: import.begins.clone(),
        lends: import.lends.clone(),
    };
    hooks.imports.iter().map(library).collect()
}

/// Reads the library back: nothing that the plan hooks may be missing from its table.
fn judge(library: &Path, plan: &Plan, abi: &Abi) -> Result<Verdict> {
    let data = read(library)?;
    let image = Image::read(&data).map_err(|error| unreadable(library, &error))?.remove(0);
    let table = Image::strings(&data, TABLE)
        .ok_or_else(|| unreadable(library, &format!("it does not export `{TABLE}`")))?;
    let verdict = judge_hooks(&image, &table, &plan.platform, abi, Some(plan));
    super::refuse_faults(&verdict)?;
    Ok(verdict)
}

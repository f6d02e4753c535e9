//! The same for Windows: the names, and the pointers by which code calls them that takes them for imports.
//!
//! Only GNU's linker joins objects there; LLVM's and Microsoft's have no such thing, and ours does it.

use std::path::{Path, PathBuf};

use super::{Seen, arguments, carrier, listed_in, microsoft, options};
use crate::{
    artifact::{Image, ImageImport, POINTER},
    diagnostic::{Diagnostic, Report, Result},
    embedded,
    hide::{Hidden, objcopy},
    interposer::{
        Order, compile_beside, cxx::Unit, import_library_name, read, recipe, system, write,
    },
    laws::Compilers,
    parallel,
    plan::{Mode, Plan},
    render::{self, view},
    spec::Abi,
    toolchain::{
        Compiler, Dll, Recipe, Runner, join, join_for_windows, link_dll_with_c_library,
        own_sections,
    },
};

/// Refuses operators where nothing here has a C++ library to compile and throw them with.
///
/// # Errors
/// `A8202`.
pub(super) fn refuse_cxx(order: &Order<'_>) -> Result<()> {
    let compiler = order.compiler;
    if order.lang != "cpp" || !compiler.is_msvc() {
        return Ok(());
    }
    let message = format!(
        "no program that carries a heap in C++ is built for Windows with `{}`",
        compiler.name()
    );
    Err(Diagnostic::error("A8202", message)
        .fact("operators new throw: std::bad_alloc, and what throws it, are Microsoft's, and were never at hand")
        .help("take MinGW's gcc (`--target x86_64-pc-windows-gnu`), or `--lang c` for an archive: operators are then the runtime's, which call malloc")
        .into())
}

/// The object: the shim and the allocator joined, its other names hidden.
pub(super) fn made(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    unit: Option<&Unit>,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let kept = plan.allocator.keep.iter().chain(&plan.allocator.export);
    let recipe = Recipe {
        pull: kept.map(|name| written(abi, name)).collect(),
        dissolve_groups: true,
        ..recipe(order, abi, plan, &archives.archives, work)
    };
    compiled(order, unit, &recipe.shim, archives, work)?;
    let (joined, made) = (work.join("joined.o"), work.join("made.o"));
    let names: Vec<String> = names(plan, abi).iter().map(|name| written(abi, name)).collect();
    if order.compiler.is_msvc() || order.compiler.zig().is_some() {
        join_for_windows(&recipe.shim, &recipe.archives, &names, &recipe.pull, &made)?;
        return Ok(made);
    }
    join(order.compiler, &recipe, &joined)?;
    let keep = listed_in(work, "--keep-global-symbols=", "names.txt", &names)?;
    let mut arguments = own_sections();
    arguments.extend([keep, joined.into(), made.clone().into()]);
    objcopy(order.compiler, &arguments, "hiding the allocator's own names in the object")?;
    Ok(made)
}

/// Compiles the shim, in its language, while the archives' copies are made.
fn compiled(
    order: &Order<'_>,
    unit: Option<&Unit>,
    shim: &Path,
    archives: &Hidden,
    work: &Path,
) -> Result<()> {
    let Some(unit) = unit else {
        return compile_beside(order.compiler, &work.join("shim.c"), shim, &[], archives);
    };
    let (compiled, made) =
        parallel::both(|| unit.compile(&[], shim), || archives.make(order.compiler));
    made.and(compiled)
}

/// As the object has it, with what the ABI puts before each name of C.
fn written(abi: &Abi, name: &str) -> String {
    match name.strip_prefix(POINTER) {
        Some(name) => format!("{POINTER}{}{name}", abi.symbol_prefix),
        None => format!("{}{name}", abi.symbol_prefix),
    }
}

/// Whether C++ names are Microsoft's alone there.
fn is_microsofts(abi: &Abi) -> bool {
    abi.families.is_empty()
}

/// All that the object shows, as C spells it: inside a program, each name and its import's pointer. Operators are no
/// imports to a compiler.
pub(super) fn names(plan: &Plan, abi: &Abi) -> Vec<String> {
    let mut names = view::listed(plan, abi);
    if plan.mode == Mode::Static {
        let functions = plan.defined().map(|answer| &answer.symbol);
        let functions = functions.filter(|s| s.is_in(abi) && !s.operation.is_operator());
        names.extend(functions.map(|symbol| format!("{POINTER}{}", symbol.name(abi))));
    }
    names
}

/// A DLL of functions under a prefix, and beside it its import library.
pub(super) fn dll(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    unit: Option<&Unit>,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let shim = work.join("shim.o");
    compiled(order, unit, &shim, archives, work)?;
    // What a C++ file needs of a runtime, its own compiler brings.
    let compiler = unit.map_or(order.compiler, |unit| &unit.compiler);
    let names = view::listed(plan, abi);
    let hooks = plan.platform.hooks.as_ref();
    let mut parts = archives.archives.clone();
    if order.compiler.is_msvc() {
        parts.push(microsoft::start_up(order.compiler, plan, abi, work)?);
    }
    let dll = Dll {
        objects: vec![shim],
        archives: parts,
        libs: plan.allocator.libs.clone(),
        system: match order.compiler.is_msvc() {
            true => microsoft::with_c_library(plan),
            false => hooks.map(system).unwrap_or_default(),
        },
        c_library: hooks.map(|hooks| hooks.c_library.clone()).unwrap_or_default(),
        exports: names.clone(),
        work: work.to_owned(),
        ..Dll::default()
    };
    let library = work.join(order.soname);
    let import_library = work.join(import_library_name(order.compiler, order.soname));
    link_dll_with_c_library(compiler, &dll, &library, &import_library)?;
    let data = read(&library)?;
    let exports = Image::read(&data).map_err(|error| unreadable(&library, &error.to_string()))?;
    let missing = names.iter().filter(|name| !exports.iter().any(|image| image.exports(name)));
    let facts: Vec<_> = missing.map(|name| format!("`{name}` is not exported")).collect();
    if facts.is_empty() {
        return Ok(library);
    }
    let message = "the library that was linked does not do what its plan says";
    let diagnostic = Diagnostic::error("A8440", message);
    Err(facts.into_iter().fold(diagnostic, Diagnostic::fact).into())
}

/// The programs' texts: that in C refers to every name of the plan. For Microsoft's ABI, where there is no
/// C library, the other one stands for its start-up code.
///
/// # Errors
/// `A8999` if a template is wrong, which is never the user's fault.
pub(super) fn sources(plan: &Plan, abi: &Abi) -> Result<[String; 2]> {
    let names: Vec<_> = names(plan, abi).iter().map(|name| written(abi, name)).collect();
    let tells = plan.platform.hooks.as_ref().and_then(|hooks| hooks.threads.as_ref());
    let directory = tells.map(|tells| tells.directory.as_str());
    let text = |file: &str| {
        let template =
            embedded::text(&format!("templates/carrier/{file}.tera")).unwrap_or_default();
        let values = serde_json::json!({ "names": names, "directory": directory });
        render::alone(file, &template, &values)
    };
    Ok(match is_microsofts(abi) {
        true => [text("microsoft.c")?, text("alone.c")?],
        false => [text("windows.c")?, text("windows.cpp")?],
    })
}

/// Links a program in each language, reads its imports and runs it.
///
/// # Errors
/// `A8441` with what was wrong with which program; `A8402` with what a linker said.
pub(super) fn prove(
    compiler: &Compiler,
    plan: &Plan,
    abi: &Abi,
    object: &Path,
    work: &Path,
) -> Result<Vec<Seen>> {
    if compiler.is_msvc() {
        return microsoft::prove(compiler, plan, abi, object, work);
    }
    let compilers = Compilers::beside(compiler);
    let [c, cpp] = sources(plan, abi)?;
    // Libraries of the C++ runtime have operators of their own, which call the C library's malloc.
    // Operators that throw have their runtime in a program in C too: the driver for C++ links it.
    let in_c = match plan.carries_operators() {
        true => compilers.cxx.as_ref(),
        false => Ok(compiler),
    };
    let forms = [
        ("in C", "carrier.c", c, None, in_c),
        ("in C++, with its runtime", "carrier.cpp", cpp, Some("-static"), compilers.cxx.as_ref()),
    ];
    let list = work.join("carrier.args");
    write(&list, &arguments(object, &options(compiler, plan, abi)))?;
    let mut at = std::ffi::OsString::from("@");
    at.push(&list);
    let mut seen = Vec::new();
    for (form, file, text, option, driver) in forms {
        let driver = match driver {
            Ok(driver) => driver,
            Err(why) => {
                seen.push(Seen::new(form.to_owned(), why, false));
                continue;
            }
        };
        let (file, program) = (work.join(file), work.join("carrier.exe"));
        write(&file, text.as_bytes())?;
        let language = if form == "in C" { "c" } else { "c++" };
        let mut words: Vec<std::ffi::OsString> =
            ["-O1", "-x", language].map(std::ffi::OsString::from).into();
        words.extend([file.into(), "-x".into(), "none".into(), at.clone()]);
        words.extend(option.map(std::ffi::OsString::from));
        words.extend(["-o".into(), program.clone().into()]);
        driver.run(&words, &format!("linking a program ({form})"))?;
        let what = ran(driver, plan, abi, form, &program)?;
        seen.push(Seen::new(form.to_owned(), what, true));
    }
    Ok(seen)
}

/// Reads a program back and runs it, where programs of the target run.
///
/// # Errors
/// `A8441`.
pub(super) fn ran(
    compiler: &Compiler,
    plan: &Plan,
    abi: &Abi,
    form: &str,
    program: &Path,
) -> Result<&'static str> {
    let mut faults = faults(program, plan, abi)?;
    let runner = Runner::of(&compiler.target).filter(|_| faults.is_empty());
    let what = match runner.map(|runner| runner.command(program, None).output()) {
        None => "linked and read back, not run: the target does not run here",
        // Wine may end with 0 and have run nothing.
        Some(Ok(ran)) if ran.status.success() && ran.stdout.starts_with(b"whole") => {
            "linked, read back and run"
        }
        Some(Ok(ran)) => {
            faults.push(format!("it ended with {}, and not at its end", ran.status));
            "linked"
        }
        Some(Err(error)) => {
            faults.push(format!("it could not be started: {error}"));
            "linked"
        }
    };
    carrier::wrong(form, faults).map(|()| what)
}

/// What of the plan a program still takes from a library.
fn faults(program: &Path, plan: &Plan, abi: &Abi) -> Result<Vec<String>> {
    let data = read(program)?;
    let images = Image::read(&data).map_err(|error| unreadable(program, &error.to_string()))?;
    let imports = images.iter().flat_map(|image| &image.imports);
    let names = view::exported(plan, abi);
    let others = imports.filter(|import| names.contains(&import.name));
    let fault = |import: &ImageImport| {
        let library = import.library.as_deref().unwrap_or("a library");
        format!("`{}` is that of {library}", import.name)
    };
    Ok(others.map(fault).collect())
}

fn unreadable(file: &Path, why: &str) -> Report {
    Diagnostic::error("A8441", format!("`{}` cannot be read back: {why}", file.display())).into()
}

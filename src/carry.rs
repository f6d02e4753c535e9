//! From an allocator's code to one object that programs carry inside themselves, and the options by
//! which they are linked with it; proved on programs that were linked so. The same object with names
//! under a prefix is `prefixed`.
//!
//! Beside `interposer`, whose first steps it shares: what comes out is linked by others, so there is
//! no library to read back, only what links with it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    artifact::{Bind, Format, Symbol, Visibility},
    diagnostic::{Diagnostic, Result},
    hide::{Hidden, macho, objcopy, read_archive},
    interposer::{
        Order, Prepared, Work, abi, archives, compile_beside, cxx::Unit, of_measurement, prepare,
        product_key, recipe, refuse_other_language, rename, write,
    },
    plan::{Plan, decided},
    probe::Measurements,
    render::{self, Inputs, view},
    spec::Abi,
    toolchain::{Compiler, join, make_folder},
};

mod carrier;
mod darwin;
mod microsoft;
mod prefixed;
mod windows;

pub use carrier::Seen;
pub use prefixed::{Form, Prefixed, build_prefixed};

/// What was built.
#[derive(Debug, Clone)]
pub struct Carried {
    /// The object, in the cache: link it, do not put it into an archive of others.
    pub object: PathBuf,
    /// How each symbol is answered.
    pub plan: Plan,
    /// The ABI.
    pub abi: Abi,
    /// What it wants of a program's link beside itself.
    pub options: Vec<String>,
    /// The programs that were linked with it, and what was seen of them.
    pub seen: Vec<Seen>,
    /// What was measured; `None` if the target does not run here.
    pub measured: Option<Measurements>,
    /// The archives that were linked, before anything was hidden.
    pub archives: Vec<PathBuf>,
    /// What the user should know.
    pub remarks: Vec<Diagnostic>,
}

/// Builds it and links programs with it, or takes it from the cache if nothing has changed.
///
/// # Errors
/// Every phase's own; `A8230` if the platform has no facts for it; `A8440` if the object does not
/// define what its plan says; `A8441` if a program that was linked with it does not use it alone.
pub fn build(order: &Order<'_>) -> Result<Carried> {
    if order.platform.hooks.is_some() {
        windows::refuse_cxx(order)?;
    }
    let inputs = Inputs {
        lang: order.lang.to_owned(),
        mode: "static".to_owned(),
        ..Inputs::interposer(&order.platform.name, &order.allocator.name)
    };
    let turn = |plan: Plan| match order.lang {
        "cpp" => plan.in_program().map(Plan::in_cxx),
        _ => plan.in_program(),
    };
    let Begun { abi, plan, hidden, unit, archives, measured, remarks, work } =
        begin(order, &inputs, turn)?;
    plan.refuse_hook(None)?;
    let (object, seen) = assemble(order, &inputs, &abi, &plan, unit.as_ref(), &hidden, &work.path)?;
    let options = match order.compiler.is_for_darwin() {
        true => darwin::options(&plan, &object)?,
        false => options(order.compiler, &plan, &abi),
    };
    Ok(Carried { object, plan, abi, options, seen, measured, archives, remarks })
}

/// All that comes before the shim.
struct Begun {
    abi: Abi,
    plan: Plan,
    /// Private copies of the archives.
    hidden: Hidden,
    /// The file in C++ that is the shim, where it is.
    unit: Option<Unit>,
    archives: Vec<PathBuf>,
    measured: Option<Measurements>,
    remarks: Vec<Diagnostic>,
    work: Work,
}

/// Under the public names, to which blocks of others come where other heaps are a matter of course,
/// what `owns` says is then relied on.
fn begin(order: &Order<'_>, inputs: &Inputs, turn: impl Fn(Plan) -> Result<Plan>) -> Result<Begun> {
    refuse_other_language(order)?;
    let abi = abi(order)?;
    let mut platform = order.platform.clone();
    platform.narrow(&abi.name);
    let archives = archives(order)?;
    let parts = Work::new(order.cache)?;
    let mut own = match order.compiler.is_for_darwin() {
        true => macho::slices(order.compiler, &archives, &parts.path)?,
        false => archives.clone(),
    };
    let names = order.platform.names(&abi).into_iter().collect();
    let mut allocator = order.allocator.on(order.platform);
    if inputs.mode == "static" {
        allocator = decided(order.platform, allocator);
    }
    let class = match order.lang {
        "cpp" => Unit::of_class(order, &turn(Plan::new(&platform, &allocator)?.0)?, inputs)?,
        _ => None,
    };
    let libs = allocator.libs.clone();
    if let Some(class) = &class {
        class.keep_asked(&mut allocator);
        own.insert(0, class.heap(order.cache)?);
        allocator.libs.extend(class.cxx_library());
    }
    let Prepared { mut allocator, mut hidden, measured, mut remarks, found, work } =
        prepare(order.compiler, &allocator, &own, &names, order.cache)?;
    remarks.extend(of_measurement(order.compiler, &allocator, measured.as_ref(), found));
    if class.is_some() {
        // It was for the measurement alone, as the library of C++ was: the class's own file has it once more.
        hidden = hidden.without_first();
        allocator.libs = libs;
    }
    let (plan, more) = Plan::new(&platform, &allocator)?;
    remarks.extend(more);
    let plan = turn(plan)?;
    let unit = match class {
        None if order.lang == "cpp" => Some(Unit::of_archive(order, &plan, inputs)?),
        class => class,
    };
    Ok(Begun { abi, plan, hidden, unit, archives, measured, remarks, work })
}

/// The arguments that a compiler driver takes from a file (`cc main.o @FILE`), one a line.
///
/// The object is named in full: the driver looks for it from where it is called.
pub fn arguments(object: &Path, options: &[String]) -> Vec<u8> {
    let mut text = quote(object);
    for option in options {
        text.push(b'\n');
        text.extend(option.as_bytes());
    }
    text.push(b'\n');
    text
}

/// What the object wants of a program's link.
pub fn options(compiler: &Compiler, plan: &Plan, abi: &Abi) -> Vec<String> {
    let mut options: Vec<String> =
        plan.asks_for().iter().map(|name| format!("-Wl,-u,{name}")).collect();
    // What the program's libraries do not refer to would be seen by none that it opens later.
    match (plan.platform.hooks.is_some(), compiler.zig().is_some()) {
        // On Windows each module has its own names.
        (true, _) => {}
        // Its driver knows no way to name some.
        (false, true) => options.push("-rdynamic".to_owned()),
        (false, false) => {
            let names = view::listed(plan, abi);
            options.extend(names.iter().map(|name| format!("-Wl,--export-dynamic-symbol={name}")));
        }
    }
    let libs = plan.allocator.libs.iter().chain(&plan.platform.runtime.libs);
    // As Microsoft's compiler and linker, and those of LLVM that stand in for them, take them.
    let microsofts = compiler.is_msvc();
    options
        .extend(libs.map(|lib| if microsofts { format!("{lib}.lib") } else { format!("-l{lib}") }));
    // One that is a library has operators of its own, to which blocks of these would come. Zig's never is.
    if plan.carries_operators() && plan.platform.hooks.is_some() && compiler.zig().is_none() {
        options.extend(["-static-libgcc", "-static-libstdc++"].map(str::to_owned));
    }
    options
}

/// As gcc and clang read one word of such a file: a backslash takes the next byte as it is.
fn quote(path: &Path) -> Vec<u8> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut text = vec![b'"'];
    for byte in path.as_os_str().as_encoded_bytes() {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    text
}

/// Puts an object into an archive of its own.
///
/// # Errors
/// `A8402`, `A8403` if there is no archiver, or it fails.
pub fn archive(compiler: &Compiler, object: &Path, archive: &Path) -> Result<()> {
    const DOING: &str = "putting the object into an archive";
    let _ = std::fs::remove_file(archive);
    if compiler.is_for_darwin() {
        return macho::archive(compiler, &["rcs".into(), archive.into(), object.into()]);
    }
    let mut command = match compiler.zig() {
        Some(zig) => {
            let mut command = Command::new(&zig[0]);
            command.args(&zig[1..]).args(["ar", "rcsD"]);
            command
        }
        // The index that Microsoft's linker looks names up in is this one's.
        None if compiler.is_msvc() => {
            let mut out = OsString::from("/out:");
            out.push(archive);
            let mut command = Command::new("llvm-lib");
            command.arg("/nologo").arg(out).arg(object);
            return crate::toolchain::run(command, DOING);
        }
        None => {
            let mut command = Command::new(compiler.tool("ar"));
            command.env("LC_ALL", "C").arg("rcsD");
            command
        }
    };
    command.arg(archive).arg(object);
    crate::toolchain::run(command, DOING)
}

/// Renders, compiles, joins and proves, unless the same inputs have been proved before.
fn assemble(
    order: &Order<'_>,
    inputs: &Inputs,
    abi: &Abi,
    plan: &Plan,
    unit: Option<&Unit>,
    archives: &Hidden,
    work: &Path,
) -> Result<(PathBuf, Vec<Seen>)> {
    let shim = match unit {
        Some(unit) => unit.key.clone(),
        None => render::render(plan, inputs)?.remove("shim.c").unwrap_or_default(),
    };
    let windows = plan.platform.hooks.is_some();
    let programs = if windows { windows::sources(plan, abi) } else { carrier::sources(plan, abi) };
    let mut parts = vec![shim.clone(), programs?.concat()];
    parts.extend(options(order.compiler, plan, abi));
    let parts = parts.into_iter().map(String::into_bytes).collect();
    let key = product_key(order, plan, parts, archives)?;
    let folder = order.cache.join("carried").join(key);
    let (object, record) = (folder.join("heap.o"), folder.join("seen.txt"));
    if let (true, Ok(text)) = (object.is_file(), std::fs::read_to_string(&record)) {
        return Ok((object, Seen::recall(&text)));
    }
    make_folder(&folder)?;
    if unit.is_none() {
        write(&work.join("shim.c"), shim.as_bytes())?;
    }
    let made = made(order, abi, plan, unit, archives, work)?;
    let seen = match order.compiler.is_for_darwin() {
        true => darwin::prove(order.compiler, plan, abi, &made, work)?,
        false if windows => windows::prove(order.compiler, plan, abi, &made, work)?,
        false => carrier::prove(order.compiler, plan, abi, &made, work)?,
    };
    write(&record, Seen::record(&seen).as_bytes())?;
    rename(&made, &object)?;
    Ok((object, seen))
}

/// The object: joined, its other names hidden, read back.
fn made(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    unit: Option<&Unit>,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    if order.compiler.is_for_darwin() {
        let made = darwin::made(order, abi, plan, archives, work)?;
        return judge(order.compiler, &made, &view::listed(plan, abi)).map(|()| made);
    }
    if plan.platform.hooks.is_some() {
        let made = windows::made(order, abi, plan, unit, archives, work)?;
        return judge(order.compiler, &made, &windows::names(plan, abi)).map(|()| made);
    }
    let recipe = recipe(order, abi, plan, &archives.archives, work);
    let direct: &[&str] = if recipe.aliases.is_empty() { &[] } else { &["-DALLOC8_DIRECT"] };
    compile_beside(order.compiler, &work.join("shim.c"), &recipe.shim, direct, archives)?;
    let (joined, made) = (work.join("joined.o"), work.join("made.o"));
    join(order.compiler, &recipe, &joined)?;
    let names = view::listed(plan, abi);
    // A direct binding is as strong as its target, whatever the shim's text says.
    let mut arguments = vec![
        listed_in(work, "--keep-global-symbols=", "names.txt", &names)?,
        listed_in(work, "--weaken-symbols=", "weak.txt", &view::weak(plan, abi))?,
    ];
    arguments.extend([joined.into(), made.clone().into()]);
    objcopy(order.compiler, &arguments, "hiding the allocator's own names in the object")?;
    judge(order.compiler, &made, &names).map(|()| made)
}

/// An option of objcopy that takes names from a file.
fn listed_in(work: &Path, option: &str, file: &str, names: &[String]) -> Result<OsString> {
    let list = work.join(file);
    write(&list, names.iter().map(|name| format!("{name}\n")).collect::<String>().as_bytes())?;
    let mut option = OsString::from(option);
    option.push(list);
    Ok(option)
}

/// Every name is defined for all, and no other is.
fn judge(compiler: &Compiler, made: &Path, names: &[String]) -> Result<()> {
    let object = read_archive(made)?;
    let public = |s: &&Symbol| s.defined && s.bind != Bind::Local;
    let macho = object.members.iter().all(|member| member.format == Format::MachO);
    let symbols = object.members.iter().flat_map(|member| &member.symbols);
    let public: Vec<&Symbol> = symbols.filter(public).collect();
    let mut diagnostic =
        Diagnostic::error("A8440", "the object that was joined does not do what its plan says");
    let before = diagnostic.notes.len();
    for name in names {
        let found = public.iter().find(|s| s.name == *name);
        let what = match found.map(|s| s.visibility) {
            Some(Visibility::Default | Visibility::Protected) => continue,
            Some(_) => "is hidden: libraries of the program would call another",
            None => "is not defined",
        };
        diagnostic = diagnostic.fact(format!("`{name}` {what}"));
    }
    let shown = public.iter().filter(|s| !macho || darwin::shows(s));
    for other in shown.filter(|s| !names.contains(&s.name)) {
        diagnostic = diagnostic.fact(format!("`{}` is public, and in no plan", other.name));
    }
    if diagnostic.notes.len() == before {
        return Ok(());
    }
    // Elsewhere there is no other linker to take, or none that joined it.
    let chosen = compiler.zig().is_none() && !compiler.is_msvc() && !compiler.is_for_darwin();
    let help = match chosen {
        true => "the linker may have dropped names: try another with `--cc \"cc -fuse-ld=bfd\"`",
        false => "try another compiler with `--cc CMD`, and report what this one did",
    };
    Err(diagnostic.help(help).into())
}

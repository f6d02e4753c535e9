//! `run` for programs of Windows: the hooks' library becomes the program's first import, and the program
//! begins when the library has said what it took over. On Windows itself, and elsewhere under Wine.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use alloc8_gen::{
    artifact::Image,
    diagnostic::{Diagnostic, Report, Result},
    interposer::{
        self, Order,
        launcher::{self, FATAL, Record, in_words},
    },
    spec::Platform,
    toolchain::{Compiler, HOST, Runner, is_windows, windows_folder},
    verify::hooks::{Meeting, TABLE, c_libraries, meet},
};
use serde_json::json;

use super::{
    NOT_EXECUTABLE, NOT_FOUND, REFUSED, Show, cannot_execute, evidence::put, find_allocator, host,
    scratch::Scratch,
};
use crate::{
    cli::Run,
    command::{
        build::cache,
        hook_name,
        verify::hooks::{obstacle, refuse_heapless, targets},
        verify::read,
    },
};

/// What else a library must export, so that it can be asked what it did.
const REPORT: &str = "alloc8_report";

/// A program, read and told what it is for.
struct Program {
    path: PathBuf,
    image: Image,
    target: String,
    runner: Runner,
}

pub(super) fn run(options: &Run, platform: &Platform, show: &Show) -> Result<u32> {
    if options.print_env {
        return Err(Diagnostic::error("A8685", "nothing is set in the environment for Windows")
            .fact("the library is put among the program's imports when it is started")
            .help("leave out `--print-env`, and name the program")
            .into());
    }
    let Some(path) = find(&options.command[0]) else {
        let name = options.command[0].to_string_lossy();
        show.diagnostics(&[Diagnostic::error("A8663", format!("`{name}` was not found"))]);
        return Ok(NOT_FOUND);
    };
    let program = read_program(path, platform)?;
    let (library, launcher) = tools(options, &program, platform, show)?;
    let folder = Scratch::new()?;
    let record = folder.path.join("record");
    let (library, path) = (absolute(&library), absolute(&program.path));
    let mut command = launcher::command(&program.runner, &launcher, &record, &library, &path);
    command.args(&options.command);
    match command.spawn().and_then(|mut child| host::wait_for(&mut child)) {
        Ok(status) => {
            let text = fs::read(&record).unwrap_or_default();
            let record = Record::read(&String::from_utf8_lossy(&text));
            tell(&record, status, &program, platform, options, show)
        }
        Err(error) => {
            show.diagnostics(&[cannot_execute(&program.path, &error)]);
            Ok(NOT_EXECUTABLE)
        }
    }
}

/// Not the real one, which Windows spells in a way (`\\\\?\\`) that no table of imports can have.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/* ---- The program ---- */

/// Finds a program as Windows does: in this folder, then in PATH's; what `.exe` is left out of, too. Files of
/// Windows need no permission to be executed.
fn find(name: &OsStr) -> Option<PathBuf> {
    let text = name.to_string_lossy().replace('\\', "/");
    let named = match text.as_bytes() {
        [letter, b':', b'/', rest @ ..] if letter.is_ascii_alphabetic() && !is_windows(HOST) => {
            let drive = format!("{}:", char::from(letter.to_ascii_lowercase()));
            let rest = String::from_utf8_lossy(rest).into_owned();
            windows_folder().parent()?.with_file_name("dosdevices").join(drive).join(rest)
        }
        _ if Path::new(name).is_file() => return Some(name.into()),
        _ => PathBuf::from(&text),
    };
    let mut folders = vec![PathBuf::new()];
    if !text.contains('/') {
        folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        folders.push(windows_folder().join("system32"));
    }
    let with_extension = PathBuf::from(format!("{}.exe", named.display()));
    let names = [named, with_extension];
    let mut all = folders.iter().flat_map(|folder| names.each_ref().map(|name| folder.join(name)));
    all.find(|path| path.is_file())
}

fn read_program(path: PathBuf, platform: &Platform) -> Result<Program> {
    let shown = path.display().to_string();
    let data = read(&path)?;
    let no_program = |why: String| {
        Report::from(
            Diagnostic::error("A8680", format!("`{shown}` is no program of Windows"))
                .fact(why)
                .help("name a .exe file; for a script, the program that reads it"),
        )
    };
    if !data.starts_with(b"MZ") {
        return Err(no_program("a PE file begins with `MZ`".to_owned()));
    }
    let image = Image::read(&data).map_err(|error| no_program(format!("it is {error}")))?.remove(0);
    let target = targets(platform, &image).into_iter().next();
    let runner = target.as_deref().and_then(Runner::of);
    let (Some(target), Some(runner)) = (target.clone(), runner) else {
        let what = target.unwrap_or_else(|| "a CPU that is not known here".to_owned());
        return Err(Diagnostic::error("A8681", format!("`{shown}` does not run here"))
            .fact(match is_windows(HOST) {
                true => format!("it is for {what}, and this is {HOST}"),
                false => format!("it is for {what}, and no Wine here runs that"),
            })
            .help(match is_windows(HOST) {
                true => "start it on a machine of its own kind",
                false => "install Wine (on Debian: apt-get install wine wine64; for 32 bits its libraries for i386, WINEDLLPATH)",
            })
            .into());
    };
    Ok(Program { path, image, target, runner })
}

/* ---- The library ---- */

/// The library, which takes effect in the program, and the launcher. A compiler is looked for where one of them is
/// not there yet.
fn tools(
    options: &Run,
    program: &Program,
    platform: &Platform,
    show: &Show,
) -> Result<(PathBuf, PathBuf)> {
    let launcher = launcher::built_in(&program.target, &cache())?;
    if let Some(library) = &options.preload {
        judge(program, library, platform)?;
        if let Some(launcher) = launcher {
            return Ok((library.clone(), launcher));
        }
    }
    let compiler = Compiler::find(options.archive.cc.as_deref(), Some(&program.target))?;
    let library = match &options.preload {
        Some(library) => library.clone(),
        None => {
            let library = library(options, platform, &compiler, show)?;
            judge(program, &library, platform)?;
            library
        }
    };
    let compiled = || launcher::launcher(&compiler, &cache());
    Ok((library, launcher.map_or_else(compiled, Ok)?))
}

fn library(
    options: &Run,
    platform: &Platform,
    compiler: &Compiler,
    show: &Show,
) -> Result<PathBuf> {
    let allocator = find_allocator(options.allocator.as_deref().unwrap_or("simple_heap"), show)?;
    let hook = options.hook.and_then(hook_name);
    if hook.as_deref() == Some("redirect") {
        return Err(Diagnostic::error("A8202", "`run` makes one library the program's first import, and `--hook redirect` has two")
            .help("take `--hook iat`, which changes the same; or link the program with what `build --hook redirect` makes")
            .into());
    }
    let order = Order {
        platform,
        allocator: &allocator,
        lang: allocator.lang(),
        libs: &options.archive.lib,
        compiler,
        cache: &cache(),
        soname: &format!("{}-alloc8.dll", allocator.name),
        hook: hook.as_deref(),
    };
    let built = interposer::build(&order)?;
    if options.proof.is_some() {
        show.diagnostics(&built.remarks);
    }
    Ok(built.library)
}

/// Refuses a library that hooks nothing, and a program in which hooks find nothing.
fn judge(program: &Program, library: &Path, platform: &Platform) -> Result<()> {
    let data = read(library)?;
    let shown = library.display();
    let image = Image::is_image(&data).then(|| Image::read(&data)).transpose();
    let image = image.ok().flatten().and_then(|mut images| images.pop());
    let whole = |image: &Image| [TABLE, REPORT].iter().all(|name| image.exports(name));
    let Some(image) = image.filter(whole) else {
        let message = format!("`{shown}` is no library with hooks");
        return Err(Diagnostic::error("A8660", message)
            .fact(format!(
                "it does not export `{TABLE}` and `{REPORT}`, so nobody knows what it does"
            ))
            .help("build one: `alloc8-gen build -p windows`")
            .into());
    };
    let consequence = "the program would keep the C library's";
    let help =
        "take `--hook iat`, which changes the same; or link the program with the heap's library";
    refuse_heapless(&image, library, consequence, help)?;
    let name = library.file_name().unwrap_or_default().to_string_lossy();
    let met = meet(&program.image, &image, &name, platform);
    if met == Meeting::StaticLibrary && beside(program, platform) {
        return Ok(());
    }
    match obstacle(&met, &program.path.display().to_string()) {
        Some(diagnostic) => Err(diagnostic.into()),
        None => Ok(()),
    }
}

/// Whether a library beside the program, which it imports, imports a C library.
fn beside(program: &Program, platform: &Platform) -> bool {
    let folder = program.path.parent().unwrap_or(Path::new(""));
    program.image.libraries.iter().any(|needed| {
        let data = fs::read(folder.join(&needed.name)).unwrap_or_default();
        let images = Image::read(&data).unwrap_or_default();
        images.iter().any(|image| !c_libraries(image, platform).is_empty())
    })
}

/* ---- What came of it ---- */

fn tell(
    record: &Record,
    status: ExitStatus,
    program: &Program,
    platform: &Platform,
    options: &Run,
    show: &Show,
) -> Result<u32> {
    let shown = program.path.display();
    if let Some(status) = record.early {
        let message = format!("`{shown}` ended before its first instruction: {}", in_words(status));
        let mut diagnostic = Diagnostic::error("A8683", message);
        for name in missing(program) {
            diagnostic = diagnostic.fact(format!(
                "it needs `{name}`, which is neither beside it nor among Windows' own"
            ));
        }
        show.diagnostics(&[
            diagnostic.help("start it without hooks: if it fails then too, it lacks something")
        ]);
        return Ok(NOT_EXECUTABLE);
    }
    if let Some(what) = &record.refused {
        if let Some(number) = what.strip_prefix("CreateProcess ") {
            let message = format!("`{shown}` could not be executed: Windows' error {number}");
            show.diagnostics(&[Diagnostic::error("A8661", message)]);
            return Ok(NOT_EXECUTABLE);
        }
        let hookless = what.starts_with("taking a C library over");
        let code = if hookless { "A8684" } else { "A8682" };
        let message = format!("`{shown}` was not started under the library: {what}");
        let mut diagnostic = Diagnostic::error(code, message);
        for line in &record.report {
            diagnostic = diagnostic.fact(line.clone());
        }
        return Err(diagnostic.into());
    }
    let Some(ended) = record.ended else {
        let message =
            format!("nothing is known of `{shown}`: {} ended with {status}", program.runner.name());
        return Err(Diagnostic::error("A8686", message)
            .fact(
                "the launcher came to no end; Wine may be broken, or has no libraries for this CPU",
            )
            .help("start it without hooks, with WINEDEBUG=err+all")
            .into());
    };
    if ended >= FATAL {
        let message = format!("`{shown}` ended with {}", in_words(ended));
        show.diagnostics(&[Diagnostic::note("A8687", message)]);
    }
    let holds = match &options.proof {
        Some(to) => prove(record, ended, to, platform, show)?,
        None => true,
    };
    Ok(if holds { ended } else { REFUSED })
}

/// The program's libraries that are nowhere; none if Wine has no Windows yet.
fn missing(program: &Program) -> Vec<String> {
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().to_ascii_lowercase()).collect()
    };
    let narrow = windows_folder().join("syswow64");
    let narrow =
        Some(narrow).filter(|folder| program.target.starts_with("i686") && folder.is_dir());
    let system = names(&narrow.unwrap_or_else(|| windows_folder().join("system32")));
    if system.is_empty() {
        return Vec::new();
    }
    let folder = program.path.parent().filter(|folder| *folder != Path::new(""));
    let mut there = names(folder.unwrap_or(Path::new(".")));
    there.extend(names(Path::new(".")));
    there.extend(system);
    let virtual_name = |name: &str| name.starts_with("api-ms-") || name.starts_with("ext-ms-");
    let needed = program.image.libraries.iter().map(|library| &library.name);
    let lower = |name: &&String| {
        let name = name.to_ascii_lowercase();
        !virtual_name(&name) && !there.contains(&name)
    };
    needed.filter(lower).cloned().collect()
}

/// Writes down which C libraries were taken over before the program's first instruction; whether nothing
/// was left out.
fn prove(record: &Record, ended: u32, to: &Path, platform: &Platform, show: &Show) -> Result<bool> {
    let (taken, left): (Vec<&str>, Vec<&str>) = record
        .report
        .iter()
        .map(|line| line.strip_prefix("alloc8: ").unwrap_or(line))
        .partition(|line| line.ends_with(" functions"));
    let holds = left.is_empty();
    let text = if show.json() {
        let proof = json!({
            "reason": "proof", "holds": holds, "platform": platform.name, "hooked": taken,
            "left": left, "ended": ended,
        });
        format!("{proof}\n")
    } else {
        let word = if holds { "proof" } else { "no proof" };
        let lines = taken.iter().map(|line| format!("  {line}\n"));
        let lines: String = lines.chain(left.iter().map(|line| format!("  ! {line}\n"))).collect();
        format!("{word}: hooked before the program's first instruction:\n{lines}")
    };
    put(to, &text)?;
    if !holds {
        let what = "the library left something alone, and its report says why";
        show.diagnostics(&[Diagnostic::error("A8665", "the proof failed").fact(what)]);
    }
    Ok(holds)
}

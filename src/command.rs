//! The verbs: each reads its options, asks the library, and shows the answer.

use std::{ffi::OsString, path::Path, process::ExitCode};

use alloc8_gen::{
    allocator::{self, Allocator},
    diagnostic::{Diagnostic, Report, Result},
    render,
    spec::{self, Platform},
    toolchain::HOST,
};
use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::cli::{Cli, Configuration, Mode, Verb};

mod build;
mod check;
mod explain;
mod generate;
mod host;
mod init;
mod laws;
mod list;
mod run;
mod show;
mod verify;

use show::Show;

/// Done, or in agreement.
const DONE: u8 = 0;
/// The answer is no.
const NO: u8 = 1;
/// It could not be done.
const FAILED: u8 = 2;

/// Runs one command line to its exit status.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.len() < 2 {
        // Asked for nothing: the help is an answer, but nothing was done.
        let _ = Cli::command().print_help();
        return ExitCode::from(FAILED);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let told = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if told { DONE } else { FAILED });
        }
    };
    let show = Show::new(&cli.global);
    let running = matches!(cli.verb, Some(Verb::Run(_)));
    match dispatch(cli, &show).and_then(|status| show.refuse_loss().map(|()| status)) {
        Ok(status) => host::exit_code(status),
        Err(report) => {
            show.report(&report);
            host::exit_code(if running { run::REFUSED } else { FAILED.into() })
        }
    }
}

fn dispatch(cli: Cli, show: &Show) -> Result<u32> {
    if let Some(verb) = &cli.verb {
        refuse_stray_options(&cli, verb)?;
    }
    let status = match cli.verb {
        None => generate::generate(&cli.generate, show),
        Some(Verb::Generate(options)) => generate::generate(&options, show),
        Some(Verb::Check(options)) => check::check(&options, show),
        Some(Verb::Build(options)) => build::build(&options, show),
        // The only one that may be any program's.
        Some(Verb::Run(options)) => return run::run(&options, show),
        Some(Verb::Verify(options)) => verify::verify(&options, show),
        Some(Verb::Laws(options)) => laws::laws(&options, show),
        Some(Verb::List(options)) => list::list(&options, show),
        Some(Verb::Explain(options)) => explain::explain(&options, show),
        Some(Verb::Init(options)) => init::init(&options, show),
    };
    status.map(u32::from)
}

/// `alloc8-gen -p linux check` would lose `-p linux` without a word.
fn refuse_stray_options(cli: &Cli, verb: &Verb) -> Result<()> {
    let g = &cli.generate;
    let c = &g.configuration;
    let stray = [
        (!c.platform.is_empty(), "--platform"),
        (c.allocator.is_some(), "--allocator"),
        (c.lang.is_some(), "--lang"),
        (c.mode.is_some(), "--mode"),
        (c.prefix.is_some(), "--prefix"),
        (c.hook.is_some(), "--hook"),
        (g.target.is_some(), "--target"),
        (g.output.is_some(), "--output"),
        (g.only.is_some(), "--only"),
        (g.depfile.is_some(), "--depfile"),
    ];
    let Some((_, option)) = stray.iter().find(|(set, _)| *set) else { return Ok(()) };
    let verb = verb_name(verb);
    Err(Diagnostic::error("A8901", format!("`{option}` stands before the verb `{verb}`"))
        .help(format!("options of a verb follow it: `alloc8-gen {verb} {option} …`"))
        .into())
}

fn verb_name(verb: &Verb) -> &'static str {
    match verb {
        Verb::Generate(_) => "generate",
        Verb::Check(_) => "check",
        Verb::Build(_) => "build",
        Verb::Run(_) => "run",
        Verb::Verify(_) => "verify",
        Verb::Laws(_) => "laws",
        Verb::List(_) => "list",
        Verb::Explain(_) => "explain",
        Verb::Init(_) => "init",
    }
}

/// The platforms that were named; `all` means all.
fn platforms(names: &[String]) -> Result<Vec<Platform>> {
    let mut platforms = Vec::new();
    let mut report = Report::default();
    for name in names {
        if name == "all" {
            return spec::platforms();
        }
        match spec::platform(name) {
            Ok(platform) => platforms.push(platform),
            Err(mistakes) => report.diagnostics.extend(mistakes.diagnostics),
        }
    }
    report.finish(platforms).map(|(platforms, _)| platforms)
}

/// The platforms that were named, to be rendered: `all` means all that have templates.
fn rendered_platforms(names: &[String], lang: &str, show: &Show) -> Result<Vec<Platform>> {
    let named = platforms(names)?;
    if !names.iter().any(|name| name == "all") {
        return Ok(named);
    }
    let has_templates = |p: &Platform| render::has_language(&p.mechanism, lang);
    let (rendered, left): (Vec<_>, Vec<_>) = named.into_iter().partition(has_templates);
    if !left.is_empty() {
        let left: Vec<_> = left.iter().map(|p| p.name.as_str()).collect();
        show.say(&format!("left out, no templates yet: {}", left.join(", ")));
    }
    Ok(rendered)
}

/// The platform that this tool runs on.
fn host_platform() -> Result<Platform> {
    platform_of(HOST)
}

fn platform_of(triple: &str) -> Result<Platform> {
    spec::platform_of(triple)?.ok_or_else(|| {
        Diagnostic::error("A8902", format!("no platform knows the target `{triple}`"))
            .help("name one with `--platform`; `alloc8-gen list platforms` shows them")
            .into()
    })
}

/// Who is meant by `-a`: `./NAME.toml`, a built-in, a path, or the naming convention.
fn find_allocator(given: &str, show: &Show) -> Result<Allocator> {
    let path = Path::new(given);
    if given.ends_with(".toml") || path.components().count() > 1 {
        return allocator::read_file(path);
    }
    let beside = format!("{given}.toml");
    // A link to nowhere was meant too: it is told, and not passed over.
    if Path::new(&beside).symlink_metadata().is_ok() {
        return allocator::read_file(Path::new(&beside));
    }
    if let Some(found) = allocator::built_in(given) {
        return found;
    }
    let c_name = given.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !given.starts_with(|c: char| c.is_ascii_digit());
    if given.is_empty() || !c_name {
        return Err(Diagnostic::error("A8903", format!("`{given}` cannot name an allocator"))
            .help("use a C identifier, or the path of a description that ends in .toml")
            .into());
    }
    let assumed = allocator::convention(given)?;
    show.diagnostics(&[Diagnostic::note(
        "A8904",
        format!("no description of `{given}`: the naming convention is used"),
    )
    .fact(format!(
        "functions: {}; no promises, so every call is guarded",
        assumed.symbols().join(", ")
    ))
    .help(format!("`alloc8-gen init {given} --lib lib{given}.a` writes a description"))]);
    Ok(assumed)
}

/// `line` is a whole command line.
fn required<'a>(option: &'a Option<String>, name: &str, line: &str) -> Result<&'a str> {
    option.as_deref().ok_or_else(|| {
        Diagnostic::error("A8905", format!("`{name}` is required")).help(line).into()
    })
}

/// The one platform that is meant where there cannot be several.
fn one_platform(name: &str) -> Result<Platform> {
    if name == "all" {
        return Err(Diagnostic::error("A8910", "`all` is more than one platform")
            .help("name one: `alloc8-gen list platforms` shows them")
            .into());
    }
    spec::platform(name)
}

/// # Errors
/// `A8253` for `--hook` where nothing is hooked.
fn refuse_hook(hook: Option<crate::cli::Hook>, platform: &Platform) -> Result<()> {
    match hook.filter(|_| platform.hooks.is_none()) {
        None => Ok(()),
        Some(_) => Err(Diagnostic::error(
            "A8253",
            format!("`--hook` belongs to Windows, not to `{}`", platform.name),
        )
        .help("leave it out, or name that platform: `-p windows`")
        .into()),
    }
}

/// `--prefix` belongs to mode `prefixed`.
fn refuse_unavailable(configuration: &Configuration) -> Result<()> {
    let prefixed = configuration.mode == Some(Mode::Prefixed);
    match (prefixed, &configuration.prefix) {
        (true, None) => Err(Diagnostic::error("A8235", "`--mode prefixed` needs a prefix")
            .help("name one: `--mode prefixed --prefix my` makes `my_malloc`, `my_free` …")
            .into()),
        (false, Some(prefix)) => {
            Err(Diagnostic::error("A8235", "`--prefix` belongs to `--mode prefixed`")
                .help(format!("add `--mode prefixed`, or leave out `--prefix {prefix}`"))
                .into())
        }
        _ => Ok(()),
    }
}

/// The language and mode that were asked for.
fn lang_and_mode(configuration: &Configuration) -> (String, String) {
    let value = |v: Option<String>, default: &str| v.unwrap_or_else(|| default.to_owned());
    let name = |v: clap::builder::PossibleValue| v.get_name().to_owned();
    use clap::ValueEnum;
    (
        value(configuration.lang.and_then(|l| l.to_possible_value()).map(name), "c"),
        value(configuration.mode.and_then(|m| m.to_possible_value()).map(name), "interpose"),
    )
}

/// The kind of hook that was asked for.
fn hook(configuration: &Configuration) -> Option<String> {
    hook_name(configuration.hook?)
}

/// As it is typed.
fn hook_name(hook: crate::cli::Hook) -> Option<String> {
    use clap::ValueEnum;
    Some(hook.to_possible_value()?.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_global_option_may_stand_before_or_after_the_verb() {
        for line in [
            ["alloc8-gen", "--format", "json", "check"],
            ["alloc8-gen", "check", "--format", "json"],
        ] {
            let cli = Cli::try_parse_from(line).expect("both are the same");
            assert!(matches!(cli.verb, Some(Verb::Check(_))));
        }
    }
}

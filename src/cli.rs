//! The command line as a model; what it means is decided in `command`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Generates malloc interposition shims from one spec, builds them, and proves that they took effect.
///
/// Options without a verb mean `generate`.
#[derive(Debug, Parser)]
#[command(
    name = "alloc8-gen",
    version,
    max_term_width = 100,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs"
)]
pub(crate) struct Cli {
    // First, because the heading of the others would otherwise hold for these too.
    #[command(flatten)]
    pub(crate) generate: Generate,
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// How results and diagnostics are written: for people, one JSON object a line, or as GitHub annotations
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
    /// Whether to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say what is done
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Render the shims
    Generate(Generate),
    /// Compare what is on disk with what would be rendered; write nothing
    Check(Check),
    /// Render, compile, link, verify
    Build(Build),
    /// Run a program under an interposer, or say why that cannot take effect
    Run(Run),
    /// Tell what a built library really interposes, ours or anyone's
    Verify(Verify),
    /// Render the platform's laws as a conformance program
    Laws(Generate),
    /// List platforms, allocators or symbols
    List(List),
    /// Tell a symbol's whole story, or what a diagnostic's code means
    Explain(Explain),
    /// Describe an allocator: read its library, measure what it promises, write NAME.toml
    Init(Init),
}

/// What is rendered.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Configuration {
    /// Where the programs run: a platform's name, or `all`
    #[arg(short, long, value_name = "PLATFORM", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,
    /// Who answers: a built-in allocator, a name under the naming convention, or a description's path
    #[arg(short, long, value_name = "NAME|PATH.toml")]
    pub(crate) allocator: Option<String>,
    /// The shim's language
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<Lang>,
    /// How names are taken over
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<Mode>,
    /// The public prefix of `--mode prefixed`
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
    /// How functions are hooked on Windows
    #[arg(long, value_name = "HOOK")]
    pub(crate) hook: Option<Hook>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    C,
    Cpp,
    Rust,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Interpose,
    Static,
    Prefixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hook {
    Iat,
    Minhook,
    Detours,
    Redirect,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// Narrow to the ABI of a target triple
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
    /// Put PLATFORM/… into this folder, or `-` with `--only` for standard output
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Render one file alone
    #[arg(long, value_name = "FILE")]
    pub(crate) only: Option<String>,
    /// Write what the output depends on, for Make and Ninja
    #[arg(long, value_name = "FILE")]
    pub(crate) depfile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Folders with rendered files, searched to the bottom; `generated` if none is named
    #[arg(value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// Narrow to the ABI of a target triple
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    #[command(flatten)]
    pub(crate) archive: Archive,
    /// The target triple; picks the cross compiler
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
    /// The library to make
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write what the library depends on, for Make and Ninja
    #[arg(long, value_name = "FILE")]
    pub(crate) depfile: Option<PathBuf>,
}

/// The allocator's code, and the compiler for it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Archive {
    /// The allocator's static library, instead of the one that its description names
    #[arg(long, value_name = "libNAME.a")]
    pub(crate) lib: Vec<PathBuf>,
    /// The C compiler, instead of $CC or cc
    #[arg(long, value_name = "CMD")]
    pub(crate) cc: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Where the program runs
    #[arg(short, long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,
    /// Who answers: a built-in allocator, a name under the naming convention, or a description's path
    #[arg(short, long, value_name = "NAME|PATH.toml")]
    pub(crate) allocator: Option<String>,
    #[command(flatten)]
    pub(crate) archive: Archive,
    /// Preload this library instead of building one
    #[arg(long, value_name = "FILE")]
    pub(crate) preload: Option<PathBuf>,
    /// How functions are hooked on Windows
    #[arg(long, value_name = "HOOK")]
    pub(crate) hook: Option<Hook>,
    /// Prove that the interposer took effect, to standard error or FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub(crate) proof: Option<PathBuf>,
    /// Do not hand the preload down to the program's children
    #[arg(long)]
    pub(crate) no_inherit: bool,
    /// Print the environment that would be set, and start nothing
    #[arg(long)]
    pub(crate) print_env: bool,
    /// The program and its arguments
    #[arg(value_name = "PROGRAM", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Built libraries
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The platform, instead of a guess from the file
    #[arg(short, long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,
    /// Compare with the plan for this allocator
    #[arg(short, long, value_name = "NAME|PATH.toml")]
    pub(crate) allocator: Option<String>,
    /// The language of the library's shim, for the plan that it is compared with
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<Lang>,
    #[command(flatten)]
    pub(crate) archive: Archive,
    /// Tell whether preloading would take effect in this program
    #[arg(long, value_name = "EXE")]
    pub(crate) program: Option<PathBuf>,
    /// Also run the platform's laws under the library: all of them, or those that are named
    #[arg(long, value_name = "LAW,…", num_args = 0.., require_equals = true, value_delimiter = ',')]
    pub(crate) laws: Option<Vec<String>>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// What to list
    pub(crate) what: What,
    /// The platform
    #[arg(short, long, value_name = "PLATFORM", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,
    /// Show each answer, its reason and its price for this allocator
    #[arg(short, long, value_name = "NAME|PATH.toml")]
    pub(crate) allocator: Option<String>,
    /// Narrow to the ABI of a target triple
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    Platforms,
    Allocators,
    Symbols,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A symbol, such as `aligned_alloc`, or a code, such as A8101
    #[arg(value_name = "SYMBOL|CODE")]
    pub(crate) subject: String,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The allocator's name; NAME.toml is written
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) archive: Archive,
    /// Also write a CMakeLists.txt that builds the interposer
    #[arg(long)]
    pub(crate) cmake: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory};

    use super::*;

    const RENDERED: &[&str] = &["platform", "allocator", "lang", "mode", "prefix", "hook"];
    const EVERYWHERE: &[&str] = &["format", "color", "quiet", "verbose", "help"];

    fn options(command: &Command) -> BTreeSet<String> {
        let options = command.get_arguments().filter_map(|a| a.get_long()).map(str::to_owned);
        options.filter(|name| name != "version").collect()
    }

    /// The table of the design, section 4.
    fn table(verb: &str) -> Vec<&'static str> {
        let own: &[&str] = match verb {
            "generate" | "laws" => &["target", "output", "only", "depfile"],
            "check" => &["target"],
            "build" => &["target", "lib", "cc", "output", "depfile"],
            "run" => &[
                "platform",
                "allocator",
                "lib",
                "cc",
                "preload",
                "proof",
                "no-inherit",
                "print-env",
                "hook",
            ],
            "verify" => &["platform", "allocator", "lang", "lib", "cc", "program", "laws"],
            "list" => &["platform", "allocator", "target"],
            "init" => &["lib", "cc", "cmake"],
            "explain" => &[],
            other => panic!("the table has no verb `{other}`"),
        };
        let rendered = ["generate", "laws", "check", "build"].contains(&verb);
        let rendered = if rendered { RENDERED } else { &[] };
        own.iter().chain(rendered).chain(EVERYWHERE).copied().collect()
    }

    #[test]
    fn every_verb_has_the_options_of_the_table_and_no_others() {
        let mut model = Cli::command();
        model.build();
        let mut verbs = BTreeSet::new();
        for verb in model.get_subcommands().filter(|c| c.get_name() != "help") {
            let name = verb.get_name();
            let wanted: BTreeSet<String> = table(name).into_iter().map(str::to_owned).collect();
            assert_eq!(options(verb), wanted, "{name}");
            verbs.insert(name.to_owned());
        }
        let all = "generate check build run verify laws list explain init";
        assert_eq!(verbs, all.split(' ').map(str::to_owned).collect());
        // The bare form is `generate`.
        let bare = options(&model);
        assert_eq!(bare, table("generate").into_iter().map(str::to_owned).collect());
    }

    #[test]
    fn an_option_means_the_same_letter_and_has_words_in_every_verb() {
        let mut model = Cli::command();
        model.build();
        for verb in model.get_subcommands().chain([&model]).filter(|c| c.get_name() != "help") {
            for option in verb.get_arguments().filter(|a| a.get_long().is_some()) {
                let long = option.get_long().unwrap_or_default();
                let letter = match long {
                    "platform" => Some('p'),
                    "allocator" => Some('a'),
                    "output" => Some('o'),
                    "quiet" => Some('q'),
                    "verbose" => Some('v'),
                    "help" => Some('h'),
                    "version" => Some('V'),
                    _ => None,
                };
                assert_eq!(option.get_short(), letter, "{} --{long}", verb.get_name());
                assert!(option.get_help().is_some(), "{} --{long}", verb.get_name());
            }
        }
    }
}

//! The laws as a program for the user's own CI: sources, a Makefile and a runner, complete without
//! this tool.

use serde_json::json;

use super::{Lang, Law, laws, parts, platform::HEADER};
use crate::{
    diagnostic::{Diagnostic, Report, Result},
    embedded,
    render::{
        Files,
        marker::{self, Comment, Inputs},
    },
    spec::Platform,
};

/// What a marker's `mode` says of these files.
pub const MODE: &str = "laws";

const TEMPLATES: &str = "templates/laws/suite/";

/// Renders the platform's laws. All files are in one folder, plug-ins too: one folder, one
/// configuration.
///
/// # Errors
/// `A8202` if the platform's mechanism cannot preload; `A8999` if a template is wrong.
pub fn suite(platform: &Platform, inputs: &Inputs) -> Result<Files> {
    if platform.mechanism != "elf" {
        let mechanism = &platform.mechanism;
        let message = format!("no laws yet for platform `{}` ({mechanism})", platform.name);
        return Err(Diagnostic::error("A8202", message)
            .help("laws are rendered for platforms whose libraries are preloaded by name (mechanism `elf`): `-p linux`")
            .into());
    }
    let laws = laws(platform)?;
    let used = |file: &str| {
        file.ends_with(".h") || laws.iter().any(|law| law.plugin.as_deref() == Some(file))
    };
    let mut files = Files::new();
    for (file, text) in parts().filter(|(file, _)| used(file)) {
        files.insert(file.to_owned(), marker::mark(&text, Comment::C, inputs));
    }
    for law in &laws {
        files.insert(law.file.clone(), marker::mark(&law.text, Comment::C, inputs));
    }
    let header = super::platform::header(platform)?;
    files.insert(HEADER.to_owned(), marker::mark(&header, Comment::C, inputs));
    let context = context(platform, &laws);
    for file in ["Makefile", "run.sh"] {
        let body = render(file, &context)?;
        files.insert(file.to_owned(), marker::mark(&body, Comment::Hash, inputs));
    }
    Ok(files)
}

/// The text of one template.
///
/// # Errors
/// `A8999` if the template is wrong.
pub(super) fn render(file: &str, values: &serde_json::Value) -> Result<String> {
    let text = embedded::text(&format!("{TEMPLATES}{file}.tera")).unwrap_or_default();
    let mut tera = tera::Tera::new();
    tera.autoescape_on(Vec::<String>::new());
    let context = tera::Context::from_serialize(values).map_err(internal)?;
    tera.add_raw_templates([(file, text)]).map_err(internal)?;
    tera.render(file, &context).map_err(internal)
}

fn internal(error: tera::Error) -> Report {
    let what = "internal error: this is a bug in alloc8-gen";
    Diagnostic::error("A8999", what).fact(error.to_string()).into()
}

fn context(platform: &Platform, laws: &[Law]) -> serde_json::Value {
    let headers = parts().map(|(file, _)| file).filter(|file| file.ends_with(".h"));
    let headers: Vec<_> = headers.chain([HEADER]).collect();
    let plugins = laws.iter().filter_map(|law| {
        let file = law.plugin.as_ref()?;
        let lang = Lang::of(file).unwrap_or(law.lang);
        let command = command(law, lang, &[]);
        Some(json!({ "file": file, "library": library(file), "command": command }))
    });
    let described = laws.iter().map(|law| {
        let builds = law.builds();
        json!({
            "name": law.name,
            "file": law.file,
            "sentence": law.sentence,
            "library": law.plugin.as_deref().map(library).unwrap_or_default(),
            "programs": builds.iter().map(|b| command(law, law.lang, b)).collect::<Vec<_>>(),
        })
    });
    json!({
        "title": platform.title,
        "headers": headers.join(" "),
        "laws": described.collect::<Vec<_>>(),
        "plugins": plugins.collect::<Vec<_>>(),
    })
}

fn library(plugin: &str) -> String {
    let stem = plugin.rsplit_once('.').map_or(plugin, |(stem, _)| stem);
    format!("{stem}.so")
}

/// The compiler's part of a recipe.
fn command(law: &Law, lang: Lang, build: &[String]) -> String {
    let (mut command, clang) = match lang {
        Lang::C => ("$(CC) -std=c11 $(COMMON) $(CFLAGS)".to_owned(), "$(CLANG_C)"),
        Lang::Cxx => ("$(CXX) -std=c++17 $(COMMON) $(CXXFLAGS)".to_owned(), "$(CLANG_CXX)"),
    };
    for flag in law.flags.iter().chain(build) {
        command += &format!(" {flag}");
    }
    let mut for_clang = law.flags_clang.clone();
    if law.flags.iter().chain(build).any(|flag| flag == "-flto") {
        for_clang.push("-fuse-ld=lld".to_owned());
    }
    let (for_clang, for_gcc) = (for_clang.join(" "), law.flags_gcc.join(" "));
    if !for_clang.is_empty() || !for_gcc.is_empty() {
        let rest = if for_gcc.is_empty() { String::new() } else { format!(",{for_gcc}") };
        command += &format!(" $(if {clang},{for_clang}{rest})");
    }
    command
}
